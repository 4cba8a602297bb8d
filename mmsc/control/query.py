"""The language of the search box: words, `field:value`, quotes, and `-` for what must not be.

    state:expired to:+1555 -vasp:bank-vasp since:1h size:>300k "storm warning"

A word without a field is a number, an identifier of any interface, or text. What is not understood is refused with its
place and the nearest word: a search that left it out would show too much.
"""

import difflib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from mmsc.domain.address import NotAnAddress
from mmsc.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant, from_datetime, to_datetime
from mmsc.domain.searching import ANY, ENDED, OPEN, Field, MessageQuery, Term
from mmsc.domain.states import RecipientState
from mmsc.engine.ports import Numbers
from protocols.records import record

LONGEST: Final = 1000  # characters of a query
MOST_TERMS: Final = 20
PATHS: Final = ("mm1", "mm3", "mm4", "mm7", "rest", "sms", "link")
FIELDS: Final = (
    *("state", "from", "to", "vasp", "peer", "smsc", "finding", "fault", "run"),
    *("since", "until", "size", "path"),
)
_TOKEN: Final = re.compile(
    r"(?P<minus>-?)(?:(?P<field>[A-Za-z_]+):(?=\S))?(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<open>\")|(?P<bare>\S+))"
)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")  # no database takes them all
_SPAN: Final = re.compile(r"(\d{1,18}(?:\.\d{1,18})?)(s|min|m|h|d|w)")
_SPANS: Final = {"s": SECOND, "m": MINUTE, "min": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_SIZE: Final = re.compile(r"(>=|<=|>|<|=)?\s*(\d{1,18}(?:\.\d{1,18})?)\s*(b|k|kb|m|mb)?", re.IGNORECASE)
_UNITS: Final = {"": 1, "b": 1, "k": 1000, "kb": 1000, "m": 1_000_000, "mb": 1_000_000}
_TIME_OF_DAY: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


class QueryError(ValueError):
    """A query that says nothing that can be looked for. `position` counts characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


@record(frozen=True, slots=True)
class _Token:
    """One condition as it was written."""

    field: str
    text: str
    negated: bool
    position: int  # of the condition
    value_at: int  # of its value
    quoted: bool = False


def parse(text: str, now: Instant, numbers: Numbers | None = None) -> MessageQuery:
    """What is looked for; `now` is service time. Raises `QueryError`. With `numbers`, addresses may be spelled as
    subscribers do."""
    if len(text) > LONGEST:
        raise QueryError(f"{len(text)} characters: a query has {LONGEST} at most", LONGEST)
    unprintable = _UNPRINTABLE.search(text)
    if unprintable is not None:
        raise QueryError("a character that is none", unprintable.start())
    terms: list[Term] = []
    for token in _tokens(text):
        terms += _terms(token, now, numbers)
        if len(terms) > MOST_TERMS:
            raise QueryError(f"more than {MOST_TERMS} conditions", token.position)
    return MessageQuery(tuple(terms))


def both(query: MessageQuery, *terms: Term) -> MessageQuery:
    """The query, and these conditions as well."""
    return MessageQuery((*query.terms, *terms))


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if found is None or found["open"] is not None:
            raise QueryError("a quote is not closed", text.rfind('"'))
        name = (found["field"] or "").lower()
        if name and name not in FIELDS and _is_no_field(found):
            found, name = _as_word(text, at), ""
        yield _token(found, name, at)
        at = found.end()


def _is_no_field(found: "re.Match[str]") -> bool:
    """`http://...` and `urn:...` are words; so is what was quoted."""
    return found["field"] in ("http", "https", "mailto", "urn")


def _as_word(text: str, at: int) -> "re.Match[str]":
    found = re.compile(r"(?P<minus>-?)(?P<field>(?!))?(?P<quoted>(?!))?(?P<bare>\S+)").match(text, at)
    assert found is not None, "something stands here"
    return found


def _token(found: "re.Match[str]", name: str, at: int) -> _Token:
    quoted = found["quoted"]
    group = "bare" if quoted is None else "quoted"
    value = found[group] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    return _Token(name, value, found["minus"] == "-", at, found.start(group), quoted is not None)


def _terms(token: _Token, now: Instant, numbers: Numbers | None) -> list[Term]:
    if not token.field:
        return [Term(Field.WORD, _address(token.text, numbers), 0, token.negated)] if token.text else []
    if token.field not in FIELDS:
        raise QueryError(f"No field '{token.field}'. {_near(token.field, FIELDS)}", token.position)
    if not token.text:
        raise QueryError(f"{token.field}: has no value", token.value_at)
    if token.field == "size":
        return _size(token)
    maker = _MAKERS.get(token.field)
    if maker is not None:
        return [maker(token, now)]
    text = _address(token.text, numbers) if token.field in ("from", "to") else token.text
    if token.field == "finding" and token.text.lower() != ANY:
        text = token.text.upper()
    return [Term(Field(token.field), ANY if text == "*" or text.lower() == ANY else text, 0, token.negated)]


def _state(token: _Token, now: Instant) -> Term:
    names = [str(state) for state in RecipientState]
    name = token.text.lower().replace(" ", "_").replace("-", "_")
    if name not in (*names, OPEN, ENDED):
        raise QueryError(f"No state '{token.text}'. {_near(name, (*names, OPEN, ENDED))}", token.value_at)
    return Term(Field.STATE, name, 0, token.negated)


def _path(token: _Token, now: Instant) -> Term:
    name = token.text.lower()
    if name not in PATHS:
        raise QueryError(f"No path '{token.text}'. {_near(name, PATHS)}", token.value_at)
    return Term(Field.PATH, name, 0, token.negated)


def _time(token: _Token, now: Instant) -> Term:
    return Term(Field(token.field), token.text, _moment(token, now), token.negated)


_MAKERS: Final[dict[str, Callable[[_Token, Instant], Term]]] = {
    "state": _state,
    "path": _path,
    "since": _time,
    "until": _time,
}


def _moment(token: _Token, now: Instant) -> Instant:
    """`1h` ago, `14:05` (the last time it was that, UTC), a date, or RFC 3339."""
    span = _SPAN.fullmatch(token.text.lower())
    if span is not None:
        return Instant(max(0, now - round(float(span[1]) * _SPANS[span[2]])))
    time_of_day = _TIME_OF_DAY.fullmatch(token.text)
    try:
        if time_of_day is not None:
            return _last_time_of(to_datetime(now), *(int(one or 0) for one in time_of_day.groups()))
        moment = datetime.fromisoformat(token.text)
        return max(Instant(0), from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))
    except (ValueError, OverflowError) as error:
        why = f"No time '{token.text}': write 30s, 10min, 1h, 2d, 14:05 or 2026-11-24T14:05"
        raise QueryError(why, token.value_at) from error


def _last_time_of(now: datetime, hour: int, minute: int, second: int) -> Instant:
    moment = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return from_datetime(moment if moment <= now else moment - timedelta(days=1))


def _size(token: _Token) -> list[Term]:
    found = _SIZE.fullmatch(token.text)
    if found is None:
        raise QueryError(f"No size '{token.text}': write >300k, <1m or 31923", token.value_at)
    octets = round(float(found[2]) * _UNITS[(found[3] or "").lower()])
    sign = found[1] or "="
    larger = Term(Field.LARGER, token.text, octets - (sign in (">=", "=")), token.negated)
    smaller = Term(Field.SMALLER, token.text, octets + (sign in ("<=", "=")), token.negated)
    if sign != "=":
        return [larger if sign in (">", ">=") else smaller]
    if token.negated:
        raise QueryError("-size needs < or >", token.position)
    return [larger, smaller]


def _address(text: str, numbers: Numbers | None) -> str:
    """A number as it is stored: `555-010-0142` is `+15550100142`. What is none, or only a beginning, stays."""
    if numbers is None or not _looks_like_a_number(text):
        return text
    found = numbers.normalise(text)
    return text if isinstance(found, NotAnAddress) else found.address.value


def _looks_like_a_number(text: str) -> bool:
    digits = sum(one.isdecimal() for one in text)
    return 7 <= digits <= 15 and all(one.isdecimal() or one in "+-(). /" for one in text)


def _near(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.5) or [one for one in known if name and one.startswith(name[:2])]
    return f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
