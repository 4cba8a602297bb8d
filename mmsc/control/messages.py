"""Messages as people and programs see them: lists, one message, its recipients and events, each with its sentence.

Ids are text: a JSON number of 64 bits loses its end in many a reader.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from mmsc.clock import Clock
from mmsc.control.marks import marks_of
from mmsc.control.message_forms import EventSeen as EventSeen
from mmsc.control.message_forms import MessageDetail as MessageDetail
from mmsc.control.message_forms import MessagePage as MessagePage
from mmsc.control.message_forms import MessageRow as MessageRow
from mmsc.control.message_forms import NextDue as NextDue
from mmsc.control.message_forms import Place as Place
from mmsc.control.message_forms import RecipientDetail as RecipientDetail
from mmsc.control.message_forms import RecipientPage as RecipientPage
from mmsc.control.message_forms import Report as Report
from mmsc.control.message_forms import Task as Task
from mmsc.control.reasons import pending, reason_of
from mmsc.domain.instant import DAY, Instant, to_datetime
from mmsc.domain.message import Mm, TaskKind
from mmsc.domain.searching import EVERYTHING, MessageQuery
from mmsc.domain.states import FINAL, RecipientState
from mmsc.engine.queries import ReportLedger, ReportsWanted
from mmsc.engine.queries.messages import Due, Gone, Group, Messages, RecipientSeen, Seen, TaskSeen
from mmsc.trace import sentences
from mmsc.trace.events import Event
from mmsc.trace.stored import kind_of, told

RUN: Final = "run"  # in an MM's details: the tag of the test run that it belongs to
FIRST_ADDRESSES: Final = 3  # of the recipients, in a list
_QUIET: Final = frozenset(("finding.noted", "fault.hit", "subscriber.learned", "route.chosen", "mm.linked"))  # asides


class MessageService:
    """`Control.messages`. All of it raises `StoreUnavailable` when the store cannot be read."""

    def __init__(self, messages: Messages, ledger: ReportLedger, clock: Clock) -> None:
        self._messages = messages
        self._ledger = ledger
        self._clock = clock

    async def find(self, query: MessageQuery = EVERYTHING, before: int | None = None, limit: int = 50) -> MessagePage:
        """The newest messages below id `before` for which all of the query holds."""
        found = await self._messages.find(query, before, limit)
        seen = await self._messages.seen(found.mms)
        return MessagePage(
            rows=[self._row(one) for one in seen],
            more=None if found.next is None else Place(found.next),
            stopped=found.stopped,
            looked_at=found.looked_at,
        )

    async def among(self, query: MessageQuery, mm_ids: Sequence[int]) -> list[MessageRow]:
        """Those of a few messages for which all of the query holds, newest first."""
        return [self._row(one) for one in await self._messages.seen(await self._messages.among(query, mm_ids))]

    async def row(self, mm_id: int) -> MessageRow | Gone:
        """One message as a list shows it."""
        seen = await self._messages.one(mm_id)
        return seen if isinstance(seen, Gone) else self._row(seen)

    async def one(self, mm_id: int, recipients: int = 100) -> MessageDetail | Gone:
        """One message with its first recipients; `Gone` says what is known of one that is not there."""
        seen = await self._messages.one(mm_id)
        if isinstance(seen, Gone):
            return seen
        people = await self.recipients(seen.mm.id, limit=recipients, mm=seen.mm)
        mm = seen.mm
        return MessageDetail(
            row=self._row(seen),
            reason=reason_of(seen, self._clock.now()),
            date=mm.date,
            deliver_at=mm.deliver_at,
            expires_at=mm.expires_at,
            priority=mm.priority.name.lower(),
            message_class=mm.message_class,
            delivery_report=mm.delivery_report,
            read_report=mm.read_report,
            content_type=mm.content_type,
            content_id=str(mm.content_id),
            foreign_id=mm.foreign_id or "",
            details=dict(mm.details),
            recipients=people.rows,
            tasks=people.tasks,
            more_recipients=people.more,
        )

    async def recipients(self, mm_id: int, after: int = 0, limit: int = 100, mm: Mm | None = None) -> RecipientPage:
        """The recipients of a message behind one; none when there is no such message."""
        if mm is None:
            seen = await self._messages.one(mm_id)
            if isinstance(seen, Gone):
                return RecipientPage(rows=[])
            mm = seen.mm
        people = await self._messages.people(mm, after, limit)
        reports = await self._reports(mm, after, limit)
        return RecipientPage(
            rows=[_recipient(one, reports.get(one.recipient.address.value)) for one in people.recipients],
            tasks=[_task(one) for one in people.for_all],
            more=None if people.next is None else Place(people.next),
        )

    async def events(self, mm_id: int, after: int = 0, limit: int = 200) -> list[EventSeen]:
        """The events of a message with ids above `after`, oldest first."""
        return [event_seen(one) for one in await self._messages.events(mm_id, after, limit)]

    async def raw_events(self, mm_id: int, after: int = 0, limit: int = 200) -> list[Event]:
        """The same as the trace has them."""
        return await self._messages.events(mm_id, after, limit)

    async def _reports(self, mm: Mm, after: int, limit: int) -> Mapping[str, Report]:
        """By recipient, for an MM of a VASP."""
        if str(mm.origin.interface) != "mm7":
            return {}
        page = await self._ledger.page(ReportsWanted(mm_id=mm.id, unasked_too=True), after, limit)
        return {
            one.recipient: Report(
                status=str(one.status),
                since=one.since,
                why=one.why,
                code=one.code,
                attempts=one.attempts,
                next_attempt_at=one.next_attempt_at,
            )
            for one in page.entries
            if one.state
        }

    def _row(self, seen: Seen) -> MessageRow:
        mm = seen.mm
        states: dict[RecipientState, int] = {}
        for group in seen.groups:
            states[group.state] = states.get(group.state, 0) + group.count
        return MessageRow(
            mm_id=str(mm.id),
            message_id=mm.message_id,
            at_service=mm.submitted_at,
            at_real=_real(mm, seen.events),
            sender=mm.sender.value,
            recipients=_addresses(seen.groups),
            recipient_count=sum(group.count for group in seen.groups),
            states=states,
            subject=mm.subject,
            size_octets=mm.size,
            origin=str(mm.origin.interface),
            neighbour=mm.origin.neighbour,
            path=_path(mm, seen.groups),
            run=mm.details.get(RUN, ""),
            marks=marks_of(seen.events),
            last=_last(seen.events),
            next_due=next_due(pending(seen.due, states), self._clock.now(), mm.expires_at),
        )


def event_seen(event: Event) -> EventSeen:
    """An event for people and programs."""
    return EventSeen(
        id=str(event.id),
        mm_id=_text(event.mm_id),
        recipient_id=_text(event.recipient_id),
        task_id=_text(event.task_id),
        at_service=Instant(event.at_service),
        at_real=Instant(event.at_real),
        kind=kind_of(event.data),
        sentence=sentences.long(event.data),
        short=sentences.short(event.data),
        data=told(event.data),
    )


def next_due(due: Sequence[Due], now: Instant, expires_at: Instant) -> NextDue | None:
    """What happens next of itself, in words: `again in 2 s`."""
    if not due:
        return None
    first = due[0]
    if any(one.under_way for one in due):
        under_way = next(one for one in due if one.under_way)
        told = f"{sentences.short_work(under_way.kind)} under way"
        return NextDue(under_way.at, told, told, under_way=True)
    word = _due_word(first, expires_at)
    if first.at <= now:
        return NextDue(first.at, f"{word} due", f"{word} due")
    day = "" if first.at // DAY == now // DAY else f"{to_datetime(first.at):%d %B} "
    planned = f"{word} at {day}{sentences.clock_time(first.at)}"
    return NextDue(first.at, f"{word} in {sentences.in_words(first.at - now)}", planned)


def _due_word(first: Due, expires_at: Instant) -> str:
    if first.kind == TaskKind.WATCH:
        return "indeterminate"
    if first.kind == TaskKind.NOTIFY and first.at == expires_at:
        return "expiry"
    return "again" if first.attempt else sentences.short_work(first.kind)


def when(at: Instant) -> str:
    """An instant in RFC 3339, UTC, with milliseconds."""
    return to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def gone_in_words(mm_id: int, gone: Gone) -> str:
    """What is known of a message that is not there."""
    if gone.removed_at is not None:
        return f"message {mm_id} was removed by retention at {when(gone.removed_at)}"
    if gone.too_old:
        return (
            f"message {mm_id} is not there: older than every message that is kept, so removed by retention or a reset"
        )
    return f"message {mm_id} is not here: never seen, or removed by a reset or by retention"


def other_run_in_words(row: MessageRow, wanted: str) -> str:
    """That a message is not of the run that was asked for; "" where it is, or none was."""
    if not wanted or row.run == wanted:
        return ""
    return f"message {row.mm_id} is of another run: {row.run}" if row.run else f"message {row.mm_id} is of no run"


def _last(events: Sequence[Event]) -> str:
    for event in reversed(events):
        if kind_of(event.data) not in _QUIET:
            return sentences.short(event.data)
    return sentences.short(events[-1].data) if events else "no event is left"


def _real(mm: Mm, events: Sequence[Event]) -> Instant:
    """When it was taken, by the host's clock: as its first events say, else as its id does."""
    begins = events and kind_of(events[0].data) in ("mm.accepted", "route.chosen")
    return Instant(events[0].at_real) if begins else Instant(mm.id >> 10)


