"""Several nodes on one PostgreSQL: names, take-over, and a node that was taken for dead while it was not."""

import asyncio
import itertools
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from mmsc.clock import Clock, host_now
from mmsc.domain.address import Address
from mmsc.domain.instant import Instant
from mmsc.domain.message import Job, TaskId, TaskKind
from mmsc.domain.neighbours import MmsFlag, Smsc, Subscriber, Vasp
from mmsc.engine.engine import Engine, EnginePolicy
from mmsc.engine.lanes import LaneLimits
from mmsc.engine.ports import Accepted, Delivered, Outcome
from mmsc.engine.routing import RoutingPolicy
from mmsc.ids import Ids
from mmsc.store import nodes, tasks
from mmsc.store.core import StoreRefused, StoreUnavailable, Unit
from mmsc.store.postgres import PostgresStore
from mmsc.store.tasks import TaskRow
from mmsc.trace import events as trace
from mmsc.trace.events import Event
from tests import postgres
from tests.engine.conftest import PHONE, Bench, Flags

_numbers = itertools.count()
NEIGHBOURS = (
    Vasp(name="news", report_url="http://127.0.0.1:1/"),
    Smsc(name="local", window=2),
    Subscriber(address=Address.of(PHONE), mms=MmsFlag.ON),
)


@dataclass
class Hand:
    """A courier that answers when it is let go."""

    jobs: list[Job] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)  # of all nodes of a test

    async def deliver(self, job: Job) -> Outcome:
        self.jobs.append(job)
        self.begun.set()
        await self.open.wait()
        return Delivered((f"r{job.task_id}",))


@dataclass
class Node:
    """One node of a database."""

    engine: Engine
    store: PostgresStore
    hand: Hand
    events: list[Event]
    heard: asyncio.Event
    running: "asyncio.Task[None] | None" = None

    def run(self) -> "asyncio.Task[None]":
        self.running = asyncio.create_task(self.engine.run())
        return self.running

    async def die(self) -> None:
        """As by SIGKILL: nothing is handed back, nothing said."""
        assert self.running is not None
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    async def submit(self) -> int:
        outcome = await self.engine.submit.accept(Bench.submission(PHONE))
        assert isinstance(outcome, Accepted)
        outcome.answered()
        return outcome.mm_id

    async def until(self, kind: type[trace.Data], count: int = 1) -> list[Any]:
        async with asyncio.timeout(20):
            while True:
                self.heard.clear()
                found = [event.data for event in self.events if isinstance(event.data, kind)]
                if len(found) >= count:
                    return found
                await self.heard.wait()


NewNode = Callable[..., Awaitable[Node]]


