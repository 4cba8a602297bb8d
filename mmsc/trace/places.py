"""Where captures are, in the order of their time: some octets of memory for each, however large it is. A request is
written when it was answered, so files alone have another order."""

from array import array
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Final

from mmsc.trace.blocks import Place, readable
from mmsc.trace.captures import CaptureRecord
from mmsc.trace.segments import Segment, key, where

TOGETHER: Final = 200  # captures that are in memory together
TOGETHER_OCTETS: Final = 2 * 1024 * 1024  # or so many octets of them, and what one more has
_FEW: Final = 32  # exchanges that are searched one by one


class Places:
    """The captures of some segments, those of some exchanges or all. What is new since is not among them, what went is
    left out when it is read."""

    def __init__(self) -> None:
        self._segments: list[Segment] = []
        self._which, self._offsets, self._numbers = array("l"), array("q"), array("H")
        self._times = array("q")
        self._order: Sequence[int] = ()

    def add(self, segment: Segment, exchanges: Set[int] | None) -> None:
        """Those of a segment; None: of all exchanges. `sort` comes after the last one."""
        which = len(self._segments)
        self._segments.append(segment)
        for index in _indices(segment, exchanges):
            self._which.append(which)
            self._offsets.append(segment.offsets[index])
            self._numbers.append(segment.numbers[index])
            self._times.append(segment.times[index])

    def sort(self) -> None:
        """In the order of their time."""
        self._order = array("l", sorted(range(len(self._times)), key=self._times.__getitem__))

    def __len__(self) -> int:
        return len(self._order)

    def pages(self) -> Iterator[list[CaptureRecord]]:
        """The captures, oldest first, as many at a time as may be in memory together."""
        page: list[CaptureRecord] = []
        octets = 0
        for found in readable(self._places()):
            page.append(found)
            octets += sum(map(len, found.pieces))
            if len(page) >= TOGETHER or octets >= TOGETHER_OCTETS:
                yield page
                page, octets = [], 0
        if page:
            yield page

    def _places(self) -> Iterator[Place]:
        for index in self._order:
            segment, offset, number = self._segments[self._which[index]], self._offsets[index], self._numbers[index]
            if key(offset, number) not in segment.gone:
                yield Place(segment.path, offset, number)


def _indices(segment: Segment, exchanges: Set[int] | None) -> Iterable[int]:
    """Columns are searched at the speed of memory, as long as it is not for many."""
    if exchanges is None:
        return range(len(segment.offsets))
    if len(exchanges) <= _FEW:
        return sorted(index for one in exchanges for index in where(segment.exchanges, one))
    return [index for index, one in enumerate(segment.exchanges) if one in exchanges]
