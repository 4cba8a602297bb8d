"""Two engines on one store: what one remembers of a recipient may be older than what the other has stored."""

import asyncio

import pytest

from mmsc.domain.changes import Asked, Changed
from mmsc.domain.message import Relative, TaskKind
from mmsc.engine.box_ports import Place
from mmsc.engine.engine import Engine
from mmsc.engine.ports import Accepted, Evidence, Gone, GoneBecause, Retrievable
from mmsc.ids import Ids
from mmsc.store.core import Row, SqlValue, Unit
from mmsc.store.messages import CHANGED
from mmsc.trace import events as trace
from tests.engine.conftest import PHONE, Bench, Flags, listed

LAB = Evidence(user_agent="", mms_version=0x12)


@pytest.fixture
async def other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Node b, which is not running yet, on the store of the bench's node a."""
    monkeypatch.setattr(bench.store, "shared", True)
    engine = Engine(
        bench.store,
        bench.clock,
        Ids.seeded(2, 1, real=bench.clock.real_now),
        node="b",
        policy=bench.engine.policy,
        capability=Flags(),
        learn=lambda known, evidence, at: None,
        publish=bench.engine.chronicle._publish,
    )
    engine.couriers.update(bench.hands)
    await engine.begin(listed())
    bench.engine.lanes.get("smsc:local")  # the bind is up at both
    return engine


async def accepted_by(engine: Engine, bench: Bench) -> None:
    """The MM waits for its delivery time, and this node remembers it so."""
    accepted = await engine.submit.accept(bench.submission(PHONE, deliver_at=Relative(10)))
    assert isinstance(accepted, Accepted)
    accepted.answered()


async def test_a_get_at_the_node_that_did_not_push(bench: Bench, other: Engine) -> None:
    """Semantics 5: the MM is retrievable before its push leaves, wherever the handset's request arrives."""
    await accepted_by(other, bench)
    bench.clock.advance(31)
    await bench.until(trace.NotificationPushed)
    recipient = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0]
    assert isinstance(await other.retrieval.open(recipient.token, None, LAB), Retrievable)


async def test_a_get_that_another_node_noted_ends_the_notifications(bench: Bench, other: Engine) -> None:
    """Semantics 5: a complete GET ends re-notification, whoever has the task next."""
    await accepted_by(other, bench)
    bench.clock.advance(31)
    await bench.until(trace.NotificationPushed)
    await bench.at_rest()
    recipient = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0]
    found = await bench.engine.retrieval.open(recipient.token, None, LAB)
    assert isinstance(found, Retrievable)
    await bench.engine.retrieval.fetched(found)
    await bench.stop()
    running = asyncio.create_task(other.run())
    bench.clock.advance(301)
    await bench.until(trace.ReportDelivered)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(bench.hands[TaskKind.NOTIFY].jobs) == 1
    assert await bench.state(PHONE) == "retrieved"


async def test_a_get_at_one_node_after_a_cancel_at_the_other(bench: Bench, other: Engine) -> None:
    """Semantics 8: a later GET gives E2, though this node remembers the recipient as notified."""
    accepted = await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    await bench.at_rest()
    recipient = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0]
    assert isinstance(await other.retrieval.open(recipient.token, None, LAB), Retrievable)
    asked = Asked(vasp="news", message_id=accepted.message_id)
    woken: list[str | None] = []
    commit = bench.store.commit

    async def committed(unit: Unit) -> object:
        outcome = await commit(unit)
        woken.extend(one.wakes for one in (unit.guard, *unit.effects) if one is not None)
        return outcome

    bench.store.commit = committed  # type: ignore[method-assign, assignment]
    outcome = await bench.engine.changes.cancel(asked)
    assert isinstance(outcome, Changed)
    assert CHANGED in woken, "what PostgreSQL tells the other nodes"
    other._changed_elsewhere(CHANGED)
    assert await other.retrieval.open(recipient.token, None, LAB) == Gone(GoneBecause.CANCELLED)


async def test_a_look_up_that_another_node_overtook_is_not_remembered(
    bench: Bench, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before the cancel comes back behind the wake that tells of it."""
    accepted = await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    await bench.at_rest()
    recipient = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0]
    other.recent.forget_all()
    read, may_go_on = asyncio.Event(), asyncio.Event()
    fetch_one = bench.store.fetch_one

    async def slow(sql: str, *params: SqlValue) -> Row | None:
        row = await fetch_one(sql, *params)
        if "recipient.token = $1" in sql and not read.is_set():
            read.set()
            await may_go_on.wait()
        return row

    monkeypatch.setattr(bench.store, "fetch_one", slow)
    getting = asyncio.create_task(other.retrieval.open(recipient.token, None, LAB))
    await read.wait()
    assert isinstance(await bench.engine.changes.cancel(Asked(vasp="news", message_id=accepted.message_id)), Changed)
    other._changed_elsewhere(CHANGED)
    may_go_on.set()
    await getting
    assert await other.retrieval.open(recipient.token, None, LAB) == Gone(GoneBecause.CANCELLED)


async def test_who_fetched_an_mm_at_one_node_and_deletes_it_at_the_other_has_had_it(
    bench: Bench, other: Engine
) -> None:
    """m-delete-req after a GET: Retrieved, and not Rejected, whichever node is asked."""
    await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    recipient = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0]
    await other.recent.by_id(recipient.id)
    found = await bench.engine.retrieval.open(recipient.token, None, LAB)
    assert isinstance(found, Retrievable)
    bench.engine.retrieval.begun(found)
    await bench.engine.retrieval.fetched(found)
    place = Place(recipient.token, boxed=False)
    assert await other.boxes.delete_waiting(recipient.address, [place]) == (None,)
    assert await bench.state(PHONE) == "retrieved"
