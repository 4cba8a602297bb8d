"""The one door for new MMs: check, route, store, answer; deliver later.

One unit holds the MM, its content, its recipients, a task for each (one for all recipients of a peer), and the events.
Nothing is answered positively before it is committed, and nothing leaves before the answer was handed over.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import msgspec

from mmsc.clock import Clock
from mmsc.domain.instant import Instant
from mmsc.domain.message import (
    Job,
    Mm,
    MmId,
    Origin,
    Recipient,
    RefusedRecipient,
    Route,
    Submission,
    TaskKind,
    on_lane,
)
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.reply_charging import OFFERED
from mmsc.domain.runs import RUN
from mmsc.engine.along import LOOK_AGAIN, Along, Told
from mmsc.engine.answers import res_task
from mmsc.engine.chronicle import Chronicle
from mmsc.engine.credits import Credits, NoCredit
from mmsc.engine.door import Door
from mmsc.engine.lanes import Lanes
from mmsc.engine.linking import both_told, linked
from mmsc.engine.mmbox import Mmboxes
from mmsc.engine.planning import Plan, Planner, SubmitPolicy
from mmsc.engine.ports import Accepted, Numbers, ResMm4
from mmsc.engine.recent import Recent
from mmsc.engine.repeats import rest_of
from mmsc.engine.reply_charging import ReplyCharging
from mmsc.ids import Ids
from mmsc.store import content as content_sql
from mmsc.store import messages as sql
from mmsc.store import tasks as task_sql
from mmsc.store.bodies import Bodies
from mmsc.store.core import Lost, Row, Statement, Store, StoreBusy, StoreUnavailable, Unit
from mmsc.store.tasks import Holder, TaskRow
from mmsc.trace import events as trace


def _nothing() -> None: ...


Meddle = Callable[[Submission], tuple[Submission, tuple[trace.Data, ...]]]  # and what is told of it, with the MM


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
        bodies: Bodies,
        chronicle: Chronicle,
        holder: Holder,
        policy: SubmitPolicy,
        planned: Callable[[Instant], None],
        credit: Credits,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._numbers = numbers
        self._lanes = lanes
        self._recent = recent
        self._bodies = bodies
        self._chronicle = chronicle
        self._holder = holder
        self._policy = policy
        self._planned = planned
        self._credits = credit
        self._door = Door(policy.door)
        self.meddle: Meddle | None = None  # the lab makes something else of what comes
        self.boxes: Mmboxes | None = None  # of subscribers who want to keep what they send
        self._planner = Planner(clock, ids, numbers, chronicle, policy)
        self._reply_charging = ReplyCharging(store, clock, numbers, chronicle)

    def take_over(self, policy: SubmitPolicy) -> None:
        """From now on this one."""
        self._policy = policy
        self._planner.take_over(policy)

    def forget(self) -> None:
        """All that was submitted is gone: identifiers that come again are new."""
        self._planner.forget()

    async def accept(
        self,
        submission: Submission,
        *,
        res: ResMm4 | None = None,
        beside: Sequence[trace.Event] = (),
        along: Along | None = None,
        told: Told | None = None,
    ) -> Accepted | Refused:
        """Check, route and store; returns after the commit. `res` is stored with it (also when it is a repeat), and
        what is told `beside` it and of it, or is done `along` with it (not then)."""
        if not self._store.available:
            return Refused(RefusalReason.STORE_UNAVAILABLE, "the store takes nothing at the moment")
        meddled: tuple[trace.Data, ...] = ()
        if self.meddle is not None:
            submission, meddled = self.meddle(submission)
        if submission.reply_charging_id or OFFERED in submission.details:
            judged = await self._reply_charging.judge(submission, offers=self._policy.reply_charging)
            if isinstance(judged, Refused):
                return await self.answer_before(submission) or await self._refuse(submission, judged)
            submission, along = judged[0], judged[1] or along
        told = told if along is None else along.told
        answered: Mm | None = None
        if submission.linked_id:
            found = await linked(self._store, submission)
            if isinstance(found, Refused):
                return await self._refuse(submission, found)
            submission, answered = found
        plan = self._planner.plan(submission)
        if isinstance(plan, Refused):
            return await self._refuse(submission, plan)
        plan.events += beside
        plan.events += [self._chronicle.event(one, mm_id=plan.mm.id) for one in meddled]
        if answered is not None:
            plan.events += both_told(self._chronicle, submission, plan.mm, answered)
        if submission.keep is not None and self.boxes is not None:
            plan.boxed = self.boxes.entry_of_sent(plan.mm, submission)
        if told is not None:
            plan.events += told(plan.mm)
        owner = submission.origin.owner
        if not self._door.enter(owner):
            return Refused(RefusalReason.BUSY, "too many submissions are under way")
        try:
            accepted = await self._store_or_repeat(submission, plan, res, along)
        except StoreBusy:
            return Refused(RefusalReason.BUSY, "too many submissions wait for the store")
        except StoreUnavailable as error:
            return Refused(RefusalReason.STORE_UNAVAILABLE, str(error))
        finally:
            self._door.leave(owner)
        if isinstance(accepted, Accepted):
            return accepted if submission.keep is None else await self._kept(accepted, plan)
        return accepted if accepted is LOOK_AGAIN else await self._refuse(submission, accepted)

    async def _kept(self, accepted: Accepted, plan: Plan | None) -> Accepted:
        """With what became of the copy for its sender's box; the MM is on its way whatever that is."""
        if self.boxes is None or accepted.kept is not None:
            return accepted
        boxed = None if accepted.repeat or plan is None else plan.boxed
        return replace(accepted, kept=await self.boxes.kept_sent(accepted.mm_id, boxed))

    async def answer_before(self, submission: Submission) -> Accepted | None:
        """The stored answer, when this is a repeat; for who would otherwise be refused for what came of the first."""
        key = submission.repeat_key
        try:
            row = None if key is None else await sql.answer_to_repeat(self._store, key)
            if row is None or not self._is_answered(row):
                return None
            accepted = await self._answered_again(submission, row, None)
        except (StoreBusy, StoreUnavailable):
            return None  # whoever asks hears of the store by itself
        return accepted if submission.keep is None else await self._kept(accepted, None)

    async def answer_refused(self, res: ResMm4) -> None:
        """Store a RES about a message that was refused (no MM is kept); returns after the commit."""
        task = self._res_task(res, None)
        await self._write_tasks(None, (), (), [task], None)

    async def _store_or_repeat(
        self, submission: Submission, plan: Plan, res: ResMm4 | None, along: Along | None
    ) -> Accepted | Refused:
        key = submission.repeat_key
        if along is not None:
            stored = await self._commit(plan, key, res, along.unit)
            return stored or await self.answer_before(submission) or along.lost
        try:
            if self._credits.are_limited(submission.origin):
                await self._credits.look(submission.origin.neighbour)
            accepted = await self._commit(plan, key, res)
            if accepted is None and key is not None:
                accepted = await self._repeated(submission, key, plan, res)
        except NoCredit as error:
            if key is None or not await self._is_repeat(key):
                return Refused(RefusalReason.NO_CREDIT, str(error))
            accepted = await self._repeated(submission, key, plan, res)  # which costs nothing
        assert accepted is not None, "an MM without a repeat key was taken for a repeat"
        return accepted

    async def _is_repeat(self, key: bytes) -> bool:
        """Whether there is a stored answer to this request, once what is being committed now is."""
        await self._store.commit(self._chronicle.unit(None, (), ()))
        return self._is_answered(await sql.answer_to_repeat(self._store, key))

    def _is_answered(self, row: Row | None) -> bool:
        """Whether a stored answer is one that a repeat still gets."""
        oldest = self._clock.now() - self._policy.repeat_window
        return row is not None and isinstance(row[1], int) and row[1] >= oldest

    async def _commit(
        self, plan: Plan, repeat_key: bytes | None, res: ResMm4 | None, along: Unit | None = None
    ) -> Accepted | None:
        mm = plan.mm
        answer = msgspec.json.encode(plan.refused).decode() if plan.refused else None
        if res is not None:
            plan.tasks.append(self._res_task(res, mm.id))
        if self._bodies.is_outside(plan.content):
            body = await self._bodies.put(mm.content_id, plan.content)
        else:
            body = (content_sql.insert(mm.content_id, plan.content),)
        effects = [*body, *map(sql.insert_recipient, plan.recipients)]
        if plan.boxed is not None and self.boxes is not None:
            effects += self.boxes.keep_sent(plan.boxed)
        inserted = sql.insert_mm(mm, repeat_key=repeat_key, answer=answer)
        guard: Statement | None = inserted
        if along is not None:  # who won its guard is no repeat, and what is as old as the window is none either
            oldest = Instant(self._clock.now() - self._policy.repeat_window)
            effects += (sql.forget_repeat(repeat_key or b"", oldest), inserted, *along.effects)
            guard = along.guard
        spent = self._credits.spend(mm.origin, len(plan.recipients))
        if spent is not None:
            effects.append(spent.statement)
        also = _nothing if along is None or along.after is None else along.after
        instead = _nothing if spent is None else spent.give_back
        release = await self._write_tasks(guard, effects, plan.events, plan.tasks, plan, also, instead)
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
        plan: Plan | None,
        also: Callable[[], None] = _nothing,
        instead: Callable[[], None] = _nothing,
    ) -> Callable[[], None] | None:
        """Commit; what hands the jobs over afterwards, or None when the guard was lost. A caller that is cancelled
        meanwhile (its neighbour hung up) will never call it: then the jobs are handed over with the commit."""
        now, real_now = self._clock.moment()
        lease_until = real_now + self._policy.lease
        seated: list[TaskRow] = []
        waiting: list[Instant] = []
        rows = list(effects)
        for task in tasks:
            self._lanes.get(task.lane)  # the scheduler looks after every lane that has work, now or later
            if task.due_at <= now and self._lanes.take_seat(task.lane, real_now):
                seated.append(task)
                rows.append(task_sql.insert(task, self._holder, lease_until + self._lanes.ahead))
            else:
                waiting.append(task.due_at)
                rows.append(task_sql.insert(task))
        handed_over = [self._job(task, plan) for task in seated]
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
            also()
            if abandoned or guard is None:
                release()

        def otherwise() -> None:
            self._leave(seated)
            instead()

        unit = self._chronicle.unit(guard, rows, events, then, otherwise, 0 if plan is None else len(plan.content.body))
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
        self, submission: Submission, repeat_key: bytes, plan: Plan, res: ResMm4 | None
    ) -> Accepted | None:
        oldest = Instant(self._clock.now() - self._policy.repeat_window)
        if submission.repeats_by_recipient:
            served = await self._serve_the_rest(submission, repeat_key, oldest, res)
            if isinstance(served, Accepted):
                return served
            repeat_key = served
        row = await sql.answer_to_repeat(self._store, repeat_key)
        if row is None or not self._is_answered(row):
            # from now on this request is the one that is repeated
            await self._store.commit(self._chronicle.unit(None, (sql.forget_repeat(repeat_key, oldest),), ()))
            plan.tasks = [task for task in plan.tasks if task.kind is not TaskKind.RES_MM4]
            accepted = await self._commit(plan, repeat_key, res)
            return accepted or await self._repeated(submission, repeat_key, plan, res)
        return await self._answered_again(submission, row, res)

    async def _answered_again(self, submission: Submission, row: Row, res: ResMm4 | None) -> Accepted:
        """The stored answer, once it is on record that it was asked for again."""
        mm_id, _, details, answer = row
        assert isinstance(mm_id, int)
        assert isinstance(details, str)
        message_id = sql.message_id_of(details)
        origin = submission.origin
        note = trace.SubmissionRepeated(str(origin.interface), origin.neighbour, message_id)
        event = self._chronicle.event(note, mm_id=mm_id)
        tasks = [] if res is None else [self._res_task(res, MmId(mm_id))]
        await self._write_tasks(None, (), (event,), tasks, None)
        refused = msgspec.json.decode(answer, type=tuple[RefusedRecipient, ...]) if isinstance(answer, str) else ()
        return Accepted(MmId(mm_id), message_id, refused, repeat=True)

    async def _serve_the_rest(
        self, submission: Submission, repeat_key: bytes, oldest: Instant, res: ResMm4 | None
    ) -> Accepted | bytes:
        """Serve who is new in a repeat; when nobody is, the key of the request that it repeats."""
        while True:
            rest = await rest_of(self._store, self._numbers, submission, repeat_key, oldest)
            plan = None if rest.submission is None else self._planner.plan(rest.submission)
            if rest.submission is None or plan is None or isinstance(plan, Refused):
                return rest.answered
            forget = tuple(sql.forget_repeat(key, oldest) for key in rest.expired)
            if forget:
                await self._store.commit(self._chronicle.unit(None, forget, ()))
            accepted = await self._commit(plan, rest.submission.repeat_key, res)
            if accepted is not None:
                return accepted

    async def _refuse(self, submission: Submission, refused: Refused) -> Refused:
        await self.note_refused(submission.origin, refused, run=submission.details.get(RUN, ""))
        return refused

    async def note_refused(self, origin: Origin, refused: Refused, *, times: int = 1, run: str = "") -> None:
        """Record what a gateway refused itself, `times` together, with its run tag; a store that is away records
        nothing."""
        note = trace.SubmissionRefused(
            str(origin.interface), origin.neighbour, str(refused.reason), refused.because, refused.address, times, run
        )
        with suppress(StoreBusy, StoreUnavailable):  # a refusal needs no record to be true
            await self._store.commit(self._chronicle.note(note))

    def _res_task(self, res: ResMm4, mm_id: MmId | None) -> TaskRow:
        return res_task(self._ids, self._clock.now(), res, mm_id)

    @staticmethod
    def _job(task: TaskRow, plan: Plan | None) -> Job:
        recipients: tuple[Recipient, ...] = ()
        if plan is not None and task.recipient_id is not None:
            recipients = tuple([one for one in plan.recipients if one.id == task.recipient_id])
        elif plan is not None and task.kind is not TaskKind.RES_MM4:
            recipients = on_lane(task.lane, plan.recipients)
        mm = None if plan is None else plan.mm
        return Job(
            task.id, task.kind, task.lane, task.attempt, task.due_at, mm, recipients, task.payload, task.priority
        )
