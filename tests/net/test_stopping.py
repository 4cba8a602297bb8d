"""A stop within a set time: the order of its steps, and what happens to those that hang or fail."""

import asyncio

import pytest

from mmsc.net import stopping
from mmsc.net.stopping import Stop


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "LAST_SECONDS", 0.01)


async def test_doors_and_what_is_under_way_then_goodbyes_then_the_steps() -> None:
    stop, order = Stop(5.0), list[str]()
    opened = asyncio.Event()

    async def door() -> None:
        order.append("door closes")
        await opened.wait()
        order.append("door closed")

    async def under_way() -> None:
        order.append("work ends")
        opened.set()

    async def goodbye() -> None:
        order.append("goodbye")

    async def part() -> None:
        order.append("part")

    stop.doors.append(door)
    stop.goodbyes.append(goodbye)
    await stop.begin(under_way)
    await stop.step(part)
    assert order == ["door closes", "work ends", "door closed", "goodbye", "part"]
    await stop.close_doors()
    assert len(order) == 5, "a door is closed once"


async def test_what_hangs_or_fails_holds_up_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    stop, ended = Stop(0.05), list[str]()

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cut")

    async def fails() -> None:
        raise OSError("the store is away")

    async def last() -> None:
        ended.append("last")

    stop.doors.append(hangs)
    stop.goodbyes.append(fails)
    async with asyncio.timeout(15):
        await stop.begin(hangs)
        await stop.step(fails)
        await stop.step(hangs)
        await stop.step(last)
    assert ended == ["cut", "cut", "cut", "last"]
    assert caplog.text.count("the store is away") == 2
