"""What a view is made of: rows of fields, findings, and what octets carry inside."""

from collections.abc import Callable, Iterator
from dataclasses import field, fields, is_dataclass
from enum import Enum
from typing import Any, Final

from protocols.errors import Finding
from protocols.mm1 import Pdu
from protocols.records import record
from protocols.wsp.push import Push

MAXIMUM_DEPTH: Final = 8  # layers: HTTP, SMPP, user data, push, PDU, multipart, descriptor, ...


@record(frozen=True, slots=True)
class Row:
    """One field: its name on the wire, its value in words, its octets [start, end) (-1: no place of its own), the
    clause that defines it, and its value as JSON has it (None: as the words)."""

    name: str
    value: str
    start: int = -1
    end: int = -1
    clause: str = ""
    typed: Any = None


@record(frozen=True, slots=True)
class Segment:
    """A piece of a push that came in several short messages: whose it is, its number of how many, its data."""

    of: tuple[str, int, int]  # addresses, reference, total
    number: int
    data: bytes


@record(frozen=True, slots=True)
class View:
    """What octets are. `problem` says why they could not be read to the end; `inside` is what they carry.

    `at` is where these octets are in those around them (-1: they are not there as they are). `text` is content that
    people can read, `message` the object that was read, where it can be written as JSON."""

    kind: str
    title: str
    octets: bytes
    rows: tuple[Row, ...] = ()
    findings: tuple[Finding, ...] = ()
    problem: str = ""
    inside: "tuple[View, ...]" = field(default=())
    at: int = -1
    text: str = ""
    message: Pdu | Push | None = None
    segment: Segment | None = None


Deeper = Callable[[bytes, str], View]  # octets and their content type, "" when nobody told


def has_problem(view: View) -> bool:
    """Whether anything in it could not be read."""
    return bool(view.problem) or any(has_problem(inner) for inner in view.inside)


def rows_of(value: object, prefix: str = "") -> list[Row]:
    """What is set in a message, one row a leaf, its path as the name."""
    rows: list[Row] = []
    if is_dataclass(value):
        for one in fields(value):
            name = f"{prefix}.{one.name}" if prefix else one.name
            rows += rows_of(getattr(value, one.name), name)
    elif isinstance(value, tuple):
        for number, item in enumerate(value, 1):
            rows += rows_of(item, f"{prefix}[{number}]")
    elif value not in (None, "", b""):
        rows.append(Row(prefix, words(value)))
    return rows


def words(value: object) -> str:
    """A value for people."""
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, Enum):
        return f"{value.name} ({value.value})"
    return str(value)


def every(view: View) -> Iterator[View]:
    """A view and all that it holds."""
    yield view
    for inner in view.inside:
        yield from every(inner)
