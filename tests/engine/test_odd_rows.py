"""Rows of tasks that nobody here wrote, and bugs of our own: they stop no other task, and not the server."""

import asyncio
from dataclasses import replace

import pytest

from mmsc.domain.instant import DAY, HOUR, SECOND
from mmsc.domain.message import Relative, TaskId, TaskKind
from mmsc.domain.states import Happening
from mmsc.engine.bugs import MOST, pause_after
from mmsc.engine.heartbeat import LEASE_SECONDS
from mmsc.engine.ports import Delivered, Evidence, Failed
from mmsc.engine.reporting import _behind
from mmsc.store import tasks as sql
from mmsc.store.core import Statement, Unit
from mmsc.trace import events as trace
from tests.engine.conftest import OTHER, PHONE, Bench


def odd(bench: Bench, number: int, kind: TaskKind) -> Statement:
    now = bench.clock.now()
    return sql.insert(sql.TaskRow(TaskId(number), None, None, kind, "smsc:local", now, priority=1, payload={}))


async def until_logged(bench: Bench, caplog: pytest.LogCaptureFixture, text: str) -> None:
    async with asyncio.timeout(10):
        while text not in caplog.text:
            await bench.store.fetch("SELECT 1")


async def goes_on(bench: Bench) -> None:
    """Others are served, by the same server."""
    bench.engine._timetable.wake()
    await bench.submit(OTHER)
    await bench.until(trace.NotificationPushed)
    assert not bench.running.done()