def _addresses(groups: Sequence[Group]) -> list[str]:
    return list(dict.fromkeys(one for group in groups for one in group.addresses))[:FIRST_ADDRESSES]


def _path(mm: Mm, groups: Sequence[Group]) -> list[str]:
    out = {"subscriber": "mm1", "peer": "mm4", "vasp": "mm7"}
    ways = [
        "link" if group.state in (RecipientState.LINK_SENT, RecipientState.LINK_VIEWED) else out.get(group.route, "")
        for group in groups
    ]
    return [str(mm.origin.interface), *dict.fromkeys(way for way in ways if way)]


def _recipient(seen: RecipientSeen, report: Report | None) -> RecipientDetail:
    one = seen.recipient
    decided = seen.decided.data if seen.decided is not None else None
    return RecipientDetail(
        id=str(one.id),
        address=one.address.value,
        role=str(one.role),
        route=str(one.route),
        target=one.target,
        state=one.state,
        state_at=one.state_at,
        cause=str(one.cause),
        because="" if seen.moved is None else sentences.long(seen.moved.data),
        verdict=getattr(decided, "verdict", ""),
        evidence=list(getattr(decided, "evidence", ())),
        pushes=one.pushes,
        fetched_at=one.fetched_at,
        transaction_id=one.transaction_id,
        token=one.token,
        report=report,
        tasks=[_task(task) for task in seen.tasks],
        can=_can(one.state, seen.tasks),
    )


def _can(state: RecipientState, tasks: Sequence[TaskSeen]) -> list[str]:
    """Actions that would change something; the engine judges again when one is asked for."""
    waiting = [task for task in tasks if not task.under_way]
    found = ["retry"] if waiting else []
    if state not in FINAL:
        found += ["expire"] if state is not RecipientState.RELAYED else []
        found += ["cancel"] if state is not RecipientState.RELAYED else []
    return found


def _task(one: TaskSeen) -> Task:
    return Task(
        id=str(one.id),
        kind=one.kind,
        words=sentences.work(one.kind),
        lane=one.lane,
        due_at=one.due_at,
        attempt=one.attempt,
        under_way=one.under_way,
    )


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
