"""SIGKILL after each commit of an MM's life, and the next start of the node: nothing is lost, nothing is told twice.

The store is the same file; the killed engine gets no further answer from it, and hands nothing back.
"""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from mmsc.domain.address import Address
from mmsc.domain.message import Relative, TaskKind
from mmsc.domain.states import Happening
from mmsc.engine.engine import Engine
from mmsc.engine.ports import Accepted, Evidence, Retrievable
from mmsc.ids import Ids
from mmsc.store.core import Lost, Row, StoreUnavailable, Unit
from mmsc.trace import events as trace
from tests.engine.conftest import FOREIGN, OLD_PHONE, PHONE, Bench, Flags

WAIT = 5  # seconds: far less than a lease, which the next start of the node takes back at once
LAB = Evidence(user_agent="", mms_version=0x12)


class Killed:
    """The store of an engine that is killed when `left` more commits are durable."""

    def __init__(self, store: Any, left: int) -> None:
        self._store = store
        self._left = left
        self.killed = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, unit: Unit) -> list[Row] | Lost:
        if self._left > 0:
            self._left -= 1
            if self._left:
                return await self._store.commit(unit)  # type: ignore[no-any-return]
            await self._store.commit(replace(unit, after=None, otherwise=None))
            self.killed.set()
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


async def new_engine(bench: Bench, store: Any) -> tuple[Engine, "asyncio.Task[None]"]:
    old = bench.engine
    engine = Engine(
        store,
        bench.clock,
        Ids(real=bench.clock.real_now),
        node="a",
        policy=old.policy,
        capability=Flags(),
        learn=lambda known, evidence, at: None,
        publish=lambda event: None,
    )
    engine.couriers.update(bench.hands)
    known = old.neighbours
    listed = [known.subscriber(Address.of(number)) for number in (PHONE, OLD_PHONE)]
    await engine.begin((known.vasps["news"], known.peers["other"], known.smscs["local"], *listed))
    return engine, asyncio.create_task(engine.run())


async def live(engine: Engine, bench: Bench, to: str, deliver_at: Relative | None) -> str:
    """What the neighbours do, from the start, as often as they are asked to: submit, fetch, answer, report."""
    submission = bench.submission(to, repeat_key=b"k", deliver_at=deliver_at)
    accepted = await engine.submit.accept(submission)
    assert isinstance(accepted, Accepted)
    accepted.answered()
    bench.clock.advance(WAIT)
    outgoing = {PHONE: TaskKind.NOTIFY, OLD_PHONE: TaskKind.LINK, FOREIGN: TaskKind.FORWARD}[to]
    async with asyncio.timeout(10):
        while not bench.hands[outgoing].jobs:
            await bench.store.fetch("SELECT 1")
    recipient = bench.hands[outgoing].jobs[0].recipients[0]
    if to == PHONE:
        found = await engine.retrieval.open(recipient.token, None, LAB)
        if isinstance(found, Retrievable):
            await engine.retrieval.fetched(found)
        await engine.retrieval.answer(recipient.transaction_id, Happening.RETRIEVED, report_allowed=True, evidence=LAB)
    elif to == OLD_PHONE:
        page = await engine.links.open(recipient.link_token)
        assert isinstance(page, Retrievable)
        await engine.links.viewed(page)
    else:
        news = engine.peer_reports
        when, happening = bench.clock.now(), Happening.PEER_RETRIEVED
        await news.delivery_report("other", accepted.message_id, to, happening, date=when, to_originator=True)
    async with asyncio.timeout(10):
        while await bench.store.fetch("SELECT id FROM task WHERE kind LIKE 'report%'"):
            pass
    return accepted.message_id


@pytest.mark.parametrize("commits", range(1, 11))
@pytest.mark.parametrize(("to", "wait"), [(PHONE, 0), (PHONE, WAIT), (OLD_PHONE, 0), (FOREIGN, 0), (FOREIGN, WAIT)])
async def test_killed_after_a_commit(bench: Bench, to: str, wait: int, commits: int) -> None:
    await bench.stop()
    deliver_at = Relative(wait) if wait else None
    store = Killed(bench.store, 1 << 30)
    first, running = await new_engine(bench, store)
    store._left = commits
    life = asyncio.create_task(live(first, bench, to, deliver_at))
    death = asyncio.create_task(store.killed.wait())
    await asyncio.wait((life, death), return_when=asyncio.FIRST_COMPLETED)
    for task in (life, death, running):
        task.cancel()
    await asyncio.gather(life, death, running, return_exceptions=True)

    second, running = await new_engine(bench, bench.store)
    message_id = await live(second, bench, to, deliver_at)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    ended = {PHONE: "retrieved", OLD_PHONE: "link_viewed", FOREIGN: "retrieved"}[to]
    assert await bench.state(to) == ended
    assert len(await bench.store.fetch("SELECT id FROM mm")) == 1
    reports = bench.hands[TaskKind.REPORT_MM7].jobs
    assert {(job.stored_mm.message_id, job.payload["state"]) for job in reports} == {(message_id, ended)}
    assert len({job.payload["transaction_id"] for job in reports}) == 1, "a repeat carries the same identifier"
    left = await bench.store.fetch("SELECT kind FROM task WHERE kind <> 'watch' AND kind <> 'forward'")
    assert left == []


async def test_a_store_that_is_away_when_the_engine_begins_to_work_stops_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL may be killed between the start of a node and its first question."""
    monkeypatch.setattr("mmsc.engine.timetable._PATIENCE_SECONDS", 0.01)
    await bench.stop()
    real, asked = bench.store.fetch, list[str]()

    async def fetch(sql: str, *params: Any) -> list[Row]:
        asked.append(sql)
        if len(asked) == 1:
            raise StoreUnavailable("PostgreSQL: the database system is starting up")
        return await real(sql, *params)

    monkeypatch.setattr(bench.store, "fetch", fetch)
    bench.running = asyncio.create_task(bench.engine.run())
    await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    assert "FROM lanes" in asked[0]
    assert not bench.running.done()
