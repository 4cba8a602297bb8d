"""Cancel and replace what a VASP handed in and its recipients have not got yet (TS 23.140 8.7.3, 8.7.4).

The answer is an event of its own, written last: a repeat finds it and gets it again, and a crash before it leaves
recipients that were cancelled for an answer nobody got, which the repeat counts as done. While a change is decided no
GET of its recipients is begun, and one that was begun before is not overtaken.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import msgspec

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
from mmsc.domain.message import Interface, Mm, Recipient
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.states import Happening, RecipientState
from mmsc.engine.delivery import Desk
from mmsc.engine.transitions import Circumstances
from mmsc.ids import from_text
from mmsc.store import events as event_sql
from mmsc.store import messages as sql
from mmsc.store import tasks as task_sql
from mmsc.store.bodies import Bodies
from mmsc.store.core import Lost, Statement, StoreBusy, StoreUnavailable
from mmsc.trace import events as trace

_AT_ONCE = 100  # changes under way, and recipients of one that are cancelled at the same time
_ATTEMPTS = 3
_BEING_FETCHED = "it is being fetched"
_BEING_SENT = "it is on its way to another system"
_decode = msgspec.json.Decoder(trace.ChangeAnswered).decode
_Found = tuple[Mm, tuple[Recipient, ...]]
_Outcome = Changed | Unknown | Refused


class VaspChanges:
    """Implements `ports.Changes`."""

    def __init__(self, desk: Desk, bodies: Bodies, policy: ChangePolicy, limits: Limits) -> None:
        self._desk = desk
        self._bodies = bodies
        self.policy = policy
        self.limits = limits
        self._under_way: dict[int, asyncio.Lock] = {}

    async def cancel(self, asked: Asked) -> _Outcome:
        """Cancel an MM for whoever has not got it; returns after the commit."""
        return await self._one_at_a_time(asked, None)

    async def replace(self, asked: Asked, change: Replacement) -> _Outcome:
        """Give the recipients who have not got an MM another content; returns after the commit."""
        if change.content is not None:
            refused = refusal_of(change.content, self.limits)
            if refused is not None:
                return refused
        return await self._one_at_a_time(asked, change)

    async def _one_at_a_time(self, asked: Asked, change: Replacement | None) -> _Outcome:
        mm_id = _id_in(asked.message_id)
        if mm_id is None:
            return UNKNOWN
        if len(self._under_way) >= _AT_ONCE and mm_id not in self._under_way:
            return Refused(RefusalReason.BUSY, "too many changes are under way")
        lock = self._under_way.setdefault(mm_id, asyncio.Lock())
        try:
            async with lock:
                return await self._carry_out(mm_id, asked, change)
        except StoreBusy:
            return Refused(RefusalReason.BUSY, "too much waits for the store")
        except StoreUnavailable as error:
            return Refused(RefusalReason.STORE_UNAVAILABLE, str(error))
        finally:
            if not lock.locked():
                self._under_way.pop(mm_id, None)

    async def _carry_out(self, mm_id: int, asked: Asked, change: Replacement | None) -> _Outcome:
        found = await sql.with_recipients(self._desk.store, mm_id)
        if found is None or not _is_of(found[0], asked):
            return UNKNOWN
        operation = Operation.CANCEL if change is None else Operation.REPLACE
        answered = await self._answered(mm_id)
        for one in answered:
            if asked.key and (one.operation, one.key) == (str(operation), asked.key):
                return Changed(found[0].id, one.done, one.late, repeat=True, details=found[0].details)
        async with AsyncExitStack() as closed:
            for recipient in found[1]:
                closed.enter_context(self._desk.gets.closed(recipient.id))
            if change is not None:
                return await self._replace(asked, change, found)
            is_new = not any(one.operation == Operation.CANCEL for one in answered)
            return await self._cancel(asked, found, unanswered=is_new)

    async def _answered(self, mm_id: int) -> list[trace.ChangeAnswered]:
        rows = await event_sql.of_kind(self._desk.store, mm_id, trace.ChangeAnswered.kind)
        return [_decode(data) for data in rows]

    # --- cancel ---

    async def _cancel(self, asked: Asked, found: _Found, *, unanswered: bool) -> Changed:
        mm, recipients = found
        late: list[tuple[str, str]] = []
        done = 0
        for start in range(0, len(recipients), _AT_ONCE):
            some = recipients[start : start + _AT_ONCE]
            reasons = await asyncio.gather(*(self._cancel_for(mm, one, asked, unanswered=unanswered) for one in some))
            for one, why in zip(some, reasons, strict=True):
                if why:
                    late.append((one.address.value, why))
                else:
                    done += 1
        note = self._note(asked, Operation.CANCEL, done, late)
        await self._desk.store.commit(self._desk.chronicle.note(note, mm_id=mm.id))
        return Changed(mm.id, done, tuple(late), details=mm.details)

    async def _cancel_for(self, mm: Mm, recipient: Recipient, asked: Asked, *, unanswered: bool) -> str:
        """Cancel for one recipient; why it is too late for that, "" when it is done."""
        if recipient.state is RecipientState.CANCELLED and unanswered:
            return ""  # a crash came before the answer
        why = self._too_late(recipient)
        if why:
            return why
        how = Circumstances(because=f"CancelReq {asked.identifier}", source=f"vasp:{asked.vasp}")
        if await self._desk.transitions.apply(mm, recipient, Happening.CANCELLED, how):
            return ""
        now = await sql.by_recipient(self._desk.store, recipient.id)
        return _BEING_SENT if now is None else too_late(now[1], self.policy) or _BEING_SENT

    def _too_late(self, recipient: Recipient) -> str:
        return too_late(recipient, self.policy) or (_BEING_FETCHED if self._desk.gets.is_open(recipient.id) else "")

    # --- replace ---

    async def _replace(self, asked: Asked, change: Replacement, found: _Found) -> Changed | Refused:
        mm, recipients = found
        for _ in range(_ATTEMPTS):
            now = self._desk.clock.now()
            late = [(one.address.value, why) for one in recipients if (why := self._too_late(one))]
            late += await self._on_their_way(mm, recipients, late)
            done = len(recipients) - len(late)
            after = replaced(mm, change, now)
            if after.deliver_at is not None and after.deliver_at >= mm.expires_at:
                return Refused(RefusalReason.EXPIRY_PAST, "the delivery time lies behind the expiry, which stays")
            note = self._note(asked, Operation.REPLACE, done, late)
            if not done:
                await self._desk.store.commit(self._desk.chronicle.note(note, mm_id=mm.id))
                return Changed(mm.id, 0, tuple(late), details=mm.details)
            if await self._write(mm, after, change, recipients, note):
                return Changed(mm.id, done, tuple(late), details=mm.details)
            again = await sql.with_recipients(self._desk.store, mm.id)
            if again is None:
                break
            mm, recipients = again
        return Refused(RefusalReason.BUSY, "the recipients of this MM are being served")

    async def _on_their_way(
        self, mm: Mm, recipients: Sequence[Recipient], late: Sequence[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        """Recipients whose forward or delivery to a VASP is in somebody's hands right now."""
        lanes = await task_sql.lanes_under_way(self._desk.store, mm.id)
        known = {address for address, _ in late}
        going = [one for one in recipients if f"{one.route}:{one.target}" in lanes and one.address.value not in known]
        return [(one.address.value, _BEING_SENT) for one in going]

    async def _write(
        self, before: Mm, after: Mm, change: Replacement, recipients: Sequence[Recipient], note: trace.Data
    ) -> bool:
        desk = self._desk
        effects: list[Statement] = []
        if change.content is not None:
            effects += await self._bodies.replace(before.content_id, change.content)
        moved = after.deliver_at is not None and after.deliver_at != before.deliver_at
        if moved and after.deliver_at is not None:
            effects += task_sql.reschedule(before.id, after.deliver_at)
        event = desk.chronicle.event(note, mm_id=before.id)

        def then() -> None:
            for one in recipients:
                desk.recent.forget(one.id)
            if change.content is not None:
                desk.recent.forget_body(before.content_id)
            if after.deliver_at is not None:
                desk.planned(Instant(after.deliver_at))

        octets = 0 if change.content is None else len(change.content.body)
        unit = desk.chronicle.unit(sql.replace_mm(before, after), effects, (event,), then, octets=octets)
        return not isinstance(await desk.store.commit(unit), Lost)

    @staticmethod
    def _note(asked: Asked, operation: Operation, done: int, late: Sequence[tuple[str, str]]) -> trace.ChangeAnswered:
        return trace.ChangeAnswered(str(operation), asked.vasp, asked.identifier, asked.key, done, tuple(late))


def _is_of(mm: Mm, asked: Asked) -> bool:
    is_its = mm.origin.interface is Interface.MM7 and mm.origin.neighbour == asked.vasp
    return is_its and mm.message_id == asked.message_id


def _id_in(message_id: str) -> int | None:
    """The id that a Message-ID of ours holds."""
    try:
        return from_text(message_id.partition("@")[0])
    except ValueError:
        return None
