"""Claims: what runs out while it is in hand is carried out once (semantics 1: one final report), and what is due in a
lane that nobody knew is carried out at once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from mmsc.domain.message import Job, MmId, RecipientId, Relative, TaskId, TaskKind
from mmsc.domain.states import Happening
from mmsc.engine.ports import Delivered, Outcome
from mmsc.engine.transitions import Circumstances
from mmsc.store import tasks as task_sql
from mmsc.store.core import Row, Unit
from mmsc.store.tasks import TaskRow
from mmsc.trace import events as trace
from tests.engine.conftest import PHONE, Bench


async def test_a_report_that_ends_while_its_lease_is_claimed_anew_is_told_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim was written before the report's end, and its answer is read behind it."""
    claimed, may_end, told = asyncio.Event(), asyncio.Event(), []
    await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    await bench.at_rest()
    claim = bench.store.claim

    async def slow(lanes: Sequence[tuple[str, int]], **how: Any) -> list[Row]:
        rows = await claim(lanes, **how)
        if any(row[3] == str(TaskKind.REPORT_MM7) for row in rows) and not claimed.is_set():
            claimed.set()
            while bench.engine.lanes.in_hands:
                await bench.store.commit(Unit(None, ()))
        return rows

    class Slow:
        async def deliver(self, job: Job) -> Outcome:
            told.append(job.task_id)
            await may_end.wait()
            return Delivered(("r1",))

    monkeypatch.setattr(bench.store, "claim", slow)
    bench.engine.couriers[TaskKind.REPORT_MM7] = Slow()
    recipient = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0]
    record = await bench.engine.recent.by_id(recipient.id)
    assert record is not None
    await bench.engine.transitions.apply(record.mm, record.recipient, Happening.RETRIEVED, Circumstances())
    bench.clock.advance(61)
    await claimed.wait()
    may_end.set()
    await bench.until(trace.ReportDelivered)
    async with asyncio.timeout(10):
        while bench.engine.lanes.get("vasp:news").taken:
            await bench.store.commit(Unit(None, ()))
    assert len(told) == 1


async def test_what_is_planned_in_a_lane_that_nobody_knew_is_claimed_at_once(bench: Bench) -> None:
    await bench.submit(PHONE, deliver_at=Relative(3600))
    for _ in range(20):  # the scheduler has gone to sleep
        await bench.store.commit(Unit(None, ()))
    row = await bench.store.fetch_one("SELECT mm_id, id FROM recipient")
    assert row is not None
    mm_id, recipient_id, now = MmId(int(str(row[0]))), RecipientId(int(str(row[1]))), bench.clock.now()
    payload = {"state": "relayed", "date": str(now), "born": str(now), "transaction_id": "t"}
    report = TaskRow(TaskId(7), mm_id, recipient_id, TaskKind.REPORT_MM7, "vasp:new", now, 1, payload)
    await bench.store.commit(Unit(None, (task_sql.insert(report),)))
    bench.engine._timetable.planned(now)
    await bench.until(trace.ReportDelivered)
    assert [job.lane for job in bench.hands[TaskKind.REPORT_MM7].jobs] == ["vasp:new"]
