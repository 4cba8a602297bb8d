"""Keeps captures in a ring of files: appended without sync, indexed in memory, bounded in octets, age and number.

Each segment file is written by one process, once; a start reads the index back from what is there, up to the first torn
or damaged record of each file, and goes on in a new file. The oldest segment goes when a bound is reached. Nothing here
raises for a full or broken disk: a capture that cannot be kept is counted in `lost`.
"""

import asyncio
import itertools
import os
import zlib
from collections import deque
from collections.abc import Iterator, Set
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from mmsc.domain.instant import DAY
from mmsc.trace.captures import CaptureRecord
from mmsc.trace.segments import (
    FILE_MAGIC,
    RECORD,
    RECORD_MAGIC,
    TAKEN_AWAY,
    Segment,
    number_of,
    readable,
    scan,
    where,
)
from protocols.records import record

_SEGMENTS: Final = 16  # so the ring loses at most a sixteenth at once
_TOGETHER: Final = 200  # records written by one system call: with at most 4 pieces each below IOV_MAX
_TOGETHER_OCTETS: Final = 1024 * 1024  # or this many octets
_SOON_SECONDS: Final = 0.02  # how long a record waits for others to be written with

_encode: Final = msgspec.msgpack.Encoder().encode
_without_octets: Final = attrgetter(*CaptureRecord.__struct_fields__[:-1])  # what is stored before the octets


