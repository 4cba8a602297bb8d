"""Cancel and replace what a VASP handed in and its recipients have not got yet (TS 23.140 8.7.3).

The answer is an event of its own, written last: a repeat finds it and gets it again, and a crash before it leaves
recipients that were cancelled for an answer nobody got, which the repeat counts as done. While a change is decided no
GET of its recipients is begun, and one that was begun before is not overtaken.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from mmsc.domain.box_entry import source_received, told_of
from mmsc.domain.changes import (
    UNKNOWN,
    Asked,
    Changed,
    ChangePolicy,
    Operation,
    Replacement,
    Unknown,
    replaced,
    too_late,
)
from mmsc.domain.instant import Instant
from mmsc.domain.limits import Limits, refusal_of
from mmsc.domain.message import Interface, Mm, Recipient, Route
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.states import Happening, RecipientState
from mmsc.engine import withdrawal
from mmsc.engine.delivery import Desk
from mmsc.engine.door import Door, DoorLimits
from mmsc.engine.ports import Accepted
from mmsc.engine.submit import Submitter
from mmsc.engine.transitions import Circumstances
from mmsc.ids import id_in
from mmsc.store import events as event_sql
from mmsc.store import messages as sql
from mmsc.store import mmbox as box_sql
from mmsc.store import tasks as task_sql
from mmsc.store.bodies import Bodies
from mmsc.store.core import Lost, Statement, StoreBusy, StoreUnavailable, Unit
from mmsc.trace import events as trace

_AT_ONCE = 100  # recipients of one change that are cancelled at the same time
_UNDER_WAY = DoorLimits(maximum=100, maximum_of_one=50)  # changes; who has none under way is always let in
_ATTEMPTS = 3
_BEING_FETCHED = "it is being fetched"
_BEING_SENT = "it is on its way to another system"
_decode = msgspec.json.Decoder(trace.ChangeAnswered).decode
_NOT_THERE = "no handset of ours has it"
_Found = tuple[Mm, tuple[Recipient, ...]]
_Outcome = Changed | Unknown | Refused
_Answers = list[trace.ChangeAnswered]
_Work = Callable[[Asked, _Found, _Answers], Awaitable[Changed | Refused]]


class VaspChanges:
    """Implements `ports.Changes`."""

    def __init__(
        self,
        desk: Desk,
        bodies: Bodies,
        submit: Submitter,
        withdrawals: withdrawal.Withdrawals,
        policy: ChangePolicy,
        limits: Limits,
    ) -> None:
        self._desk = desk
        self._submit = submit
        self._withdrawals = withdrawals
        self._bodies = bodies
        self.policy = policy
        self.limits = limits
        self._locks: dict[str, asyncio.Lock] = {}  # by Message-ID, while somebody wants to change it
        self._waiting: Counter[str] = Counter()
        self._door = Door(_UNDER_WAY)

    async def cancel(self, asked: Asked) -> _Outcome:
        """Cancel an MM for whoever has not got it; returns after the commit."""
        return await self._one_at_a_time(asked, Operation.CANCEL, self._cancel)

    async def replace(self, asked: Asked, change: Replacement) -> _Outcome:
        """Give the recipients who have not got an MM another content; returns after the commit."""
        refused = None if change.content is None else refusal_of(change.content, self.limits)
        if refused is not None:
            return refused

        async def work(asked: Asked, found: _Found, answered: _Answers) -> Changed | Refused:
            return await self._replace(asked, change, found)

        return await self._one_at_a_time(asked, Operation.REPLACE, work)

    async def extended_cancel(self, asked: Asked) -> _Outcome:
        """Cancel it for everybody: who has not got it gets nothing, who has it is asked to forget it."""
        return await self._one_at_a_time(asked, Operation.EXTENDED_CANCEL, self._extended_cancel)

    async def extended_replace(self, asked: Asked, change: Replacement) -> Accepted | _Outcome:
        """Send whoever has it another MM in its place; returns after the commit."""
        try:
            found = await self._find(asked)
            if found is None:
                return UNKNOWN
            having = [one for one in found[1] if withdrawal.has_it(one)]
            late = [(one.address.value, _NOT_THERE) for one in found[1] if not withdrawal.has_it(one)]
            note = self._note(asked, Operation.EXTENDED_REPLACE, len(having), late)
            if not having:
                await self._desk.store.commit(self._answered_with(asked, note, found[0].id))
                return Changed(found[0].id, 0, tuple(late), details=found[0].details)
            submission = withdrawal.submission_of(found[0], having, asked, change)
            answered = self._desk.chronicle.event(note, mm_id=found[0].id)
            return await self._submit.accept(submission, beside=(answered,))
        except StoreBusy:
            return Refused(RefusalReason.BUSY, "too much waits for the store")
        except StoreUnavailable as error:
            return Refused(RefusalReason.STORE_UNAVAILABLE, str(error))

    async def _one_at_a_time(self, asked: Asked, operation: Operation, work: _Work) -> _Outcome:
        if not self._door.enter(asked.vasp):
            return Refused(RefusalReason.BUSY, "too many changes are under way")
        try:
            async with self.alone(asked.message_id):
                return await self._carry_out(asked, operation, work)
        except StoreBusy:
            return Refused(RefusalReason.BUSY, "too much waits for the store")
        except StoreUnavailable as error:
            return Refused(RefusalReason.STORE_UNAVAILABLE, str(error))
        finally:
            self._door.leave(asked.vasp)

    @asynccontextmanager
    async def alone(self, message_id: str) -> AsyncIterator[None]:
        """Nobody else changes the MM with this Message-ID meanwhile."""
        lock = self._locks.setdefault(message_id, asyncio.Lock())
        self._waiting[message_id] += 1
        try:
            async with lock:
                yield
        finally:
            self._waiting[message_id] -= 1
            if not self._waiting[message_id]:
                del self._waiting[message_id], self._locks[message_id]

    async def _find(self, asked: Asked) -> _Found | None:
        mm_id = id_in(asked.message_id)
        found = None if mm_id is None else await sql.with_recipients(self._desk.store, mm_id)
        return found if found is not None and _is_of(found[0], asked) else None

    async def _carry_out(self, asked: Asked, operation: Operation, work: _Work) -> _Outcome:
        found = await self._find(asked)
        if found is None:
            return UNKNOWN
        answered = await self._answered(found[0].id)
        for one in answered:
            if asked.key and (one.operation, one.key) == (str(operation), asked.key):
                return Changed(found[0].id, one.done, one.late, repeat=True, details=found[0].details)
        async with AsyncExitStack() as closed:
            for recipient in found[1]:
                closed.enter_context(self._desk.gets.closed(recipient.id))
            return await work(asked, found, answered)

    async def _answered(self, mm_id: int) -> _Answers:
        rows = await event_sql.of_kind(self._desk.store, mm_id, trace.ChangeAnswered.kind)
        return [_decode(data) for data in rows]

    # --- cancel ---

    async def _cancel(self, asked: Asked, found: _Found, answered: _Answers) -> Changed:
        done, late = await self._cancel_for_all(asked, *found, answered)
        note = self._note(asked, Operation.CANCEL, len(done), late)
        await self._desk.store.commit(self._answered_with(asked, note, found[0].id))
        return Changed(found[0].id, len(done), tuple(late), details=found[0].details)

    async def _extended_cancel(self, asked: Asked, found: _Found, answered: _Answers) -> Changed:
        mm, recipients = found
        having = [one for one in recipients if withdrawal.has_it(one)]
        others = [one for one in recipients if not withdrawal.has_it(one)]
        done, late = await self._cancel_for_all(asked, mm, others, answered)
        late += [(one.address.value, why) for one in having if (why := self._withdrawals.why_not(one))]
        tasks = self._withdrawals.tasks(mm, [one for one in having if not self._withdrawals.why_not(one)])
        note = self._note(asked, Operation.EXTENDED_CANCEL, len(done) + len(tasks), late)
        events = self._events(asked, note, mm.id)

        def then() -> None:
            for task in tasks:
                self._desk.lanes.get(task.lane)
                self._desk.planned(task.due_at)

        unit = self._desk.chronicle.unit(None, [task_sql.insert(task) for task in tasks], events, then)
        await self._desk.store.commit(unit)
        return Changed(mm.id, len(done) + len(tasks), tuple(late), details=mm.details)

    async def _cancel_for_all(
        self, asked: Asked, mm: Mm, recipients: Sequence[Recipient], answered: _Answers
    ) -> tuple[list[Recipient], list[tuple[str, str]]]:
        """For whom it was cancelled, and for whom it came too late."""
        unanswered = not any(one.operation in (Operation.CANCEL, Operation.EXTENDED_CANCEL) for one in answered)
        late: list[tuple[str, str]] = []
        done: list[Recipient] = []
        for start in range(0, len(recipients), _AT_ONCE):
            some = recipients[start : start + _AT_ONCE]
            reasons = await asyncio.gather(*(self._cancel_for(mm, one, asked, unanswered=unanswered) for one in some))
            done += [one for one, why in zip(some, reasons, strict=True) if not why]
            late += [(one.address.value, why) for one, why in zip(some, reasons, strict=True) if why]
        return done, late

    async def _cancel_for(self, mm: Mm, recipient: Recipient, asked: Asked, *, unanswered: bool) -> str:
        """Cancel for one recipient; why it is too late for that, "" when it is done."""
        if recipient.state is RecipientState.CANCELLED and unanswered:  # a crash came before the answer
            return await self.unbox(recipient)
        why = self.too_late_for(recipient)
        if why:
            return why
        how = Circumstances(because=f"CancelReq {asked.identifier}", source=f"vasp:{asked.vasp}")
        if await self._desk.transitions.apply(mm, recipient, Happening.CANCELLED, how):
            return await self.unbox(recipient)
        now = await sql.by_recipient(self._desk.store, recipient.id)
        return _BEING_SENT if now is None else too_late(now[1], self.policy) or _BEING_SENT

    def too_late_for(self, recipient: Recipient) -> str:
        """Why a recipient is served as it stands, "" when nothing speaks against a cancel."""
        return too_late(recipient, self.policy) or (_BEING_FETCHED if self._desk.gets.is_open(recipient.id) else "")

    async def unbox(self, recipient: Recipient) -> str:
        """Nor is it in the recipient's MMBox any more, unless it was looked at there. It is no part of the recipient's
        unit: the repeat after a crash comes here again."""
        if recipient.route is Route.SUBSCRIBER:
            desk = self._desk
            entry = await box_sql.by_source(desk.store, source_received(recipient.id))
            if entry is not None:
                gone = trace.BoxDeleted(str(entry.id), entry.owner.value, trace.BOX_WITHDRAWN)
                unit = desk.chronicle.unit(*box_sql.withdraw(entry), (desk.chronicle.event(gone),))
                await desk.store.commit(unit)
        return ""

    # --- replace ---

    async def _replace(self, asked: Asked, change: Replacement, found: _Found) -> Changed | Refused:
        mm, recipients = found
        for _ in range(_ATTEMPTS):
            now = self._desk.clock.now()
            late = [(one.address.value, why) for one in recipients if (why := self.too_late_for(one))]
            lanes = await task_sql.lanes_under_way(self._desk.store, mm.id)
            late += _on_their_way(recipients, lanes, late)
            done = len(recipients) - len(late)
            after = replaced(mm, change, now)
            if after.deliver_at is not None and after.deliver_at >= mm.expires_at:
                return Refused(RefusalReason.EXPIRY_PAST, "the delivery time lies behind the expiry, which stays")
            note = self._note(asked, Operation.REPLACE, done, late)
            if not done:
                await self._desk.store.commit(self._answered_with(asked, note, mm.id))
                return Changed(mm.id, 0, tuple(late), details=mm.details)
            waiting = sum(sql.is_replaceable(one, lanes) for one in recipients)
            if await self._write(mm, after, change, recipients, self._events(asked, note, mm.id), waiting):
                return Changed(mm.id, done, tuple(late), details=mm.details)
            again = await sql.with_recipients(self._desk.store, mm.id)
            if again is None:
                break
            mm, recipients = again
        return Refused(RefusalReason.BUSY, "the recipients of this MM are being served")

    async def _write(
        self,
        before: Mm,
        after: Mm,
        change: Replacement,
        recipients: Sequence[Recipient],
        events: Sequence[trace.Event],
        waiting: int,
    ) -> bool:
        desk = self._desk
        effects: list[Statement] = []
        if change.content is not None:
            effects += await self._bodies.replace(before.content_id, change.content)
        moved = after.deliver_at is not None and after.deliver_at != before.deliver_at
        effects.append(box_sql.retold(after.content_id, after.size, told_of(after)))
        if moved and after.deliver_at is not None:
            effects += task_sql.reschedule(before.id, after.deliver_at)

        def then() -> None:
            desk.recent.replaced(after, recipients)
            if after.deliver_at is not None:
                desk.planned(Instant(after.deliver_at))

        octets = 0 if change.content is None else len(change.content.body)
        unit = desk.chronicle.unit(sql.replace_mm(before, after, waiting), effects, events, then, octets=octets)
        return not isinstance(await desk.store.commit(unit), Lost)

    def _answered_with(self, asked: Asked, note: trace.Data, mm_id: int) -> Unit:
        return self._desk.chronicle.unit(None, (), self._events(asked, note, mm_id))

    def _events(self, asked: Asked, note: trace.Data, mm_id: int) -> list[trace.Event]:
        """The answer, and what there was to remark about the request."""
        lane = f"vasp:{asked.vasp}"
        remarks = [trace.FindingNoted(lane, one.rule, one.clause, one.offset, one.text) for one in asked.remarks]
        return [self._desk.chronicle.event(one, mm_id=mm_id) for one in (*remarks, note)]

    @staticmethod
    def _note(asked: Asked, operation: Operation, done: int, late: Sequence[tuple[str, str]]) -> trace.ChangeAnswered:
        return trace.ChangeAnswered(str(operation), asked.vasp, asked.identifier, asked.key, done, tuple(late))


def _on_their_way(
    recipients: Sequence[Recipient], lanes: Collection[str], late: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Recipients whose forward or delivery to a VASP is in somebody's hands right now."""
    known = {address for address, _ in late}
    going = [one for one in recipients if f"{one.route}:{one.target}" in lanes and one.address.value not in known]
    return [(one.address.value, _BEING_SENT) for one in going]


def _is_of(mm: Mm, asked: Asked) -> bool:
    is_its = mm.origin.interface is Interface.MM7 and mm.origin.neighbour == asked.vasp
    return is_its and mm.message_id == asked.message_id
