"""Beginning again, while the engine works: nothing is left, nothing comes back, nobody else's goes."""

import asyncio

import pytest

from mmsc.control.resetting import NotThisStore, ResetDone
from mmsc.domain.message import Job, TaskKind
from mmsc.engine.acting import Action
from mmsc.engine.lanes import Lane
from mmsc.engine.ports import Delivered
from mmsc.store.core import Statement, Unit
from mmsc.store.postgres import PostgresStore
from mmsc.trace import events as trace
from tests.control.conftest import Desk
from tests.engine.conftest import FOREIGN, OTHER, PHONE

TABLES = ("mm", "recipient", "task", "content", "sms", "event")


async def rows(desk: Desk) -> dict[str, int]:
    """How many rows there are, by table."""
    counts = {}
    for table in TABLES:
        row = await desk.bench.store.fetch_one(f"SELECT count(*) FROM {table}")
        counts[table] = int(str(row[0])) if row else -1
    return counts


def everything(desk: Desk) -> str:
    """The name under which a shared store is emptied."""
    return desk.control.resetting.name if desk.control.resetting.shared else ""


async def free(lane: Lane) -> None:
    """Until every seat of a lane was given back."""
    async with asyncio.timeout(10):
        while lane.taken:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_nothing_is_left_and_what_comes_next_is_as_ever(desk: Desk) -> None:
    bench = desk.bench
    for to in (PHONE, OTHER, FOREIGN):
        await bench.submit(to, identifier="TransactionID 1", repeat_key=to.encode())
    await bench.until(trace.NotificationPushed, 2)
    await bench.until(trace.ForwardSent)
    await bench.at_rest()
    assert await desk.control.resetting.everything(everything(desk)) == ResetDone(3, 0)
    assert await rows(desk) == dict.fromkeys(TABLES, 0)
    assert bench.engine.recent.recipients == 0
    again = await bench.submit(PHONE, identifier="TransactionID 1", repeat_key=b"another")
    await bench.until(trace.NotificationPushed, 3)
    assert (await desk.control.acting.act(Action.EXPIRE, again.mm_id, "rest")).done == 1
    await bench.until(trace.ReportDelivered)
    assert await bench.state(PHONE) == "expired"
    kinds = {event.kind for event in bench.events if event.mm_id == again.mm_id}
    assert "finding.noted" not in kinds  # the identifier was never used


async def test_a_run_goes_alone(desk: Desk) -> None:
    bench = desk.bench
    kept = await bench.submit(PHONE, details={"run": "b"})
    plain = await bench.submit(PHONE)
    for _ in range(3):
        await bench.submit(OTHER, details={"run": "a"})
    await bench.until(trace.NotificationPushed, 5)
    await bench.at_rest()
    assert await desk.control.resetting.of_run("a") == ResetDone(3, 0)
    page = await desk.control.messages.find()
    assert [row.mm_id for row in page.rows] == [str(plain.mm_id), str(kept.mm_id)]
    assert (await rows(desk))["task"] == 2
    assert await desk.control.resetting.of_run("a") == ResetDone(0, 0)


async def test_what_is_being_carried_out_ends_by_its_guard(desk: Desk) -> None:
    bench = desk.bench
    held, seen = asyncio.Event(), asyncio.Event()

    class Slow:
        async def deliver(self, job: Job) -> Delivered:
            seen.set()
            await held.wait()
            return Delivered(("r1",))

    bench.engine.couriers[TaskKind.NOTIFY] = Slow()
    await bench.submit(PHONE)
    await seen.wait()
    assert (await desk.control.resetting.everything(everything(desk))).messages == 1
    held.set()
    await bench.until(trace.TaskOvertaken)
    left = await rows(desk)
    assert {table: count for table, count in left.items() if count and table != "event"} == {}
    await free(bench.engine.lanes.get("smsc:local"))


async def test_what_waits_in_memory_is_not_carried_out(desk: Desk) -> None:
    bench = desk.bench
    lane = bench.engine.lanes.get("smsc:local")
    held, seen = asyncio.Event(), asyncio.Event()
    begun: list[Job] = []

    class Slow:
        async def deliver(self, job: Job) -> Delivered:
            begun.append(job)
            seen.set()
            await held.wait()
            return Delivered(("r1",))

    bench.engine.couriers[TaskKind.NOTIFY] = Slow()
    number = lane.limits.concurrency + 5
    late = [await bench.submit(PHONE, answered=False) for _ in range(2)]  # their answer is not handed over yet
    for _ in range(number):
        await bench.submit(PHONE)
    await seen.wait()
    while len(begun) < lane.limits.concurrency:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await desk.control.resetting.everything(everything(desk))
    for one in late:
        one.answered()
    held.set()
    await bench.until(trace.TaskOvertaken, lane.limits.concurrency)
    await free(lane)
    assert len(begun) == lane.limits.concurrency
    assert lane.waiting == 0


async def test_a_store_that_others_share_is_emptied_only_by_its_name(desk: Desk) -> None:
    await desk.bench.submit(PHONE, details={"run": "mine"})
    resetting = desk.control.resetting
    assert resetting.shared is isinstance(desk.bench.store, PostgresStore)
    if resetting.shared:
        for name in ("", "another"):
            with pytest.raises(NotThisStore, match=resetting.name):
                await resetting.everything(name)
        assert (await rows(desk))["mm"] == 1
    assert (await resetting.of_run("mine")).messages == 1
    assert (await resetting.everything(everything(desk))).messages == 0


async def test_many_go_in_pieces(desk: Desk) -> None:
    desk.bench.engine.hold(held=True)
    for _ in range(250):
        await desk.bench.submit(PHONE, FOREIGN)
    assert (await desk.control.resetting.everything(everything(desk))).messages == 250
    assert await rows(desk) == dict.fromkeys(TABLES, 0)


async def test_what_is_kept_in_boxes_goes_with_everything(desk: Desk) -> None:
    store = desk.bench.store
    accepted = await desk.bench.submit(PHONE)
    await desk.bench.until(trace.NotificationPushed)
    await desk.bench.at_rest()

    insert = (
        "INSERT INTO mmbox (id, owner, number, size, state, token, source, content_id, stored_at, flags, told)"
        " VALUES ($1, $2, 1, 5, 'new', 't', 's', $3, 1, '[]', '{}')"
    )
    shown = "UPDATE content SET boxes = 1 WHERE id = $1"
    rows_ = await store.fetch("SELECT content_id FROM mm WHERE id = $1", accepted.mm_id)
    content_id = rows_[0][0]
    await store.commit(Unit(None, (Statement(insert, (7, PHONE, content_id)), Statement(shown, (content_id,)))))
    assert await desk.control.resetting.everything(everything(desk)) == ResetDone(1, 1)
    assert await rows(desk) == dict.fromkeys(TABLES, 0)
