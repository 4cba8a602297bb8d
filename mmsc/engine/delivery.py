"""Carries tasks out: asks the pure rules for the next step, hands the job to its courier, writes what came of it.

Each outcome is one unit whose guard is the lease: who no longer holds the task only records what it saw.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import field
from typing import Any, Final, ParamSpec, TypeVar

from mmsc.clock import Clock, Moment
from mmsc.domain.instant import HOUR, Instant, later
from mmsc.domain.message import Job, Recipient, TaskKind, on_lane
from mmsc.domain.notification import NotificationPolicy
from mmsc.domain.retry import GiveUp, RetryPolicy, next_attempt
from mmsc.engine.bugs import pause_after
from mmsc.engine.calls import Calls
from mmsc.engine.chronicle import Chronicle
from mmsc.engine.gets import Gets
from mmsc.engine.lanes import Lane, Lanes
from mmsc.engine.pause import real_pause
from mmsc.engine.ports import Courier, Failed, Later, Outcome, Retry
from mmsc.engine.recent import Recent
from mmsc.engine.transitions import Transitions
from mmsc.store import messages as sql
from mmsc.store import tasks as task_sql
from mmsc.store.core import Lost, Statement, Store, StoreBusy, StoreUnavailable, Unit
from mmsc.store.tasks import Holder, TaskRow
from mmsc.trace import events as trace
from protocols.records import record

_log = logging.getLogger(__name__)
_PATIENCE_WITH_STORE_SECONDS: Final = 1.0


@record(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """Back-off per kind of work, and the waits of MM4 (seconds, µs)."""

    notification: NotificationPolicy = field(default_factory=NotificationPolicy)
    push_retry: RetryPolicy = field(default_factory=RetryPolicy)
    forward_retry: RetryPolicy = field(default_factory=RetryPolicy)
    report_retry: RetryPolicy = field(default_factory=lambda: RetryPolicy(lifetime=72 * HOUR))
    resend_after: tuple[float, ...] = (60, 300, 1800)  # no MM4 RES: the same request again
    report_grace: int = 24 * HOUR  # relayed and silent: indeterminate this long after expiry


class LaneStopped(Exception):
    """An operator stopped the lane after the job was begun: nothing leaves any more, what is stored says where to go
    on."""


Runner = Callable[[Job], Coroutine[Any, Any, None]]
T = TypeVar("T")
P = ParamSpec("P")


class Desk:
    """What every kind of work shares: couriers, the lease's guards, and what to do about each outcome."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        lanes: Lanes,
        recent: Recent,
        chronicle: Chronicle,
        holder: Holder,
        transitions: Transitions,
        couriers: Mapping[TaskKind, Courier],
        policy: DeliveryPolicy,
        planned: Callable[[Instant], None],
    ) -> None:
        self.store = store
        self.clock = clock
        self.lanes = lanes
        self.recent = recent
        self.chronicle = chronicle
        self.holder = holder
        self.transitions = transitions
        self.couriers = couriers
        self.policy = policy
        self.planned = planned
        self.calls = Calls()
        self.gets = Gets()

    async def may_be_old(self, job: Job) -> bool:
        """Whether the recipients of a job may have been cancelled, or given other content, since it was read; waits for
        who decides about that. A shared store claims beside its commits: then neither saw the other."""
        return self.store.shared and await self.gets.settled(job.recipients)

    async def call(self, job: Job) -> Outcome:
        """Ask the courier. One that raises is our bug: logged, recorded and tried again later. Raises `LaneStopped`."""
        lane = self.lanes.get(job.lane)
        if lane.stopped:
            raise LaneStopped(job.lane)
        courier = self.couriers.get(job.kind)
        if courier is None:
            return Failed(f"nothing here carries out {job.kind}")
        began = self.clock.real_now()
        try:
            outcome = await courier.deliver(job)
        except (StoreBusy, StoreUnavailable) as error:
            return Retry(str(error))  # a body cannot be read now
        except Exception as error:
            _log.exception("courier for %s failed", str(job.kind), extra=_about(job))
            return Retry(f"internal error: {type(error).__name__}: {error}")
        ended = self.clock.real_now()
        self.calls.note(job.lane, outcome, ended - began)
        lane.seen.note(outcome, ended, ended - began)
        if isinstance(outcome, Retry) and outcome.neighbour_down:
            await self.pause(lane, outcome.because)
        elif not isinstance(outcome, Retry) and self.lanes.resume(lane):
            await self.resumed(lane)
        return outcome

    async def pause(self, lane: Lane, because: str) -> None:
        """The neighbour is down."""
        seconds = self.lanes.pause(lane, because)
        if seconds:
            await self.write(self.chronicle.note(trace.LanePaused(lane.name, because, seconds)))

    async def resumed(self, lane: Lane) -> None:
        """The neighbour is back: what waits for another attempt is due at once."""
        event = self.chronicle.event(trace.LaneResumed(lane.name))
        now = self.clock.now()
        await self.write(
            self.chronicle.unit(None, (task_sql.resume_lane(lane.name, now),), (event,), lambda: self.planned(now))
        )

    async def write(self, unit: Unit) -> bool:
        """Commit, however long the store is away; False when the guard was lost."""
        return not isinstance(await self.insist(self.store.commit, unit), Lost)

    async def insist(self, work: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what must follow from what a neighbour was sent, however long the store is away: to begin anew with the
        job would send it twice."""
        while True:
            try:
                return await work(*args, **kwargs)
            except (StoreBusy, StoreUnavailable):
                await real_pause(_PATIENCE_WITH_STORE_SECONDS)

    def event(
        self, job: Job, data: trace.Data, recipient: Recipient | None = None, moment: Moment | None = None
    ) -> trace.Event:
        """An event about a job."""
        mm_id = None if job.mm is None else job.mm.id
        one = recipient or (job.recipients[0] if len(job.recipients) == 1 else None)
        recipient_id = one.id if one else None
        return self.chronicle.event(data, mm_id=mm_id, recipient_id=recipient_id, task_id=job.task_id, moment=moment)

    async def finish(self, job: Job, data: Sequence[trace.Data], effects: Sequence[Statement] = ()) -> bool:
        """The task is done."""
        guard = task_sql.finish(job.task_id, job.attempt, self.holder)
        return await self.write(self.chronicle.unit(guard, effects, [self.event(job, one) for one in data]))

    async def put_back(
        self,
        job: Job,
        due_at: Instant,
        data: Sequence[trace.Data],
        *,
        effects: Sequence[Statement] = (),
        events: Sequence[trace.Event] = (),
        failed: bool = False,
        kind: TaskKind | None = None,
        payload: Mapping[str, str] | None = None,
        then: Callable[[], None] | None = None,
        moment: Moment | None = None,
    ) -> bool:
        """The task waits until `due_at`. `failed` counts the attempt; it is told as of `moment`, which is now."""
        guard = task_sql.put_back(
            job.task_id,
            job.attempt,
            self.holder,
            due_at=due_at,
            next_attempt=job.attempt + (1 if failed else 0),
            kind=kind or job.kind,
            payload=job.payload if payload is None else payload,
        )

        def after() -> None:
            self.lanes.put_down(job)
            if then is not None:
                then()
            self.planned(due_at)

        now = moment or self.clock.moment()
        all_events = [*[self.event(job, one, moment=now) for one in data], *events]
        return await self.write(self.chronicle.unit(guard, effects, all_events, after))

    async def overtaken(self, job: Job, outcome: str) -> None:
        """The outcome came too late to matter; it is recorded, and what is remembered of the recipients is old."""
        for one in job.recipients:
            self.recent.forget(one.id)
        event = self.event(job, trace.TaskOvertaken(str(job.kind), job.lane, outcome))
        await self.write(self.chronicle.unit(None, (), (event,)))

    async def again(self, job: Job, outcome: Later | Retry, policy: RetryPolicy, born: Instant, end: Instant) -> str:
        """Plan the next attempt, no later than `end`; the reason when there is none ("" when there is)."""
        now = self.clock.now()
        kind = str(job.kind)
        if isinstance(outcome, Later):
            due_at = later(now, outcome.seconds)
            due_at = min(due_at, end) if end > now else due_at
            await self.put_back(job, due_at, [trace.AttemptPostponed(kind, job.lane, outcome.because, due_at)])
            return ""
        if outcome.neighbour_down and not outcome.wait_seconds:
            await self.put_back(job, now, [trace.AttemptPostponed(kind, job.lane, outcome.because, now)])
            return ""
        attempt = job.attempt + 1
        at = next_attempt(policy, attempt, born, now)
        if isinstance(at, GiveUp):
            return f"{outcome.because}; {at.because}"
        at = max(at, later(now, outcome.wait_seconds))
        at = min(at, end) if end > now else at
        failed = trace.AttemptFailed(kind, job.lane, attempt, outcome.because, at)
        await self.put_back(job, at, [failed], failed=True)
        return ""


class Delivery:
    """The lanes' workers."""

    def __init__(self, desk: Desk, runners: Mapping[TaskKind, Runner], spawn: Callable[..., object]) -> None:
        self._desk = desk
        self._runners = runners
        self._spawn = spawn

    def start(self, lane: Lane) -> None:
        """Give a lane as many workers as its limits say. Those that are too many end when they have done what waits."""
        wanted = lane.limits.concurrency
        for number in range(lane.workers, wanted):
            self._spawn(self._work(lane), name=f"{lane.name}#{number}")
        for _ in range(wanted, lane.workers):
            lane.dismiss()
        lane.workers = wanted

    async def _work(self, lane: Lane) -> None:
        lanes, myself = self._desk.lanes, asyncio.current_task()
        assert myself is not None, "workers are tasks"
        # A library under a courier may turn the cancellation into an error of its own: then the loop ends here.
        while not myself.cancelling():
            job = await lane.get()
            if job is None:
                return
            if not lanes.begin():
                continue
            try:
                if lane.stopped or lanes.is_sure() or await lanes.may_begin(job):
                    lane.in_flight += 1
                    await self._run(job)
                    lane.in_flight -= 1
            finally:
                lanes.end()
                lanes.put_down(job)
                lanes.leave(lane)

    async def _run(self, job: Job) -> None:
        """Carry a job out. An error is a bug of ours, or a row that nobody here wrote: it stops no other task, and not
        the server at each start."""
        errors = 0
        try:
            if task_sql.ERRORS in job.payload:  # who carries it out need not know
                payload = dict(job.payload)
                errors = int(payload.pop(task_sql.ERRORS))
                job = job._replace(payload=payload)
            await self._carry_out(job)
        except Exception as error:
            _log.exception("task %d (%s) failed", job.task_id, str(job.kind), extra=_about(job))
            try:
                await self._set_aside(job, errors + 1, f"internal error: {type(error).__name__}: {error}")
            except Exception:
                _log.exception("task %d is looked at again when its lease ends", job.task_id, extra=_about(job))

    async def _carry_out(self, job: Job) -> None:
        """However long the store is away: what is stored by then says where to go on."""
        if self._desk.lanes.get(job.lane).stopped:
            return await self._hand_back(job)
        while True:
            try:
                return await self._runners[job.kind](job)
            except (StoreBusy, StoreUnavailable):
                await real_pause(_PATIENCE_WITH_STORE_SECONDS)
            except LaneStopped:
                return await self._hand_back(job)

    async def _set_aside(self, job: Job, errors: int, because: str) -> None:
        """Tell it, and try again later, though not later than what the MM has to end with."""
        desk, now = self._desk, self._desk.clock.now()
        for one in job.recipients:
            desk.recent.forget(one.id)
        seconds = pause_after(errors, job.kind)
        if seconds is None:
            given_up = trace.TaskGivenUp(str(job.kind), job.lane, job.attempt + 1, because, refused=False)
            await desk.finish(job, [given_up])
            return
        at = later(now, seconds)
        if job.mm is not None and now < job.mm.expires_at:
            at = min(at, job.mm.expires_at)
        told = trace.AttemptFailed(str(job.kind), job.lane, job.attempt + 1, because, at)
        await desk.put_back(job, at, [told], failed=True, payload={**job.payload, task_sql.ERRORS: str(errors)})

    async def _hand_back(self, job: Job) -> None:
        """Its lane is stopped: it waits in the store, where it can be cancelled, and is in nobody's hands."""
        await self._desk.put_back(job, job.due_at, [])

    async def load(self, row: TaskRow) -> Job | None:
        """The job of a claimed task; None when what it was about is gone (the task goes too)."""
        recipients: tuple[Recipient, ...] = ()
        mm = None
        if row.recipient_id is not None:
            if self._desk.store.shared:
                self._desk.recent.forget(row.recipient_id)  # its handset may have spoken to another node
            record = await self._desk.recent.by_id(row.recipient_id)
            if record is None:
                return None
            mm, recipients = record.mm, (record.recipient,)
        elif row.mm_id is not None:
            found = await sql.with_recipients(self._desk.store, row.mm_id)
            if found is None:
                return None
            mm, recipients = found[0], on_lane(row.lane, found[1])
        return Job(
            task_id=row.id,
            kind=row.kind,
            lane=row.lane,
            attempt=row.attempt,
            due_at=row.due_at,
            mm=mm,
            recipients=recipients,
            payload=row.payload,
            priority=row.priority,
        )


def _about(job: Job) -> dict[str, object]:
    """What a line of the log says of a job."""
    return {"mm_id": None if job.mm is None else job.mm.id, "task_id": job.task_id, "neighbour": job.lane}
