"""One message as a row of the list: every cell made here, so that templates only place them."""

import re
from collections.abc import Iterable
from typing import Final

from mmsc.console import words
from mmsc.control.messages import MessageRow
from mmsc.domain.instant import DAY, SECOND
from mmsc.domain.states import RecipientState as S
from protocols.records import record

STATES_SHOWN: Final = 2
_INTERFACES: Final = {"link": "web"}
_ORDER: Final = (  # bad first, then undecided, under way, good
    *(S.UNREACHABLE, S.REJECTED, S.UNRECOGNISED, S.EXPIRED, S.CONDITION_NOT_MET),
    *(S.INDETERMINATE, S.DEFERRED, S.CANCELLED),
    *(S.SCHEDULED, S.ACCEPTED, S.NOTIFIED, S.LINK_SENT, S.RELAYED),
    *(S.FORWARDED, S.LINK_VIEWED, S.RETRIEVED),
)
_BY_VASP: Final = ("mm7", "rest", "eaif")
_MARKS: Final = ("fault", "finding", "retry", "repeat")
_SENTENCE: Final = re.compile(r"^[a-z](?=[a-z]*[ :;,]|[a-z]*$)")  # not a PDU's name, which is spelled as it is
_APART: Final = SECOND  # service time and real time that differ by more are both told


@record(frozen=True, slots=True, kw_only=True)
class Line:
    """The cells. `values` are what `f` filters by, by column."""

    id: str
    time: str
    day: str
    full: str
    states: tuple[tuple[str, str], ...]
    more_states: int
    worst: str
    sender: str
    to: str
    to_title: str
    recipients: int
    subject: str
    path: str
    size: str
    marks: tuple[tuple[str, int], ...]
    last: str
    due: str
    values: tuple[tuple[str, str], ...]


def lines(rows: Iterable[MessageRow], now: int) -> list[Line]:
    """Rows of a page; `now` is service time: other days are named."""
    return [_line(row, now) for row in rows]


def grouped(shown: Iterable[Line]) -> list[tuple[str, list[Line]]]:
    """By the state that stands first, in the order of states."""
    groups: dict[str, list[Line]] = {}
    for line in shown:
        groups.setdefault(line.worst, []).append(line)
    return sorted(groups.items(), key=lambda group: [*map(str, _ORDER), ""].index(group[0]))


def _line(row: MessageRow, now: int) -> Line:
    states = sorted(row.states.items(), key=lambda item: _ORDER.index(item[0]))
    several = row.recipient_count > 1
    same_day = row.at_service // DAY == now // DAY
    full = words.full(row.at_service)
    if abs(row.at_real - row.at_service) > _APART:
        full += f", real time {words.full(row.at_real)}"
    return Line(
        id=row.mm_id,
        time=words.clock(row.at_service),
        day="" if same_day else words.day(row.at_service),
        full=full,
        states=tuple((str(state), words.count(count) if several else "") for state, count in states[:STATES_SHOWN]),
        more_states=max(0, len(states) - STATES_SHOWN),
        worst=str(states[0][0]) if states else "",
        sender=_sender(row),
        to=words.several(row.recipient_count, "recipient") if several else "".join(row.recipients),
        to_title=", ".join(row.recipients) + (" ..." if row.recipient_count > len(row.recipients) else ""),
        recipients=row.recipient_count,
        subject=row.subject,
        path=_path(row.path),
        size=words.octets(row.size_octets),
        marks=tuple((mark, getattr(row.marks, mark)) for mark in _MARKS if getattr(row.marks, mark)),
        last=_SENTENCE.sub(lambda first: first[0].upper(), row.last, count=1),
        due="" if row.next_due is None else row.next_due.words,
        values=_values(row, str(states[0][0]) if states else ""),
    )


def _sender(row: MessageRow) -> str:
    if row.origin in _BY_VASP or row.origin == "mm4":
        return " ".join(dict.fromkeys(part for part in (row.neighbour, row.sender) if part))
    return row.sender or row.neighbour


def _path(path: list[str]) -> str:
    names = [_INTERFACES.get(one, one.upper()) for one in path]
    return f"{names[0]} → {'+'.join(names[1:]) or 'none'}" if names else ""


def _values(row: MessageRow, worst: str) -> tuple[tuple[str, str], ...]:
    vasp = f"vasp:{row.neighbour}" if row.origin in _BY_VASP and row.neighbour else ""
    peer = f"peer:{row.neighbour}" if row.origin == "mm4" and row.neighbour else ""
    found = {
        "state": f"state:{worst}" if worst else "",
        "from": vasp or peer or (f"from:{row.sender}" if row.sender else ""),
        "to": f"to:{row.recipients[0]}" if row.recipients else "",
        "subject": '"' + row.subject.replace("\\", "\\\\").replace('"', '\\"') + '"' if row.subject else "",
        "path": f"path:{row.path[-1]}" if row.path else "",
        "marks": next((f"{mark}:any" for mark in ("fault", "finding") if getattr(row.marks, mark)), ""),
    }
    return tuple((name, value) for name, value in found.items() if value)
