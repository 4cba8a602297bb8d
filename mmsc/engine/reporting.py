"""Carries reports and RES out, each in the lane of whom it is for."""

from typing import Final

from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import Job, TaskKind
from mmsc.engine.delivery import Desk
from mmsc.engine.ports import Delivered, Failed, Later, Mixed, Retry
from mmsc.store import tasks as task_sql
from mmsc.trace import events as trace

_LONGEST_BEHIND_SECONDS: Final = 60.0
_FAR: Final = Instant(1 << 62)
_READ: Final = (TaskKind.READ_MM7, TaskKind.READ_MM1)


class ReportWork:
    """Reports and RES: tell it, tell it again, or give up visibly."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def run(self, job: Job) -> None:
        """One attempt."""
        desk = self._desk
        if task_sql.ASKED_TO_WAIT in job.payload:  # it has waited; couriers need not know
            payload = {key: value for key, value in job.payload.items() if key != task_sql.ASKED_TO_WAIT}
            job = job._replace(payload=payload)
        earlier = None
        if job.payload.get("in_order"):
            earlier = await task_sql.earlier_report(desk.store, job.recipients[0].id, job.task_id)
        if earlier is not None:
            seconds = _behind((earlier - desk.clock.now()) / SECOND)
            wait = Later(seconds, "an earlier report about this recipient waits")
            await desk.again(job, wait, desk.policy.report_retry, job.due_at, _FAR)
            return
        outcome = await desk.call(job)
        state = job.payload.get("state", "")
        match outcome:
            case Delivered():
                note = outcome.note or ", ".join(outcome.remote_ids)
                told: trace.Data = trace.ReportDelivered(job.lane, state, job.attempt + 1, note, outcome.nothing_sent)
                if job.kind in _READ:
                    read, at = job.payload["read"] == "1", int(job.payload["date"])
                    told = trace.ReadReported(job.lane, read, job.attempt + 1, note, at)
                if not await desk.finish(job, [told]):
                    await desk.overtaken(job, "delivered")
            case Later() | Retry():
                why = await self._again(job, outcome)
                if why:
                    await self._give_up(job, why)
            case Failed():
                await self._give_up(job, outcome.because, refused=outcome.refused)
            case Mixed():
                await self._give_up(job, "a report has one recipient")

    async def _again(self, job: Job, outcome: Later | Retry) -> str:
        """Plan the next attempt within the report's lifetime, whatever the neighbour says; why not otherwise."""
        policy = self._desk.policy.report_retry
        born = Instant(int(job.payload.get("born", job.due_at)))
        end = Instant(born + policy.lifetime)
        if self._desk.clock.now() >= end:
            return f"{outcome.because}; {policy.lifetime // SECOND} s are over"
        if isinstance(outcome, Later):
            job = job._replace(payload={**job.payload, task_sql.ASKED_TO_WAIT: "1"})
        return await self._desk.again(job, outcome, policy, born, end)

    async def _give_up(self, job: Job, because: str, *, refused: bool = False) -> None:
        await self._desk.finish(job, [trace.TaskGivenUp(str(job.kind), job.lane, job.attempt + 1, because, refused)])


def _behind(seconds: float) -> float:
    """How long to wait for an earlier report that is due in so many seconds, and has the first turn then. One that
    should have left long ago is not asked about every second."""
    return seconds + 1.0 if seconds >= 0 else min(max(1.0, -seconds / 10), _LONGEST_BEHIND_SECONDS)
