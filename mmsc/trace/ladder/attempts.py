"""Attempts at the same thing: retries of ours, repeats of neighbours, attempts that reached nobody; and why there was
no answer."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Final

import msgspec

from mmsc.trace import events as trace
from mmsc.trace import sentences
from mmsc.trace.events import Event
from mmsc.trace.ladder.columns import index_of
from mmsc.trace.ladder.model import Answer, Column, Row, RowKind
from mmsc.trace.ladder.reading import Pdu
from mmsc.trace.rings import NEVER

_MANY: Final = 4  # as many are shown one by one

Trouble = trace.AttemptFailed | trace.AttemptPostponed | trace.TaskGivenUp


def groups(pdus: Sequence[Pdu]) -> Mapping[str, list[Pdu]]:
    """Requests with the same identifiers between the same two, by what they have in common."""
    found: dict[str, list[Pdu]] = {}
    for one in pdus:
        if not one.answers and one.named.identity:
            found.setdefault(_same(one), []).append(one)
    return {same: members for same, members in found.items() if len(members) > 1}


def _same(pdu: Pdu) -> str:
    return f"{'>'.join(pdu.ends)} {pdu.named.identity}"


def troubles(events: Sequence[Event]) -> list[tuple[Event, Trouble]]:
    """Attempts that came to nothing."""
    return [(one, one.data) for one in events if isinstance(one.data, Trouble)]


def why_unanswered(pdu: Pdu, events: Sequence[Event]) -> str:
    """What was noted of this attempt at its lane, "" while nothing is."""
    for event, data in troubles(events):
        if event.at_real >= pdu.record.at_real and data.lane == pdu.party:
            return data.because
    return ""


def looked_fine(event: Event, lane: str, pdus: Sequence[Pdu]) -> bool:
    """Whether what was sent last over a lane before an attempt failed had an answer that does not say so: it was taken
    for another one, or said something that nobody could use."""
    sent = [one for one in pdus if one.outward and one.party == lane and one.record.at_real <= event.at_real]
    last = max(sent, key=lambda one: one.record.at_real, default=None)
    if last is not None and last.fault:
        return False  # its answer says what it counts as
    answer = None if last is None else next((one for one in pdus if one.number == last.answered_by), None)
    return answer is not None and bool(answer.octets) and not answer.named.answer.failed


def counted_as(pdu: Pdu, given: Answer, pdus: Iterable[Pdu], events: Sequence[Event]) -> Answer:
    """The answer to an attempt that a fault bit: it counts as another than its octets say."""
    later = (one.record.at_real for one in pdus if one.record.at_real > pdu.record.at_real and _same(one) == _same(pdu))
    until = min(later, default=NEVER)
    for event, data in troubles(events):
        if data.lane == pdu.party and pdu.record.at_real <= event.at_real < until:
            said = " ".join(filter(None, (given.text, given.detail)))
            return given if given.failed else Answer(data.because, f"counts for {said}", failed=True)
    return given


def unsent(
    events: Sequence[Event], pdus: Sequence[Pdu], columns: Sequence[Column], drawn: Set[int] = frozenset()
) -> Iterator[Row]:
    """Attempts that failed before a PDU was sent: no connection, not bound. Each PDU of a lane accounts for one.
    `drawn` are the events that have an arrow already."""
    used: set[str] = set()
    made: list[Row] = []
    for event, data in troubles(events):
        sent = [
            one
            for one in pdus
            if one.outward and one.party == data.lane and one.number not in used and one.record.at_real <= event.at_real
        ]
        if event.id in drawn:
            continue
        if sent:
            used.update(one.number for one in sent)
        elif index_of(columns, data.lane) >= 0:
            made.append(_unsent(event, data, columns))
    yield from _counted(made)


def _unsent(event: Event, data: Trouble, columns: Sequence[Column]) -> Row:
    return Row(
        key=f"u{event.id}",
        kind=RowKind.PDU,
        at=event.at_service,
        at_real=event.at_real,
        source=index_of(columns, "mmsc"),
        target=index_of(columns, data.lane),
        name=sentences.work(data.task),
        beneath="not sent",
        answer=Answer(data.because, failed=True),
        failed=True,
        event=str(event.id),
        attempt=getattr(data, "attempt", 0),
    )


def _counted(rows: Sequence[Row]) -> Iterator[Row]:
    """Many that failed for the same reason are attempts at the same thing, so that they can be told in one."""
    alike = Counter(_reason(row) for row in rows)
    count: Counter[str] = Counter()
    for row in rows:
        why = _reason(row)
        count[why] += 1
        many = alike[why] > _MANY
        yield msgspec.structs.replace(row, same=why, attempt=count[why], attempts=alike[why]) if many else row


def _reason(row: Row) -> str:
    return f"unsent {row.name} {row.target} {'' if row.answer is None else row.answer.text}"
