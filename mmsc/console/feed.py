"""What pages that show the same are told: found and rendered once, however many of them are open.

A `Feed` belongs to one address of a stream. It looks at its source four times a second, renders what is new, and hands
the octets to its readers. A reader whose socket has not taken what it was given costs nothing: nothing is rendered for
it and nothing kept; once it reads on it is told `behind`, on which the page is read anew. Where no reader can take
more, the feed itself rests. Who takes nothing for `STALLED_SECONDS` is cut.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, Generic, TypeVar

from aiohttp import web

from mmsc.console.page import markup
from mmsc.console.strip import Notice, notices
from mmsc.console.words import seconds
from mmsc.control import Control
from mmsc.domain.instant import SECOND, Instant
from mmsc.trace.bus import Bus
from protocols.records import record

GATHERED_SECONDS: Final = 0.25
BEAT_SECONDS: Final = 5.0  # a page whose last beat is older is not live
STRIP_SECONDS: Final = 1.0
STALLED_SECONDS: Final = 10.0  # so long a reader may take none of what is written
SEND_BUFFER_OCTETS: Final = 64 * 1024  # the kernel's, of one reader; the program's own is as large
LONG_LOOK_SECONDS: Final = 0.05  # who looks for longer looks at most a twentieth of the time
RESTS_TIMES: Final = 20
ITEMS_AT_ONCE: Final = 5000  # of one quarter second; more of them and the page is read anew

T = TypeVar("T")


@record(frozen=True, slots=True)
class Push:
    """One event of a page: its name, and markup for the elements that show it."""

    event: str
    html: str


BEHIND: Final = Push("behind", "")  # the page is to be read anew
Render = Callable[[Sequence[T]], Awaitable[Iterable[Push]]]
Wanted = Callable[[T], bool]


class Shown:
    """What a page was told last, by event: pieces that are as they were are not told again."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def fresh(self, pushes: Iterable[Push]) -> list[Push]:
        """Those that say something else than before."""
        found = [push for push in pushes if self._last.get(push.event) != push.html]
        self._last.update((push.event, push.html) for push in found)
        return found


@record(frozen=True, slots=True)
class Content(Generic[T]):
    """What a feed tells of: its source, which items of it are wanted, how they are rendered, and after how many seconds
    it is rendered though nothing came (0: never). `run`: the page shows one test run alone."""

    source: Bus[T] | None
    render: Render[T]
    wanted: Wanted[T] | None = None
    every_seconds: float = 0
    run: str = ""


class Streams:
    """The streams that are open, at most `maximum`, and what they are fed by."""

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self.open = 0
        self.cut = 0  # because they stalled
        self.refused = 0
        self.closing = asyncio.Event()
        self.feeds: dict[str, Feed[Any]] = {}

    async def close(self, _: web.Application) -> None:
        """The server stops: all of them end."""
        self.closing.set()


class Reader:
    """One open page, as far as its socket goes. `missed`: something was told that it could not take; `was_cut`: it took
    nothing for too long."""

    def __init__(self, response: web.StreamResponse, transport: asyncio.Transport) -> None:
        self._response = response
        self._transport = transport
        self._waiting: list[bytes] = []
        self._is_writing = False
        self._wake = asyncio.Event()
        self._stuck_since: Instant | None = None
        self._ended = False
        self.missed = False
        self.was_cut = False
        _bound_buffer(transport)

    def takes(self, now: Instant) -> bool:
        """Whether its socket took all that it was given. `now`: real time."""
        if self._waiting or self._is_writing or self._transport.get_write_buffer_size():
            self._stuck_since = self._stuck_since or now
            return False
        self._stuck_since = None
        return True

    def give(self, octets: bytes, *, first: bool = False) -> None:
        """To be written as soon as may be; `first`: before what waits already."""
        self._waiting.insert(0 if first else len(self._waiting), octets)
        self._wake.set()

    def look(self, now: Instant) -> None:
        """End it when nobody is there any more, cut it when it stalled."""
        if self._transport.is_closing():
            self.end()
        elif not self.takes(now) and now - (self._stuck_since or now) > STALLED_SECONDS * SECOND:
            self.was_cut = True
            self._transport.abort()
            self.end()

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._wake.set()

    async def run(self) -> None:
        """Write what is given until the end. Raises ConnectionError."""
        while not self._ended:
            await self._wake.wait()
            self._wake.clear()
            given, self._waiting = self._waiting, []
            self._is_writing = True
            for octets in given:
                await self._response.write(octets)
            self._is_writing = False


