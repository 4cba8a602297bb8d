"""What becomes of a batch when the database does not answer its COMMIT, or another node stands in the way."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from mmsc.store import meta
from mmsc.store import postgres as module
from mmsc.store.core import LOST, Statement, StoreUnavailable, Unit
from mmsc.store.postgres import PostgresStore
from tests import postgres
from tests.relay import Decide, Relay

_numbers = itertools.count()


@pytest.fixture
def schema() -> str:
    return f"o{os.getpid()}_{next(_numbers)}"


@pytest.fixture
async def store(relay: Relay, schema: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PostgresStore]:
    monkeypatch.setattr("mmsc.store.postgres._FIRST_PAUSE", 0.01)
    one = PostgresStore(f"postgresql://postgres@127.0.0.1:{relay.port}/postgres", schema=schema)
    await one.open()
    yield one
    await one.close()


def put(key: str) -> Statement:
    return Statement(
        "INSERT INTO meta (key, value) VALUES ($1, 'v') ON CONFLICT (key) DO NOTHING RETURNING key", (key,)
    )


def once(what: str) -> tuple[asyncio.Event, Decide]:
    """Do this to the first COMMIT that comes by."""
    done = asyncio.Event()

    def decide(octets: bytes) -> str:
        if b"COMMIT" in octets and not done.is_set():
            done.set()
            return what
        return ""

    return done, decide


@pytest.mark.parametrize(
    ("what", "durable"), [("answer", True), ("cut", False), ("hold", False)], ids=["carried out", "lost", "on its way"]
)
async def test_a_commit_that_is_not_answered(
    relay: Relay, store: PostgresStore, schema: str, what: str, durable: bool
) -> None:
    """The units are told the truth once the database is back, each exactly once."""
    told: list[str] = []
    await store.commit(Unit(put("known"), ()))
    _, relay.decide = once(what)
    units = (
        Unit(put("guarded"), (meta.write("with it", "v"),), lambda: told.append("after"), lambda: told.append("not")),
        Unit(put("known"), (), lambda: told.append("lost after"), lambda: told.append("lost")),
        Unit(None, (meta.write("plain", "v"),), lambda: told.append("plain after"), lambda: told.append("plain not")),
    )
    async with asyncio.timeout(20):
        outcomes = await asyncio.gather(*map(store.commit, units), return_exceptions=True)
    if durable:
        assert outcomes == [[("guarded",)], LOST, []]
        assert told == ["after", "lost", "plain after"]
    else:
        assert [type(one) for one in outcomes] == [StoreUnavailable] * 3
        assert told == ["not", "lost", "plain not"]
    keys = await store.fetch("SELECT key FROM meta WHERE key IN ('guarded', 'with it', 'plain') ORDER BY key")
    assert keys == ([("guarded",), ("plain",), ("with it",)] if durable else [])
    assert await store.commit(Unit(put("later"), ())) == [("later",)]


async def test_a_process_that_still_holds_the_doubtful_commit_is_ended(
    relay: Relay, store: PostgresStore, schema: str
) -> None:
    """Else its COMMIT could arrive after we said that nothing was done."""
    await store.commit(Unit(put("known"), ()))
    assert store._writer.connection is not None
    pid = store._writer.connection.get_server_pid()
    _, relay.decide = once("hold")
    with pytest.raises(StoreUnavailable):
        await store.commit(Unit(put("held"), ()))
    connection = await asyncpg.connect(postgres.server())
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid) == 0
    finally:
        await connection.close()


async def test_who_comes_during_the_doubt_is_told_that_the_store_is_away(relay: Relay, store: PostgresStore) -> None:
    cut, relay.decide = once("answer")
    doubtful = asyncio.ensure_future(store.commit(Unit(put("doubtful"), ())))
    await cut.wait()
    relay.refusing = True
    with pytest.raises(StoreUnavailable):
        await store.commit(Unit(put("meanwhile"), ()))
    assert not store.available
    assert not doubtful.done(), "nobody knows yet"
    relay.refusing = False
    async with asyncio.timeout(20):
        assert await doubtful == [("doubtful",)]


async def test_the_server_stops_though_a_commit_is_in_doubt(relay: Relay, store: PostgresStore) -> None:
    cut, relay.decide = once("answer")
    doubtful = asyncio.ensure_future(store.commit(Unit(put("doubtful"), ())))
    await cut.wait()
    relay.refusing = True
    with pytest.raises(StoreUnavailable):
        await store.commit(Unit(put("meanwhile"), ()))
    async with asyncio.timeout(10):
        await store.close()
    with pytest.raises(StoreUnavailable, match="not answered"):
        await doubtful


async def test_nodes_in_each_others_way_both_get_through(schema: str) -> None:
    """Each batch holds the row that the other wants: PostgreSQL ends one with 40P01, and it runs again."""
    stores = [PostgresStore(postgres.server(), schema=schema) for _ in range(2)]
    for one in stores:
        await one.open()
    try:
        await stores[0].commit(Unit(None, (meta.write("a", "0"), meta.write("b", "0"))))
        slow = "UPDATE meta SET value = value || $2 WHERE key = $1 AND pg_sleep(0.2) IS NOT NULL"
        fast = "UPDATE meta SET value = value || $2 WHERE key = $1"
        units = (
            Unit(Statement(f"{slow} RETURNING key", ("a", "1")), (Statement(fast, ("b", "1")),)),
            Unit(Statement(f"{slow} RETURNING key", ("b", "2")), (Statement(fast, ("a", "2")),)),
        )
        async with asyncio.timeout(30):
            outcomes = await asyncio.gather(*(one.commit(unit) for one, unit in zip(stores, units, strict=True)))
        assert outcomes == [[("a",)], [("b",)]]
        values = await stores[0].fetch("SELECT value FROM meta WHERE key IN ('a', 'b') ORDER BY key")
        assert [sorted(str(value)) for (value,) in values] == [["0", "1", "2"]] * 2, "each once, on both rows"
        assert all(one.available for one in stores)
    finally:
        for one in stores:
            await one.close()


@pytest.mark.parametrize("guards", [1, 7])
async def test_guards_of_one_text_tell_whose_rows_are_whose(store: PostgresStore, guards: int) -> None:
    """They go to the server together; winners and losers are told apart by the number that each row begins with."""
    await asyncio.gather(*(store.commit(Unit(put(f"k{number}"), ())) for number in range(0, guards, 2)))
    units = [Unit(put(f"k{number}"), (meta.write(f"e{number}", "v"),)) for number in range(guards)]
    outcomes = await asyncio.gather(*map(store.commit, units))
    assert outcomes == [LOST if number % 2 == 0 else [(f"k{number}",)] for number in range(guards)]
    found = await store.fetch("SELECT key FROM meta WHERE key LIKE 'e%' ORDER BY key")
    assert found == [(f"e{number}",) for number in range(1, guards, 2)]


async def test_settings_that_endanger_what_was_accepted_are_told(schema: str, caplog: pytest.LogCaptureFixture) -> None:
    """The server of the tests runs with fsync = off."""
    one = PostgresStore(f"{postgres.server()}?options=-csynchronous_commit%3Doff", schema=schema)
    await one.open()
    await one.close()
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "PostgreSQL runs with fsync = off",
        "PostgreSQL runs with synchronous_commit = off",
    ]


async def test_a_node_that_is_stopped_in_the_middle_of_a_batch_holds_up_nobody(
    schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends its transaction, and with it its locks."""
    settings = {**module._NOBODY_HOLDS_LOCKS, "idle_in_transaction_session_timeout": "100"}
    stopped, other = (PostgresStore(postgres.server(), schema=schema) for _ in range(2))
    with monkeypatch.context() as patch:  # not for the other, which a busy machine may stop for as long
        patch.setattr("mmsc.store.postgres._NOBODY_HOLDS_LOCKS", settings)
        await stopped.open()
    await other.open()
    try:
        await other.commit(Unit(None, (meta.write("row", "1"),)))
        assert stopped._writer.connection is not None
        await stopped._writer.connection.execute("BEGIN; UPDATE meta SET value = '2' WHERE key = 'row'")
        async with asyncio.timeout(10):
            await other.commit(Unit(None, (meta.write("row", "3"),)))
        assert await meta.read(other, "row") == "3"
    finally:
        await stopped.close()
        await other.close()


