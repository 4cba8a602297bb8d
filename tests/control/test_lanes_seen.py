"""Lanes as people see them, and what an operator can do to one."""

import asyncio

import pytest

from mmsc.control.lanes import SAMPLE_SECONDS, Act, Acting, LaneSeen, LaneState, words
from mmsc.domain.message import RecipientId, TaskKind
from mmsc.engine.acting import Action
from mmsc.engine.ports import Delivered, Failed, Later, Mixed, Retry
from mmsc.engine.recent import Record
from mmsc.store.core import StoreUnavailable, Unit
from mmsc.trace import events as trace
from tests.control.conftest import Desk
from tests.engine.conftest import FOREIGN, OTHER, PHONE


async def seen(desk: Desk, name: str) -> LaneSeen:
    desk.bench.engine.backlog._asked_at = 0  # it remembers for seconds
    found = await desk.control.lanes.one(name)
    assert found is not None
    return found


async def lane_of(desk: Desk) -> str:
    """The lane that a first MM took."""
    await desk.bench.submit(PHONE)
    await desk.bench.until(trace.NotificationPushed)
    await desk.bench.at_rest()
    return next(lane.name for lane in desk.bench.engine.lanes if lane.name.startswith("smsc:"))


async def test_a_lane_that_moved_says_what_it_was_answered(desk: Desk) -> None:
    assert await desk.control.lanes.listed() == []
    name = await lane_of(desk)
    one = await seen(desk, name)
    assert (one.kind, one.target, one.state) == ("SMSC", name.partition(":")[2], LaneState.IDLE)
    assert one.last is not None
    assert (one.last.words, one.last.good) == ("taken", True)
    assert "due in" in one.why  # the notification again
    for _ in range(SAMPLE_SECONDS):
        desk.control.lanes.tick()
    one = await seen(desk, name)
    assert (sum(one.done), sum(one.failed)) == (1, 0)
    assert [lane.name for lane in await desk.control.lanes.listed()] == [name]


async def test_a_neighbour_that_is_down_is_told_with_what_it_said(desk: Desk) -> None:
    desk.bench.hands[TaskKind.NOTIFY].answers = [Retry("connection refused", neighbour_down=True)] * 100
    await desk.bench.submit(PHONE)
    await desk.bench.until(trace.LanePaused)
    name = next(lane.name for lane in desk.bench.engine.lanes)
    one = await seen(desk, name)
    assert one.state in (LaneState.BACK_OFF, LaneState.PROBING)
    assert "connection refused" in one.why
    assert Act.DROP_BACK_OFF in one.acts
    assert await desk.control.lanes.act(name, Act.DROP_BACK_OFF, "console") is Acting.DONE
    acted = (await desk.bench.until(trace.LaneActed))[-1]
    assert acted == trace.LaneActed(name, "drop_back_off", "console")


async def test_a_lane_that_is_stopped_begins_nothing_until_it_is_let_go(desk: Desk) -> None:
    name = await lane_of(desk)
    assert await desk.control.lanes.act(name, Act.STOP, "rest") is Acting.DONE
    await desk.bench.submit(OTHER)
    one = await seen(desk, name)
    assert one.state is LaneState.STOPPED
    assert one.why == "Stopped by an operator. 1 task waits."
    assert one.acts == (Act.RETRY, Act.GO)
    assert len(desk.bench.hands[TaskKind.NOTIFY].jobs) == 1
    assert await desk.control.lanes.act(name, Act.GO, "rest") is Acting.DONE
    await desk.bench.until(trace.NotificationPushed, 2)
    assert (await seen(desk, name)).state is not LaneState.STOPPED


