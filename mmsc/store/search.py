"""SQL of the search for MMs: newest first, in chunks of ids, so that whoever asks can stop at any of them and go on.

A search is driven by the rarest thing that it names: an address, a mark (finding, fault), a run; else by the ids of all
MMs. A chunk is so many of the driver's ids below the last one; what else is asked for is looked at within it.
"""

from collections.abc import Sequence
from typing import Final

from mmsc.domain.message import Mm
from mmsc.domain.searching import ANY, ENDED, OPEN, Field, Term
from mmsc.domain.states import FINAL, RecipientState
from mmsc.store.core import SqlValue
from mmsc.store.looking import integer
from mmsc.store.messages import MM_COLUMNS, mm_of
from mmsc.store.reports import Source
from protocols.records import record

_CHUNK: Final = "SELECT min(id), count(*) FROM ({}) chunk"
_ALL: Final = "SELECT id FROM mm WHERE id < $1 ORDER BY id DESC LIMIT $2"
_BY_SENDER: Final = "SELECT id FROM mm WHERE sender = $3 AND id < $1 ORDER BY id DESC LIMIT $2"
_BY_RECIPIENT: Final = (
    "SELECT DISTINCT mm_id AS id FROM recipient WHERE address = $3 AND mm_id < $1 ORDER BY mm_id DESC LIMIT $2"
)
_BY_EITHER: Final = (
    f"SELECT id FROM (SELECT id FROM ({_BY_SENDER}) sent UNION SELECT id FROM ({_BY_RECIPIENT}) got) either"
    " ORDER BY id DESC LIMIT $2"
)
_BY_RUN: Final = "SELECT id FROM mm WHERE run = $3 AND id < $1 ORDER BY id DESC LIMIT $2"
_BY_MARK: Final = (
    "SELECT DISTINCT mm_id AS id FROM event WHERE kind = '{}' AND mm_id IS NOT NULL AND mm_id < $1"
    " ORDER BY mm_id DESC LIMIT $2"
)
_BY_FINDING: Final = _BY_MARK.format("finding.noted")
_BY_FAULT: Final = _BY_MARK.format("fault.hit")
_IN_RANGE: Final = f"SELECT {MM_COLUMNS} FROM mm WHERE mm.id >= $1 AND mm.id < $2"
_IN_CHUNK: Final = f"SELECT {MM_COLUMNS} FROM mm WHERE mm.id IN ({{}})"  # where the driver's ids lie far apart
# An identifier of whichever interface, and the MM that has it. An id is also a recipient's.
_NAMED: Final = (
    "SELECT id FROM mm WHERE request = $1 ORDER BY id DESC LIMIT 100",
    "SELECT id FROM mm WHERE foreign_id = $1 ORDER BY id DESC LIMIT 100",
    "SELECT mm_id FROM recipient WHERE transaction_id = $1",
    "SELECT mm_id FROM recipient WHERE token = $1",
    "SELECT mm_id FROM recipient WHERE link_token = $1",
)
_NUMBERED: Final = ("SELECT id FROM mm WHERE id = $1", "SELECT mm_id FROM recipient WHERE id = $1")
_OF_SMS: Final = "SELECT mm_id FROM sms WHERE lane = $1 AND smpp_message_id = $2"
_IS_SENDER: Final = "SELECT 1 FROM mm WHERE sender = $1 LIMIT 1"
_IS_RECIPIENT: Final = "SELECT 1 FROM recipient WHERE address = $1 LIMIT 1"
_ENDED_STATES: Final = tuple(sorted(str(state) for state in FINAL))
_OPEN_STATES: Final = tuple(sorted(str(state) for state in RecipientState if state not in FINAL))
_INTERFACES: Final = {  # in by this origin, or out by this route
    "mm1": ("mm1", "subscriber"),
    "mm3": ("mm3", ""),
    "mm4": ("mm4", "peer"),
    "mm7": ("mm7", "vasp"),
    "rest": ("rest", ""),
    "sms": ("", "subscriber"),
}
PATHS: Final = (*_INTERFACES, "link")


@record(frozen=True, slots=True)
class Driver:
    """What a chunk is made of: `sql` gives ids below $1, newest first, $2 of them; $3 is `value` where it is there."""

    sql: str
    value: str | None = None


ALL: Final = Driver(_ALL)


@record(frozen=True, slots=True)
class Wanted:
    """A search as it is carried out: `addresses` are words and values that are somebody's whole address, `ids` what
    identifiers led to; both hold for all that is found."""

    terms: tuple[Term, ...]
    exact: frozenset[Term] = frozenset()
    ids: tuple[int, ...] | None = None


