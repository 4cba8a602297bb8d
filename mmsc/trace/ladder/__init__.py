"""The ladder of an MM: what went between whom, in which order, and what the engine did about it. Pure: events and PDUs
in, rows out. Pages, text, pictures, reports and comparisons are made of the same rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from itertools import pairwise
from statistics import median
from typing import Final

import msgspec

from mmsc.trace.events import Event, RouteChosen
from mmsc.trace.ladder import attempts
from mmsc.trace.ladder.columns import columns, index_of, originator
from mmsc.trace.ladder.folding import FIRST_SHOWN, LAST_SHOWN, fold_retries, fold_runs, fold_segments, windowed
from mmsc.trace.ladder.model import MMSC, Answer, Column, Ladder, Row, RowKind, Told
from mmsc.trace.ladder.notes import notes
from mmsc.trace.ladder.reading import Pdu, answer_cell, opened, read
from mmsc.trace.ladder.remembered import GONE, Remembered, remembered, rows_of
from protocols.records import record

_SECOND: Final = 1_000_000
_MANY_STEPS: Final = 5  # a gap is so many times the median step
_ENOUGH_STEPS: Final = 4  # for their median to say anything
_JUMP_RATIO: Final = 1000  # service time that ran so much faster than real time was moved
NOTHING_DUE: Final = "Nothing more is due"


@record(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What of a ladder is wanted: answers as rows of their own, no notes, runs in one row, one interface, one recipient
    (address), only what is marked."""

    unfolded: bool = False
    notes: bool = True
    folds: bool = True
    interface: str = ""
    recipient: str = ""
    marked: bool = False


@record(frozen=True, slots=True, kw_only=True)
class About:
    """What a ladder needs to know beside events and PDUs: what is due ("": nothing), whether that waits (and can be had
    at once), addresses of recipients by id, this node's name, more about some columns, what the lab saw, and since when
    (µs of real time) the ring has all captures of an interface; of one that is not named it has all there ever were."""

    due: str = ""
    waits: bool = False
    addresses: Mapping[int, str] = field(default_factory=dict)
    node: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    told: tuple[Told, ...] = ()
    kept_since: Mapping[str, int] = field(default_factory=dict)


NO_WISHES: Final = Wishes()


def ladder(events: Sequence[Event], pdus: Sequence[Pdu], about: About, wishes: Wishes = NO_WISHES) -> Ladder:
    """The ladder of one MM, whole; `windowed` cuts it for a page."""
    parties = [one.party for one in pdus] + [end for one in about.told for end in (one.source, one.target)]
    parties += [data.lane for _, data in attempts.troubles(events) if data.lane]
    gone = remembered(events, pdus, about.addresses, about.kept_since)
    parties += [one.party for one in gone]
    found = columns(originator(events, parties), parties, about.node, dict(about.kinds))
    made = _chosen(_merged(events, pdus, gone, about, found, wishes), wishes)
    if wishes.folds:
        made = fold_runs(fold_segments(fold_retries(made)))
    first = next((row for row in made if row.number or row.gone), made[0] if made else None)
    timed = [msgspec.structs.replace(row, offset=row.at - first.at) for row in made] if first is not None else []
    rows_ = [*_with_gaps(timed), *_end(timed, about)]
    return Ladder(columns=found, rows=tuple(rows_), first=first.name if first is not None else "")


def rows(events: Sequence[Event], pdus: Sequence[Pdu], about: About, wishes: Wishes = NO_WISHES) -> list[Row]:
    """The rows alone."""
    return list(ladder(events, pdus, about, wishes).rows)


def _merged(
    events: Sequence[Event],
    pdus: Sequence[Pdu],
    gone: Sequence[Remembered],
    about: About,
    found: Sequence[Column],
    wishes: Wishes,
) -> list[Row]:
    """All rows by time; at equal times PDUs that came before the event that they caused."""
    made = list(_pdu_rows(events, pdus, found, wishes))
    drawn = {one.event.id for one in gone}
    made += rows_of(gone, found, about.addresses)
    made += attempts.unsent(events, pdus, found, drawn)
    made += [_told(one, index, found) for index, one in enumerate(about.told)]
    if wishes.notes:
        made += notes(events, pdus, about.addresses, drawn)
    made.sort(key=lambda row: (row.at, row.kind is RowKind.NOTE))
    return made


def _pdu_rows(events: Sequence[Event], pdus: Sequence[Pdu], found: Sequence[Column], wishes: Wishes) -> Iterator[Row]:
    by_number = {one.number: one for one in pdus}
    place = {
        one.number: (same, index, len(members))
        for same, members in attempts.groups(pdus).items()
        for index, one in enumerate(members)
    }
    firsts = {same: members[0].number for same, members in attempts.groups(pdus).items()}
    for one in pdus:
        if one.folded and not wishes.unfolded:
            continue
        row = _pdu_row(one, by_number, found, events)
        if one.number in place:
            same, index, total = place[one.number]
            own = one.outward
            row = msgspec.structs.replace(
                row,
                same=same,
                attempt=index + 1 if own else 0,
                attempts=total if own else 0,
                repeat_of=firsts[same] if index and not own else "",
            )
        yield row


