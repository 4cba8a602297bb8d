"""The one door for new MMs: check, route, store, answer; deliver later.

One unit holds the MM, its content, its recipients, a task for each (one for all recipients of a peer), and the events.
Nothing is answered positively before it is committed, and nothing leaves before the answer was handed over.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from mmsc.clock import Clock
from mmsc.domain import limits as limit_rules
from mmsc.domain.address import Address, NotAnAddress
from mmsc.domain.instant import DAY, Instant
from mmsc.domain.limits import Limits, Times
from mmsc.domain.message import (
    Content,
    ContentId,
    Job,
    Mm,
    MmId,
    Recipient,
    RecipientId,
    RecipientSpec,
    RefusedRecipient,
    Role,
    Route,
    Submission,
    TaskId,
    TaskKind,
)
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.states import RecipientState
from mmsc.engine.answers import res_task
from mmsc.engine.chronicle import Chronicle
from mmsc.engine.lanes import Lanes
from mmsc.engine.obstacles import nobody_left, obstacle_to
from mmsc.engine.ports import Accepted, Numbers, ResMm4
from mmsc.engine.recent import Recent
from mmsc.ids import Ids
from mmsc.store import content as content_sql
from mmsc.store import messages as sql
from mmsc.store import tasks as task_sql
from mmsc.store.core import Lost, Statement, Store, StoreBusy, StoreUnavailable
from mmsc.store.tasks import Holder, TaskRow
from mmsc.trace import events as trace

EMPTY_CONTENT: Final = Content("application/vnd.wap.multipart.mixed", b"\x00", ())
_ROLE_ORDER: Final = {Role.TO: 0, Role.CC: 1, Role.BCC: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitPolicy:
    """`domain` follows the @ of our Message-IDs; a repeat is recognised for `repeat_window` (µs)."""

    domain: str = "mms.example"
    limits: Limits = field(default_factory=Limits)
    repeat_window: int = DAY
    lease: int = 60_000_000  # real time, µs


@dataclass(slots=True)
class _Plan:
    """A submission that will be taken: what is stored, and what is handed over afterwards."""

    mm: Mm
    content: Content
    recipients: tuple[Recipient, ...]
    tasks: list[TaskRow]
    refused: tuple[RefusedRecipient, ...]
    events: list[trace.Event]


class Submitter:
    """Implements `ports.Submit`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        numbers: Numbers,
        lanes: Lanes,
        recent: Recent,
        chronicle: Chronicle,
        holder: Holder,
        policy: SubmitPolicy,
        planned: Callable[[Instant], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._numbers = numbers
        self._lanes = lanes
        self._recent = recent
        self._chronicle = chronicle
        self._holder = holder
        self._policy = policy
        self._planned = planned

    async def accept(self, submission: Submission, *, res: ResMm4 | None = None) -> Accepted | Refused:
        """Check, route and store; returns after the commit. `res` is stored with it (also when it is a repeat)."""
        if not self._store.available:
            return Refused(RefusalReason.STORE_UNAVAILABLE, "the store takes nothing at the moment")
        plan = self._plan(submission)
        if isinstance(plan, Refused):
            return await self._refuse(submission, plan)
        try:
            accepted = await self._commit(plan, submission.repeat_key, res)
            if accepted is None and submission.repeat_key is not None:
                accepted = await self._repeated(submission, submission.repeat_key, plan, res)
        except StoreBusy:
            return Refused(RefusalReason.BUSY, "too many submissions wait for the store")
        except StoreUnavailable as error:
            return Refused(RefusalReason.STORE_UNAVAILABLE, str(error))
        assert accepted is not None, "an MM without a repeat key was taken for a repeat"
        return accepted

    async def answer_refused(self, res: ResMm4) -> None:
        """Store a RES about a message that was refused (no MM is kept); returns after the commit."""
        task = self._res_task(res, None)
        await self._write_tasks(None, (), (), [task], {})

    async def _commit(self, plan: _Plan, repeat_key: bytes | None, res: ResMm4 | None) -> Accepted | None:
        mm = plan.mm
        answer = msgspec.json.encode(plan.refused).decode() if plan.refused else None
        if res is not None:
            plan.tasks.append(self._res_task(res, mm.id))
        effects = [content_sql.insert(mm.content_id, plan.content), *map(sql.insert_recipient, plan.recipients)]
        guard = sql.insert_mm(mm, repeat_key=repeat_key, answer=answer)
        jobs = {task.id: self._job(task, plan) for task in plan.tasks}
        release = await self._write_tasks(guard, effects, plan.events, plan.tasks, jobs)
        if release is None:
            return None
        self._recent.keep_body(mm.content_id, plan.content)
        for recipient in plan.recipients:
            if recipient.route is Route.SUBSCRIBER:
                self._recent.keep(mm, recipient)
        return Accepted(mm.id, mm.message_id, plan.refused, content_id=mm.content_id, answered=release)

    async def _write_tasks(
        self,
        guard: Statement | None,
        effects: Sequence[Statement],
        events: Sequence[trace.Event],
        tasks: Sequence[TaskRow],
        jobs: dict[TaskId, Job],
    ) -> Callable[[], None] | None:
        """Commit; what hands the jobs over afterwards, or None when the guard was lost. A caller that is cancelled
        meanwhile (its neighbour hung up) will never call it: then the jobs are handed over with the commit."""
        now = self._clock.now()
        for task in tasks:
            self._lanes.get(task.lane)  # the scheduler looks after every lane that has work, now or later
        seated = [task for task in tasks if task.due_at <= now and self._lanes.take_seat(task.lane)]
        held = {task.id for task in seated}
        lease_until = self._clock.real_now() + self._policy.lease
        rows = [task_sql.insert(task, self._holder if task.id in held else None, lease_until) for task in tasks]
        handed_over = [jobs.get(task.id) or self._job(task, None) for task in seated]
        waiting = [task.due_at for task in tasks if task.id not in held]
        committed = abandoned = False

        def release() -> None:
            nonlocal handed_over, waiting
            if self._clock.real_now() < lease_until:
                for job in handed_over:
                    self._lanes.hand_over(job)
            elif handed_over:  # the answer took so long that whoever claims the tasks now carries them out
                self._leave(seated)
                waiting.append(now)
            for due_at in waiting:
                self._planned(due_at)
            handed_over, waiting = [], []

        def then() -> None:
            nonlocal committed
            committed = True
            if abandoned or guard is None:
                release()

        unit = self._chronicle.unit(guard, (*effects, *rows), events, then, lambda: self._leave(seated))
        try:
            outcome = await self._store.commit(unit)
        except asyncio.CancelledError:
            abandoned = True
            if committed:
                release()
            raise
        return None if isinstance(outcome, Lost) else release

    def _leave(self, tasks: Sequence[TaskRow]) -> None:
        for task in tasks:
            self._lanes.leave(self._lanes.get(task.lane))

    async def _repeated(
        self, submission: Submission, repeat_key: bytes, plan: _Plan, res: ResMm4 | None
    ) -> Accepted | None:
        row = await sql.answer_to_repeat(self._store, repeat_key)
        oldest = Instant(self._clock.now() - self._policy.repeat_window)
        if row is None or not isinstance(row[1], int) or row[1] < oldest:
            # from now on this request is the one that is repeated
            await self._store.commit(self._chronicle.unit(None, (sql.forget_repeat(repeat_key, oldest),), ()))
            plan.tasks = [task for task in plan.tasks if task.kind is not TaskKind.RES_MM4]
            accepted = await self._commit(plan, repeat_key, res)
            return accepted or await self._repeated(submission, repeat_key, plan, res)
        mm_id, _, details, answer = row
        assert isinstance(mm_id, int)
        assert isinstance(details, str)
        message_id = sql.message_id_of(details)
        origin = submission.origin
        note = trace.SubmissionRepeated(origin.interface.value, origin.neighbour, message_id)
        event = self._chronicle.event(note, mm_id=mm_id)
        tasks = [] if res is None else [self._res_task(res, MmId(mm_id))]
        await self._write_tasks(None, (), (event,), tasks, {})
        refused = msgspec.json.decode(answer, type=tuple[RefusedRecipient, ...]) if isinstance(answer, str) else ()
        return Accepted(MmId(mm_id), message_id, refused, repeat=True)

    async def _refuse(self, submission: Submission, refused: Refused) -> Refused:
        note = trace.SubmissionRefused(
            submission.origin.interface.value,
            submission.origin.neighbour,
            refused.reason.value,
            refused.because,
            refused.address,
        )
        try:
            await self._store.commit(self._chronicle.note(note))
        except (StoreBusy, StoreUnavailable):
            return refused  # a refusal needs no record to be true
        return refused

    # --- planning: no I/O from here on ---

    def _plan(self, submission: Submission) -> _Plan | Refused:
        now = self._clock.now()
        times = limit_rules.check(submission, self._policy.limits, now)
        if isinstance(times, Refused):
            return times
        neighbour = submission.origin.key
        sender = self._numbers.normalise(submission.sender, neighbour)
        if isinstance(sender, NotAnAddress):
            because = f"sender {submission.sender}: {sender.because}"
            return Refused(RefusalReason.SENDER_UNRESOLVED, because, submission.sender)
        mm = self._mm(submission, sender.address, times, now)
        taken, refused, events, reasons = self._route_all(submission, mm, neighbour, now)
        if not taken:
            return nobody_left(refused, reasons)
        accepted = trace.MmAccepted(
            submission.origin.interface.value,
            submission.origin.neighbour,
            mm.message_id,
            sender.address.value,
            len(taken),
            mm.size,
            submission.subject,
            submission.details.get("mm7_transaction_id", ""),
        )
        events.insert(0, self._chronicle.event(accepted, mm_id=mm.id))
        for remark in submission.remarks:
            noted = trace.FindingNoted(neighbour, remark.rule, remark.clause, remark.offset, remark.text)
            events.append(self._chronicle.event(noted, mm_id=mm.id))
        tasks = self._tasks(mm, taken)
        return _Plan(mm, submission.content or EMPTY_CONTENT, tuple(taken), tasks, tuple(refused), events)

    def _mm(self, submission: Submission, sender: Address, times: Times, now: Instant) -> Mm:
        mm_id = MmId(self._ids.new_id())
        content = submission.content or EMPTY_CONTENT
        return Mm(
            id=mm_id,
            message_id=submission.foreign_id or f"{self._ids.text(mm_id)}@{self._policy.domain}",
            origin=submission.origin,
            sender=sender,
            subject=submission.subject,
            message_class=submission.message_class,
            priority=submission.priority,
            delivery_report=submission.delivery_report,
            read_report=submission.read_report,
            sender_hidden=submission.sender_hidden,
            adaptation_allowed=submission.adaptation_allowed,
            shown_to=tuple((spec.role, spec.text) for spec in submission.recipients if spec.role is not Role.BCC),
            submitted_at=now,
            date=submission.date or now,
            deliver_at=times.deliver_at,
            expires_at=times.expires_at,
            foreign_id=submission.foreign_id,
            forward_counter=submission.forward_counter,
            content_id=ContentId(mm_id),
            content_type=content.content_type,
            size=len(content.body),
            details=submission.details,
        )

    def _route_all(
        self, submission: Submission, mm: Mm, neighbour: str, now: Instant
    ) -> tuple[list[Recipient], list[RefusedRecipient], list[trace.Event], list[RefusalReason]]:
        taken: list[Recipient] = []
        refused: list[RefusedRecipient] = []
        events: list[trace.Event] = []
        reasons: list[RefusalReason] = []
        seen: set[Address] = set()
        for spec in sorted(submission.recipients, key=lambda spec: _ROLE_ORDER[spec.role]):
            if spec.display_only:
                continue
            found = self._numbers.normalise(spec.text, neighbour)
            if isinstance(found, NotAnAddress):
                refused.append(RefusedRecipient(spec.text, found.because))
                reasons.append(RefusalReason.ADDRESS_MALFORMED)
                continue
            if found.address in seen:  # named twice: served once
                continue
            seen.add(found.address)
            route, target, why = self._numbers.route(found.address)
            obstacle = obstacle_to(submission, route, target, why)
            if obstacle:
                refused.append(RefusedRecipient(spec.text, obstacle))
                reasons.append(RefusalReason.RECIPIENT_UNKNOWN)
                continue
            recipient = self._recipient(mm, spec, found.address, route, target, now)
            taken.append(recipient)
            chosen = trace.RouteChosen(found.address.value, route.value, target, why)
            events.append(self._chronicle.event(chosen, mm_id=mm.id, recipient_id=recipient.id))
        return taken, refused, events, reasons

    def _recipient(
        self, mm: Mm, spec: RecipientSpec, address: Address, route: Route, target: str, now: Instant
    ) -> Recipient:
        ours = route is Route.SUBSCRIBER
        return Recipient(
            id=RecipientId(self._ids.new_id()),
            mm_id=mm.id,
            address=address,
            role=spec.role,
            route=route,
            target=target,
            state=RecipientState.SCHEDULED if mm.deliver_at is not None else RecipientState.ACCEPTED,
            state_at=now,
            transaction_id=self._ids.transaction_id() if ours else "",
            token=self._ids.token() if ours else "",
            link_token=self._ids.token() if ours else "",
        )

    def _tasks(self, mm: Mm, recipients: Sequence[Recipient]) -> list[TaskRow]:
        tasks: list[TaskRow] = []
        for recipient in recipients:
            if recipient.route is Route.SUBSCRIBER:
                tasks.append(self._task(mm, recipient.id, TaskKind.NOTIFY, f"smsc:{recipient.target}", {}))
        for peer in dict.fromkeys(recipient.target for recipient in recipients if recipient.route is Route.PEER):
            payload = {"transaction_id": self._ids.transaction_id()}
            tasks.append(self._task(mm, None, TaskKind.FORWARD, f"peer:{peer}", payload))
        return tasks

    def _task(
        self, mm: Mm, recipient_id: RecipientId | None, kind: TaskKind, lane: str, payload: dict[str, str]
    ) -> TaskRow:
        return TaskRow(
            id=TaskId(self._ids.new_id()),
            mm_id=mm.id,
            recipient_id=recipient_id,
            kind=kind,
            lane=lane,
            due_at=mm.deliver_at or self._clock.now(),
            priority=int(mm.priority),
            payload=payload,
        )

    def _res_task(self, res: ResMm4, mm_id: MmId | None) -> TaskRow:
        return res_task(self._ids, self._clock.now(), res, mm_id)

    @staticmethod
    def _job(task: TaskRow, plan: _Plan | None) -> Job:
        recipients: tuple[Recipient, ...] = ()
        if plan is not None and task.recipient_id is not None:
            recipients = tuple(one for one in plan.recipients if one.id == task.recipient_id)
        elif plan is not None and task.kind is TaskKind.FORWARD:
            peer = task.lane.removeprefix("peer:")
            recipients = tuple(one for one in plan.recipients if one.route is Route.PEER and one.target == peer)
        return Job(
            task_id=task.id,
            kind=task.kind,
            lane=task.lane,
            attempt=task.attempt,
            due_at=task.due_at,
            mm=None if plan is None else plan.mm,
            recipients=recipients,
            payload=task.payload,
        )
