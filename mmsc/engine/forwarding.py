"""Takes MMs to foreign MMSCs (MM4)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from mmsc.domain.instant import Instant, later
from mmsc.domain.message import Job, Mm, Recipient, TaskKind, at_peer
from mmsc.domain.states import FINAL, Cause, Happening, RecipientState
from mmsc.engine.delivery import Desk
from mmsc.engine.peer_news import WAITING, PeerNews
from mmsc.engine.ports import Delivered, Failed, Later, Mixed, Retry
from mmsc.engine.transitions import Circumstances
from mmsc.store import messages as sql
from mmsc.store import tasks as task_sql
from mmsc.store.core import Statement
from mmsc.trace import events as trace

_BEGUN: Final = Circumstances(because="the delivery time came")


class ForwardWork:
    """FORWARD and WATCH tasks: one for all of an MM's recipients at one peer."""

    def __init__(self, desk: Desk, news: PeerNews) -> None:
        self._desk = desk
        self._news = news

    async def run(self, job: Job) -> None:
        """One step for the recipients at one peer, then what the peer said meanwhile."""
        with self._news.kept(job) as early:
            await self._step(job)
        for answer in early.answers:
            await self._desk.insist(self._news.heed, answer)

    async def _step(self, job: Job) -> None:
        mm, recipients = await self._as_they_stand(job)
        open_ones = [one for one in recipients if one.state not in FINAL]
        waiting = [one for one in open_ones if one.state in WAITING]
        now = self._desk.clock.now()
        if not open_ones:
            await self._desk.finish(job, [])
        elif job.kind is TaskKind.WATCH and not waiting:
            await self._silence(job, mm, open_ones)
        elif waiting and now >= mm.expires_at:
            await self._end_all(mm, waiting, Happening.EXPIRED, "no peer took it in time", mm.expires_at)
            await self._desk.put_back(job, self._watch_until(mm), [], kind=TaskKind.WATCH)
        else:
            await self._forward(job, mm, waiting or open_ones, resent=not waiting)

    async def _as_they_stand(self, job: Job) -> tuple[Mm, Sequence[Recipient]]:
        is_first = job.attempt == 0 and job.kind is TaskKind.FORWARD and "sent" not in job.payload
        if not await self._desk.may_be_old(job) and is_first and job.recipients:
            return job.stored_mm, await self._begin(job.stored_mm, job.recipients)
        found = await sql.with_recipients(self._desk.store, job.stored_mm.id)
        peer = job.lane.removeprefix("peer:")
        return job.stored_mm, await self._begin(job.stored_mm, [] if found is None else at_peer(peer, found[1]))

    async def _begin(self, mm: Mm, recipients: Sequence[Recipient]) -> Sequence[Recipient]:
        """Recipients whose delivery time came count as accepted."""
        begun: list[Recipient] = []
        for one in recipients:
            due = one.state is RecipientState.SCHEDULED
            if due and await self._desk.transitions.apply(mm, one, Happening.DUE, _BEGUN):
                begun.append(one._replace(state=RecipientState.ACCEPTED))
            else:
                begun.append(one)
        return begun

    def _watch_until(self, mm: Mm) -> Instant:
        return Instant(mm.expires_at + self._desk.policy.report_grace)

    async def _silence(self, job: Job, mm: Mm, recipients: Sequence[Recipient]) -> None:
        until = self._watch_until(mm)
        if self._desk.clock.now() < until:
            await self._desk.put_back(job, until, [])
            return
        await self._end_all(mm, recipients, Happening.SILENCE, "the peer never reported")
        await self._desk.finish(job, [])

    async def _end_all(
        self, mm: Mm, recipients: Sequence[Recipient], happening: Happening, because: str, at: Instant | None = None
    ) -> None:
        for one in recipients:
            how = Circumstances(because=because, text=because, at=at)
            await self._desk.insist(self._desk.transitions.apply, mm, one, happening, how)

    async def _forward(self, job: Job, mm: Mm, recipients: Sequence[Recipient], *, resent: bool) -> None:
        sends = int(job.payload.get("sent", "0"))
        if resent and sends > len(self._desk.policy.resend_after):
            remark = trace.FindingNoted(job.lane, "MM4-R001", "TS 23.140 8.4.1.2", -1, "the peer never sent its RES")
            await self._desk.put_back(job, self._watch_until(mm), [remark], kind=TaskKind.WATCH)
            return
        outcome = await self._desk.call(job._replace(recipients=tuple(recipients)))
        match outcome:
            case Delivered():
                await self._taken(job, mm, recipients, outcome, [])
            case Later() | Retry():
                await self._again(job, mm, outcome)
            case Failed():
                await self._refused(job, mm, recipients, outcome)
                await self._desk.put_back(job, self._watch_until(mm), [], kind=TaskKind.WATCH)
            case Mixed():
                await self._mixed(job, mm, recipients, outcome)

    async def _refused(self, job: Job, mm: Mm, recipients: Sequence[Recipient], outcome: Failed) -> None:
        """Who was not taken ends here. Of a repeat the peer has the MM already, and may say just that: it is for its
        RES or report to tell what became of the first (semantics 9: relayed)."""
        if recipients[0].state in WAITING:
            await self._end_all(mm, recipients, outcome.happening, outcome.because)
            return
        why = f"the peer took it, and refuses the same again: {outcome.because}"
        remark = trace.FindingNoted(job.lane, "MM4-R005", "TS 23.140 8.4.1.2", -1, why)
        await self._desk.write(self._desk.chronicle.unit(None, (), (self._desk.event(job, remark),)))

    async def _again(self, job: Job, mm: Mm, outcome: Later | Retry) -> None:
        attempts = replace(self._desk.policy.forward_retry, lifetime=1 << 62)
        await self._desk.again(job, outcome, attempts, mm.submitted_at, mm.expires_at)

    async def _mixed(self, job: Job, mm: Mm, recipients: Sequence[Recipient], outcome: Mixed) -> None:
        """Recipients of one forward fared differently: each goes its own way, the task serves who is left."""
        taken: list[Recipient] = []
        left: list[Later | Retry] = []
        receipt = Delivered()
        for one in recipients:
            match outcome.outcomes.get(one.id, Retry("the peer said nothing about this recipient")):
                case Delivered() as delivered:
                    taken.append(one)
                    receipt = delivered
                case Failed() as failed:
                    await self._refused(job, mm, [one], failed)
                case Later() | Retry() as again:
                    left.append(again)
        if taken:
            await self._taken(job, mm, taken, receipt, left)
        elif left:  # nobody was taken: an attempt, if it is one for anybody
            await self._again(job, mm, next((one for one in left if isinstance(one, Retry)), left[0]))
        else:
            await self._desk.put_back(job, self._watch_until(mm), [], kind=TaskKind.WATCH)

    async def _taken(
        self, job: Job, mm: Mm, recipients: Sequence[Recipient], outcome: Delivered, left: Sequence[Later | Retry]
    ) -> None:
        resent = all(one.state is RecipientState.RELAYED for one in recipients)
        now = self._desk.clock.now()
        effects: list[Statement] = []
        events: list[trace.Event] = []
        reported = self._news.reported(job)
        for one in recipients:
            if one.state is RecipientState.ACCEPTED and one.id not in reported:
                effects += self._relayed(job, mm, one, now, events)
        peer = job.lane.removeprefix("peer:")
        addresses = tuple(one.address.value for one in recipients)
        again = outcome.answer_expected, outcome.note, resent
        sent = trace.ForwardSent(peer, job.attempt + 1, addresses, *again)
        sends = int(job.payload.get("sent", "0"))  # a further mail to who is left uses up no repeat
        sends = sends + 1 if resent else max(sends, 1)
        payload = {**job.payload, "sent": str(sends)}
        kind, due_at = TaskKind.WATCH, self._watch_until(mm)
        if left:
            wait = left[0].seconds if isinstance(left[0], Later) else self._desk.policy.forward_retry.wait_after(1)
            kind, due_at = TaskKind.FORWARD, later(now, wait)
        elif outcome.answer_expected:
            waits = self._desk.policy.resend_after
            kind, due_at = TaskKind.FORWARD, later(now, waits[min(sends, len(waits)) - 1])
        done = await self._desk.put_back(
            job, due_at, [sent], effects=effects, events=events, kind=kind, payload=payload, failed=True
        )
        if not done:
            await self._desk.overtaken(job, "forwarded")
        elif any(event.task_id != job.task_id for event in events):
            self._desk.planned(now)

    def _relayed(self, job: Job, mm: Mm, one: Recipient, now: Instant, events: list[trace.Event]) -> list[Statement]:
        """The move, and the report of a VASP that wants to know."""
        report = self._desk.transitions.relayed_report(mm, one, now)
        lane, task_id = ("", job.task_id) if report is None else (report.lane, report.id)
        states = str(one.state), str(RecipientState.RELAYED)
        moved = trace.RecipientMoved(*states, str(Happening.RELAYED), report=lane)
        events.append(self._desk.chronicle.event(moved, mm_id=mm.id, recipient_id=one.id, task_id=task_id))
        move = sql.move_recipient(one.id, Happening.RELAYED, now, Cause.NONE)
        if report is None:
            return [move]
        self._desk.lanes.get(report.lane)  # the scheduler looks after every lane that has work
        return [move, task_sql.insert(report)]
