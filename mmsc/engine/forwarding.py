"""Takes MMs to foreign MMSCs, and hears what they say about them (MM4)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Final

from mmsc.domain.address import Normalised
from mmsc.domain.instant import Instant, later
from mmsc.domain.message import Job, Mm, MmId, Recipient, RecipientId, Route, TaskKind
from mmsc.domain.states import FINAL, Cause, Happening, RecipientState
from mmsc.engine.answers import res_task
from mmsc.engine.delivery import Desk
from mmsc.engine.ports import Delivered, Failed, Later, Mixed, Numbers, ResMm4, Retry
from mmsc.engine.transitions import Circumstances
from mmsc.ids import Ids, from_text
from mmsc.store import messages as sql
from mmsc.store import tasks as task_sql
from mmsc.store.core import Statement
from mmsc.trace import events as trace

_BEGUN: Final = Circumstances(because="the delivery time came")
_EARLY_ANSWERS: Final = 100  # kept while a mail is on its way; more of them say nothing new
_TAKEN: Final = (RecipientState.ACCEPTED, RecipientState.SCHEDULED)


class ForwardWork:
    """FORWARD and WATCH tasks: one for all of an MM's recipients at one peer."""

    def __init__(self, desk: Desk, news: "PeerNews") -> None:
        self._desk = desk
        self._news = news

    async def run(self, job: Job) -> None:
        """One step for the recipients at one peer, then what the peer said meanwhile."""
        with self._news.kept(job) as early:
            await self._step(job)
        for answer in early.answers:
            await self._news.heed(answer)

    async def _step(self, job: Job) -> None:
        mm, recipients = await self._as_they_stand(job)
        open_ones = [one for one in recipients if one.state not in FINAL]
        waiting = [one for one in open_ones if one.state in _TAKEN]
        now = self._desk.clock.now()
        if not open_ones:
            await self._desk.finish(job, [])
        elif job.kind is TaskKind.WATCH and not waiting:
            await self._silence(job, mm, open_ones)
        elif waiting and now >= mm.expires_at:
            await self._end_all(mm, waiting, Happening.EXPIRED, "no peer took it in time")
            await self._desk.put_back(job, self._watch_until(mm), [], kind=TaskKind.WATCH)
        else:
            await self._forward(job, mm, waiting or open_ones, resent=not waiting)

    async def _as_they_stand(self, job: Job) -> tuple[Mm, Sequence[Recipient]]:
        if job.attempt == 0 and job.kind is TaskKind.FORWARD and "sent" not in job.payload and job.recipients:
            return job.stored_mm, await self._begin(job.stored_mm, job.recipients)
        found = await sql.with_recipients(self._desk.store, job.stored_mm.id)
        peer = job.lane.removeprefix("peer:")
        return job.stored_mm, await self._begin(job.stored_mm, [] if found is None else _at(peer, found[1]))

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

    async def _end_all(self, mm: Mm, recipients: Sequence[Recipient], happening: Happening, because: str) -> None:
        for one in recipients:
            how = Circumstances(because=because, text=because)
            await self._desk.transitions.apply(mm, one, happening, how)

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
                await self._end_all(mm, recipients, outcome.happening, outcome.because)
                await self._desk.put_back(job, self._watch_until(mm), [], kind=TaskKind.WATCH)
            case Mixed():
                await self._mixed(job, mm, recipients, outcome)

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
                    await self._end_all(mm, [one], failed.happening, failed.because)
                case Later() | Retry() as again:
                    left.append(again)
        if taken:
            await self._taken(job, mm, taken, receipt, left)
        elif left:
            await self._again(job, mm, left[0])
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
                effects.append(sql.move_recipient(one.id, Happening.RELAYED, now, Cause.NONE))
                moved = trace.RecipientMoved(one.state.value, RecipientState.RELAYED.value, Happening.RELAYED.value)
                events.append(self._desk.event(job, moved, one))
        peer = job.lane.removeprefix("peer:")
        addresses = tuple(one.address.value for one in recipients)
        sent = trace.ForwardSent(peer, job.attempt + 1, addresses, outcome.answer_expected, outcome.note)
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


