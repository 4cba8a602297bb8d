"""One file of a ring of captures, and its index in memory."""

from array import array
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Segment:
    """One file, and the index of it: a column a question, because columns are searched at the speed of memory."""

    path: Path
    size: int = 0
    offsets: "array[int]" = field(default_factory=lambda: array("q"))
    exchanges: "array[int]" = field(default_factory=lambda: array("q"))
    mm_ids: "array[int]" = field(default_factory=lambda: array("q"))  # 0: none
    times: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, offset: int, exchange: int, mm_id: int | None, at_real: int) -> None:
        """Index one record."""
        self.offsets.append(offset)
        self.exchanges.append(exchange)
        self.mm_ids.append(mm_id or 0)
        self.times.append(at_real)

    def exchanges_of(self, mm_ids: Set[int]) -> set[int]:
        """The exchanges in which one of these MMs is named."""
        pairs = zip(self.mm_ids, self.exchanges, strict=True)
        return {exchange for mm_id, exchange in pairs if mm_id in mm_ids}

    def leave_out(self, indices: Set[int]) -> None:
        """Index these records no more."""
        if indices:
            for name in ("offsets", "exchanges", "mm_ids", "times"):
                column = enumerate(getattr(self, name))
                setattr(self, name, array("q", (value for index, value in column if index not in indices)))
