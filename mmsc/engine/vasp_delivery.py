"""Takes MMs to VASPs (MM7_deliver, TS 23.140 8.7.2): one DeliverReq for all of an MM's recipients at one VASP.

One and not one for each: a VASP with two short codes gets one MM, with one LinkedID that it may answer and one
ServiceCode that it charges by. Each recipient ends in a unit of its own; who ended is not asked about again, so a crash
between two of them costs the VASP a repeat with the same TransactionID.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from mmsc.domain.message import Job, Mm, Recipient, on_lane
from mmsc.domain.states import FINAL, Happening, RecipientState
from mmsc.engine.delivery import Desk
from mmsc.engine.ports import Delivered, Failed, Later, Mixed, Retry
from mmsc.engine.transitions import Circumstances
from mmsc.store import messages as sql
from mmsc.store import tasks as task_sql
from mmsc.store.tasks import ASKED_TO_WAIT, AWAITED
from mmsc.trace import events as trace

_BEGUN: Final = Circumstances(because="the delivery time came")
_FOR_EVER: Final = 1 << 62  # attempts end with the MM


class VaspWork:
    """DELIVER_MM7 tasks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def run(self, job: Job) -> None:
        """One attempt, or the end of those whose MM has expired."""
        desk = self._desk
        mm, recipients = await self._as_they_stand(job)
        job = _without_wait(job)._replace(mm=mm)
        open_ones = [one for one in recipients if one.state not in FINAL]
        if open_ones and desk.clock.now() >= mm.expires_at:
            await self._too_late(job, mm, open_ones)
            open_ones = []
        if not open_ones:
            await desk.finish(job, [])
        elif AWAITED in job.payload:
            await desk.put_back(job, mm.expires_at, [])
        else:
            await self._deliver(job._replace(recipients=tuple(recipients)), mm, open_ones)

    async def _too_late(self, job: Job, mm: Mm, recipients: Sequence[Recipient]) -> None:
        happening, because = Happening.EXPIRED, "the VASP did not take it in time"
        if AWAITED in job.payload:
            happening, because = Happening.PEER_INDETERMINATE, "the VASP took it, and never said what became of it"
        await self._end(mm, recipients, happening, Circumstances(because=because, text=because, at=mm.expires_at))

    async def _as_they_stand(self, job: Job) -> tuple[Mm, list[Recipient]]:
        """The MM, which may have been replaced, and its recipients at the VASP; those whose delivery time came count
        as accepted."""
        await self._desk.may_be_old(job)  # what is read now is not
        mm, recipients = await sql.with_recipients(self._desk.store, job.stored_mm.id) or (job.stored_mm, ())
        begun: list[Recipient] = []
        for one in on_lane(job.lane, recipients):
            due = one.state is RecipientState.SCHEDULED
            if due and await self._desk.transitions.apply(mm, one, Happening.DUE, _BEGUN):
                begun.append(one._replace(state=RecipientState.ACCEPTED))
            else:
                begun.append(one)
        return mm, begun

    async def _deliver(self, job: Job, mm: Mm, open_ones: Sequence[Recipient]) -> None:
        outcome = await self._desk.call(job)
        match outcome:
            case Delivered(answer_expected=True):  # EAIF: it says later what became of it
                await self._await_answer(job, mm, outcome)
                return
            case Delivered():
                how = Circumstances(because=f"the VASP took it: {outcome.note}", source="mm7", also=_told(job, outcome))
                await self._end(mm, open_ones, Happening.RETRIEVED, how)
            case Failed():
                because = outcome.because
                how = Circumstances(because=because, text=because, source="mm7", also=_told(job, outcome))
                await self._end(mm, open_ones, outcome.happening, how)
            case Later() | Retry():
                await self._again(job, mm, outcome)
                return
            case Mixed():
                await self._again(job, mm, Retry("a DeliverReq has one answer"))
                return
        if not await self._desk.finish(job, []):
            await self._desk.overtaken(job, "delivered")

    async def _end(self, mm: Mm, recipients: Sequence[Recipient], happening: Happening, how: Circumstances) -> None:
        for one in recipients:
            await self._desk.insist(self._desk.transitions.apply, mm, one, happening, how)

    async def _await_answer(self, job: Job, mm: Mm, outcome: Delivered) -> None:
        """Nothing more is sent until its word comes (`application_news.py`), or the MM expires."""
        desk = self._desk
        waits = trace.AttemptPostponed(str(job.kind), job.lane, outcome.note, mm.expires_at)
        if not await desk.put_back(job, mm.expires_at, [waits], payload={**job.payload, AWAITED: "1"}):
            await desk.overtaken(job, outcome.note)
        _, as_they_stand = await desk.insist(self._as_they_stand, job)  # anew from here would send it twice
        if all(one.state in FINAL for one in as_they_stand):  # its word was faster than its own 202
            await desk.write(desk.chronicle.unit(None, (task_sql.drop_answered(mm.id, job.lane),), ()))

    async def _again(self, job: Job, mm: Mm, outcome: Later | Retry) -> None:
        """Until the MM expires, with the waits of reports."""
        if isinstance(outcome, Later):
            job = job._replace(payload={**job.payload, ASKED_TO_WAIT: "1"})
        attempts = replace(self._desk.policy.report_retry, lifetime=_FOR_EVER)
        await self._desk.again(job, outcome, attempts, mm.submitted_at, mm.expires_at)


def _without_wait(job: Job) -> Job:
    """It has waited; couriers need not know."""
    return job._replace(payload={key: value for key, value in job.payload.items() if key != ASKED_TO_WAIT})


def _told(job: Job, outcome: Delivered | Failed) -> tuple[trace.Data, ...]:
    """What the VASP answered; nothing when it was asked nothing."""
    if outcome.nothing_sent:
        return ()
    taken = isinstance(outcome, Delivered)
    return (
        trace.DeliverAnswered(
            job.lane.removeprefix("vasp:"),
            job.attempt + 1,
            taken,
            outcome.status,
            outcome.note if isinstance(outcome, Delivered) else outcome.because,
            outcome.service_code if isinstance(outcome, Delivered) else "",
            job.payload["linked_id"],
            job.payload["transaction_id"],
        ),
    )
