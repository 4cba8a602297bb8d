"""A lane's workers follow its neighbour's concurrency while it works."""

import asyncio
from dataclasses import replace
from typing import Any

from mmsc.domain.message import Job, TaskKind
from mmsc.domain.neighbours import MmsFlag, Peer, Smsc, Subscriber, Vasp
from mmsc.engine.ports import Delivered, Outcome
from mmsc.trace import events as trace
from tests.engine.conftest import Bench


class Slow:
    """A courier whose jobs wait until they are let go."""

    def __init__(self) -> None:
        self.under_way = 0
        self.most = 0
        self.go = asyncio.Event()
        self.reached: dict[int, asyncio.Event] = {}

    async def deliver(self, job: Job) -> Outcome:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        for number, event in self.reached.items():
            if self.under_way >= number:
                event.set()
        await self.go.wait()
        self.under_way -= 1
        return Delivered(("r",))

    async def until(self, number: int) -> None:
        event = self.reached.setdefault(number, asyncio.Event())
        if self.under_way >= number:
            event.set()
        async with asyncio.timeout(10):
            await event.wait()


def neighbours(bench: Bench, window: int) -> tuple[Any, ...]:
    """Those of the bench, with another window of its SMSC."""
    known = bench.engine.neighbours
    numbers = [f"+1555010{number:04}" for number in range(40)]
    subscribers = [replace(known.subscriber(_address(one)), mms=MmsFlag.ON) for one in numbers]
    vasps: list[Vasp] = list(known.vasps.values())
    peers: list[Peer] = list(known.peers.values())
    return (*vasps, *peers, Smsc(name="local", window=window), *subscribers)


def _address(number: str) -> Any:
    from mmsc.domain.address import Address

    return Address.of(number)


async def turns(bench: Bench) -> None:
    """Let everything that can go on go on."""
    for _ in range(20):
        await bench.store.fetch("SELECT 1")


async def take_over(bench: Bench, window: int) -> None:
    await bench.engine.take_over(bench.engine.policy, neighbours(bench, window))


async def test_a_lane_gets_more_workers_and_fewer_while_jobs_are_under_way(bench: Bench) -> None:
    slow = Slow()
    bench.engine.couriers[TaskKind.NOTIFY] = slow
    await take_over(bench, 2)
    lane = bench.engine.lanes.get("smsc:local")
    assert lane.limits.concurrency == 2
    await bench.submit(*(f"+1555010{number:04}" for number in range(20)))
    await slow.until(2)
    await turns(bench)
    assert slow.most == 2
    await take_over(bench, 6)
    await slow.until(6)
    await turns(bench)
    assert slow.most == 6
    await take_over(bench, 1)
    slow.go.set()
    await bench.until(trace.NotificationPushed, 20)
    await turns(bench)
    slow.go.clear()
    slow.most = 0
    await bench.submit(*(f"+1555010{number:04}" for number in range(20, 30)))
    await slow.until(1)
    await turns(bench)
    assert slow.most == 1
    assert lane.workers == 1
    assert lane.taken == 10
    slow.go.set()
    await bench.until(trace.NotificationPushed, 30)
    await turns(bench)
    assert lane.taken == 0
    assert not lane.waiting


async def test_what_the_configuration_no_longer_names_is_gone_and_the_rest_is_the_same(bench: Bench) -> None:
    known = bench.engine.neighbours
    await take_over(bench, 3)
    assert set(known.smscs) == {"local"}
    assert set(known.vasps) == {"news"}
    rows = await bench.store.fetch("SELECT count(*) FROM config WHERE kind = 'subscriber'")
    assert rows == [(40,)]
    written = bench.store.counters.statements
    await take_over(bench, 3)
    assert bench.store.counters.statements == written, "what is the same is not written again"
    only: tuple[Subscriber, ...] = ()
    await bench.engine.take_over(bench.engine.policy, only)
    assert not known.vasps
    assert not known.peers
    assert not known.smscs
    assert not known.short_codes
    assert await bench.store.fetch("SELECT count(*) FROM config") == [(0,)]
