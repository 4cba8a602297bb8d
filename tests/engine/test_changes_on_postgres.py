"""PostgreSQL claims on a connection of its own: a claim may be written while a cancel is being committed, and neither
sees the other (TS 23.140 8.7.3; semantics 8)."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator

import asyncpg
import pytest

from mmsc.clock import VirtualClock
from mmsc.domain.changes import Asked, Changed, Replacement
from mmsc.domain.message import TaskKind
from mmsc.engine.ports import Later, Retrievable
from mmsc.store.core import Unit
from mmsc.store.postgres import PostgresStore
from mmsc.trace import events as trace
from tests import postgres
from tests.engine.conftest import FOREIGN, OTHER, PHONE, Bench, benched
from tests.engine.test_changes import OTHER_CONTENT, get, replace

_numbers = itertools.count()
_LOCK = 77
_HOLD = f"""
CREATE FUNCTION {{0}}.hold() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock({_LOCK}); RETURN NULL; END $$;
CREATE TRIGGER hold AFTER UPDATE ON {{0}}.recipient FOR EACH ROW WHEN (NEW.state = 'cancelled')
EXECUTE FUNCTION {{0}}.hold()"""


@pytest.fixture
async def held() -> AsyncIterator[tuple[Bench, asyncpg.Connection]]:
    """A bench, and a connection that holds up whoever cancels."""
    schema = f"changes{os.getpid()}_{next(_numbers)}"
    clock = VirtualClock()
    async with benched(PostgresStore(postgres.server(), schema=schema), clock) as bench:
        beside = await asyncpg.connect(postgres.server())
        await beside.execute(_HOLD.format(schema))
        try:
            yield bench, beside
        finally:
            await beside.close()


async def test_a_forward_that_falls_due_while_its_cancel_is_committed(
    held: tuple[Bench, asyncpg.Connection],
) -> None:
    bench, beside = held
    bench.hands[TaskKind.FORWARD].answers = [Later(60.0, "452")]
    accepted = await bench.submit(FOREIGN)
    await bench.until(trace.AttemptPostponed)
    await bench.at_rest()
    await beside.execute("SELECT pg_advisory_lock($1)", _LOCK)
    asked = Asked(vasp="news", message_id=accepted.message_id)
    cancelling = asyncio.create_task(bench.engine.changes.cancel(asked))
    async with asyncio.timeout(10):
        while not await beside.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
            pass
        bench.clock.step(61)
        while not bench.engine.lanes.in_hands:
            await bench.tasks()
        await beside.execute("SELECT pg_advisory_unlock($1)", _LOCK)
        outcome = await cancelling
        assert isinstance(outcome, Changed)
        while bench.engine.lanes.in_hands:
            await bench.store.commit(Unit(None, ()))
    sent = bench.hands[TaskKind.FORWARD].jobs[1:]
    assert (outcome.done, await bench.state(FOREIGN), sent) == (1, "cancelled", [])


async def test_another_content_is_served_there_too(
    held: tuple[Bench, asyncpg.Connection],
) -> None:
    bench, _ = held
    accepted = await bench.submit(PHONE, OTHER)
    await bench.until(trace.NotificationPushed, 2)
    await bench.at_rest()
    outcome = await replace(bench, accepted, Replacement(content=OTHER_CONTENT))
    assert (outcome.done, outcome.late) == (2, ())
    found = await get(bench)
    assert isinstance(found, Retrievable)
    assert found.content == OTHER_CONTENT