class Feed(Generic[T]):
    """What all pages at one address are told. It runs as a task of its own while any of them is open."""

    def __init__(self, streams: Streams, control: Control, content: Content[T], position: int) -> None:
        self._streams = streams
        self._control = control
        self._content = content
        self._position = position
        self._readers: list[Reader] = []
        self._notices: tuple[Notice, ...] | None = None
        self._strip = ""
        self._id = ""
        self._rests_until = 0  # real time, µs
        self._due = dict.fromkeys(("page", "strip", "beat"), 0)  # real time, µs
        self.task: asyncio.Task[None] = asyncio.create_task(self._run())

    def join(self, reader: Reader) -> None:
        """From now on it is told what others are."""
        self._readers.append(reader)

    def leave(self, reader: Reader) -> bool:
        """It is gone. Whether it was the last."""
        self._readers.remove(reader)
        return not self._readers

    async def greet(self, reader: Reader, own: Content[T], position: int) -> None:
        """Tell a page that came later what it does not know: all from `position` of the source on, and what stands
        around it. `own` is rendered, for it knows what that page shows."""
        items, missed, identity = self._since(position)
        pushes = [BEHIND] if missed else []
        if items or own.every_seconds:
            pushes += await own.render(items)
        self._look_at_strip()
        reader.give(_octets([*pushes, Push("strip", self._strip), self._beat()], identity), first=True)

    async def _run(self) -> None:
        """Until it is cancelled, or the server stops: then its readers end, as when anything goes wrong."""
        try:
            while not self._streams.closing.is_set():
                await self._turn()
                await _pause(self._streams.closing)
        finally:
            for reader in self._readers:
                reader.end()

    async def _turn(self) -> None:
        now = self._control.clock.real_now()
        for reader in self._readers:
            reader.look(now)
        able = [reader for reader in self._readers if reader.takes(now)]
        if not able:
            return
        pushes = await self._pushes()
        octets = _octets(pushes, self._id)
        for reader in self._readers:
            if reader not in able:
                reader.missed = reader.missed or bool(octets)
            elif reader.missed:
                reader.missed = False
                reader.give(_octets([BEHIND, *pushes], self._id))
            elif octets:
                reader.give(octets)

    async def _pushes(self) -> list[Push]:
        pushes = await self._pages_own() if self._control.clock.real_now() >= self._rests_until else []
        if self._is_due("strip", STRIP_SECONDS) and self._look_at_strip():
            pushes.append(Push("strip", self._strip))
        if self._is_due("beat", BEAT_SECONDS):
            pushes.append(self._beat())
        return pushes

    async def _pages_own(self) -> list[Push]:
        """What is new of the page. After a long look it rests: what comes meanwhile waits in the bus."""
        content = self._content
        items, missed, self._id = self._since(self._position)
        if content.source is not None:
            self._position = content.source.position
        pushes = [BEHIND] if missed else []
        if items or (content.every_seconds and self._is_due("page", content.every_seconds)):
            began = self._control.clock.real_now()
            pushes += await content.render(items)
            took = self._control.clock.real_now() - began
            if took > round(LONG_LOOK_SECONDS * SECOND):
                self._rests_until = began + RESTS_TIMES * took
        return pushes

    def _since(self, position: int) -> tuple[list[T], bool, str]:
        """Items that are wanted, whether some are missing, and the id of the last."""
        source, wanted = self._content.source, self._content.wanted
        if source is None or source.position == position:
            return [], False, self._id
        items, missed = source.since(position)
        identity = str(getattr(items[-1], "id", "")) if items else self._id
        if missed or len(items) > ITEMS_AT_ONCE:
            return [], True, identity
        return (items if wanted is None else [item for item in items if wanted(item)]), False, identity

    def _look_at_strip(self) -> bool:
        """Whether it is another one now."""
        found = notices(self._control, self._content.run)
        if found == self._notices:
            return False
        self._notices = found
        self._strip = markup("strip.html", frame={"strip": found})
        return True

    def _beat(self) -> Push:
        return Push("beat", seconds(self._control.clock.now()))

    def _is_due(self, what: str, every: float) -> bool:
        now = self._control.clock.real_now()
        if now < self._due[what]:
            return False
        self._due[what] = now + round(every * SECOND)
        return True


def _octets(pushes: Sequence[Push], identity: str) -> bytes:
    return b"".join(_event(push, identity) for push in pushes)


def _event(push: Push, identity: str) -> bytes:
    lines = [f"event: {push.event}"]
    if identity:
        lines.append(f"id: {identity}")
    lines += [
        f"data: {line}" for line in push.html.replace("\r", "\n").split("\n")
    ]  # other ends of lines are text here
    return ("\n".join(lines) + "\n\n").encode("utf-8", "replace")


async def _pause(closing: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(GATHERED_SECONDS):
            await closing.wait()
    except TimeoutError:
        pass


def _bound_buffer(transport: asyncio.Transport) -> None:
    """The kernel would take megabytes for a reader that reads nothing."""
    if (given := transport.get_extra_info("socket")) is not None:
        given.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_OCTETS)
        transport.set_write_buffer_limits(high=SEND_BUFFER_OCTETS)
