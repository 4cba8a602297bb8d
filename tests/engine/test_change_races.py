"""Replacing while somebody serves: whoever is told "replaced" gets the other content (TS 23.140 8.7.4)."""

import asyncio

import pytest

from mmsc.domain.changes import Replacement
from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import Job, RecipientId, TaskKind
from mmsc.domain.states import Cause, Happening
from mmsc.engine.ports import Delivered, Later, Outcome, Retrievable
from mmsc.store import messages as sql
from mmsc.store import tasks as task_sql
from mmsc.store.core import Lost, Unit
from mmsc.trace import events as trace
from tests.engine.conftest import FOREIGN, PHONE, Bench
from tests.engine.test_changes import OTHER_CONTENT, SAFARI, get_record, notified, replace


async def test_a_forward_that_begins_before_the_replacement_is_written_is_too_late(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()
    bench.hands[TaskKind.FORWARD].answers = [Later(60.0, "452")]
    accepted = await bench.submit(PHONE, FOREIGN)
    await bench.until(trace.NotificationPushed)
    await bench.until(trace.AttemptPostponed)
    await bench.at_rest()
    bench.hands[TaskKind.FORWARD].on_job = lambda job: begun.set()
    commit = bench.store.commit

    async def slow(unit: Unit) -> object:
        if unit.guard is not None and unit.guard.sql.startswith("UPDATE mm SET deliver_at") and not begun.is_set():
            bench.clock.advance(61)
            await begun.wait()
        return await commit(unit)

    monkeypatch.setattr(bench.store, "commit", slow)
    outcome = await replace(bench, accepted, Replacement(content=OTHER_CONTENT))
    assert (outcome.done, [address for address, _ in outcome.late]) == (1, [FOREIGN])


async def test_a_push_that_ends_behind_the_replacement_brings_nothing_old_back(bench: Bench) -> None:
    pushing, may_end = asyncio.Event(), asyncio.Event()

    class Slow:
        async def deliver(self, job: Job) -> Outcome:
            pushing.set()
            await may_end.wait()
            return Delivered(("r1",))

    bench.engine.couriers[TaskKind.NOTIFY] = Slow()
    accepted = await bench.submit(PHONE)
    await pushing.wait()
    await replace(bench, accepted, Replacement(content=OTHER_CONTENT, read_report=True))
    may_end.set()
    await bench.until(trace.NotificationPushed)
    await bench.at_rest()
    row = await bench.store.fetch_one("SELECT token FROM recipient")
    assert row is not None
    found = await bench.engine.retrieval.open(str(row[0]), None, SAFARI)
    assert isinstance(found, Retrievable)
    assert (found.content, found.mm.read_report, found.mm.size) == (OTHER_CONTENT, True, len(OTHER_CONTENT.body))


async def test_a_cancel_sees_the_forward_that_ends_in_the_same_batch(bench: Bench) -> None:
    """The end of a forward gives the task back and moves its recipients by one unit: half of it must not be seen."""
    sending, never = asyncio.Event(), asyncio.Event()

    class Slow:
        async def deliver(self, job: Job) -> Outcome:
            sending.set()
            await never.wait()
            return Delivered()

    bench.engine.couriers[TaskKind.FORWARD] = Slow()
    await bench.submit(FOREIGN)
    await sending.wait()
    [(task_id, attempt)] = bench.engine.lanes.in_hands
    row = await bench.store.fetch_one("SELECT id FROM recipient")
    assert row is not None
    recipient_id, now = RecipientId(int(str(row[0]))), bench.clock.now()
    taken = task_sql.put_back(
        task_id,
        attempt,
        bench.engine.heartbeat.holder,
        due_at=Instant(now + 60 * SECOND),
        next_attempt=attempt + 1,
        kind=TaskKind.WATCH,
        payload={},
    )
    relayed = sql.move_recipient(recipient_id, Happening.RELAYED, now, Cause.NONE)
    cancelled = sql.move_recipient(recipient_id, Happening.CANCELLED, now, Cause.NONE, leaving=True)
    outcomes = await asyncio.gather(
        bench.store.commit(Unit(taken, (relayed,))), bench.store.commit(Unit(cancelled, ()))
    )
    assert isinstance(outcomes[1], Lost)
    assert await bench.state(FOREIGN) == "relayed"


async def test_an_answer_that_is_written_behind_the_replacement_brings_nothing_old_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = await notified(bench, PHONE)
    record = await get_record(bench)
    answering, replaced = asyncio.Event(), asyncio.Event()
    commit = bench.store.commit

    async def slow(unit: Unit) -> object:
        if unit.guard is not None and unit.guard.sql.startswith("UPDATE recipient"):
            answering.set()
            await replaced.wait()
        return await commit(unit)

    monkeypatch.setattr(bench.store, "commit", slow)
    deferred = asyncio.create_task(
        bench.engine.retrieval.answer(
            record.recipient.transaction_id, Happening.DEFERRED, report_allowed=True, evidence=SAFARI
        )
    )
    await answering.wait()
    await replace(bench, accepted, Replacement(content=OTHER_CONTENT, read_report=True))
    replaced.set()
    assert await deferred is True
    found = await bench.engine.retrieval.open(record.recipient.token, None, SAFARI)
    assert isinstance(found, Retrievable)
    assert (found.content, found.mm.read_report, found.mm.size) == (OTHER_CONTENT, True, len(OTHER_CONTENT.body))
