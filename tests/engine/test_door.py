"""How many submissions are under way at once, and of whom."""

import asyncio

import pytest

from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.engine.door import Door, DoorLimits
from mmsc.engine.ports import Accepted
from tests.engine.conftest import PHONE, Bench


def test_one_neighbour_gets_its_share_and_no_more() -> None:
    door = Door(DoorLimits(maximum=10, maximum_of_one=4))
    assert [door.enter("vasp:flood") for _ in range(6)] == [True] * 4 + [False] * 2
    assert door.enter("vasp:other")
    door.leave("vasp:flood")
    assert door.enter("vasp:flood")


def test_whoever_has_none_under_way_is_let_in_though_it_is_full() -> None:
    door = Door(DoorLimits(maximum=3, maximum_of_one=3))
    assert all(door.enter("vasp:flood") for _ in range(3))
    assert door.enter("vasp:quiet")
    assert not door.enter("vasp:quiet"), "one at a time"
    door.leave("vasp:quiet")
    assert door.enter("vasp:quiet")
    assert door.inside == 4


async def test_a_flood_is_told_later_and_everybody_is_counted_out(bench: Bench) -> None:
    submit = bench.engine.submit
    submit._door = door = Door(DoorLimits(maximum=1000, maximum_of_one=3))
    outcomes = await asyncio.gather(*(submit.accept(bench.submission(PHONE)) for _ in range(10)))
    taken = [one for one in outcomes if isinstance(one, Accepted)]
    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert (len(taken), {one.reason for one in refused}) == (3, {RefusalReason.BUSY})
    for one in taken:
        one.answered()
    assert door.inside == 0


async def test_who_hangs_up_or_fails_is_counted_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = bench.engine.submit
    hasty = asyncio.create_task(submit.accept(bench.submission(PHONE)))
    await asyncio.sleep(0)
    assert submit._door.inside == 1
    hasty.cancel()
    await asyncio.gather(hasty, return_exceptions=True)
    monkeypatch.setattr("mmsc.store.committer.MAXIMUM_QUEUE", 0)
    refused = await submit.accept(bench.submission(PHONE))
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.BUSY
    assert submit._door.inside == 0
