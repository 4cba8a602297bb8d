"""Where captures are, in the order of their time: some octets of memory for each, however large it is. A request is
written when it was answered, so files alone have another order."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from mmsc.trace.captures import CaptureRecord
from mmsc.trace.segments import Segment, read_at

TOGETHER: Final = 200  # captures that are in memory together
TOGETHER_OCTETS: Final = 2 * 1024 * 1024  # or so many octets of them, and what one more has


class _File(NamedTuple):
    """A segment as it was: what is taken out of it later gets columns of its own."""

    path: Path
    offsets: "array[int]"
    exchanges: "array[int]"
    times: "array[int]"


class Places:
    """The captures of some segments that are wanted by their exchange. What is new since is not among them, what went
    is left out when it is read."""

    def __init__(self, segments: Iterable[Segment], wanted: Callable[[int], bool]) -> None:
        files = [_File(one.path, one.offsets, one.exchanges, one.times) for one in segments]
        numbers, offsets, times = array("l"), array("q"), array("q")
        for number, file in enumerate(files):
            for index, exchange in enumerate(file.exchanges):
                if wanted(exchange):
                    numbers.append(number)
                    offsets.append(file.offsets[index])
                    times.append(file.times[index])
        self._paths: Sequence[Path] = [file.path for file in files]
        self._numbers = numbers
        self._offsets = offsets
        self._order = array("l", sorted(range(len(times)), key=times.__getitem__))

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