def _pdu_row(one: Pdu, by_number: Mapping[str, Pdu], found: Sequence[Column], events: Sequence[Event]) -> Row:
    source, target = (index_of(found, end) for end in one.ends)
    given: Answer | None = None
    if not one.answers:
        answer = by_number.get(one.answered_by)
        given = answer_cell(one, answer, attempts.why_unanswered(one, events) if one.outward else "")
        if one.fault and one.outward:
            given = attempts.counted_as(one, given, by_number.values(), events)
    elif not one.folded:
        given = one.named.answer
    failed = given is not None and given.failed if not one.folded else one.named.answer.failed
    return Row(
        key=f"p{one.number}",
        kind=RowKind.ANSWER if one.answers else RowKind.PDU,
        at=one.at,
        at_real=one.record.at_real,
        number=one.number,
        source=source,
        target=target,
        name=one.named.name,
        beneath=one.named.beneath,
        answer=given,
        failed=failed,
        fault=_fault(one, by_number),
        findings=_findings(one, by_number),
        recipient=one.party.removeprefix("phone:") if one.party.startswith("phone:") else "",
        interface=one.record.interface,
        note=one.record.note,
        segment_of=one.named.segment,
    )


def _folded_answer(one: Pdu, by_number: Mapping[str, Pdu]) -> Pdu | None:
    answer = by_number.get(one.answered_by)
    return answer if answer is not None and answer.folded else None


def _fault(one: Pdu, by_number: Mapping[str, Pdu]) -> str:
    """The fault of the PDU, or of the answer that is folded into it."""
    answer = _folded_answer(one, by_number)
    return one.fault or (answer.fault if answer is not None else "")


def _findings(one: Pdu, by_number: Mapping[str, Pdu]) -> tuple[str, ...]:
    answer = _folded_answer(one, by_number)
    return tuple(dict.fromkeys((*one.findings, *(answer.findings if answer is not None else ()))))


def _told(one: Told, index: int, found: Sequence[Column]) -> Row:
    return Row(
        key=f"t{index}",
        kind=RowKind.TOLD,
        at=one.at,
        at_real=one.at_real,
        source=index_of(found, one.source),
        target=index_of(found, one.target),
        name=one.name,
        beneath=one.beneath or "not on our wire",
        recipient=one.target.removeprefix("phone:") if one.target.startswith("phone:") else "",
    )


def _chosen(made: Sequence[Row], wishes: Wishes) -> list[Row]:
    return [
        row
        for row in made
        if (not wishes.interface or row.interface in ("", wishes.interface))
        and (not wishes.recipient or row.recipient in ("", wishes.recipient))
        and (not wishes.marked or row.marked)
    ]


def _with_gaps(made: Sequence[Row]) -> Iterator[Row]:
    """With a row wherever service time passed without anything."""
    steps = [after.at - (before.until or before.at) for before, after in pairwise(made)]
    least = max(_SECOND, _MANY_STEPS * round(median(steps))) if len(steps) >= _ENOUGH_STEPS else _SECOND
    for number, row in enumerate(made):
        if number and (steps[number - 1] > least or _clock_moved(made[number - 1], row)):
            yield _gap(made[number - 1], row, steps[number - 1])
        yield row


def _clock_moved(before: Row, after: Row) -> bool:
    """Whether service time ran ahead of real time between them."""
    real = after.at_real - (before.until_real or before.at_real)
    return after.at - (before.until or before.at) - real > _SECOND


def _gap(before: Row, after: Row, service: int) -> Row:
    real = max(0, after.at_real - (before.until_real or before.at_real))
    start = before.until or before.at
    if service - real > _SECOND and service > real * _JUMP_RATIO:
        text = f"≈ +{_spoken(service)}, clock jumped"
    elif service - real > _SECOND and service > 1.5 * real:
        text = f"≈ {_spoken(service)}, clock x{round(service / max(1, real))}"
    else:
        text = f"≈ {_spoken(service)}"
    return Row(
        key=f"g{after.key}",
        kind=RowKind.GAP,
        at=start,
        at_real=before.until_real or before.at_real,
        offset=before.offset,
        text=text,
    )


def _spoken(micros: int) -> str:
    seconds = micros / _SECOND
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (rest, "s")]
    shown = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(shown[:2])


def _end(made: Sequence[Row], about: About) -> Iterator[Row]:
    if made:
        last = made[-1]
        text = f"Due: {about.due}" if about.due else NOTHING_DUE
        yield Row(key="end", kind=RowKind.END, at=last.at, at_real=last.at_real, offset=last.offset, text=text)


def addresses_of(events: Sequence[Event]) -> dict[int, str]:
    """Recipients by id, as far as the choice of their route names them."""
    return {
        event.recipient_id: event.data.address
        for event in events
        if isinstance(event.data, RouteChosen) and event.recipient_id is not None
    }


__all__ = [
    "FIRST_SHOWN",
    "GONE",
    "LAST_SHOWN",
    "MMSC",
    "About",
    "Answer",
    "Column",
    "Ladder",
    "Pdu",
    "Row",
    "RowKind",
    "Told",
    "Wishes",
    "addresses_of",
    "ladder",
    "opened",
    "read",
    "rows",
    "windowed",
]
