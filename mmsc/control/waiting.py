"""Waits until a message is where a test wants it, or until the time is up: for long polls of REST and for scenarios.

Whoever waits is woken by the bus and looks into the store: an event is published once it is durable. While nobody waits
nothing is called; while somebody does, an event costs one look-up.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import msgspec

from mmsc.control.messages import MessageRow, MessageService
from mmsc.domain.searching import MessageQuery
from mmsc.domain.states import RecipientState
from mmsc.engine.pause import real_pause
from mmsc.engine.queries.messages import Gone, Messages
from mmsc.trace.bus import Bus
from mmsc.trace.events import Event

MOST_WAITERS: Final = 1000  # at once
LONGEST_SECONDS: Final = 300.0  # of one wait, real time
_ELSEWHERE_SECONDS: Final = 1.0  # other nodes' events are not on this bus: how often to look
MOST_SEARCHERS: Final = 100  # of these wait for a message that is not there yet: each looks by a search
_BETWEEN_SEARCHES_SECONDS: Final = 0.1  # a search is made at most that often by one who waits
_SHARE_SECONDS: Final = 0.02  # ... and by all who wait together at most 50 times a second
T = TypeVar("T")


class TooManyWait(Exception):
    """As many wait as may: later."""


class Waited(msgspec.Struct, frozen=True):
    """How a wait ended. `reached`: as it was wanted; else the time was up. `message`: as it stands, None when it is not
    there (yet)."""

    reached: bool
    message: MessageRow | None


class WaitingService:
    """`Control.waiting`. `shared`: other nodes write to the store, too."""

    def __init__(
        self,
        bus: Bus[Event],
        messages: Messages,
        service: MessageService,
        *,
        shared: bool = False,
        most: int = MOST_WAITERS,
    ) -> None:
        self._bus = bus
        self._messages = messages
        self._service = service
        self._shared = shared
        self._most = most
        self._by_mm: defaultdict[int, set[asyncio.Event]] = defaultdict(set)
        self._for_any: set[asyncio.Event] = set()
        self._unhear: Callable[[], None] | None = None
        self.waiting = 0

    async def for_message(
        self,
        mm_id: int,
        *,
        states: Collection[RecipientState] = (),
        events: Collection[str] = (),
        every: bool = True,
        timeout_seconds: float = 30.0,
    ) -> Waited | Gone:
        """Until every recipient (or any) of a message is or was in one of these states, and it has all these kinds of
        events; with neither: until no recipient is open. Raises `TooManyWait` and `StoreUnavailable`."""

        async def look() -> bool | None:
            return await self._is_reached(mm_id, states, events, every=every) or None

        gone = await self._service.row(mm_id)
        if isinstance(gone, Gone):
            return gone
        with self._awake(mm_id) as news:
            reached = await self._until(look, news, timeout_seconds)
        row = await self._service.row(mm_id)
        return row if isinstance(row, Gone) else Waited(bool(reached), row)

    async def for_query(self, query: MessageQuery, *, after: int = 0, timeout_seconds: float = 30.0) -> Waited:
        """Until there is a message above id `after` for which all of the query holds: the newest one. Raises
        `TooManyWait` and `StoreUnavailable`."""

        async def look() -> MessageRow | None:
            page = await self._service.find(query, limit=1)
            newer = [row for row in page.rows if int(row.mm_id) > after]
            return newer[0] if newer else None

        with self._awake(None) as news:
            found = await self._until(look, news, timeout_seconds, searches=True)
        return Waited(found is not None, found)

    async def _is_reached(
        self, mm_id: int, states: Collection[RecipientState], events: Collection[str], *, every: bool
    ) -> bool:
        if events and not set(events) <= await self._messages.kinds(mm_id):
            return False
        if not states:
            return bool(events) or await self._messages.has_ended(mm_id)
        wanted = {str(one) for one in states}
        passed = [bool(wanted & through) for through in (await self._messages.passed_through(mm_id)).values()]
        return bool(passed) and (all(passed) if every else any(passed))

    async def _until(
        self,
        look: Callable[[], Awaitable[T | None]],
        news: asyncio.Event,
        timeout_seconds: float,
        *,
        searches: bool = False,
    ) -> T | None:
        """Look, and again at each piece of news; None when the time is up."""
        found: T | None = None
        try:
            async with asyncio.timeout(max(0.0, min(timeout_seconds, LONGEST_SECONDS))):
                while (found := await self._looked(look, news)) is None:
                    await self._next(news)
                    if searches:
                        await real_pause(max(_BETWEEN_SEARCHES_SECONDS, _SHARE_SECONDS * len(self._for_any)))
        except TimeoutError:
            news.clear()
        return found if found is not None else await look()  # it may have come with the last second

    @staticmethod
    async def _looked(look: Callable[[], Awaitable[T | None]], news: asyncio.Event) -> T | None:
        news.clear()
        return await look()

    async def _next(self, news: asyncio.Event) -> None:
        if not self._shared:
            await news.wait()
            return
        try:
            async with asyncio.timeout(_ELSEWHERE_SECONDS):
                await news.wait()
        except TimeoutError:
            return

    @contextmanager
    def _awake(self, mm_id: int | None) -> Iterator[asyncio.Event]:
        """A flag that is set by every event about an MM; None: by whatever happens to any."""
        if self.waiting >= self._most:
            raise TooManyWait(f"{self._most} wait already")
        if mm_id is None and len(self._for_any) >= MOST_SEARCHERS:
            raise TooManyWait(f"{MOST_SEARCHERS} wait for messages that are not there yet")
        news = asyncio.Event()
        flags = self._for_any if mm_id is None else self._by_mm[mm_id]
        flags.add(news)
        self.waiting += 1
        if self._unhear is None:
            self._unhear = self._bus.hear(self._heard)
        try:
            yield news
        finally:
            self.waiting -= 1
            flags.discard(news)
            if mm_id is not None and not flags:
                self._by_mm.pop(mm_id, None)
            if not self.waiting and self._unhear is not None:
                self._unhear()
                self._unhear = None

    def _heard(self, event: Event) -> None:
        mm_id = event.mm_id
        if mm_id is None:
            return
        for news in self._by_mm.get(mm_id, ()):
            news.set()
        for news in self._for_any:
            news.set()