class _Conditions:
    """A WHERE clause that grows, and its values. Values begin behind `taken` others."""

    def __init__(self, taken: int) -> None:
        self._taken = taken
        self.pieces: list[str] = []
        self.values: list[SqlValue] = []

    def value(self, value: SqlValue) -> str:
        """The placeholder of a value."""
        self.values.append(value)
        return f"${self._taken + len(self.values)}"

    def add(self, piece: str, *, negated: bool = False) -> None:
        """Another condition that has to hold, or not."""
        self.pieces.append(f"NOT ({piece})" if negated else f"({piece})")

    @property
    def sql(self) -> str:
        """All of them, to be put behind others."""
        return "".join(f" AND {piece}" for piece in self.pieces)


def driver_of(wanted: Wanted) -> Driver:
    """The rarest thing that a search names."""
    for term in wanted.terms:
        if term in wanted.exact and not term.negated:
            sql = {Field.FROM: _BY_SENDER, Field.TO: _BY_RECIPIENT}.get(term.field, _BY_EITHER)
            return Driver(sql, term.text)
    for term in wanted.terms:
        if not term.negated and term.field in (Field.FINDING, Field.FAULT):
            return Driver(_BY_FINDING if term.field is Field.FINDING else _BY_FAULT)
        if not term.negated and term.field is Field.RUN and term.text != ANY:
            return Driver(_BY_RUN, term.text)
    return ALL


async def chunk(source: Source, driver: Driver, below: int, size: int) -> tuple[int, int] | None:
    """(the lowest id, how many) of the next ids of a driver; None: there are no more. Raises `StoreUnavailable`."""
    ((lowest, count),) = await source.fetch(_CHUNK.format(driver.sql), *_values(driver, below, size))
    return None if lowest is None else (integer(lowest), integer(count))


async def found(source: Source, wanted: Wanted, driver: Driver, chunk: tuple[int, int, int], limit: int) -> list[Mm]:
    """The MMs of a chunk (lowest id, the id that it lies below, size) for which everything holds that SQL can say,
    newest first."""
    lowest, below, size = chunk
    head: str = _IN_RANGE
    values: tuple[SqlValue, ...] = (lowest, below)
    if driver is not ALL:
        head, values = _IN_CHUNK.format(driver.sql), _values(driver, below, size)
    conditions = _Conditions(len(values))
    for term in wanted.terms:
        _add(conditions, term, exact=term in wanted.exact)
    return await _read(source, head, values, conditions, limit)


async def among(source: Source, wanted: Wanted, below: int, limit: int) -> list[Mm]:
    """Likewise, among the ids that identifiers led to."""
    conditions = _Conditions(2)
    listed = ", ".join(conditions.value(one) for one in wanted.ids or ()) or "NULL"
    conditions.add(f"mm.id IN ({listed})")
    for term in wanted.terms:
        _add(conditions, term, exact=term in wanted.exact)
    return await _read(source, _IN_RANGE, (0, below), conditions, limit)


async def _read(
    source: Source, head: str, values: tuple[SqlValue, ...], conditions: _Conditions, limit: int
) -> list[Mm]:
    sql = f"{head}{conditions.sql} ORDER BY mm.id DESC LIMIT {conditions.value(limit)}"
    return [mm_of(row) for row in await source.fetch(sql, *values, *conditions.values)]


def _values(driver: Driver, below: int, size: int) -> tuple[SqlValue, ...]:
    return (below, size) if driver.value is None else (below, size, driver.value)


async def named(source: Source, word: str, numbers: Sequence[int], lanes: Sequence[str]) -> tuple[int, ...]:
    """The MMs that have an identifier; `numbers` are what the word means as an id of ours, `lanes` those to SMSCs."""
    ids: set[int] = set()
    for number in numbers:
        for sql in _NUMBERED:
            ids |= {integer(row[0]) for row in await source.fetch(sql, number)}
    for sql in _NAMED:
        ids |= {integer(row[0]) for row in await source.fetch(sql, word)}
    for lane in lanes:
        ids |= {integer(row[0]) for row in await source.fetch(_OF_SMS, lane, word)}
    return tuple(sorted(ids, reverse=True))


async def is_address(source: Source, text: str, field: Field) -> bool:
    """Whether an MM went from or to exactly this address, as the field says; a WORD: either."""
    if field is not Field.TO and await source.fetch(_IS_SENDER, text):
        return True
    return field is not Field.FROM and bool(await source.fetch(_IS_RECIPIENT, text))