async def test_what_waited_in_memory_when_the_lane_was_stopped_waits_in_the_store(desk: Desk) -> None:
    """There it can be cancelled: it is in nobody's hands."""
    bench = desk.bench
    await bench.submit(FOREIGN)
    await bench.until(trace.ForwardSent)
    lane = bench.engine.lanes.get("peer:other")
    accepted = await bench.submit("+16660100124")  # it took a seat at once
    lane.stopped = True
    async with asyncio.timeout(10):
        while lane.taken:
            await bench.store.commit(Unit(None, ()))
    assert (lane.waiting, lane.taken, len(bench.hands[TaskKind.FORWARD].jobs)) == (0, 0, 1)
    assert (await desk.control.acting.act(Action.CANCEL, accepted.mm_id, "rest")).done == 1


async def test_nothing_leaves_once_a_stop_is_answered(desk: Desk) -> None:
    """Neither what is being sent then, for that is waited for, nor what a worker has in its hands and has not sent."""
    bench = desk.bench
    name = await lane_of(desk)
    held, entered = asyncio.Event(), asyncio.Event()
    by_id = bench.engine.recent.by_id

    async def slow(recipient_id: RecipientId) -> Record | None:
        entered.set()
        await held.wait()
        return await by_id(recipient_id)

    bench.engine.recent.by_id = slow  # type: ignore[method-assign]
    await bench.submit(OTHER)
    await entered.wait()
    stopping = asyncio.create_task(desk.control.lanes.act(name, Act.STOP, "rest"))
    await bench.until(trace.LaneActed)
    assert not stopping.done()
    held.set()
    assert await stopping is Acting.DONE
    assert len(bench.hands[TaskKind.NOTIFY].jobs) == 1
    assert (await seen(desk, name)).in_flight == 0
    assert await desk.control.lanes.act(name, Act.GO, "rest") is Acting.DONE
    await bench.until(trace.NotificationPushed, 2)


async def test_what_waits_for_another_attempt_is_due_when_somebody_says_so(desk: Desk) -> None:
    desk.bench.hands[TaskKind.NOTIFY].answers = [Retry("ESME_RSYSERR")]
    await desk.bench.submit(PHONE)
    await desk.bench.until(trace.AttemptFailed)
    await desk.bench.at_rest()
    name = next(lane.name for lane in desk.bench.engine.lanes)
    queue = await desk.control.lanes.queue(name)
    assert queue is not None
    assert [(one.kind, one.recipient, one.attempt, one.in_hands) for one in queue] == [("notify", PHONE, 1, False)]
    assert queue[0].due_at > desk.bench.clock.now()
    assert await desk.control.lanes.act(name, Act.RETRY, "console") is Acting.DONE
    await desk.bench.until(trace.NotificationPushed)


async def test_a_lane_that_is_none_and_a_store_that_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    name = await lane_of(desk)
    assert await desk.control.lanes.one("smsc:none") is None
    assert await desk.control.lanes.act("smsc:none", Act.STOP, "rest") is Acting.NO_SUCH_LANE

    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    await desk.bench.at_rest()
    with monkeypatch.context() as patched:
        patched.setattr(desk.bench.store, "commit", away)
        patched.setattr(desk.bench.store, "fetch", away)
        await _away(desk, name)


async def _away(desk: Desk, name: str) -> None:
    assert await desk.control.lanes.act(name, Act.STOP, "rest") is Acting.STORE_AWAY
    assert await desk.control.lanes.queue(name) is None
    lane = desk.bench.engine.lanes.known(name)
    assert lane is not None
    assert not lane.stopped


def test_outcomes_in_words() -> None:
    assert words(Delivered()) == "taken"
    assert words(Delivered(status=1000)) == "1000"
    assert words(Delivered(nothing_sent=True)) == "nothing to send"
    assert words(Later(5, "ESME_RTHROTTLED")) == "ESME_RTHROTTLED: later, in 5 s"
    assert words(Retry("HTTP 503")) == "HTTP 503"
    assert words(Failed("550 5.1.1")) == "550 5.1.1"
    assert words(Mixed({})) == "0 recipients, not all alike"
