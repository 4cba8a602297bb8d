"""What people do by hand about an MM: retry now, expire now, cancel.

Each goes through the engine's own transitions and guards, so that reports follow as ever and nothing is done twice;
each is an event. What cannot be done says why: that is an answer, not an error.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from enum import StrEnum
from typing import Final

from mmsc.domain.instant import Instant
from mmsc.domain.message import Mm, MmId, Recipient, RecipientId, Route, TaskId, TaskKind
from mmsc.domain.states import FINAL, Happening, RecipientState
from mmsc.engine.changes import VaspChanges
from mmsc.engine.delivery import Desk
from mmsc.engine.open_receipts import OpenReceipts
from mmsc.engine.transitions import Circumstances
from mmsc.store import looking
from mmsc.store import messages as sql
from mmsc.store import tasks as task_sql
from mmsc.store.core import Lost, Statement
from mmsc.store.looking import TaskSeen
from mmsc.trace import events as trace
from mmsc.trace.sentences import in_words
from protocols.records import record

_AT_ONCE: Final = 50  # recipients
_DELIVERIES: Final = (TaskKind.NOTIFY, TaskKind.LINK)
_ON_ITS_WAY: Final = "it is on its way to another system"
_FETCHED: Final = "it was fetched: the handset's answer is awaited"
_BEING_FETCHED: Final = "it is being fetched"


class Action(StrEnum):
    """What can be done by hand."""

    RETRY = "retry"
    EXPIRE = "expire"
    CANCEL = "cancel"


@record(frozen=True, slots=True)
class NotDone:
    """A recipient for whom it was not done, and why."""

    recipient_id: RecipientId
    address: str
    because: str


@record(frozen=True, slots=True)
class Acted:
    """For whom it was done, and for whom not."""

    done: tuple[RecipientId, ...] = ()
    not_done: tuple[NotDone, ...] = ()


class OperatorActs:
    """Carries actions out, for some or all recipients of an MM."""

    def __init__(self, desk: Desk, changes: VaspChanges, receipts: OpenReceipts) -> None:
        self._desk = desk
        self._changes = changes
        self._receipts = receipts

    async def act(
        self, action: Action, mm_id: int, who: str, recipients: Collection[int] | None = None
    ) -> Acted | None:
        """Do it for these recipients, or for all; None when there is no such MM. Returns after the commits. Raises
        `StoreBusy` and `StoreUnavailable`: then it was done for some, and may be asked for again."""
        found = await sql.with_recipients(self._desk.store, mm_id)
        if found is None:
            return None
        mm, every = found
        chosen = [one for one in every if recipients is None or one.id in recipients]
        work = {Action.RETRY: self._retry, Action.EXPIRE: self._expire, Action.CANCEL: self._cancel}[action]
        async with self._changes.alone(mm.message_id):
            return await self._for_all(mm, chosen, who, work)

    async def _for_all(
        self, mm: Mm, recipients: list[Recipient], who: str, work: Callable[[Mm, Recipient, str], Awaitable[str]]
    ) -> Acted:
        done: list[RecipientId] = []
        not_done: list[NotDone] = []
        for start in range(0, len(recipients), _AT_ONCE):
            some = recipients[start : start + _AT_ONCE]
            reasons = await asyncio.gather(*(work(mm, one, who) for one in some))
            for one, why in zip(some, reasons, strict=True):
                if why:
                    not_done.append(NotDone(one.id, one.address.value, why))
                else:
                    done.append(one.id)
        return Acted(tuple(done), tuple(not_done))

    # --- retry ---

    async def _retry(self, mm: Mm, recipient: Recipient, who: str) -> str:
        """Whatever waits for this recipient is due now; why nothing is, "" when it was done."""
        tasks = await looking.tasks(self._desk.store, mm.id, recipient.id - 1, recipient.id)
        lane = f"{recipient.route}:{recipient.target}"
        own = [one for one in tasks if one.recipient_id is not None or one.lane == lane]
        if not own:
            return f"{_state(recipient)}, and nothing more is due"
        reasons = [await self._hasten(mm, recipient, one, who) for one in own]
        return "" if "" in reasons else reasons[0]

    async def _hasten(self, mm: Mm, recipient: Recipient, task: TaskSeen, who: str) -> str:
        why = self._no_use(mm, recipient, task) or await self._owed(recipient, task)
        if why:
            return why
        desk, now = self._desk, self._desk.clock.now()
        acted = trace.OperatorActed(Action.RETRY, who, task.kind, task.lane)
        event = desk.chronicle.event(acted, mm_id=mm.id, recipient_id=recipient.id, task_id=task.id)

        def then() -> None:
            desk.lanes.try_now(desk.lanes.get(task.lane))
            desk.planned(now)

        unit = desk.chronicle.unit(task_sql.hasten(TaskId(task.id), task.lane, now), (), (event,), then)
        return "it is under way" if isinstance(await desk.store.commit(unit), Lost) else ""

    def _no_use(self, mm: Mm, recipient: Recipient, task: TaskSeen) -> str:
        """Why a task would only go on waiting."""
        if task.under_way:
            return "it is under way"
        if task.kind == TaskKind.WATCH:
            return "the peer has it: its report is awaited"
        if task.kind not in _DELIVERIES:
            return ""
        if self._was_fetched(recipient):
            return _FETCHED
        if recipient.state is RecipientState.SCHEDULED and (mm.deliver_at or 0) > self._desk.clock.now():
            return "its delivery time has not come"
        if recipient.state in (RecipientState.DEFERRED, RecipientState.LINK_SENT):
            return f"{_state(recipient)}: it is for the recipient to come"
        return ""

    async def _owed(self, recipient: Recipient, task: TaskSeen) -> str:
        """Why a push would only be put off: the SMSC has the last one. "" when it has not."""
        if task.kind != TaskKind.NOTIFY:
            return ""
        until = await self._receipts.awaited_until(task.lane, recipient)
        if until is None:
            return ""
        span = in_words(until - self._desk.clock.now())
        return f"the SMSC still has the last push: its receipt is awaited, for {span} at the most"

    # --- expire and cancel ---

    async def _expire(self, mm: Mm, recipient: Recipient, who: str) -> str:
        """The recipient ends as it would at the MM's expiry; one that a peer has, as it would after the grace. One that
        has the MM does not: an Expired about it would be wrong."""
        if recipient.state in FINAL or recipient.state is RecipientState.RELAYED:
            return await self._end(mm, recipient, Happening.SILENCE, Action.EXPIRE, who)
        with self._desk.gets.closed(recipient.id):
            if self._was_fetched(recipient):
                return _FETCHED
            if self._desk.gets.is_open(recipient.id):
                return _BEING_FETCHED
            if f"{recipient.route}:{recipient.target}" in await task_sql.lanes_under_way(self._desk.store, mm.id):
                return _ON_ITS_WAY
            return await self._end(mm, recipient, Happening.EXPIRED, Action.EXPIRE, who)

    def _was_fetched(self, recipient: Recipient) -> bool:
        return recipient.fetched_at is not None and not self._desk.policy.notification.gets_ignored

    async def _cancel(self, mm: Mm, recipient: Recipient, who: str) -> str:
        with self._desk.gets.closed(recipient.id):
            why = self._changes.too_late_for(recipient)
            if why:
                return why
            why = await self._end(mm, recipient, Happening.CANCELLED, Action.CANCEL, who)
            return why or await self._changes.unbox(recipient)

    async def _end(self, mm: Mm, recipient: Recipient, happening: Happening, action: Action, who: str) -> str:
        if recipient.state in FINAL:
            return f"{_state(recipient)} already"
        desk, now = self._desk, self._desk.clock.now()
        because = f"{action} now, by hand ({who})"
        how = Circumstances(
            because=because,
            text="" if happening is Happening.CANCELLED else because,
            source=who,
            guard=self._guard_of(recipient, happening, now),
            effects=self._looked_at_again(mm, recipient, now),
            also=(trace.OperatorActed(action, who),),
            then=lambda: desk.planned(now),
        )
        if await desk.transitions.apply(mm, recipient, happening, how):
            return ""
        later = await sql.by_recipient(desk.store, recipient.id)
        if later is not None and later[1].state is not recipient.state:
            return f"{_state(later[1])} already"
        return _FETCHED if later is not None and self._was_fetched(later[1]) else _ON_ITS_WAY

    def _guard_of(self, recipient: Recipient, happening: Happening, now: Instant) -> Statement | None:
        """Nothing expires by hand that somebody got meanwhile; where GETs count for nothing, nobody got it by one."""
        if happening is not Happening.EXPIRED or self._desk.policy.notification.gets_ignored:
            return None
        return sql.expire_waiting(recipient.id, now)

    def _looked_at_again(self, mm: Mm, recipient: Recipient, now: Instant) -> tuple[Statement, ...]:
        """The task for all recipients at a neighbour ends when none of them is open."""
        if recipient.route not in (Route.PEER, Route.VASP):
            return ()
        return (task_sql.hasten_for_all(MmId(mm.id), f"{recipient.route}:{recipient.target}", now),)


def _state(recipient: Recipient) -> str:
    return str(recipient.state).replace("_", " ")