def _add(conditions: _Conditions, term: Term, *, exact: bool) -> None:
    if term.field is Field.SINCE:
        conditions.add(f"mm.submitted_at >= {conditions.value(term.number)}", negated=term.negated)
    elif term.field is Field.UNTIL:
        conditions.add(f"mm.submitted_at < {conditions.value(term.number)}", negated=term.negated)
    elif term.field in (Field.LARGER, Field.SMALLER):
        return  # it is read in the MM's details
    elif term.field is Field.WORD and not exact:
        if not term.negated:  # what it leaves over is looked at again; a negated one might lose too much
            conditions.add(_text(conditions, term.text))
    else:
        conditions.add(_condition(conditions, term, exact=exact), negated=term.negated)


def _condition(conditions: _Conditions, term: Term, *, exact: bool) -> str:
    match term.field:
        case Field.STATE:
            return _state(conditions, term.text)
        case Field.FROM:
            return _address(conditions, "mm.sender", term.text, exact=exact)
        case Field.TO:
            return _recipient(_address(conditions, "recipient.address", term.text, exact=exact))
        case Field.WORD:
            sender = _address(conditions, "mm.sender", term.text, exact=True)
            return f"{sender} OR {_recipient(_address(conditions, 'recipient.address', term.text, exact=True))}"
        case Field.VASP:
            return _neighbour(conditions, "mm7", "vasp", term.text)
        case Field.PEER:
            return _neighbour(conditions, "mm4", "peer", term.text)
        case Field.SMSC:
            return _neighbour(conditions, "", "subscriber", term.text)
        case Field.RUN:
            return "mm.run IS NOT NULL" if term.text == ANY else f"mm.run = {conditions.value(term.text)}"
        case Field.PATH:
            return _path(conditions, term.text)
        case Field.FINDING:
            return _mark(conditions, "finding.noted", "rule", term.text)
        case _:
            return _mark(conditions, "fault.hit", "fault", term.text)


def _recipient(condition: str) -> str:
    return f"EXISTS (SELECT 1 FROM recipient WHERE recipient.mm_id = mm.id AND {condition})"


def _state(conditions: _Conditions, text: str) -> str:
    names = {OPEN: _OPEN_STATES, ENDED: _ENDED_STATES}.get(text, (text,))
    return _recipient(f"recipient.state IN ({', '.join(conditions.value(name) for name in names)})")


def _address(conditions: _Conditions, column: str, text: str, *, exact: bool) -> str:
    if exact:
        return f"{column} = {conditions.value(text)}"
    beginning = _escaped(text.removesuffix("*"))
    return f"{column} LIKE {conditions.value(f'{beginning}%')} ESCAPE '!'"


def _neighbour(conditions: _Conditions, origin: str, route: str, name: str) -> str:
    value = "" if name == ANY else conditions.value(name)
    out = _recipient(f"recipient.route = '{route}'" + (f" AND recipient.target = {value}" if value else ""))
    if not origin:
        return out
    return f"mm.origin = '{origin}'" + (f" AND mm.neighbour = {value}" if value else "") + f" OR {out}"


def _path(conditions: _Conditions, text: str) -> str:
    if text == "link":
        return _recipient("recipient.state IN ('link_sent', 'link_viewed')")
    origin, route = _INTERFACES[text]
    pieces = [f"mm.origin = {conditions.value(origin)}"] if origin else []
    if route:
        pieces.append(_recipient(f"recipient.route = {conditions.value(route)}"))
    return " OR ".join(pieces)


def _mark(conditions: _Conditions, kind: str, field: str, text: str) -> str:
    told = "" if text == ANY else f" AND event.data LIKE {conditions.value(_field_begins(field, text))} ESCAPE '!'"
    return f"EXISTS (SELECT 1 FROM event WHERE event.mm_id = mm.id AND event.kind = '{kind}'{told})"


def _field_begins(field: str, text: str) -> str:
    """The pattern of JSON in which a text field begins with `text`."""
    return f'%"{field}":"{_escaped(text)}%'


def _text(conditions: _Conditions, text: str) -> str:
    """Whether a text may stand in what is stored with an MM: a pattern that lets too much through, never too little.
    SQLite knows small letters of ASCII only, and JSON writes quotes and backslashes as two characters."""
    wild = "".join(_escaped(one) if one.isascii() and one not in '"\\' else "%" for one in text.lower())
    value = conditions.value(f"%{wild}%")
    columns = ("mm.details", "mm.sender", "mm.neighbour")
    return " OR ".join(f"lower({column}) LIKE {value} ESCAPE '!'" for column in columns)


def _escaped(text: str) -> str:
    return "".join(f"!{one}" if one in "!%_" else one for one in text)