async def test_a_server_that_vanished_is_noticed(
    relay: Relay, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No reset, no answer: what a machine leaves behind that lost its power. The writer notices by its time limit."""
    await store.close()
    monkeypatch.setattr("mmsc.store.postgres._COMMAND_SECONDS", 1.0)
    again = PostgresStore(store._dsn, schema=store._schema)
    await again.open()
    try:
        vanished = asyncio.Event()

        def decide(octets: bytes) -> str:
            vanished.set()
            return "swallow"

        relay.decide = decide
        with pytest.raises(StoreUnavailable):
            await again.commit(Unit(put("vanished"), ()))
        assert vanished.is_set()
        back = asyncio.Event()
        again.on_wake(lambda lane: back.set())
        relay.decide = lambda octets: ""
        async with asyncio.timeout(20):
            while not again.available:
                back.clear()
                await back.wait()
        assert await again.commit(Unit(put("vanished"), ())) == [("vanished",)]
        assert await again.fetch_one("SELECT 1") == (1,)
    finally:
        await again.close()


async def test_a_listener_that_nobody_hears_is_made_anew(
    relay: Relay, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has nothing to say by itself: it asks."""
    await store.close()
    monkeypatch.setattr("mmsc.store.postgres._PING_SECONDS", 0.1)
    again = PostgresStore(store._dsn, schema=store._schema)
    await again.open()
    try:
        woken = asyncio.Event()
        again.on_wake(lambda lane: woken.set() if lane == "" else None)
        asked = asyncio.Event()

        def decide(octets: bytes) -> str:
            if b"SELECT 1" in octets and not asked.is_set():
                asked.set()
                return "swallow"
            return ""

        relay.decide = decide
        async with asyncio.timeout(20):
            await asked.wait()
            await woken.wait()
        assert again.available
    finally:
        await again.close()


async def test_a_batch_takes_few_round_trips(relay: Relay, store: PostgresStore) -> None:
    """BEGIN with the batch's number, the guards of a text, the effects of each text, NOTIFY with COMMIT."""

    def batch(first: int) -> list[Unit]:
        numbers = range(first, first + 20)
        return [
            Unit(put(f"k{number}"), (meta.write(f"e{number}", "v"), replace(put(f"f{number}"), wakes="lane")))
            for number in numbers
        ]

    await asyncio.gather(*map(store.commit, batch(0)))  # prepares the statements
    sent: list[bytes] = []

    def decide(octets: bytes) -> str:
        sent.append(octets)
        return ""

    relay.decide = decide
    await asyncio.gather(*map(store.commit, batch(20)))
    assert len(sent) == 5, sent
    assert sum(octets.count(b"NOTIFY") for octets in sent) == 1