async def test_a_task_without_its_recipient_is_told_and_tried_again_later(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.store.commit(Unit(None, (odd(bench, 1, TaskKind.NOTIFY),)))
    await goes_on(bench)
    for attempt, seconds in ((1, 60), (2, 480), (3, 3840)):
        told = (await bench.until(trace.AttemptFailed, attempt))[-1]
        assert isinstance(told, trace.AttemptFailed)
        assert (told.task, told.attempt) == ("notify", attempt)
        assert told.because.startswith("internal error: ")
        assert round((told.next_at - bench.clock.now()) / 1e6) == seconds
        bench.clock.advance(seconds + 1)
    assert "task 1 (notify) failed" in caplog.text


async def test_a_report_that_fails_behind_its_delivery_is_told_a_few_times_and_then_given_up(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """The neighbour has it each time, and what follows cannot be written down: for three days, not for ever."""
    bench.hands[TaskKind.REPORT_MM7].answers = [Delivered(("r1",), note="\ud800")] * 20
    bench.hands[TaskKind.NOTIFY].answers = [Failed("SMSC does not know the number")]
    await bench.submit(PHONE)
    began = bench.clock.now()
    for number in range(1, MOST):
        told = (await bench.until(trace.AttemptFailed, number))[-1]
        assert isinstance(told, trace.AttemptFailed)
        bench.clock.advance((told.next_at - bench.clock.now()) / SECOND + 1)
    [given_up] = await bench.until(trace.TaskGivenUp)
    assert isinstance(given_up, trace.TaskGivenUp)
    assert given_up.task == "report_mm7"
    assert len(bench.hands[TaskKind.REPORT_MM7].jobs) == MOST
    assert DAY < bench.clock.now() - began < 5 * DAY
    assert [row for row in await bench.tasks() if row[0] == "report_mm7"] == []


async def test_a_notification_that_cannot_be_carried_out_is_tried_again_when_its_mm_ends(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever stood in the way may be gone by then; the recipient's state needs an end."""
    bench.hands[TaskKind.NOTIFY].answers = [Delivered(("\ud800",), receipt_expected=True)] * 4
    await bench.submit(PHONE, expires=Relative(3600))
    ends = bench.clock.now() + HOUR
    for number in (1, 2):
        told = (await bench.until(trace.AttemptFailed, number))[-1]
        assert isinstance(told, trace.AttemptFailed)
        bench.clock.advance((told.next_at - bench.clock.now()) / SECOND + 1)
    told = (await bench.until(trace.AttemptFailed, 3))[-1]
    assert isinstance(told, trace.AttemptFailed)
    assert told.next_at == ends
    bench.clock.advance((ends - bench.clock.now()) / SECOND + 1)
    await bench.until(trace.ReportDelivered)
    assert await bench.state(PHONE) == "expired"


def test_a_later_report_waits_for_one_that_cannot_be_read_without_asking_every_second() -> None:
    waits = [_behind(seconds) for seconds in (5.0, 0.0, -1.0, -100.0, -86_400.0)]
    assert waits == [6.0, 1.0, 1.0, 10.0, 60.0]


def test_pauses_grow_and_reports_are_given_up() -> None:
    assert [pause_after(errors, TaskKind.REPORT_MM7) for errors in range(1, 9)] == [
        *(60.0, 480.0, 3840.0, 30_720.0, 86_400.0, 86_400.0, 86_400.0, None),
    ]
    assert pause_after(1000, TaskKind.FORWARD) == 86_400.0, "its MM ends it"


async def test_a_neighbour_that_is_back_hastens_nothing_that_failed_by_an_error_of_ours(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.hands[TaskKind.REPORT_MM7].answers = [Delivered(("r1",), note="\ud800")]
    bench.hands[TaskKind.NOTIFY].answers = [Failed("SMSC does not know the number")]
    await bench.submit(PHONE)
    await bench.until(trace.AttemptFailed)
    await bench.engine.desk.resumed(bench.engine.desk.lanes.get("vasp:news"))
    await bench.at_rest()
    [job] = bench.hands[TaskKind.REPORT_MM7].jobs
    bench.clock.advance(61)
    await bench.until(trace.ReportDelivered)
    assert [one.payload for one in bench.hands[TaskKind.REPORT_MM7].jobs] == [job.payload] * 2


async def test_a_later_report_goes_past_one_that_failed_by_an_error_of_ours(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    vasps = bench.engine.neighbours.vasps
    vasps["news"] = replace(vasps["news"], deferred_reports=True)
    bench.hands[TaskKind.REPORT_MM7].answers = [Delivered(("r1",), note="\ud800")]
    await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    tid = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id
    evidence = Evidence(user_agent="Lab/1.0", mms_version=0x12)
    await bench.engine.retrieval.answer(tid, Happening.DEFERRED, report_allowed=True, evidence=evidence)
    await bench.until(trace.AttemptFailed)
    await bench.engine.retrieval.answer(tid, Happening.RETRIEVED, report_allowed=True, evidence=evidence)
    [told] = await bench.until(trace.ReportDelivered)
    assert isinstance(told, trace.ReportDelivered)
    assert told.state == "retrieved"


async def test_a_task_of_a_kind_that_is_not_known_keeps_its_lease(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = Statement("UPDATE task SET kind = $1 WHERE id = $2", ("dance", 1))
    await bench.store.commit(Unit(None, (odd(bench, 1, TaskKind.NOTIFY), unknown)))
    await goes_on(bench)
    await until_logged(bench, caplog, "task 1 (dance) cannot be read")
    assert ("dance", "smsc:local", "leased") in [row[:3] for row in await bench.tasks()]
    await bench.store.commit(Unit(None, (Statement("UPDATE task SET kind = $1 WHERE id = $2", ("notify", 1)),)))
    bench.clock.advance(LEASE_SECONDS + 1)
    bench.engine._timetable.wake()
    assert await bench.until(trace.AttemptFailed), "it is looked at again when its lease ended"


async def test_a_task_of_an_mm_that_cannot_be_read_keeps_its_lease(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await bench.submit(PHONE, deliver_at=bench.clock.now() + 10_000_000)
    [(recipient,)] = await bench.store.fetch("SELECT id FROM recipient")
    bench.engine.recent.forget(recipient)  # type: ignore[arg-type]
    await bench.store.commit(Unit(None, (Statement("UPDATE mm SET details = $1 WHERE id > $2", ("{", 0)),)))
    bench.clock.advance(11)
    await goes_on(bench)
    await until_logged(bench, caplog, "cannot be carried out")
    assert ("notify", "smsc:local", "leased") in [row[:3] for row in await bench.tasks()]
