"""The index in memory of one file of a ring of captures."""

from array import array
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from mmsc.trace.blocks import Place, scan
from mmsc.trace.captures import CaptureRecord

_COLUMNS = ("offsets", "numbers", "exchanges", "mm_ids", "times")


@dataclass(slots=True)
class Segment:
    """One file, and the index of it: a column a question, because columns are searched at the speed of memory."""

    path: Path
    size: int = 0  # octets on disk
    end: int = 0  # of what can be read
    offsets: "array[int]" = field(default_factory=lambda: array("q"))  # of blocks
    numbers: "array[int]" = field(default_factory=lambda: array("H"))  # in their blocks
    exchanges: "array[int]" = field(default_factory=lambda: array("q"))
    mm_ids: "array[int]" = field(default_factory=lambda: array("q"))  # 0: none
    times: "array[int]" = field(default_factory=lambda: array("q"))
    gone: set[int] = field(default_factory=set)  # `key` of each, for who noted places before

    def add(self, captures: Sequence[CaptureRecord], octets: int) -> None:
        """A block of these stands at the end."""
        count = len(captures)
        self.offsets.extend([self.size] * count)
        self.numbers.extend(range(count))
        self._note(captures)
        self.size += octets
        self.end = self.size

    def read_back(self) -> None:
        """Index a file from an earlier start, as far as it is whole. Raises OSError and ValueError."""
        self.size = self.path.stat().st_size
        captures, self.end = scan(self.path)
        self.offsets.extend(offset for offset, _ in captures)
        self.numbers.extend(number for _, number in captures)
        self._note(tuple(captures.values()))

    def _note(self, captures: Sequence[CaptureRecord]) -> None:
        self.exchanges.extend([one.exchange for one in captures])
        self.mm_ids.extend([one.mm_id or 0 for one in captures])
        self.times.extend([one.at_real for one in captures])

    def place(self, index: int) -> Place:
        """Where a capture is."""
        return Place(self.path, self.offsets[index], self.numbers[index])

    def backwards(self) -> Iterator[tuple[int, Place]]:
        """(time, place), from the newest on; what is left out meanwhile does not shift it."""
        columns = zip(reversed(self.times), reversed(self.offsets), reversed(self.numbers), strict=True)
        for at, offset, number in columns:
            if key(offset, number) not in self.gone:
                yield at, Place(self.path, offset, number)

    def exchanges_of(self, mm_ids: Set[int]) -> set[int]:
        """The exchanges in which one of these MMs is named."""
        pairs = zip(self.mm_ids, self.exchanges, strict=True)
        return {exchange for mm_id, exchange in pairs if mm_id in mm_ids}

    def leave_out(self, indices: Set[int]) -> None:
        """Index these captures no more."""
        if indices:
            self.gone.update(key(self.offsets[index], self.numbers[index]) for index in indices)
            for name in _COLUMNS:
                column = getattr(self, name)
                kept = (value for index, value in enumerate(column) if index not in indices)
                setattr(self, name, array(column.typecode, kept))


def key(offset: int, number: int) -> int:
    """A place in a file as one number."""
    return offset << 16 | number


def number_of(path: Path) -> int:
    """The number of a segment by its name, 0 for another file."""
    return int(path.stem) if path.stem.isdecimal() else 0


def where(column: "array[int]", value: int) -> Iterator[int]:
    """The indices at which a column has a value."""
    index = -1
    while True:
        try:
            index = column.index(value, index + 1)
        except ValueError:
            return
        yield index
