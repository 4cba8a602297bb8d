"""Captures for people and programs: lists, and files of messages, of a filter, of a ring, or of what happens now."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from datetime import datetime
from typing import Final, Literal

import msgspec

from mmsc.clock import Clock
from mmsc.control.capture_files import CaptureFiles, ReadContent, Wanted
from mmsc.control.messages import MessageService
from mmsc.control.query import parse
from mmsc.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant, from_datetime
from mmsc.trace.bus import WatcherCut
from mmsc.trace.captures import CaptureRecord, Direction
from mmsc.trace.pcapng import Captured, PcapngWriter, name_of
from mmsc.trace.rings import Captures

LOOKED_AT: Final = 5000  # captures read for one answer
PAGE: Final = 100
LARGEST_PAGE: Final = 1000
_LOOKED_AT_TOGETHER: Final = 50  # then others have their turn
_STOP_AFTER: Final = 200_000  # µs of looking
_WAITING: Final = 500  # captures that a live reader may leave behind
MESSAGES_AT_MOST: Final = 200  # whose captures one file has
_GATHERED_SECONDS: Final = 0.25
_EDGE: Final = 5  # lines
_LONGEST_ID: Final = 19  # digits
_AGO: Final = re.compile(r"(\d{1,6})\s*(s|m|min|h|d)")
_SPANS: Final = {"s": SECOND, "m": MINUTE, "min": MINUTE, "h": HOUR, "d": DAY}

Interface = Literal["", "mm1", "mm3", "mm4", "mm7", "smpp", "weblink"]


class CaptureQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which captures. Everything that is given has to hold; `name` and `neighbour` are looked for without case, `text`
    in the octets. `since` and `until` are real time: a UTC time, or how long ago (`90s`, `15m`, `2h`, `1d`)."""

    interface: Interface = ""
    direction: Literal["", "in", "out"] = ""
    name: str = ""
    neighbour: str = ""
    mm: str = ""
    text: str = ""
    since: str = ""
    until: str = ""


class CaptureLine(msgspec.Struct, frozen=True, kw_only=True):
    """One capture in a list. Times are µs UTC; `octets` counts what the store keeps, too. `exchange` ties requests to
    their answers."""

    exchange: str
    interface: str
    direction: Direction
    at_real: Instant
    at_service: Instant
    name: str
    octets: int
    neighbour: str
    local: str
    remote: str
    mm_id: str | None
    transaction_id: str
    note: str
    fault: str


class CapturePage(msgspec.Struct, frozen=True, kw_only=True):
    """Some captures, newest first. `more`: the `before` of the next page, None: there are no more. `looked_at` of them
    were read; `stopped`: enough were, so older ones may match, too."""

    captures: list[CaptureLine]
    more: int | None
    looked_at: int
    stopped: bool


class NoSuchTime(ValueError):
    """A time that cannot be read."""


