"""A `Form` is how one kind of value is read and written; a table row pairs it with a field.

One row serves decoder, encoder, console view and coverage page.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from protocols.octets import OctetReader, OctetWriter
from protocols.records import record

V = TypeVar("V")


@record(frozen=True, slots=True)
class Form(Generic[V]):
    """A named pair: `read` takes a value off the octets, `write` puts it back in its exact form."""

    name: str
    read: Callable[[OctetReader], V]
    write: Callable[[OctetWriter, V], None]


@record(frozen=True, slots=True)
class Header:
    """A numbered header field: its number, wire name, attribute, form, clause, whether it may repeat, and which version
    of the protocol brought it (0x12 for 1.2)."""

    number: int
    wire_name: str
    attribute: str
    form: Form[Any]
    clause: str
    repeats: bool = False
    since: int = 0x10


@record(frozen=True, slots=True)
class Field:
    """A positional field of a fixed layout: its wire name, form and clause."""

    name: str
    form: Form[Any]
    clause: str


@record(frozen=True, slots=True)
class UnknownHeader:
    """A field that its message has no place for, as it came: number (or text name) and the raw octets of its value."""

    name: int | str
    octets: bytes
