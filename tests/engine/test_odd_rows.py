"""Rows of tasks that nobody here wrote, and bugs of our own: they stop no other task, and not the server."""

import asyncio

import pytest

from mmsc.domain.message import TaskId, TaskKind
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
    for attempt, seconds in ((1, 60), (2, 120), (3, 240)):
        told = (await bench.until(trace.AttemptFailed, attempt))[-1]
        assert isinstance(told, trace.AttemptFailed)
        assert (told.task, told.attempt) == ("notify", attempt)
        assert told.because.startswith("internal error: ")
        assert round((told.next_at - bench.clock.now()) / 1e6) == seconds
        bench.clock.advance(seconds + 1)
    assert "task 1 (notify) failed" in caplog.text


async def test_a_task_of_a_kind_that_is_not_known_keeps_its_lease(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    unknown = Statement("UPDATE task SET kind = $1 WHERE id = $2", ("dance", 1))
    await bench.store.commit(Unit(None, (odd(bench, 1, TaskKind.NOTIFY), unknown)))
    await goes_on(bench)
    await until_logged(bench, caplog, "task 1 (dance) cannot be read")
    assert ("dance", "smsc:local", "leased") in [row[:3] for row in await bench.tasks()]


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
