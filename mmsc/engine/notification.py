"""Brings subscribers their MMs: the notification, again if need be, the SMS with a link, and expiry."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from mmsc.domain.instant import SECOND, Instant, later
from mmsc.domain.message import Job, Mm, Recipient, Route, TaskKind
from mmsc.domain.neighbours import Capability
from mmsc.domain.notification import (
    NEVER_ACKNOWLEDGED,
    Begin,
    Drop,
    End,
    NotificationPolicy,
    Push,
    SendLink,
    Wait,
    instead_of_link,
    next_step,
)
from mmsc.domain.reports import NoReport
from mmsc.domain.states import Cause, Happening, RecipientState, move
from mmsc.engine.delivery import Desk
from mmsc.engine.directory import Neighbours
from mmsc.engine.mmbox import Mmboxes
from mmsc.engine.open_receipts import OpenReceipts
from mmsc.engine.ports import CapabilityPort, Delivered, Failed, Later, Mixed, Retry
from mmsc.engine.transitions import Circumstances
from mmsc.store import messages as sql
from mmsc.store import sms as sms_sql
from mmsc.store import tasks as task_sql
from mmsc.store.core import Statement, StoreBusy, StoreUnavailable
from mmsc.trace import events as trace

_EXPLAINED: Final = (Happening.CONDITION_FAILED, Happening.UNDELIVERABLE)
_RECEIPT_SECONDS: Final = 30.0  # how often an open receipt is looked for


class NotificationWork:
    """NOTIFY and LINK tasks."""

    def __init__(self, desk: Desk, neighbours: Neighbours, capability: CapabilityPort, boxes: Mmboxes) -> None:
        self._desk = desk
        self._neighbours = neighbours
        self._capability = capability
        self._boxes = boxes
        self._receipts = OpenReceipts(desk, neighbours)

    async def run(self, job: Job) -> None:
        """One step for one recipient."""
        mm, recipient = await self._as_it_stands(job)
        if recipient.route is Route.NONE:
            how = Circumstances(because=job.payload["because"], text=job.payload["because"])
            happening = Happening(job.payload.get("happening", Happening.UNDELIVERABLE))
            await self._desk.transitions.apply(mm, recipient, happening, how)
            await self._desk.finish(job, [])
            return
        capability = self._capability.decide(self._neighbours.subscriber(recipient.address), mm.id)
        policy = self._desk.policy.notification
        now = self._desk.clock.now()
        step = next_step(mm, recipient, capability.verdict, policy, now)
        if isinstance(step, Begin):
            begun = Circumstances(because="the delivery time came")
            if await self._desk.transitions.apply(mm, recipient, Happening.DUE, begun):
                recipient = recipient._replace(state=RecipientState.ACCEPTED, state_at=now)
            step = next_step(mm, recipient, capability.verdict, policy, now)
        if job.payload.get("link") and isinstance(step, Push):
            step = instead_of_link(mm, "the handset understood neither notification")
        match step:
            case Drop():
                await self._desk.finish(job, [])
            case Wait():
                await self._desk.put_back(job, step.until, [])
            case End():
                await self._desk.transitions.apply(mm, recipient, step.happening, _ended(step, policy, mm, now))
                await self._desk.finish(job, [])
            case Push():
                awaited = await self._receipts.awaited_until(job.lane, recipient)
                if awaited is None:
                    await self._push(job, mm, recipient, capability, step.next_at, now)
                else:
                    look_again = min(awaited, later(now, _RECEIPT_SECONDS), mm.expires_at)
                    await self._desk.put_back(job, look_again, [])
            case SendLink():
                await self._send_link(job, mm, recipient, capability, step.because)
            case Begin():
                await self._desk.put_back(job, now, [])

    async def _as_it_stands(self, job: Job) -> tuple[Mm, Recipient]:
        record = await self._desk.recent.by_id(job.recipients[0].id)
        return (job.stored_mm, job.recipients[0]) if record is None else (record.mm, record.recipient)

    async def _push(
        self, job: Job, mm: Mm, recipient: Recipient, capability: Capability, next_at: Instant, now: Instant
    ) -> None:
        payload = {**job.payload, "validity_seconds": str(max(1, (next_at - now) // SECOND))}
        if self._boxes.keeps_received and await self._boxes.keep_received(mm, recipient):
            payload["stored"] = "1"
        outcome = await self._desk.call(job._replace(mm=mm, recipients=(recipient,), payload=payload))
        match outcome:
            case Delivered():
                await self._pushed(job, mm, recipient, capability, next_at, outcome)
            case Later() | Retry():
                retry = self._desk.policy.push_retry
                attempts = replace(retry, lifetime=mm.expires_at - mm.submitted_at)
                if await self._desk.again(job, outcome, attempts, mm.submitted_at, mm.expires_at):
                    await self._desk.put_back(job, mm.expires_at, [], failed=True)
            case Failed():
                await self._undeliverable(job, mm, recipient, outcome)
            case Mixed():
                await self._undeliverable(job, mm, recipient, Failed("a push has one recipient"))

    async def _pushed(
        self, job: Job, mm: Mm, recipient: Recipient, capability: Capability, next_at: Instant, outcome: Delivered
    ) -> None:
        moment = self._desk.clock.moment()
        now = moment.service
        effects = [sql.move_recipient(recipient.id, Happening.PUSHED, now, Cause.NONE)]
        effects += self._awaited(job, mm, recipient, outcome, "notification")
        pushed = trace.NotificationPushed(
            job.lane.removeprefix("smsc:"),
            recipient.pushes + 1,
            outcome.remote_ids,
            str(capability.verdict),
            capability.evidence,
        )
        before = self._meanwhile(recipient)
        state = move(before.state, Happening.PUSHED) or before.state
        since = before.state_at if state is before.state else now
        after = before._replace(state=state, state_at=since, pushes=recipient.pushes + 1)
        done = await self._desk.put_back(
            job,
            next_at,
            [pushed, *_moved(before, after, Happening.PUSHED)],
            effects=effects,
            then=lambda: self._keep(mm, before, after),
            moment=moment,
        )
        if not done:
            await self._desk.overtaken(job, "pushed")
        await self._hasten(recipient, next_at)

    def _meanwhile(self, recipient: Recipient) -> Recipient:
        """The recipient as it stands now: its handset may have spoken while the SMSC was answering."""
        record = self._desk.recent.peek(recipient.id)
        return recipient if record is None else record.recipient

    async def _hasten(self, recipient: Recipient, due_at: Instant) -> None:
        """A GET that was complete while the SMSC was answering: its answer is not awaited until the next push."""
        known = self._desk.recent.peek(recipient.id)
        if known is not None and known.recipient.fetched_at is None:
            return
        policy = self._desk.policy.notification
        if policy.gets_ignored or due_at <= policy.answer_by(self._desk.clock.now()):
            return
        try:
            record = await self._desk.recent.by_id(recipient.id)
        except (StoreBusy, StoreUnavailable):
            return  # the push is noted and stays so; the GET, if there was one, is seen at the next
        if record is None or record.recipient.fetched_at is None:
            return
        answer_by = policy.answer_by(record.recipient.fetched_at)
        effect = task_sql.hasten_delivery(recipient.id, answer_by)
        planned = self._desk.planned
        await self._desk.write(self._desk.chronicle.unit(None, (effect,), (), lambda: planned(answer_by)))

    def _keep(self, mm: Mm, before: Recipient, after: Recipient) -> None:
        """Remember the outcome, and the handset's GET that was noted while the SMSC was answering."""
        record = self._desk.recent.peek(before.id)
        if record is None:
            return  # then the store knows better
        if record.recipient == before:
            self._desk.recent.keep(mm, after)
        else:
            known = record.recipient
            state = move(known.state, Happening.PUSHED) or known.state
            self._desk.recent.keep(mm, known._replace(state=state, pushes=after.pushes))

    async def _send_link(self, job: Job, mm: Mm, recipient: Recipient, capability: Capability, because: str) -> None:
        payload = {"receipt": "1"} if self._neighbours.link_is_told_by_receipt(mm) else {}
        link = job._replace(kind=TaskKind.LINK, mm=mm, recipients=(recipient,), payload=payload)
        outcome = await self._desk.call(link)
        match outcome:
            case Delivered():
                await self._link_sent(job, mm, recipient, capability, because, outcome)
            case Later() | Retry():
                retry = self._desk.policy.push_retry
                attempts = replace(retry, lifetime=mm.expires_at - mm.submitted_at)
                if await self._desk.again(job, outcome, attempts, mm.submitted_at, mm.expires_at):
                    await self._desk.put_back(job, mm.expires_at, [], failed=True)
            case Failed():
                await self._undeliverable(job, mm, recipient, outcome)
            case Mixed():
                await self._undeliverable(job, mm, recipient, Failed("an SMS has one recipient"))

    async def _link_sent(
        self, job: Job, mm: Mm, recipient: Recipient, capability: Capability, because: str, outcome: Delivered
    ) -> None:
        now = self._desk.clock.now()
        effects = [sql.move_recipient(recipient.id, Happening.LINK_SENT, now, Cause.NONE)]
        effects += self._awaited(job, mm, recipient, outcome, "link")
        sent = trace.LinkSent(
            job.lane.removeprefix("smsc:"), outcome.remote_ids, str(capability.verdict), capability.evidence
        )
        before = self._meanwhile(recipient)
        after = before._replace(state=move(before.state, Happening.LINK_SENT) or before.state)
        done = await self._desk.put_back(
            job,
            mm.expires_at,
            [sent, *_moved(before, after, Happening.LINK_SENT, because)],
            effects=effects,
            then=lambda: self._desk.recent.forget(recipient.id),
        )
        if not done:
            await self._desk.overtaken(job, "link sent")
        await self._hasten(recipient, mm.expires_at)

    async def _undeliverable(self, job: Job, mm: Mm, recipient: Recipient, outcome: Failed) -> None:
        how = Circumstances(because=outcome.because, text=outcome.because)
        await self._desk.transitions.apply(mm, recipient, outcome.happening, how)
        await self._desk.finish(job, [])

    def _awaited(self, job: Job, mm: Mm, recipient: Recipient, outcome: Delivered, purpose: str) -> Sequence[Statement]:
        if not outcome.receipt_expected:
            return ()
        now = self._desk.clock.now()
        return [sms_sql.insert(job.lane, one, mm.id, recipient.id, purpose, now) for one in outcome.remote_ids]


def _ended(step: End, policy: NotificationPolicy, mm: Mm, now: Instant) -> Circumstances:
    """What is told of an end by our own doing; its report says why there was no way, or which condition was not met.
    What expired did so at its time, however late that is seen."""
    if step is NEVER_ACKNOWLEDGED:
        remark = trace.FindingNoted("mm1", "MM1-H901", "OMA-TS-MMS_ENC 6.3", -1, step.because)
        silence = "" if policy.unacknowledged_report else NoReport.NOT_ACKNOWLEDGED
        return Circumstances(because=step.because, also=(remark,), no_report=silence)
    text = step.because if step.happening in _EXPLAINED else ""
    at = mm.expires_at if step.happening is Happening.EXPIRED and mm.expires_at <= now else None
    return Circumstances(because=step.because, text=text, at=at)


def _moved(before: Recipient, after: Recipient, happening: Happening, because: str = "") -> list[trace.Data]:
    if before.state is after.state:
        return []
    return [trace.RecipientMoved(str(before.state), str(after.state), str(happening), because)]