def _at(peer: str, recipients: Sequence[Recipient]) -> list[Recipient]:
    return [one for one in recipients if one.route is Route.PEER and one.target == peer]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a MM4_forward.RES, or a bounce, said of an MM at a peer; `recipients` empty means all who got the mail."""

    mm_id: MmId
    peer: str
    ok: bool
    because: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Early:
    """What a peer said while the mail was still on its way: RES, and recipients that it reported about."""

    answers: list[Answer] = field(default_factory=list)
    reported: set[RecipientId] = field(default_factory=set)


class PeerNews:
    """Implements `ports.PeerReports`."""

    def __init__(self, desk: Desk, numbers: Numbers, ids: Ids) -> None:
        self._desk = desk
        self._numbers = numbers
        self._ids = ids
        self._early: dict[tuple[MmId, str], Early] = {}

    @contextmanager
    def kept(self, job: Job) -> Iterator[Early]:
        """What comes while the mail is still on its way is kept until it is known who got it: a peer may be faster
        with its RES than with the 250."""
        key = (job.stored_mm.id, job.lane)
        early = self._early[key] = Early()
        try:
            yield early
        finally:
            self._early.pop(key, None)

    def reported(self, job: Job) -> set[RecipientId]:
        """Recipients that the peer reported about while the mail was on its way."""
        early = self._early.get((job.stored_mm.id, job.lane))
        return set() if early is None else early.reported

    async def forward_answered(
        self, peer: str, message_id: str, *, ok: bool, because: str, recipients: Sequence[str] = ()
    ) -> bool:
        """A MM4_forward.RES; `recipients` empty means all. False: we forwarded no such message to this peer."""
        found = await self._forwarded(peer, message_id)
        if found is None:
            return False
        answer = Answer(found[0].id, peer, ok, because, tuple(recipients))
        event = self._desk.chronicle.event(trace.ForwardAnswered(peer, ok, because), mm_id=answer.mm_id)
        await self._desk.store.commit(self._desk.chronicle.unit(None, (), (event,)))
        early = self._early.get((answer.mm_id, f"peer:{peer}"))
        if early is None:
            return await self.heed(answer)
        if len(early.answers) < _EARLY_ANSWERS:
            early.answers.append(answer)
        return True

    async def heed(self, answer: Answer) -> bool:
        """Do what follows from an answer. It is about those it names, or all who got the mail: never about recipients
        that the peer put off and that still wait for their turn (semantics of 450 and 452 at RCPT)."""
        found = await sql.with_recipients(self._desk.store, answer.mm_id)
        if found is None:
            return False
        mm, ours = found[0], _at(answer.peer, found[1])
        named = self._named(answer.peer, answer.recipients)
        about = [one for one in ours if one.address.value in named]
        if not about and (answer.ok or not answer.recipients):
            about = [one for one in ours if one.state is RecipientState.RELAYED]
        if not answer.ok:
            for one in about:
                how = Circumstances(because=answer.because, text=answer.because, source=f"peer:{answer.peer}")
                await self._desk.transitions.apply(mm, one, Happening.REFUSED_BY_PEER, how)
            return bool(about)
        now, planned = self._desk.clock.now(), self._desk.planned
        due_at = Instant(mm.expires_at + self._desk.policy.report_grace)
        effects = [sql.move_recipient(one.id, Happening.RELAYED, now, Cause.NONE) for one in about]
        if not any(one.state in _TAKEN for one in ours if one not in about):
            effects.append(task_sql.watch_forward(mm.id, f"peer:{answer.peer}", due_at))
        await self._desk.store.commit(self._desk.chronicle.unit(None, effects, (), lambda: planned(due_at)))
        return True

    async def delivery_report(
        self,
        peer: str,
        message_id: str,
        recipient: str,
        happening: Happening,
        *,
        date: Instant,
        to_originator: bool,
        text: str = "",
        res: Callable[[bool], ResMm4] | None = None,
    ) -> bool:
        """A MM4_delivery_report.REQ, matched by message id and normalised recipient."""
        found = await self._forwarded(peer, message_id)
        named = self._named(peer, (recipient,))
        about = [] if found is None else [one for one in found[1] if one.address.value in named]
        answer = None if res is None else res(bool(about))
        planned, now = self._desk.planned, self._desk.clock.now()
        effects: tuple[Statement, ...] = ()
        if answer is not None:
            task = res_task(self._ids, now, answer, None if found is None else found[0].id)
            effects = (task_sql.insert(task),)
        if found is None or not about:
            await self._desk.store.commit(self._desk.chronicle.unit(None, effects, (), lambda: planned(now)))
            return False
        early = self._early.get((found[0].id, f"peer:{peer}"))
        if early is not None:
            early.reported.add(about[0].id)
        how = Circumstances(
            because=text,
            text=text,
            at=date,
            report_allowed=to_originator,
            source=f"peer:{peer}",
            effects=effects,
            then=lambda: planned(now),
        )
        await self._desk.transitions.apply(found[0], about[0], happening, how)
        return True

    def _named(self, peer: str, texts: Sequence[str]) -> set[str]:
        found = (self._numbers.normalise(text, f"peer:{peer}") for text in texts)
        return {one.address.value for one in found if isinstance(one, Normalised)}

    async def _forwarded(self, peer: str, message_id: str) -> tuple[Mm, list[Recipient]] | None:
        """The MM with this X-Mms-Message-ID and its recipients at this peer; None when there are none."""
        candidates: list[MmId] = []
        with suppress(ValueError):  # not one that we made
            candidates.append(MmId(from_text(message_id.partition("@")[0])))
        candidates += await sql.by_foreign_id(self._desk.store, message_id)
        for mm_id in candidates:
            found = await sql.with_recipients(self._desk.store, mm_id)
            if found is None or found[0].message_id != message_id:
                continue
            ours = _at(peer, found[1])
            if ours:
                return found[0], ours
        return None
