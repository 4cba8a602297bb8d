"""Keeps captures in a ring of files: appended without sync, indexed in memory, bounded in octets, age and number.

Each segment file is written by one process, once (but for what is taken away later); a start reads the index back from
what is there, up to the first torn or damaged block of each file, and goes on in a new file. The oldest segment goes
when a bound is reached. Nothing here raises for a full or broken disk: a capture that cannot be kept is counted in
`lost`.
"""

import asyncio
import contextlib
import itertools
import os
from collections import deque
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Final

from mmsc.domain.instant import DAY
from mmsc.trace.blocks import FILE_MAGIC, Place, readable, taken_away, written
from mmsc.trace.captures import CaptureRecord
from mmsc.trace.segments import Segment, number_of, where
from protocols.records import record

_SEGMENTS: Final = 16  # so the ring loses at most a sixteenth at once
_TOGETHER: Final = 200  # records that are written together
_TOGETHER_OCTETS: Final = 256 * 1024  # or this many octets: readers keep several blocks at hand
_SOON_SECONDS: Final = 0.02  # how long a record waits for others to be written with


@record(frozen=True, slots=True, kw_only=True)
class RingLimits:
    """`maximum_age` in µs of real time; the number of records bounds the index in memory (34 octets each)."""

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


class CaptureRing:
    """The ring in one folder. Belongs to the event loop's thread: what was captured within a moment is written together
    (a system call each would give up the interpreter's lock ten times for every message)."""

    def __init__(self, folder: Path, limits: RingLimits) -> None:
        """Open the ring; the folder is made. OSError when it cannot be."""
        self._folder = folder
        self._limits = limits
        self._segments: deque[Segment] = deque()
        self._file = -1
        self._made: Segment | None = None  # the last one of this process
        self._next_number = 1
        self._waiting: list[CaptureRecord] = []
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
        waiting = self._waiting
        waiting.append(record)
        self._waiting_octets += sum(map(len, record.pieces))
        if len(waiting) >= _TOGETHER or self._waiting_octets > _TOGETHER_OCTETS:
            self.flush()
        elif len(waiting) == 1:
            self._flush_soon()

    def flush(self) -> None:
        """Write what waits. Never raises: what a full or broken disk does not take is counted in `lost`."""
        waiting, self._waiting = self._waiting, []
        self._waiting_octets = 0
        while waiting:
            count = len(waiting)
            try:
                segment, count, block = self._fitting(waiting)
                self._append(segment, block)
            except (OSError, ValueError, OverflowError):  # of the disk; the others would be ours
                self.lost += count
                self._drop_empty()
            else:
                segment.add(waiting[:count], sum(map(len, block)))
                self.prune(waiting[count - 1].at_real)
            del waiting[:count]

    def of_mm(self, mm_id: int) -> list[CaptureRecord]:
        """All captures of an MM, in the order of their time: its own, and their requests or answers."""
        return self._all(self.exchanges_of(mm_id))

    def of_exchange(self, exchange: int) -> list[CaptureRecord]:
        """A request with its answer."""
        self.flush()
        return self._all({exchange})

    def latest(self, number: int) -> list[CaptureRecord]:
        """The last captures, oldest first."""
        newest = [place for _, place in itertools.islice(self._newest(), number)]
        return list(readable(reversed(newest)))

    def backwards(self, until: int | None = None) -> Iterator[CaptureRecord]:
        """Captures from the newest to the oldest, those from before `until` (µs of real time), read one by one."""
        return readable(place for at, place in self._newest() if until is None or at < until)

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

    def _newest(self) -> Iterator[tuple[int, Place]]:
        self.flush()
        return itertools.chain.from_iterable(segment.backwards() for segment in reversed(tuple(self._segments)))

    def prune(self, real_now: int) -> None:
        """Drop the oldest segments while a bound is passed."""
        limits = self._limits
        while len(self._segments) > 1 and (
            self._octets() > limits.maximum_octets
            or self._records() > limits.maximum_records
            or not self._segments[0].times
            or self._segments[0].times[-1] < real_now - limits.maximum_age
        ):
            try:
                self._segments[0].path.unlink(missing_ok=True)
            except OSError:  # it still counts, and goes when it can
                return
            self._segments.popleft()
            self._count_earlier()

    def segments(self) -> tuple[Segment, ...]:
        """What there is now, to be looked through bit by bit; what waited is written."""
        self.flush()
        return tuple(self._segments)

    def take_away(self, segment: Segment, exchanges: Set[int]) -> int:
        """The captures of these exchanges in a segment are not there any more, also after a start; how many that were.
        Their octets go with the segment's file."""
        gone = {index for index, exchange in enumerate(segment.exchanges) if exchange in exchanges}
        if gone:
            block = taken_away((segment.offsets[index], segment.numbers[index]) for index in gone)
            try:
                with segment.path.open("r+b") as file:
                    file.truncate(segment.end)  # what is torn behind it would hide what follows
                    file.seek(segment.end)
                    file.write(block)
            except OSError:  # they are only not found until a start
                self._cut_back(segment)
            else:
                segment.size = segment.end = segment.end + len(block)
            segment.leave_out(gone)
            self._count_earlier()
        return len(gone)

    def clear(self) -> None:
        """Everything goes, also what waits to be written."""
        self._waiting.clear()
        self._close_file()
        for segment in tuple(self._segments):
            try:
                segment.path.unlink(missing_ok=True)
            except OSError:  # it still counts, and goes when it can
                segment.leave_out(set(range(len(segment.offsets))))
            else:
                self._segments.remove(segment)
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

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _current(self) -> Segment:
        """The segment under way, a new one where it is full."""
        if self._file >= 0 and len(self._segments[-1].offsets) < self._limits.segment_records:
            return self._segments[-1]
        self._close_file()
        path = self._folder / f"{self._next_number:012d}.cap"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._next_number += 1
        self._made = segment = Segment(path)
        self._segments.append(segment)
        self._count_earlier()
        self._append(segment, (FILE_MAGIC,))
        segment.size = segment.end = len(FILE_MAGIC)
        return segment

    def _fitting(self, waiting: Sequence[CaptureRecord]) -> tuple[Segment, int, tuple[bytes, bytes]]:
        """A segment, how many of these it takes, at least one, and their block. One that is alone is never too much."""
        limits = self._limits
        segment = self._current()
        count = min(len(waiting), max(1, limits.segment_records - len(segment.offsets)))
        while True:
            block = written(waiting[:count])
            is_too_much = segment.size + sum(map(len, block)) > limits.segment_octets
            if not is_too_much or (count == 1 and not segment.offsets):
                return segment, count, block
            if segment.offsets:
                self._close_file()
                return self._fitting(waiting)
            count //= 2

    def _append(self, segment: Segment, pieces: Sequence[bytes]) -> None:
        wanted = sum(map(len, pieces))
        try:
            written = os.writev(self._file, pieces)
        except OSError:
            self._close_file()
            raise
        if written < wanted:  # the disk is full: what follows goes to a file of its own
            try:
                os.ftruncate(self._file, segment.size)
            finally:
                self._close_file()
            raise OSError(f"{written} of {wanted} octets written")

    def _cut_back(self, segment: Segment) -> None:
        """What was written in part goes; where that cannot be, what follows goes to a file of its own all the same."""
        with contextlib.suppress(OSError):
            os.truncate(segment.path, segment.end)
        if segment is self._segments[-1]:
            self._close_file()

    def _drop_empty(self) -> None:
        """A segment under way that got no captures is not kept: on a full disk each try would leave one."""
        made = self._made
        if made is not None and not made.offsets and made is self._segments[-1]:
            self._close_file()
            with contextlib.suppress(OSError):
                made.path.unlink(missing_ok=True)
            self._segments.pop()
            self._count_earlier()

    def _all(self, exchanges: Set[int]) -> list[CaptureRecord]:
        found = [
            (segment.times[index], segment.place(index))
            for segment in self._segments
            for exchange in exchanges
            for index in where(segment.exchanges, exchange)
        ]
        return list(readable(place for _, place in sorted(found)))

    def _read_back(self, path: Path) -> None:
        """Index one file from an earlier start, as far as it is whole."""
        self._next_number = max(self._next_number, number_of(path) + 1)
        segment = Segment(path)
        with contextlib.suppress(OSError, ValueError):  # an empty or unreadable file goes when its turn comes
            segment.read_back()
        self._segments.append(segment)
