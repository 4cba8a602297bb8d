"""All captures: a ring for each interface, so that a chatty one never pushes the others out; and whoever watches them
live. Each ring has its share of the octets and the records."""

import asyncio
import heapq
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import field, replace
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Final

import msgspec

from mmsc.domain.instant import SECOND
from mmsc.trace.bus import Bus, Watcher
from mmsc.trace.captures import CaptureRecord
from mmsc.trace.places import Places
from mmsc.trace.ring import CaptureRing, RingLimits
from protocols.records import record

INTERFACES: Final = ("mm1", "mm3", "mm4", "mm7", "smpp", "weblink")
NEVER: Final = 2**63 - 1  # later than any time
_UNDER_WAY: Final = 60 * SECOND  # the longest that an answer takes, or that we wait for one
_at_real: Final = attrgetter("at_real")
_PRUNED_EVERY: Final = 1000  # captures: what is too old goes also where nothing new comes


@record(frozen=True, slots=True, kw_only=True)
class CaptureLimits:
    """`total` is for all together. `shares` are weights by interface (of one that is not named: 1), `longest` how many
    octets of one capture are kept (not named or 0: all), `off` the interfaces of which nothing is kept."""

    total: RingLimits = RingLimits()
    shares: Mapping[str, int] = field(default_factory=dict)
    longest: Mapping[str, int] = field(default_factory=dict)
    off: frozenset[str] = frozenset()

    def of(self, interface: str) -> RingLimits:
        """What one interface may use."""
        weights = {name: self.shares.get(name, 1) for name in (*INTERFACES, interface)}
        part = weights[interface] / max(1, sum(weights.values()))
        return replace(
            self.total,
            maximum_octets=max(1, int(self.total.maximum_octets * part)),
            maximum_records=max(1, int(self.total.maximum_records * part)),
        )


@record(frozen=True, slots=True)
class RingState:
    """One ring as it is now. `oldest` in µs of real time, None: it is empty."""

    interface: str
    octets: int
    maximum_octets: int
    records: int
    oldest: int | None
    lost: int
    is_on: bool
    longest: int


