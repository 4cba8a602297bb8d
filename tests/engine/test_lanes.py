"""A lane's queue in memory: seats, urgency that starves nobody, and turns of owners."""

import asyncio
import logging

import pytest

from mmsc.clock import VirtualClock
from mmsc.domain.instant import Instant
from mmsc.domain.message import Job, TaskId, TaskKind
from mmsc.engine.lanes import LOWEST_FIRST_EVERY, MOST_IN_ROUNDS, OVERTAKES, Lane, LaneLimits, Lanes
from mmsc.store.tasks import TaskRow


def job(number: int, priority: int = 1) -> Job:
    return Job(TaskId(number), TaskKind.NOTIFY, "smsc:a", 0, Instant(0), None, (), {}, priority)


def task(owner: str) -> TaskRow:
    return TaskRow(TaskId(1), None, None, TaskKind.NOTIFY, "smsc:a", Instant(0), 1, {}, 0, owner)


async def next_of(lane: Lane) -> int:
    taken = await lane.get()
    assert taken is not None
    return taken.task_id


async def test_an_urgent_job_overtakes_those_that_wait() -> None:
    lane = Lane("smsc:a", LaneLimits())
    for number, priority in enumerate((1, 0, 1, 2, 1)):
        lane.put(job(number, priority))
    assert [await next_of(lane) for _ in range(5)] == [3, 0, 2, 4, 1]


async def test_nobody_is_overtaken_for_ever() -> None:
    lane = Lane("smsc:a", LaneLimits())
    lane.put(job(0, 1))
    for number in range(1, 2 * OVERTAKES):
        lane.put(job(number, 2))
        if await next_of(lane) == 0:
            break
    assert number == OVERTAKES


async def test_nobody_takes_a_seat_past_those_that_wait_in_the_store() -> None:
    clock = VirtualClock()
    lanes = Lanes(clock, lambda _: LaneLimits(concurrency=1, backlog=1))
    assert [lanes.take_seat("smsc:a", clock.real_now()) for _ in range(3)] == [True, True, False]
    lane = lanes.get("smsc:a")
    lanes.leave(lane)
    assert lane.free_seats(clock.real_now()) == 1
    assert not lanes.take_seat("smsc:a", clock.real_now()), "the third one waits in the store: it is before us"
    lane.behind = False  # a claim found nothing more
    assert lanes.take_seat("smsc:a", clock.real_now())


def test_a_wide_lane_keeps_so_many_rounds_in_memory() -> None:
    limits = LaneLimits(backlog=100, rounds=8)
    assert [limits.of(wide).backlog for wide in (1, 12, 13, 64, 500)] == [100, 100, 104, 512, MOST_IN_ROUNDS]
    assert limits.of(64).concurrency == 64
    assert LaneLimits(backlog=2 * MOST_IN_ROUNDS, rounds=8).of(500).backlog == 2 * MOST_IN_ROUNDS
    assert LaneLimits(backlog=0).of(64).backlog == 0


async def test_the_next_claim_begins_behind_the_owner_that_was_served_last() -> None:
    lane = Lane("smsc:a", LaneLimits())
    lane.claimed([task("b"), task("a"), task("c"), task("a"), task("b")])
    assert lane.turn.after == "b", "a and b had two, c had one: the last round ended with b"
    lane.claimed([task("c"), task("a")])
    assert lane.turn.after == "a", "c, and then round again"
    lane.claimed([])
    assert lane.turn.after == "a"


async def test_one_claim_in_sixteen_begins_with_the_lowest_priority() -> None:
    lane = Lane("smsc:a", LaneLimits())
    order = []
    for _ in range(3 * LOWEST_FIRST_EVERY):
        order.append(lane.turn.lowest_first)
        lane.claimed([])
        await asyncio.sleep(0)
    assert [at for at, lowest in enumerate(order) if lowest] == [15, 31, 47]


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of lanes; each line names its lane where programs look for it."""
    lines = [one for one in caplog.records if one.name == "mmsc.engine.lanes"]
    assert {(one.levelno, one.neighbour) for one in lines} <= {(logging.WARNING, "smsc:a")}  # type: ignore[attr-defined]
    caplog.clear()
    return [one.getMessage() for one in lines]


def test_the_log_says_once_that_a_neighbour_is_down_and_once_that_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    lanes = Lanes(clock, lambda _: LaneLimits())
    lane = lanes.get("smsc:a")
    assert not lanes.resume(lane), "it never was down"
    assert lanes.pause(lane, "connection refused") == 1
    assert told(caplog) == ["lane smsc:a is paused: connection refused"]
    assert lanes.pause(lane, "from another worker") == 0
    for seconds in (2, 4, 8):
        clock.advance(seconds)
        lanes.try_now(lane)
        assert lanes.pause(lane, "connection refused") == seconds
    assert told(caplog) == []
    assert lanes.resume(lane)
    assert told(caplog) == ["lane smsc:a is open again: the neighbour answers"]
    assert not lanes.resume(lane)
    assert told(caplog) == []
    assert lanes.pause(lane, "gone again") == 1
    assert told(caplog) == ["lane smsc:a is paused: gone again"]


def test_a_back_off_that_an_operator_ends_is_not_told_as_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    lanes = Lanes(clock, lambda _: LaneLimits(concurrency=4, backlog=0))
    lane = lanes.get("smsc:a")
    lanes.pause(lane, "connection refused")
    lanes.drop_back_off(lane)
    assert lane.free_seats(clock.real_now()) == 4
    assert lanes.pause(lane, "connection refused") == 1
    lanes.drop_back_off(lane)
    assert told(caplog) == ["lane smsc:a is paused: connection refused"]
    assert lanes.resume(lane)
    assert told(caplog) == ["lane smsc:a is open again: the neighbour answers"]
