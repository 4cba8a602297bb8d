"""Moves recipients from state to state: one guarded unit with the report it owes and the events that tell it."""

from collections.abc import Callable, Sequence
from typing import Final

from mmsc.clock import Clock, Moment
from mmsc.domain.instant import Instant
from mmsc.domain.message import Interface, Job, Mm, Recipient, TaskId, TaskKind
from mmsc.domain.reports import NoReport, is_automatic, report_is_due
from mmsc.domain.states import CAUSE_OF, FINAL, Cause, Happening, RecipientState, move
from mmsc.engine.chronicle import Chronicle
from mmsc.engine.directory import Neighbours
from mmsc.engine.lanes import Lanes
from mmsc.engine.recent import Recent
from mmsc.ids import Ids
from mmsc.store import events as event_sql
from mmsc.store import messages as sql
from mmsc.store import tasks as task_sql
from mmsc.store.core import Lost, Statement, Store, Unit
from mmsc.store.tasks import Holder, TaskRow
from mmsc.trace import events as trace
from protocols.records import record

_REPORT_KINDS: Final = {
    Interface.MM7: TaskKind.REPORT_MM7,
    Interface.MM1: TaskKind.REPORT_MM1,
    Interface.MM4: TaskKind.REPORT_MM4,
}


@record(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What goes along with a move: why, when, whether a report may follow, and what else is written with it."""

    because: str = ""
    at: Instant | None = None
    report_allowed: bool = True
    no_report: str = ""  # why this end is not told, though the recipient would allow it
    text: str = ""  # StatusText of the report
    source: str = ""
    answer: str = ""  # the handset's PDU that says it: notifyresp, acknowledge
    ack_asked: bool = False  # the peer's report wants its RES
    guard: Statement | None = None  # one that allows less than the table of moves
    effects: tuple[Statement, ...] = ()
    also: tuple[trace.Data, ...] = ()  # events about the recipient that are as durable as the move
    then: Callable[[], None] | None = None


class Transitions:
    """The only writer of `recipient.state`, beside the push and link outcomes of `delivery.py`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        neighbours: Neighbours,
        lanes: Lanes,
        recent: Recent,
        chronicle: Chronicle,
        holder: Holder,
        planned: Callable[[Instant], None],
        lease: int = 60_000_000,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._neighbours = neighbours
        self._lanes = lanes
        self._recent = recent
        self._chronicle = chronicle
        self._holder = holder
        self._planned = planned
        self._lease = lease

    async def apply(self, mm: Mm, recipient: Recipient, happening: Happening, how: Circumstances) -> bool:
        """Carry out a happening. True when the recipient moved; False when the table or another hand forbids it
        (recorded, and `how.effects` are written all the same, `how.also` if it was not told before)."""
        for _ in range(2):
            state = move(recipient.state, happening)
            if state is not None:
                unit = self._unit(mm, recipient, happening, state, how)
                if not isinstance(await self._store.commit(unit), Lost):
                    return True
            self._recent.forget(recipient.id)
            record = await self._recent.by_id(recipient.id)
            if record is None or record.recipient.state is recipient.state:
                break
            recipient = record.recipient
        ignored = trace.AnswerIgnored(str(happening), str(recipient.state), how.source)
        # Another node may have done the same, and told it: what is charged for is told once.
        untold = [one for one in how.also if not await event_sql.has(self._store, mm.id, recipient.id, one.kind)]
        events = self._about(mm, recipient, (*untold, ignored))
        await self._store.commit(self._chronicle.unit(None, how.effects, events, how.then))
        return False

    def prepared(self, mm: Mm, recipient: Recipient, happening: Happening, how: Circumstances) -> Unit | None:
        """The unit that carries out a happening, for who commits it with more; None when the table knows no such move.
        It holds no seat, and may be dropped."""
        state = move(recipient.state, happening)
        return None if state is None else self._unit(mm, recipient, happening, state, how, seat=False)

    def _unit(
        self,
        mm: Mm,
        recipient: Recipient,
        happening: Happening,
        state: RecipientState,
        how: Circumstances,
        *,
        seat: bool = True,
    ) -> Unit:
        now = self._clock.moment()
        at = how.at if how.at is not None else now.service
        cause = CAUSE_OF.get(happening, Cause.NONE)
        effects = list(how.effects)
        if state in FINAL:
            effects.append(task_sql.drop_delivery(recipient.id))
        elif state is RecipientState.DEFERRED:
            effects.append(task_sql.postpone_delivery(recipient.id, mm.expires_at))
        report, why_not = self._report(mm, recipient, state, cause, at, how, now)
        moved = _moved(recipient, state, happening, how, report, why_not)
        task_id = report.id if report else None
        events: Sequence[trace.Event] = (
            *self._about(mm, recipient, how.also),
            self._chronicle.event(moved, mm_id=mm.id, recipient_id=recipient.id, task_id=task_id, moment=now),
        )
        seated = False
        if report is not None:
            if seat:
                seated = self._lanes.take_seat(report.lane, now.real)
            else:
                self._lanes.get(report.lane)  # the scheduler looks after every lane that has work
            lease_until = now.real + self._lease + self._lanes.ahead
            effects.append(task_sql.insert(report, self._holder if seated else None, lease_until))
        after = recipient._replace(state=state, state_at=at, cause=cause)

        def then() -> None:
            self._recent.keep(mm, after)
            if report is not None:
                self._hand_over(report, mm, after, seated=seated)
            if how.then is not None:
                how.then()

        def otherwise() -> None:
            if report is not None and seated:
                self._lanes.leave(self._lanes.get(report.lane))

        guard = how.guard
        if guard is None:
            guard = sql.move_recipient(recipient.id, happening, at, cause, leaving=state is not recipient.state)
        return self._chronicle.unit(guard, effects, events, then, otherwise)

    def relayed_report(self, mm: Mm, recipient: Recipient, at: Instant) -> TaskRow | None:
        """The report that another system took the MM, for a VASP whose dialect has one. Who forwards writes it with the
        move, and plans it."""
        now = self._clock.moment()
        return self._report(mm, recipient, RecipientState.RELAYED, Cause.NONE, at, Circumstances(), now)[0]

    def _about(self, mm: Mm, recipient: Recipient, data: Sequence[trace.Data]) -> list[trace.Event]:
        return [self._chronicle.event(one, mm_id=mm.id, recipient_id=recipient.id) for one in data]

    def _hand_over(self, report: TaskRow, mm: Mm, recipient: Recipient, *, seated: bool) -> None:
        if not seated:
            self._planned(report.due_at)
            return
        self._lanes.hand_over(
            Job(
                report.id,
                report.kind,
                report.lane,
                report.attempt,
                report.due_at,
                mm,
                (recipient,),
                report.payload,
                report.priority,
            )
        )

    def _report(
        self,
        mm: Mm,
        recipient: Recipient,
        state: RecipientState,
        cause: Cause,
        at: Instant,
        how: Circumstances,
        moment: Moment,
    ) -> tuple[TaskRow | None, str]:
        """The report task that a move owes, or why it owes none."""
        vasp = self._neighbours.vasps.get(mm.origin.neighbour) if mm.origin.interface is Interface.MM7 else None
        deferred_too = vasp is not None and vasp.deferred_reports
        relayed_too = vasp is not None and vasp.relayed_reports
        if state is recipient.state:
            return None, ""  # deferred again: told already
        if not report_is_due(
            state,
            asked=mm.delivery_report or mm.system_report,
            message_class=mm.message_class,
            report_allowed=how.report_allowed,
            deferred_too=deferred_too,
            relayed_too=relayed_too,
        ):
            return None, _why_none(mm, how)
        if how.no_report:
            return None, how.no_report
        lane = self._report_lane(mm)
        if not lane:
            return None, f"{mm.origin.interface} originator {mm.origin.neighbour} has no address for reports"
        now, real = moment
        payload = {
            "state": str(state),
            "cause": str(cause),
            "date": str(at),
            "born": str(now),  # `date` may be a peer's, and wrong
            "text": how.text,
            "transaction_id": self._ids.transaction_id(real),
            "to_originator": "1" if mm.delivery_report else "0",
        }
        if deferred_too or relayed_too:
            payload["in_order"] = "1"
        kind = _REPORT_KINDS[mm.origin.interface]
        task_id = TaskId(self._ids.new_id(real))
        owner = mm.origin.owner
        return TaskRow(task_id, mm.id, recipient.id, kind, lane, now, int(mm.priority), payload, 0, owner), ""

    def _report_lane(self, mm: Mm) -> str:
        name = mm.origin.neighbour
        match mm.origin.interface:
            case Interface.MM7:
                vasp = self._neighbours.vasps.get(name)
                return f"vasp:{name}" if vasp is not None and vasp.report_url else ""
            case Interface.MM4:
                return f"peer:{name}" if name in self._neighbours.peers else ""
            case Interface.MM1:
                smsc = self._neighbours.smsc_of(mm.sender)
                return f"smsc:{smsc}" if smsc else ""
            case _:
                return ""


def _moved(
    recipient: Recipient,
    state: RecipientState,
    happening: Happening,
    how: Circumstances,
    report: TaskRow | None,
    why_not: str,
) -> trace.RecipientMoved:
    return trace.RecipientMoved(
        str(recipient.state),
        str(state),
        str(happening),
        how.because,
        report.lane if report else "",
        why_not if state in FINAL else "",
        how.answer,
        bool(how.answer) and not how.report_allowed,
        how.at or 0,
        how.ack_asked,
    )


def _why_none(mm: Mm, how: Circumstances) -> str:
    if not (mm.delivery_report or mm.system_report):
        return str(NoReport.NOT_ASKED)
    if not how.report_allowed:
        return str(NoReport.NOT_ALLOWED)
    if is_automatic(mm.message_class):
        return str(NoReport.CLASS_AUTO)
    return ""