class Captures:
    """The rings in one folder, each in one of its own. Belongs to the event loop's thread."""

    def __init__(self, folder: Path, limits: CaptureLimits | None = None) -> None:
        """Open the rings; folders are made. OSError when that cannot be."""
        self._folder = folder
        self._limits = limits or CaptureLimits()
        self._rings: dict[str, CaptureRing] = {}
        self._kept = 0
        self._whole_since: dict[str, int] = {}  # of those that were turned on again, µs of real time
        self._watched: Bus[CaptureRecord] = Bus(capacity=1)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for interface in INTERFACES:
            self._ring(interface)

    @property
    def octets(self) -> int:
        """Octets on disk."""
        return sum(ring.octets for ring in self._rings.values())

    @property
    def records(self) -> int:
        """Captures that can be read."""
        return sum(ring.records for ring in self._rings.values())

    @property
    def lost(self) -> int:
        """Captures that the disk did not take."""
        return sum(ring.lost for ring in self._rings.values())

    @property
    def kept(self) -> int:
        """How many captures came in since the start."""
        return self._kept

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self._folder

    def keep(self, capture: CaptureRecord) -> None:
        """The tap: append one capture, a little later. Never raises."""
        limits = self._limits
        interface = capture.interface
        if interface in limits.off:
            return
        if limits.longest:
            capture = _cut(capture, limits.longest.get(interface, 0))
        self._rings[interface].keep(capture)
        if self._whole_since and self._whole_since.get(interface) == NEVER:
            self._whole_since[interface] = capture.at_real + _UNDER_WAY
        if self._watched.is_watched:
            self._watched.publish(capture)
        self._kept += 1
        if self._kept % _PRUNED_EVERY == 0:
            for ring in self._rings.values():
                ring.prune(capture.at_real)

    def kept_since(self) -> dict[str, int]:
        """From when on (µs of real time) what became known of each interface has its captures here. Where it had to
        forget some: a little after the oldest one that is left, for their answers came later; where it was turned off
        for a while: likewise after the first one since then. Else as long as there are any of any interface; `NEVER`
        where nothing is kept."""
        ever = min((ring.oldest for ring in self._rings.values() if ring.oldest is not None), default=NEVER)
        found = {
            name: ever if ring.oldest is None or not ring.has_forgotten else ring.oldest + _UNDER_WAY
            for name, ring in self._rings.items()
        }
        off, whole = self._limits.off, self._whole_since
        return {name: NEVER if name in off else max(since, whole.get(name, 0)) for name, since in found.items()}

    def watch(self, capacity: int) -> Watcher[CaptureRecord]:
        """Captures from now on; who lets more than `capacity` wait is cut."""
        return self._watched.watch(capacity=capacity)

    def of_mm(self, mm_id: int) -> list[CaptureRecord]:
        """All captures of an MM, in the order of their time: its own, and their requests or answers."""
        return self.of_exchanges({number for ring in self._rings.values() for number in ring.exchanges_of(mm_id)})

    def of_exchanges(self, exchanges: set[int]) -> list[CaptureRecord]:
        """Requests with their answers, in the order of their time."""
        return self._merged(ring.of_exchanges(exchanges) for ring in self._rings.values())

    def of_exchange(self, exchange: int) -> list[CaptureRecord]:
        """A request with its answer."""
        return self._merged(ring.of_exchange(exchange) for ring in self._rings.values())

    async def places(self, exchanges: Set[int] | None, interfaces: Iterable[str] = ()) -> Places:
        """Where the captures of some exchanges (None: all) are, in the order of their time, to be read bit by bit."""
        made = Places()
        for name, ring in self._rings.items():
            for segment in ring.segments() if not interfaces or name in interfaces else ():
                made.add(segment, exchanges)
                await asyncio.sleep(0)
        made.sort()
        return made

    def exchanges_of(self, mm_ids: Set[int]) -> set[int]:
        """The exchanges in which one of these MMs is named."""
        segments = [segment for ring in self._rings.values() for segment in ring.segments()]
        return {exchange for segment in segments for exchange in segment.exchanges_of(mm_ids)}

    def latest(self, number: int) -> list[CaptureRecord]:
        """The last captures, oldest first."""
        return list(islice(self.backwards(), number))[::-1]

    def backwards(self, until: int | None = None, interfaces: Iterable[str] = ()) -> Iterator[CaptureRecord]:
        """Captures from the newest to the oldest, those from before `until` (µs of real time), read one by one: who
        looks at many gives way to others now and then."""
        wanted = [ring for name, ring in self._rings.items() if not interfaces or name in interfaces]
        return heapq.merge(*(ring.backwards(until) for ring in wanted), key=_at_real, reverse=True)

    def state(self) -> list[RingState]:
        """What each ring holds and may hold."""
        limits = self._limits
        return [
            RingState(
                *(name, ring.octets, limits.of(name).maximum_octets, ring.records, ring.oldest, ring.lost),
                name not in limits.off,
                limits.longest.get(name, 0),
            )
            for name, ring in self._rings.items()
        ]

    def take_over(self, limits: CaptureLimits) -> None:
        """Other limits from now on; what is too much by them goes with the next captures."""
        self._change(limits)
        for name, ring in self._rings.items():
            ring.take_over(limits.of(name))

    def switch(self, interface: str, *, on: bool) -> bool:
        """Keep what this interface exchanges from now on, or nothing of it; what is kept stays. It holds until other
        limits are taken over. False: there is no such interface."""
        if interface not in self._rings:
            return False
        off = self._limits.off - {interface} if on else self._limits.off | {interface}
        self._change(replace(self._limits, off=off))
        return True

    def clear(self) -> None:
        """Every capture goes."""
        for ring in self._rings.values():
            ring.clear()

    async def take_away(self, mm_ids: Set[int]) -> int:
        """The exchanges of these MMs are not there any more; how many captures that were. Others go on meanwhile."""
        rings = [(ring, segment) for ring in self._rings.values() for segment in ring.segments()]
        exchanges: set[int] = set()
        for _, segment in rings:
            exchanges |= segment.exchanges_of(mm_ids)
            await asyncio.sleep(0)
        gone = 0
        for ring, segment in rings if exchanges else ():
            gone += ring.take_away(segment, exchanges)
            await asyncio.sleep(0)
        return gone

    def flush(self) -> None:
        """Write what waits."""
        for ring in self._rings.values():
            ring.flush()

    def close(self) -> None:
        """Write what waits and close the files under way."""
        for ring in self._rings.values():
            ring.close()

    def _change(self, limits: CaptureLimits) -> None:
        """What passes while an interface is off leaves a gap before its next capture."""
        self._whole_since |= dict.fromkeys(self._limits.off - limits.off, NEVER)
        self._limits = limits

    def _ring(self, interface: str) -> None:
        self._rings[interface] = CaptureRing(self._folder / interface, self._limits.of(interface))

    @staticmethod
    def _merged(found: Iterable[list[CaptureRecord]]) -> list[CaptureRecord]:
        return sorted((one for each in found for one in each), key=_at_real)


def _cut(capture: CaptureRecord, longest: int) -> CaptureRecord:
    """With at most so many octets (0: all), and a note that says how many more there were."""
    if not longest:
        return capture
    room, pieces = longest, []
    for piece in capture.pieces:
        pieces.append(piece[:room])
        room -= len(pieces[-1])
    more = sum(map(len, capture.pieces)) - (longest - room)
    if not more:
        return capture
    reference = capture.reference if capture.reference is not None and capture.reference.at <= longest else None
    note = f"{capture.note}; {more} octets more were not kept".removeprefix("; ")
    return msgspec.structs.replace(capture, pieces=tuple(pieces), note=note, reference=reference)
