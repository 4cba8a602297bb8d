"""Where captures are, in the order of their time: some octets of memory for each, however large it is. A request is
written when it was answered, so files alone have another order."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from mmsc.trace.blocks import Place, readable
from mmsc.trace.captures import CaptureRecord
from mmsc.trace.segments import Segment

TOGETHER: Final = 200  # captures that are in memory together
TOGETHER_OCTETS: Final = 2 * 1024 * 1024  # or so many octets of them, and what one more has


class Places:
    """The captures of some segments that are wanted by their exchange. What is new since is not among them, what went
    is left out when it is read."""

    def __init__(self, segments: Iterable[Segment], wanted: Callable[[int], bool]) -> None:
        self._segments: Sequence[Segment] = tuple(segments)
        self._which, self._offsets, self._numbers = array("l"), array("q"), array("H")
        times = array("q")
        for at, segment in enumerate(self._segments):
            for index, exchange in enumerate(segment.exchanges):
                if wanted(exchange):
                    self._which.append(at)
                    self._offsets.append(segment.offsets[index])
                    self._numbers.append(segment.numbers[index])
                    times.append(segment.times[index])
        self._order = array("l", sorted(range(len(times)), key=times.__getitem__))

    def __len__(self) -> int:
        return len(self._order)

    def _places(self) -> Iterator[Place]:
        for index in self._order:
            segment, offset, number = self._segments[self._which[index]], self._offsets[index], self._numbers[index]
            if (offset, number) not in segment.gone:
                yield Place(segment.path, offset, number)

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
