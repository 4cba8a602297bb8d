"""What can go wrong between octets and objects, and what is merely worth telling.

A `ProtocolError` ends the reading; a `Finding` is a remark about something that was read all the same.
"""

from typing import Generic, TypeVar

from protocols.records import record

M = TypeVar("M")
M_co = TypeVar("M_co", covariant=True)


@record(frozen=True, slots=True)
class Finding:
    """A rule the sender broke and we forgave: permanent rule name (`MM1-H031`), clause, offset in octets (-1: whole
    message), and a remark a stranger understands."""

    rule: str
    clause: str
    offset: int
    remark: str


@record(frozen=True, slots=True)
class Decoded(Generic[M_co]):
    """A message and what there was to remark about its octets."""

    message: M_co
    findings: tuple[Finding, ...] = ()


class ProtocolError(Exception):
    """Everything a codec raises on purpose. `why` is for people; `clause` names the rule."""

    def __init__(self, why: str, *, clause: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.clause = clause


class DecodeError(ProtocolError):
    """The octets cannot be read. `offset` is where, in octets from the start of the message (-1: unknown)."""

    def __init__(self, why: str, *, offset: int = -1, clause: str = "") -> None:
        super().__init__(why, clause=clause)
        self.offset = offset

    def __str__(self) -> str:
        place = f" at octet {self.offset}" if self.offset >= 0 else ""
        clause = f" ({self.clause})" if self.clause else ""
        return f"{self.why}{place}{clause}"


class Truncated(DecodeError):
    """The octets end before the message does."""


class EncodeError(ProtocolError):
    """The object cannot be written: a value the wire has no form for."""