@pytest.fixture
async def new_node(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[NewNode]:
    monkeypatch.setattr("mmsc.engine.heartbeat.BEAT_SECONDS", 0.05)
    monkeypatch.setattr("mmsc.engine.heartbeat.DEAD_SECONDS", 1.5)
    monkeypatch.setattr("mmsc.engine.heartbeat._LOOK_SECONDS", 0.02)
    schema = f"n{os.getpid()}_{next(_numbers)}"
    made: list[Node] = []
    begun = asyncio.Event()

    async def make(name: str, **changes: Any) -> Node:
        clock = changes.pop("clock", None) or Clock()
        store = PostgresStore(postgres.server(), schema=schema)
        await store.open()
        events: list[Event] = []
        heard = asyncio.Event()

        def publish(event: Event) -> None:
            events.append(event)
            heard.set()

        engine = Engine(
            store,
            clock,
            Ids(real=clock.real_now),
            node=name,
            policy=EnginePolicy(
                routing=RoutingPolicy(own_prefixes=("+1555",)), default_smsc="local", lane=LaneLimits()
            ),
            capability=Flags(),
            learn=lambda known, evidence, at: None,
            publish=publish,
            **changes,
        )
        hand = Hand(begun=begun)
        engine.couriers.update(dict.fromkeys(TaskKind, hand))
        node = Node(engine, store, hand, events, heard)
        made.append(node)
        await engine.begin(NEIGHBOURS)
        return node

    yield make
    for node in made:
        if node.running is not None:
            node.running.cancel()
            await asyncio.gather(node.running, return_exceptions=True)
    await asyncio.gather(*(node.store.close() for node in made))


async def until(hand: Hand, reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not reached():
            hand.begun.clear()
            await hand.begun.wait()


def number_of(node: Node) -> int:
    return node.engine.ids.new_id() & nodes.MAXIMUM_NUMBER


async def test_nodes_that_start_together_have_different_numbers(new_node: NewNode) -> None:
    started = await asyncio.gather(*(new_node(name) for name in "abcd"))
    assert sorted(map(number_of, started)) == [0, 1, 2, 3]
    numbers = {node.engine.heartbeat.holder.node: number_of(node) for node in started}
    for node in started:
        await node.engine.end()
    for name in "dcba":
        assert number_of(await new_node(name)) == numbers[name], "kept over a restart"


async def test_a_name_that_lives_is_refused(new_node: NewNode) -> None:
    (await new_node("a")).run()
    with pytest.raises(StoreRefused, match=r"a node named a is running .*--node NAME"):
        await new_node("a")


async def test_a_name_whose_node_died_is_taken_over(new_node: NewNode) -> None:
    first = await new_node("a")
    first.run()
    await first.die()
    again = await new_node("a")
    assert again.engine.heartbeat.holder.start_no == 2
    assert number_of(again) == number_of(first)


async def test_a_number_of_another_node_is_refused(new_node: NewNode) -> None:
    await new_node("a", number=5)
    for name in ("b", "c"):
        with pytest.raises(StoreRefused, match="number 5 is another node's"):
            await new_node(name, number=5)
    assert number_of(await new_node("d", number=7)) == 7


async def test_a_node_that_is_started_again_elsewhere_stops(new_node: NewNode) -> None:
    """Its leases are gone: it says why it ends, in one line."""
    first = await new_node("a")
    running = first.run()
    mine = next(one for one in await nodes.known(first.store))
    while await nodes.enter_again(first.store, "a", mine.seen_at, "{}") is None:
        (mine,) = await nodes.known(first.store)
    async with asyncio.timeout(10):
        with pytest.raises(StoreRefused, match="another process runs as node a"):
            await running


async def test_the_tasks_of_a_dead_node_are_carried_out_by_another(new_node: NewNode) -> None:
    first, other = await new_node("a"), await new_node("b")
    first.run()
    other.run()
    other.hand.open.set()
    accepted = [await first.submit() for _ in range(7)]  # two under way, five in the lane's memory
    await first.hand.begun.wait()
    await first.die()
    (taken,) = await other.until(trace.NodeTakenOver)
    assert (taken.node, taken.by, taken.tasks) == ("a", "b", 7)
    await other.until(trace.NotificationPushed, 7)
    assert sorted(job.stored_mm.id for job in other.hand.jobs) == sorted(accepted)


async def test_a_node_that_was_taken_for_dead_repeats_nothing(new_node: NewNode) -> None:
    """It was stopped (SIGSTOP, a paused machine): what it had not begun belongs to the other node, and the outcome of
    what it had begun comes too late and is only recorded."""
    first, other = await new_node("a"), await new_node("b")
    heartbeat = first.engine.heartbeat
    first.run()
    accepted = [await first.submit() for _ in range(7)]
    await until(first.hand, lambda: len(first.hand.jobs) == 2)
    heartbeat.beat = asyncio.Event().wait  # type: ignore[method-assign,assignment]
    other.run()
    other.hand.open.set()
    await other.until(trace.NotificationPushed, 7)
    first.hand.open.set()  # it runs again, with the SMSC's answers to what it had sent
    late = await first.until(trace.TaskOvertaken, 2)
    assert {one.outcome for one in late} == {"pushed"}
    del heartbeat.beat
    await heartbeat.beat()
    assert first.engine.lanes.in_hands == set()
    async with asyncio.timeout(20):
        while any(lane.taken for lane in first.engine.lanes):  # a claim holds seats while it is under way
            await first.store.commit(Unit(None, ()))
    assert len(first.hand.jobs) == 2, "nothing that the other carried out was begun"
    assert sorted(job.stored_mm.id for job in other.hand.jobs) == sorted(accepted)
    pushes = await first.store.fetch("SELECT pushes FROM recipient")
    assert pushes == [(1,)] * 7, "each counted once"
    assert await first.submit()  # and it is a node like any other again
    await until(first.hand, lambda: len(first.hand.jobs) + len(other.hand.jobs) == 10)


async def test_a_doubt_outlives_a_look_that_failed(new_node: NewNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clock may have stood still: only the look at what is ours ends the doubt, not time."""
    node = await new_node("a")
    heartbeat, lanes = node.engine.heartbeat, node.engine.lanes
    await node.store.commit(Unit(None, (nodes.leaves("a", heartbeat.holder.start_no),)))  # as who takes it for dead

    async def away() -> None:
        raise StoreUnavailable("gone in between")

    with monkeypatch.context() as patch:
        patch.setattr(heartbeat, "_look_what_is_ours", away)
        with pytest.raises(StoreUnavailable):
            await heartbeat.beat()
        assert not lanes.is_sure()
        with pytest.raises(StoreUnavailable):
            await heartbeat.beat()  # it is "up" again in the database, and still has not looked
    await heartbeat.beat()
    assert lanes.is_sure()


async def test_a_node_hears_of_lanes_that_others_made(new_node: NewNode) -> None:
    first, other = await new_node("a"), await new_node("b")
    other.run()
    other.hand.open.set()
    await first.submit()
    now = first.engine.clock.now()
    row = TaskRow(TaskId(5), None, None, TaskKind.RES_MM4, "peer:never-heard-of", now, 1, {})
    await first.store.commit(Unit(None, (tasks.insert(row),)))
    await until(other.hand, lambda: any(job.lane == "peer:never-heard-of" for job in other.hand.jobs))


async def test_a_host_whose_clock_is_behind_keeps_its_leases(new_node: NewNode) -> None:
    """Leases end on the database's clock."""
    node = await new_node("a", clock=Clock(real=lambda: Instant(host_now() - 300_000_000)))
    assert 290_000_000 < node.engine.lanes.ahead < 310_000_000
    node.run()
    await node.submit()
    await node.hand.begun.wait()
    rows = await node.store.fetch("SELECT lease_until > real_now() FROM task WHERE state = 'leased'")
    assert rows == [(True,)]


async def test_other_settings_are_told(new_node: NewNode, caplog: pytest.LogCaptureFixture) -> None:
    (await new_node("a", agreed={"numbers": "1", "limits": "1"})).run()
    await new_node("b", agreed={"numbers": "2", "limits": "1"})
    assert "node a runs with other settings: numbers" in caplog.text


async def test_settings_that_were_read_again_are_told_like_those_of_the_start(
    new_node: NewNode, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {"numbers": "1", "limits": "1"}
    first, second = await new_node("a", agreed=before), await new_node("b", agreed=before)
    now = {"numbers": "2", "limits": "1"}

    async def digests() -> dict[str, object]:
        return {one.name: json.loads(one.settings) for one in await nodes.known(first.store)}

    async def away(*_: object) -> None:
        raise StoreUnavailable("gone in between")

    with monkeypatch.context() as patch:
        patch.setattr(first.store, "commit", away)
        with pytest.raises(StoreUnavailable):
            await first.engine.take_over(first.engine.policy, NEIGHBOURS, now)
    assert await digests() == {"a": before, "b": before}
    caplog.clear()
    await first.engine.take_over(first.engine.policy, NEIGHBOURS, now)
    assert await digests() == {"a": now, "b": before}
    assert "node b runs with other settings: numbers" in caplog.text
    caplog.clear()
    units = first.store.counters.units
    await first.engine.take_over(first.engine.policy, NEIGHBOURS, now)
    assert first.store.counters.units == units, "what is there already is not written again"
    await second.engine.take_over(second.engine.policy, NEIGHBOURS, now)
    await new_node("c", agreed=now)
    assert "other settings" not in caplog.text
    assert await digests() == dict.fromkeys("abc", now)


async def test_nodes_that_start_together_write_the_neighbours_once(new_node: NewNode) -> None:
    started = await asyncio.gather(*(new_node(name) for name in "abcd"))
    for node in started:
        assert set(node.engine.neighbours.smscs) == {"local"}
    rows = await started[0].store.fetch("SELECT kind, name FROM config ORDER BY kind")
    assert rows == [("smsc", "local"), ("subscriber", PHONE), ("vasp", "news")]
    before = started[0].store.counters.units
    await started[0].engine.neighbours.load(NEIGHBOURS)
    assert started[0].store.counters.units == before, "what is there already is not written again"
