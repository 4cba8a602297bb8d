"""Where captures are, in the order of their time: some octets of memory for each, however large it is. A request is
written when it was answered, so files alone have another order."""

from array import array
from collections.abc import Iterable, Iterator, Sequence, Set
from pathlib import Path
from typing import Final

from mmsc.trace.captures import CaptureRecord
from mmsc.trace.segments import Segment, read_at, where

TOGETHER: Final = 200  # captures that are in memory together
TOGETHER_OCTETS: Final = 2 * 1024 * 1024  # or so many octets of them, and what one more has
_FEW: Final = 32  # exchanges that are searched one by one


class Places:
    """The captures of some segments, those of some exchanges or all. What is new since is not among them, what went is
    left out when it is read."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._numbers, self._offsets, self._times = array("l"), array("q"), array("q")
        self._order: Sequence[int] = ()

    def add(self, segment: Segment, exchanges: Set[int] | None) -> None:
        """Those of a segment; None: of all exchanges. `sort` comes after the last one."""
        offsets, times, number = segment.offsets, segment.times, len(self._paths)
        self._paths.append(segment.path)
        for index in _indices(segment, exchanges):
            self._numbers.append(number)
            self._offsets.append(offsets[index])
            self._times.append(times[index])

    def sort(self) -> None:
        """In the order of their time."""
        self._order = array("l", sorted(range(len(self._times)), key=self._times.__getitem__))

    def __len__(self) -> int:
        return len(self._order)

    def pages(self) -> Iterator[list[CaptureRecord]]:
        """The captures, oldest first, as many at a time as may be in memory together."""
        page: list[CaptureRecord] = []
        octets = 0
        for index in self._order:
            found = read_at(self._paths[self._numbers[index]], self._offsets[index])
            if found is None:
                continue
            page.append(found)
            octets += sum(map(len, found.pieces))
            if len(page) >= TOGETHER or octets >= TOGETHER_OCTETS:
                yield page
                page, octets = [], 0
        if page:
            yield page


def _indices(segment: Segment, exchanges: Set[int] | None) -> Iterable[int]:
    """Columns are searched at the speed of memory, as long as it is not for many."""
    if exchanges is None:
        return range(len(segment.offsets))
    if len(exchanges) <= _FEW:
        return sorted(index for one in exchanges for index in where(segment.exchanges, one))
    return [index for index, one in enumerate(segment.exchanges) if one in exchanges]