@record(frozen=True, slots=True, kw_only=True)
class RingLimits:
    """`maximum_age` in µs of real time; the number of records bounds the index in memory (32 octets each)."""

    maximum_octets: int = 256 * 1024 * 1024
    maximum_age: int = 7 * DAY
    maximum_records: int = 500_000

    @property
    def segment_octets(self) -> int:
        """A segment is closed when it is larger than this."""
        return max(self.maximum_octets // _SEGMENTS, 4096)

    @property
    def segment_records(self) -> int:
        """A segment is closed when it has more records than this."""
        return max(self.maximum_records // _SEGMENTS, 1)


_Found = tuple[int, Segment, int]  # real time, and where


class _Waiting(NamedTuple):
    """A record on its way to the file."""

    exchange: int
    mm_id: int | None
    at_real: int
    pieces: tuple[bytes, ...]
    size: int


class CaptureRing:
    """The ring in one folder. Belongs to the event loop's thread: what was captured within a moment is written together
    (a system call each would give up the interpreter's lock ten times for every message)."""

    def __init__(self, folder: Path, limits: RingLimits) -> None:
        """Open the ring; the folder is made. OSError when it cannot be."""
        self._folder = folder
        self._limits = limits
        self._segments: deque[Segment] = deque()
        self._file = -1
        self._next_number = 1
        self._waiting: list[_Waiting] = []
        self._waiting_octets = 0
        self.lost = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in sorted(folder.glob("*.cap")):
            self._read_back(path)
        self._count_earlier()

    @property
    def octets(self) -> int:
        """Octets on disk."""
        self.flush()
        return self._octets()

    @property
    def records(self) -> int:
        """Captures that can be read."""
        self.flush()
        return self._records()

    def keep(self, record: CaptureRecord) -> None:
        """The tap: append one capture, a little later. Never raises."""
        meta = _encode(_without_octets(record))
        crc = octets = 0
        for piece in record.pieces:
            crc = zlib.crc32(piece, crc)
            octets += len(piece)
        head = RECORD.pack(RECORD_MAGIC, len(meta), octets, zlib.crc32(meta), crc) + meta
        self._waiting.append(
            _Waiting(record.exchange, record.mm_id, record.at_real, (head, *record.pieces), len(head) + octets)
        )
        self._waiting_octets += octets
        if len(self._waiting) >= _TOGETHER or self._waiting_octets > _TOGETHER_OCTETS:
            self.flush()
        elif len(self._waiting) == 1:
            self._flush_soon()

    def flush(self) -> None:
        """Write what waits. Never raises: what a full or broken disk does not take is counted in `lost`."""
        waiting, self._waiting = self._waiting, []
        self._waiting_octets = 0
        while waiting:
            together = 0
            try:
                segment = self._current(waiting[0].size)
                together = self._fitting(segment, waiting)
                self._append(segment, [piece for one in waiting[:together] for piece in one.pieces])
            except OSError:
                together = together or 1
                self.lost += together
            else:
                self._index_all(segment, waiting[:together])
            del waiting[:together]

    def of_mm(self, mm_id: int) -> list[CaptureRecord]:
        """All captures of an MM, in the order of their time: its own, and their requests or answers."""
        return self._all(self.exchanges_of(mm_id))

    def of_exchange(self, exchange: int) -> list[CaptureRecord]:
        """A request with its answer."""
        self.flush()
        return self._all({exchange})

    def latest(self, number: int) -> list[CaptureRecord]:
        """The last captures, oldest first."""
        return list(readable(reversed(list(itertools.islice(self._newest(), number)))))

    def backwards(self, until: int | None = None) -> Iterator[CaptureRecord]:
        """Captures from the newest to the oldest, those from before `until` (µs of real time), read one by one."""
        newest = self._newest()
        return readable(found for found in newest if until is None or found[0].times[found[1]] < until)

    @property
    def oldest(self) -> int | None:
        """When the oldest capture was made, µs of real time."""
        return next((segment.times[0] for segment in self._segments if segment.times), None)

    @property
    def has_forgotten(self) -> bool:
        """Whether segments went since the first one, for want of room or for their age."""
        return bool(self._segments) and number_of(self._segments[0].path) > 1

    def take_over(self, limits: RingLimits) -> None:
        """Other bounds from now on."""
        self._limits = limits

    def exchanges_of(self, mm_id: int) -> set[int]:
        """The exchanges in which an MM is named."""
        self.flush()
        return {segment.exchanges[index] for segment in self._segments for index in where(segment.mm_ids, mm_id)}

    def of_exchanges(self, exchanges: set[int]) -> list[CaptureRecord]:
        """Requests with their answers, in the order of their time."""
        self.flush()
        return self._all(exchanges)

    def _newest(self) -> Iterator[tuple[Segment, int]]:
        self.flush()
        return (
            (segment, index)
            for segment in reversed(tuple(self._segments))
            for index in reversed(range(len(segment.offsets)))
        )

    def prune(self, real_now: int) -> None:
        """Drop the oldest segments while a bound is passed."""
        limits = self._limits
        while len(self._segments) > 1 and (
            self._octets() > limits.maximum_octets
            or self._records() > limits.maximum_records
            or not self._segments[0].times
            or self._segments[0].times[-1] < real_now - limits.maximum_age
        ):
            self._segments.popleft().path.unlink(missing_ok=True)
            self._count_earlier()

    def segments(self) -> tuple[Segment, ...]:
        """What there is now, to be looked through bit by bit; what waited is written."""
        self.flush()
        return tuple(self._segments)

    def take_away(self, segment: Segment, exchanges: Set[int]) -> int:
        """The captures of these exchanges in a segment are not there any more, also after a start; how many that were.
        Their octets go with the segment's file."""
        gone = [index for index, exchange in enumerate(segment.exchanges) if exchange in exchanges]
        try:
            with segment.path.open("r+b") as file:
                for index in gone:
                    file.seek(segment.offsets[index])
                    file.write(TAKEN_AWAY)
        except OSError:  # it went meanwhile, or cannot be written: then they are only not found until a start
            pass
        segment.leave_out(set(gone))
        self._count_earlier()
        return len(gone)

    def clear(self) -> None:
        """Everything goes, also what waits to be written."""
        self._waiting.clear()
        self._close_file()
        for segment in self._segments:
            segment.path.unlink(missing_ok=True)
        self._segments.clear()
        self._count_earlier()

    def close(self) -> None:
        """Write what waits and close the file under way."""
        self.flush()
        self._close_file()

    def _flush_soon(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no loop, no turn to wait for
            self.flush()
        else:
            loop.call_later(_SOON_SECONDS, self.flush)

    def _octets(self) -> int:
        return self._earlier_octets + (self._segments[-1].size if self._segments else 0)

    def _records(self) -> int:
        return self._earlier_records + (len(self._segments[-1].offsets) if self._segments else 0)

    def _count_earlier(self) -> None:
        """To be called when there is another last segment, or another first: only the last one grows."""
        earlier = tuple(self._segments)[:-1]
        self._earlier_octets = sum(segment.size for segment in earlier)
        self._earlier_records = sum(len(segment.offsets) for segment in earlier)

    def _fitting(self, segment: Segment, waiting: list[_Waiting]) -> int:
        """How many of these the segment still takes, at least one."""
        room = self._limits.segment_octets - segment.size - waiting[0].size
        most = min(len(waiting), max(1, self._limits.segment_records - len(segment.offsets)), _TOGETHER)
        for number in range(1, most):
            room -= waiting[number].size
            if room < 0:
                return number
        return most

    def _index_all(self, segment: Segment, written: list[_Waiting]) -> None:
        for one in written:
            segment.add(segment.size, one.exchange, one.mm_id, one.at_real)
            segment.size += one.size
        self.prune(written[-1].at_real)

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _current(self, more_octets: int) -> Segment:
        segment = self._segments[-1] if self._file >= 0 else None
        if (
            segment is not None
            and segment.size + more_octets <= self._limits.segment_octets
            and len(segment.offsets) < self._limits.segment_records
        ):
            return segment
        self._close_file()
        path = self._folder / f"{self._next_number:012d}.cap"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._next_number += 1
        segment = Segment(path)
        self._segments.append(segment)
        self._count_earlier()
        self._append(segment, [FILE_MAGIC])
        segment.size = len(FILE_MAGIC)
        return segment

    def _append(self, segment: Segment, pieces: list[bytes]) -> None:
        wanted = sum(map(len, pieces))
        try:
            written = os.writev(self._file, pieces)
        except OSError:
            self._close_file()
            raise
        if written < wanted:  # the disk is full: what follows goes to a file of its own
            os.ftruncate(self._file, segment.size)
            self._close_file()
            raise OSError(f"{written} of {wanted} octets written")

    def _all(self, exchanges: set[int]) -> list[CaptureRecord]:
        found: list[_Found] = [
            (segment.times[index], segment, index)
            for segment in self._segments
            for exchange in exchanges
            for index in where(segment.exchanges, exchange)
        ]
        found.sort(key=lambda entry: (entry[0], entry[1].path.name, entry[2]))
        return list(readable((segment, index) for _, segment, index in found))

    def _read_back(self, path: Path) -> None:
        """Index one file from an earlier start, as far as it is whole."""
        self._next_number = max(self._next_number, number_of(path) + 1)
        segment = Segment(path)
        try:
            segment.size = path.stat().st_size
            for offset, record in scan(path):
                segment.add(offset, record.exchange, record.mm_id, record.at_real)
        except (OSError, ValueError):
            pass  # an empty or unreadable file has no captures; it goes when its turn comes
        self._segments.append(segment)