class Capturing:
    """What the rings hold, as lists and as pcapng."""

    def __init__(self, captures: Captures, read: ReadContent, messages: MessageService, clock: Clock) -> None:
        """`read` gives a stored body, None when retention took it."""
        self.rings = captures
        self._files = CaptureFiles(read)
        self._messages = messages
        self._clock = clock

    async def listed(self, query: CaptureQuery, before: int | None = None, limit: int = PAGE) -> CapturePage:
        """A page of captures, newest first, from before `before` (µs of real time). Raises NoSuchTime."""
        looked = _Looked(self._clock)
        lines: list[CaptureLine] = []
        more: int | None = None
        async for record in self._matching(query, looked, before):
            if len(lines) >= limit and record.at_real != lines[-1].at_real:  # those of one moment stay together
                more = lines[-1].at_real
                break
            lines.append(_line(record, None, ""))
        if more is None and looked.stopped:
            more = looked.at
        lines = [self._explained(one, looked, is_edge=_is_edge(at, len(lines))) for at, one in enumerate(lines)]
        return CapturePage(captures=lines, more=more, looked_at=looked.number, stopped=looked.stopped)

    def _explained(self, line: CaptureLine, looked: "_Looked", *, is_edge: bool) -> CaptureLine:
        """A line with what the other half of its exchange tells, which may stand on another page."""
        exchange = int(line.exchange)
        mm_id, neighbour = looked.mms.get(exchange), looked.neighbours.get(exchange, "")
        if is_edge and (mm_id is None or not neighbour):
            whose = self.rings.of_exchange(exchange)
            mm_id = next((one.mm_id for one in whose if one.mm_id is not None), mm_id)
            neighbour = next((one.neighbour for one in whose if one.neighbour), neighbour)
        return msgspec.structs.replace(line, mm_id=None if mm_id is None else str(mm_id), neighbour=neighbour)

    async def of_mm(
        self, mm_ids: Iterable[int], *, partner: bool = False, service_time: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """The pcapng of some messages, piece by piece."""
        exchanges = self.rings.exchanges_of(frozenset(mm_ids))
        wanted = Wanted(await self.rings.places(exchanges), partner=partner)
        async for piece in self._files.pcapng(wanted, service_time=service_time):
            yield piece

    async def matching(
        self, query: CaptureQuery, *, q: str = "", partner: bool = False, service_time: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """The pcapng of all exchanges of which a capture matches, or with `q` of the messages that it finds, piece by
        piece. Raises NoSuchTime and QueryError before the first piece."""
        wanted = await self._wanted(query, q, partner=partner)
        async for piece in self._files.pcapng(wanted, service_time=service_time):
            yield piece

    async def each(self, query: CaptureQuery, *, q: str = "", partner: bool = False) -> AsyncGenerator[Captured, None]:
        """The same captures one by one, oldest first; raises the same."""
        wanted = await self._wanted(query, q, partner=partner)
        async for one in self._files.captured(wanted):
            yield one

    async def live(self, query: CaptureQuery, *, service_time: bool = False) -> AsyncGenerator[bytes, None]:
        """What is captured from now on, until the reader goes or is too slow: then a last block says so. Raises
        NoSuchTime before the first piece."""
        writer = PcapngWriter(service_time=service_time)
        check = _Check(query, self._clock.real_now())
        yield writer.begin()
        with self.rings.watch(_WAITING) as watcher:
            try:
                async for first in watcher:
                    await asyncio.sleep(_GATHERED_SECONDS)  # an answer tells whose its request is
                    records = [one for one in (first, *watcher.take_all()) if check.may_be(one)]
                    wanted = [one for one in await self._files.whole(records) if check.holds(one.record, one.mm_id)]
                    if pieces := b"".join(writer.add(one) for one in wanted):
                        yield pieces
            except WatcherCut as cut:
                yield writer.missed(cut.missed, f"this reader was too slow: {cut.missed} captures are missing, ended")
        yield writer.end()

    async def exchange(self, number: int) -> list[Captured]:
        """A request with its answer, with their octets made whole."""
        return await self._files.whole(self.rings.of_exchange(number))

    async def _wanted(self, query: CaptureQuery, q: str, *, partner: bool) -> Wanted:
        check = _Check(query, self._clock.real_now())
        if q:
            page = await self._messages.find(parse(q, self._clock.now()), limit=MESSAGES_AT_MOST)
            found = self.rings.exchanges_of({int(row.mm_id) for row in page.rows})
            return Wanted(await self.rings.places(found), check.is_it, partner=partner)
        interfaces = (query.interface,) if query.interface else ()
        if query == CaptureQuery(interface=query.interface):  # all of them: nothing has to be read to find them
            return Wanted(await self.rings.places(None, interfaces), partner=partner)
        if query.mm:
            found = {one.exchange for one in self._of_mm(query) if check.is_it(one)}
        else:
            found = {one.exchange async for one in self._matching(query, _Looked(self._clock, bounded=False))}
        return Wanted(await self.rings.places(found, interfaces), partner=partner)

    def _of_mm(self, query: CaptureQuery) -> list[CaptureRecord]:
        is_id = query.mm.isascii() and query.mm.isdecimal() and len(query.mm) <= _LONGEST_ID
        return self.rings.of_mm(int(query.mm)) if is_id else []

    async def _matching(
        self, query: CaptureQuery, looked: "_Looked", before: int | None = None
    ) -> AsyncIterator[CaptureRecord]:
        check = _Check(query, self._clock.real_now())
        until = min((one for one in (before, check.until) if one is not None), default=None)
        for record in self._candidates(query, until):
            if record.at_real < check.since:
                return
            if looked.take(record):
                return
            if check.may_be(record) and check.holds(record, looked.mm_of(record)):
                yield record
            if looked.number % _LOOKED_AT_TOGETHER == 0:
                await asyncio.sleep(0)

    def _candidates(self, query: CaptureQuery, until: int | None) -> Iterable[CaptureRecord]:
        """Newest first; of one MM its own, however old."""
        if not query.mm:
            return self.rings.backwards(until, (query.interface,) if query.interface else ())
        return (one for one in reversed(self._of_mm(query)) if until is None or one.at_real < until)


def moment(text: str, now: Instant) -> Instant:
    """A time, or how long ago. Raises ValueError."""
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return Instant(now - int(ago[1]) * _SPANS[ago[2]])
    try:
        return from_datetime(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text[:40]!r} is no time: 90s, 15m, 2h, 1d, or 2026-11-27T14:00:00Z") from error


class _Looked:
    """How far somebody has looked back, and what answers have told of their requests."""

    def __init__(self, clock: Clock, *, bounded: bool = True) -> None:
        """Not `bounded`: everything is looked at, and nothing kept of it but its number."""
        self._clock = clock
        self._bounded = bounded
        self._began = clock.real_now()
        self.mms: dict[int, int] = {}
        self.neighbours: dict[int, str] = {}
        self.number = 0
        self.at: int | None = None
        self.stopped = False

    def take(self, record: CaptureRecord) -> bool:
        """Count it; True: it is enough."""
        if self._bounded:
            if record.mm_id is not None:
                self.mms[record.exchange] = record.mm_id
            if record.neighbour:
                self.neighbours[record.exchange] = record.neighbour
            if self.number >= LOOKED_AT or (
                self.number % _LOOKED_AT_TOGETHER == 0 and self._clock.real_now() - self._began > _STOP_AFTER
            ):
                self.stopped = True
                return True
        self.number += 1
        self.at = record.at_real
        return False

    def mm_of(self, record: CaptureRecord) -> int | None:
        """The MM that it is about, as far as it or its answer tells."""
        return self.mms.get(record.exchange)


class _Check:
    """Whether a capture is one of those that are asked for."""

    def __init__(self, query: CaptureQuery, now: Instant) -> None:
        self._query = query
        try:
            self.since = moment(query.since, now) if query.since else 0
            self.until = moment(query.until, now) if query.until else None
        except ValueError as error:
            raise NoSuchTime(str(error)) from error
        self._name = query.name.lower()
        self._neighbour = query.neighbour.lower()
        self._text = query.text.encode().lower()

    def may_be(self, record: CaptureRecord) -> bool:
        """By what itself says."""
        query = self._query
        return (
            (not query.interface or record.interface == query.interface)
            and (not query.direction or record.direction == query.direction)
            and (not self._name or self._name in name_of(record.interface, record.octets).lower())
            and (not self._neighbour or self._neighbour in f"{record.neighbour} {record.remote}".lower())
            and (not self._text or self._text in record.octets.lower())
        )

    def is_it(self, record: CaptureRecord) -> bool:
        """By what itself says, and its time."""
        return (
            self.may_be(record) and self.since <= record.at_real and (self.until is None or record.at_real < self.until)
        )

    def holds(self, record: CaptureRecord, mm_id: int | None) -> bool:
        """By what its exchange says, too."""
        return not self._query.mm or str(mm_id) == self._query.mm


def _line(record: CaptureRecord, mm_id: int | None, neighbour: str) -> CaptureLine:
    stored = 0 if record.reference is None else record.reference.length
    octets = record.octets
    return CaptureLine(
        exchange=str(record.exchange),
        interface=record.interface,
        direction=record.direction,
        at_real=Instant(record.at_real),
        at_service=Instant(record.at_service),
        name=name_of(record.interface, octets),
        octets=len(octets) + stored,
        neighbour=neighbour or record.neighbour,
        local=record.local,
        remote=record.remote,
        mm_id=None if mm_id is None else str(mm_id),
        transaction_id=record.transaction_id,
        note=record.note,
        fault=record.fault,
    )


def line_of(captured: Captured) -> CaptureLine:
    """A capture as lists have it."""
    return _line(captured.record, captured.mm_id, captured.neighbour)


def _is_edge(at: int, of: int) -> bool:
    """Whether a line is so near to an end of its page that the rest of its exchange may stand on another."""
    return at < _EDGE or at >= of - _EDGE
