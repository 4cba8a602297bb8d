"""What a ladder is made of: columns in the order of travel, and rows in the order of time."""

from enum import StrEnum
from typing import Final

import msgspec

MMSC: Final = "mmsc"  # the key of our own column
PHONE: Final = "phone:"  # how those of handsets begin


class RowKind(StrEnum):
    """What a row shows."""

    PDU = "pdu"  # a request, or a report that needs no answer
    ANSWER = "answer"  # an answer of weight, or any when answers are unfolded
    TOLD = "told"  # not on our wire: the lab says that it happened
    NOTE = "note"  # an event of the engine
    GAP = "gap"  # nothing happened for a while
    FOLD = "fold"  # several rows alike, told in one
    MORE = "more"  # rows that are not shown
    END = "end"  # what is due, or that nothing is


class Column(msgspec.Struct, frozen=True):
    """A party: `key` is `mmsc`, `vasp:NAME`, `smsc:NAME`, `peer:NAME`, `phone:NUMBER`, `mail:ADDRESS` or `phones`."""

    key: str
    name: str
    kind: str = ""  # for people: what it is, over which interface


class Answer(msgspec.Struct, frozen=True):
    """What stands in the Answer column: what was answered, and more in small print."""

    text: str
    detail: str = ""
    failed: bool = False


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `source` and `target` are indices of columns, -1 where there is no arrow. `at` and `at_real` are µs UTC,
    `offset` µs after the first PDU. `key` is its name for as long as the ladder grows."""

    key: str
    kind: RowKind
    at: int
    at_real: int
    offset: int = 0
    number: str = ""  # of the PDU; `8a` is the folded answer to 8
    source: int = -1
    target: int = -1
    name: str = ""
    beneath: str = ""
    answer: Answer | None = None
    failed: bool = False
    attempt: int = 0  # counted from 1, where there are several
    attempts: int = 0
    repeat_of: str = ""  # the number of the PDU that came before with the same identifiers
    fault: str = ""
    findings: tuple[str, ...] = ()
    state: str = ""  # the state that a note is about
    icon: str = ""  # of a note: bolt, flag, ring, cross
    text: str = ""  # the sentence of a note, a gap, a fold or the end
    same: str = ""  # rows with this in common are attempts at the same thing
    recipient: str = ""  # address, where the row is about one
    interface: str = ""
    event: str = ""  # id of the event behind a note
    until: int = 0  # of a fold: when the last of them was (service time)
    until_real: int = 0
    count: int = 1  # of a fold, or of rows not shown
    numbers: tuple[str, ...] = ()  # of the PDUs in a fold
    segment_of: str = ""  # the push that this is a segment of
    note: str = ""  # what the capture says of itself: cut off, not kept
    gone: bool = False  # its octets left the ring: an event tells of it

    @property
    def marked(self) -> bool:
        """Whether it is worth a look."""
        return bool(self.failed or self.fault or self.findings or self.repeat_of or self.icon in ("bolt", "flag"))


class Ladder(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. `first` is what offsets count from: a PDU's name, "" when there is none."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    first: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Something between two others that the lab saw happen: keys of columns, and its time."""

    source: str
    target: str
    name: str
    beneath: str
    at: int
    at_real: int
