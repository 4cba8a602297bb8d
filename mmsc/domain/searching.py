"""What is asked for when somebody looks for messages, in the words of the search box.

`mmsc/control/query.py` reads it from text, `mmsc/store/search.py` carries it out.
"""

from enum import StrEnum
from typing import Final

from mmsc.domain.instant import Instant
from protocols.records import record

ANY: Final = "any"  # as a value: whatever it is, as long as there is one


class Field(StrEnum):
    """What a term is about."""

    WORD = "word"  # no field was named: an identifier or a number, else text
    STATE = "state"  # of a recipient; OPEN and ENDED are groups of states
    FROM = "from"
    TO = "to"
    VASP = "vasp"
    PEER = "peer"
    SMSC = "smsc"
    FINDING = "finding"
    FAULT = "fault"
    RUN = "run"
    SINCE = "since"  # `number` is service time (µs)
    UNTIL = "until"
    LARGER = "larger"  # `number` is octets, likewise
    SMALLER = "smaller"
    PATH = "path"  # an interface, in or out


OPEN: Final = "open"
ENDED: Final = "ended"


@record(frozen=True, slots=True)
class Term:
    """One condition. `negated`: that it does not hold."""

    field: Field
    text: str = ""
    number: int = 0
    negated: bool = False


@record(frozen=True, slots=True)
class MessageQuery:
    """Conditions that all have to hold; none: every message."""

    terms: tuple[Term, ...] = ()

    def only(self, *fields: Field) -> tuple[Term, ...]:
        """The conditions about these that are not negated."""
        return tuple(term for term in self.terms if term.field in fields and not term.negated)

    @property
    def since(self) -> Instant | None:
        """No message from before this time is wanted."""
        return max((Instant(term.number) for term in self.only(Field.SINCE)), default=None)

    @property
    def until(self) -> Instant | None:
        """No message from this time on is wanted."""
        return min((Instant(term.number) for term in self.only(Field.UNTIL)), default=None)


EVERYTHING: Final = MessageQuery()
