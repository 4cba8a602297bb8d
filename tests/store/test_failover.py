"""The database itself fails: a restart, and a fail-over to a standby. Nothing is lost, nothing is done twice."""

import asyncio
import time
from collections.abc import Callable, Iterator

import asyncpg
import pytest

from mmsc.lab.database import ThrowawayPostgres
from mmsc.store import meta
from mmsc.store.core import Lost, Statement, StoreBusy, StoreUnavailable, Unit
from mmsc.store.postgres import PostgresStore
from tests import postgres

_WRITERS = 20


@pytest.fixture
def primary() -> Iterator[ThrowawayPostgres]:
    postgres.needed()
    one = ThrowawayPostgres()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def standby(primary: ThrowawayPostgres) -> Iterator[ThrowawayPostgres]:
    one = ThrowawayPostgres()
    one.start_copy_of(primary)
    yield one
    one.stop()


class Load:
    """Callers who insist, as the engine does, until each of their units is durable."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._stop = asyncio.Event()
        self.done: list[str] = []
        self.followed: list[str] = []
        self.lost: list[str] = []
        self.progress = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(_WRITERS):
                group.create_task(self._write(number))

    async def _write(self, writer: int) -> None:
        number = 0
        while not self._stop.is_set():
            key, number = f"{writer}/{number}", number + 1
            await self._store_it(key)

    async def _store_it(self, key: str) -> None:
        guard = Statement(
            "INSERT INTO meta (key, value) VALUES ($1, '1') ON CONFLICT (key) DO NOTHING RETURNING key", (key,)
        )
        unit = Unit(guard, (meta.write(f"effect {key}", "1"),), lambda: self.followed.append(key))
        while True:
            try:
                outcome = await self._store.commit(unit)
            except (StoreBusy, StoreUnavailable):
                await asyncio.sleep(0.01)
                continue
            (self.lost if isinstance(outcome, Lost) else self.done).append(key)
            self.progress.set()
            return

    async def reach(self, more: int) -> None:
        wanted = len(self.done) + more
        async with asyncio.timeout(60):
            while len(self.done) < wanted:
                self.progress.clear()
                await self.progress.wait()

    def stop(self) -> None:
        self._stop.set()


async def played(load: Load, disaster: Callable[[], None]) -> None:
    running = asyncio.ensure_future(load.run())
    await load.reach(200)
    await asyncio.to_thread(disaster)
    await load.reach(200)
    load.stop()
    await running


async def check(store: PostgresStore, load: Load) -> None:
    """What was told is what is there: each exactly once, with its effects, and with what follows."""
    keys = {str(key) for (key,) in await store.fetch("SELECT key FROM meta WHERE value = '1'")}
    told = set(load.done)
    assert len(told) == len(load.done)
    assert load.lost == [], "nobody met what he had written himself"
    assert keys == told | {f"effect {key}" for key in told}
    assert sorted(load.followed) == sorted(load.done)


@pytest.mark.slow
async def test_a_database_that_is_killed_and_started_again(
    primary: ThrowawayPostgres, caplog: pytest.LogCaptureFixture
) -> None:
    store = PostgresStore(primary.dsn)
    await store.open()
    await store.fetch("SELECT 1")  # a reader is connected
    load = Load(store)

    def fail() -> None:
        primary.kill()
        time.sleep(1)  # long enough for somebody to try to connect
        primary.launch()

    await played(load, fail)
    await check(store, load)
    await store.close()
    assert caplog.messages.count("the store takes messages again") == 1
    assert not [one.name for one in caplog.records if one.exc_info], "lines, no tracebacks"


@pytest.mark.slow
async def test_a_fail_over_to_a_standby(primary: ThrowawayPostgres, standby: ThrowawayPostgres) -> None:
    """Synchronous replication, and an address with both hosts."""
    connection = await asyncpg.connect(primary.dsn)
    await connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()
    store = PostgresStore(f"postgresql://postgres@127.0.0.1:{standby.port},127.0.0.1:{primary.port}/postgres")
    await store.open()
    load = Load(store)

    def fail() -> None:
        primary.kill()
        standby.promote()

    await played(load, fail)
    await check(store, load)
    assert await store.fetch_one("SELECT pg_is_in_recovery()") == (False,)
    await store.close()
