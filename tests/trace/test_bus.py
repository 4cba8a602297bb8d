"""The bus: nobody who publishes waits, whoever is slow is cut, whoever comes late sees what the ring still has."""

import asyncio

import pytest

from mmsc.trace.bus import Bus, WatcherCut


async def test_watchers_get_what_is_published_while_they_watch() -> None:
    bus: Bus[int] = Bus()
    bus.publish(1)
    with bus.watch() as one, bus.watch(replay=True) as two:
        bus.publish(2)
        assert await anext(one) == 2
        assert [await anext(two), await anext(two)] == [1, 2]
    bus.publish(3)
    with pytest.raises(StopAsyncIteration):
        await anext(one)


async def test_a_waiting_watcher_is_woken() -> None:
    bus: Bus[int] = Bus()
    with bus.watch() as watcher:
        waiting = asyncio.create_task(watcher.until(lambda item: item > 2))
        for item in range(5):
            bus.publish(item)
        assert await waiting == 3
        assert await anext(watcher) == 4


async def test_closing_wakes_whoever_waits() -> None:
    bus: Bus[int] = Bus()
    watcher = bus.watch()
    waiting = asyncio.create_task(watcher.until(bool))
    started = asyncio.create_task(asyncio.wait({waiting}, timeout=0))
    await started
    watcher.close()
    watcher.close()
    with pytest.raises(LookupError):
        await waiting


async def test_a_slow_watcher_is_cut_and_told_how_much_it_missed() -> None:
    bus: Bus[int] = Bus()
    with bus.watch(capacity=2) as slow, bus.watch() as quick:
        for item in range(5):
            bus.publish(item)
        assert [await anext(slow), await anext(slow)] == [0, 1]
        with pytest.raises(WatcherCut, match="3 items") as cut:
            await anext(slow)
        assert cut.value.missed == 3
        assert [await anext(quick) for _ in range(5)] == [0, 1, 2, 3, 4]


def test_the_ring_is_bounded_and_marks_its_first_loss() -> None:
    bus: Bus[str] = Bus(capacity=2)
    bus.publish("a")
    bus.publish("b")
    assert (bus.lost, bus.first_loss) == (0, None)
    bus.publish("c")
    bus.publish("d")
    assert bus.recent() == ("c", "d")
    assert (bus.lost, bus.first_loss) == (2, "a")


def test_a_reader_that_looks_now_and_then_misses_only_what_left_the_ring() -> None:
    bus: Bus[int] = Bus(capacity=4)
    assert bus.since(bus.position) == ([], 0)
    for number in range(3):
        bus.publish(number)
    assert bus.since(1) == ([1, 2], 0)
    for number in range(3, 7):
        bus.publish(number)
    assert bus.position == 7
    assert bus.since(1) == ([3, 4, 5, 6], 2)
    assert bus.since(7) == ([], 0)
    assert bus.since(9) == ([], 0)
