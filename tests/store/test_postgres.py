"""What only the shared store does: many starters, wake-ups between nodes, a connection that is lost, refusals."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import asyncpg
import pytest

from mmsc.domain.instant import Instant
from mmsc.domain.message import Content, ContentId, TaskId, TaskKind
from mmsc.store import content, tasks
from mmsc.store.committer import MAXIMUM_BATCH
from mmsc.store.core import Statement, StoreRefused, StoreUnavailable, Unit
from mmsc.store.postgres import PostgresStore
from mmsc.store.postgres_place import place_of
from mmsc.store.tasks import Holder, TaskRow
from tests import postgres

_numbers = itertools.count()
NOW = Instant(1_700_000_000_000_000)
TASK = TaskRow(
    id=TaskId(1),
    mm_id=None,
    recipient_id=None,
    kind=TaskKind.NOTIFY,
    lane="vasp:news",
    due_at=NOW,
    priority=1,
    payload={},
)
NewStore = Callable[[], PostgresStore]


def put(key: str) -> Unit:
    return Unit(Statement("INSERT INTO meta (key, value) VALUES ($1, 'v') RETURNING key", (key,)), ())


@pytest.fixture
def schema() -> str:
    return f"p{os.getpid()}_{next(_numbers)}"


@pytest.fixture
async def new_store(schema: str) -> AsyncIterator[NewStore]:
    """Makes nodes of one schema and closes them all."""
    made: list[PostgresStore] = []

    def make() -> PostgresStore:
        made.append(PostgresStore(postgres.server(), schema=schema))
        return made[-1]

    yield make
    await asyncio.gather(*(store.close() for store in made))


def pid_of(store: PostgresStore) -> int:
    assert store._writer.connection is not None
    return store._writer.connection.get_server_pid()


async def administrate(sql: str, *params: object) -> None:
    """A statement on a connection of our own, as an operator would."""
    connection = await asyncpg.connect(postgres.server())
    try:
        await connection.execute(sql, *params)
    finally:
        await connection.close()


async def test_several_starters_make_the_schema_once(new_store: NewStore) -> None:
    stores = [new_store() for _ in range(4)]
    await asyncio.gather(*(store.open() for store in stores))
    await asyncio.gather(*(store.commit(put(f"k{number}")) for number, store in enumerate(stores)))
    assert await stores[0].fetch_one("SELECT COUNT(*) FROM meta WHERE key LIKE 'k%'") == (4,)


async def test_a_body_is_stored_as_it_came(new_store: NewStore) -> None:
    """Pictures are compressed as they are; to try again was 40 % of what PostgreSQL spent for a message."""
    store = new_store()
    await store.open()
    body = bytes(30_000)
    await store.commit(Unit(None, (content.insert(ContentId(1), Content("image/jpeg", body, ())),)))
    assert await store.fetch_one("SELECT pg_column_size(body) FROM content") == (len(body),)


async def test_a_recipient_moves_without_its_indexes(new_store: NewStore) -> None:
    """The new row finds room on its page, so none of the six indexes is written (a HOT update)."""
    store = new_store()
    await store.open()
    columns = "id, mm_id, address, role, route, target, state, state_at, transaction_id, token, link_token, pushes"
    values = "n, n, '+1555', 'to', 'subscriber', 'home', 'accepted', 0, 't' || n, 'k' || n, 'l' || n, 0"
    insert = Statement(f"INSERT INTO recipient ({columns}) SELECT {values} FROM generate_series(1, 500) AS n")
    await store.commit(Unit(None, (insert,)))
    await store.commit(Unit(None, (Statement("UPDATE recipient SET state = 'notified', pushes = 1"),)))
    assert store._writer.connection is not None
    await store._writer.connection.execute("SELECT pg_stat_force_next_flush()")
    told = "SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'recipient' AND schemaname = $1"
    assert await store.fetch_one(told, store.name) == (500,)


async def test_free_work_wakes_the_other_nodes_once_a_batch(new_store: NewStore) -> None:
    mine, other = new_store(), new_store()
    await mine.open()
    await other.open()
    told: list[str] = []
    heard = asyncio.Event()

    def hear(lane: str) -> None:
        told.append(lane)
        if lane == "end":
            heard.set()

    other.on_wake(hear)
    mine.on_wake(lambda lane: told.append(f"mine {lane}"))
    free = [tasks.insert(replace(TASK, id=TaskId(number))) for number in range(1, 6)]
    held = tasks.insert(replace(TASK, id=TaskId(9), lane="vasp:held"), Holder("a", 1), NOW)
    await mine.commit(Unit(None, (*free, held)))
    await mine.commit(Unit(None, (tasks.insert(replace(TASK, id=TaskId(10), lane="end")),)))
    async with asyncio.timeout(10):
        await heard.wait()
    assert told == ["vasp:news", "end"]


async def test_two_nodes_share_the_work_without_doubles(new_store: NewStore) -> None:
    nodes = [new_store(), new_store()]
    for store in nodes:
        await store.open()
    await nodes[0].commit(Unit(None, tuple(tasks.insert(replace(TASK, id=TaskId(n))) for n in range(1, 201))))

    async def work(number: int) -> list[object]:
        ids: list[object] = []
        while rows := await nodes[number].claim(
            [("vasp:news", 7)], node=f"n{number}", start=1, now=NOW, lease_seconds=60
        ):
            ids += [row[0] for row in rows]
        return ids

    first, second = await asyncio.gather(work(0), work(1))
    rest = await work(0)
    assert sorted(map(str, first + second + rest)) == sorted(str(number) for number in range(1, 201))


async def test_a_lost_connection_is_told_and_made_again(new_store: NewStore) -> None:
    store = new_store()
    await store.open()
    assert store._writer.connection is not None
    assert store._listener is not None
    woken = asyncio.Event()
    store.on_wake(lambda lane: woken.set())
    for connection in (store._writer.connection, store._listener):
        await administrate("SELECT pg_terminate_backend($1)", connection.get_server_pid())
    with pytest.raises(StoreUnavailable):
        await store.commit(put("lost"))
    async with asyncio.timeout(10):
        while not store.available:
            woken.clear()
            await woken.wait()  # connected again: somebody may have made work meanwhile
    assert await store.commit(put("kept")) == [("kept",)]
    assert await store.fetch("SELECT key FROM meta WHERE key IN ('lost', 'kept')") == [("kept",)]


async def test_a_server_that_goes_while_it_is_read_is_away(new_store: NewStore) -> None:
    """Terminated just behind an answer: asyncpg wants to reset the connection and finds it in another state than it
    thought. The engine's scheduler reads; what it does not know ends it."""
    store = new_store()
    await store.open()
    outcomes: set[type] = set()

    async def read() -> None:
        for _ in range(300):
            try:
                await store.fetch("SELECT key FROM meta")
            except StoreUnavailable:
                outcomes.add(StoreUnavailable)

    async def terminate() -> None:
        for _ in range(50):
            await administrate(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1"
                " AND query = $2",
                "mmsc",
                "SELECT key FROM meta",
            )

    await asyncio.gather(terminate(), *(read() for _ in range(8)))
    assert outcomes == {StoreUnavailable}


async def test_nobody_waits_for_the_whole_of_an_outage(
    new_store: NewStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mmsc.store.postgres._FIRST_PAUSE", 0.01)
    store = new_store()
    await store.open()
    assert store._writer.connection is not None
    connect, attempts = store._connect, itertools.count()

    async def away() -> "asyncpg.Connection[asyncpg.Record]":
        if next(attempts) < 3:
            raise ConnectionRefusedError("nobody listens")
        return await connect()

    monkeypatch.setattr(store, "_connect", away)
    await administrate("SELECT pg_terminate_backend($1)", pid_of(store))
    for key in ("lost", "refused"):
        with pytest.raises(StoreUnavailable):
            await store.commit(put(key))
    assert not store.available
    back = asyncio.Event()
    store.on_wake(lambda lane: back.set())
    async with asyncio.timeout(10):
        await back.wait()
    assert await store.commit(put("kept")) == [("kept",)]
    said = [one.getMessage() for one in caplog.records if one.name == "mmsc.store.committer"]
    assert [line.partition(";")[0] for line in said] == [
        "the store takes nothing for the moment",
        "the store takes messages again",
    ]


async def test_the_server_can_stop_during_an_outage(new_store: NewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmsc.store.postgres._FIRST_PAUSE", 0.01)
    store = new_store()
    await store.open()
    assert store._writer.connection is not None

    async def away() -> None:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr(store, "_connect", away)
    await administrate("SELECT pg_terminate_backend($1)", pid_of(store))
    lost, last = await asyncio.gather(store.commit(put("lost")), store.commit(put("last")), return_exceptions=True)
    assert isinstance(lost, StoreUnavailable)
    assert isinstance(last, StoreUnavailable)
    async with asyncio.timeout(10):
        await store.close()


async def test_a_listener_that_is_cut_listens_again(new_store: NewStore) -> None:
    mine, other = new_store(), new_store()
    await mine.open()
    await other.open()
    heard = asyncio.Event()
    assert other._listener is not None
    lost = asyncio.Event()
    other._listener.add_termination_listener(lambda connection: lost.set())
    await administrate("SELECT pg_terminate_backend($1)", other._listener.get_server_pid())
    async with asyncio.timeout(10):
        await lost.wait()
        other.on_wake(lambda lane: heard.set() if lane in ("", "vasp:news") else None)
        await other.commit(put("any"))  # the heartbeat of the leases commits at least this often
        await other.commit(put("more"))
        await mine.commit(Unit(None, (tasks.insert(TASK),)))
        await heard.wait()
    assert other.available


@pytest.mark.parametrize("kind", ["foreign", "other schema"])
async def test_a_schema_that_is_not_ours_is_refused(new_store: NewStore, schema: str, kind: str) -> None:
    if kind == "foreign":
        await administrate(f'CREATE SCHEMA "{schema}"')
        await administrate(f'CREATE TABLE "{schema}".theirs (x int)')
    else:
        store = new_store()
        await store.open()
        await store.close()
        await administrate(f"UPDATE \"{schema}\".meta SET value = 'old' WHERE key = 'schema'")
    with pytest.raises(StoreRefused, match=schema):
        await new_store().open()


@pytest.mark.parametrize("name", ["Mmsc", "a-b", 'x"; DROP', ""])
def test_a_schema_name_is_plain(name: str) -> None:
    with pytest.raises(StoreRefused, match="schema name"):
        PostgresStore("postgresql://127.0.0.1/none", schema=name)


async def test_a_server_that_is_not_there_is_said(unused_tcp_port: int) -> None:
    store = PostgresStore(f"postgresql://postgres:hunter22@127.0.0.1:{unused_tcp_port}/postgres")
    with pytest.raises(StoreRefused, match=f"^PostgreSQL at 127.0.0.1:{unused_tcp_port}: ") as refused:
        await store.open()
    assert "hunter22" not in str(refused.value)


@pytest.mark.parametrize(
    ("dsn", "place"),
    [
        ("postgresql://u:hunter22@db.example/mmsc", "db.example:5432"),
        ("postgresql://u:hunter22@db.example:6000/mmsc", "db.example:6000"),
        ("postgresql://u:hunter22@one,two:5433/mmsc", "one:5432, two:5433"),
        ("postgresql://[::1]/mmsc", "[::1]:5432"),
        ("postgresql://[::1]:7/mmsc", "[::1]:7"),
        ("postgresql:///mmsc?host=/run/pg&port=6&password=hunter22", "socket /run/pg, port 6"),
        ("postgresql://u:hunter22@%2Frun%2Fpg/mmsc", "socket /run/pg, port 5432"),
        ("postgresql:///mmsc", "this host's socket or port 5432"),
    ],
)
def test_a_place_is_told_without_the_login(dsn: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGHOST", "PGPORT"):
        monkeypatch.delenv(name, raising=False)
    assert place_of(dsn) == place


async def test_readers_that_are_let_in_no_more_find_the_store_away(schema: str) -> None:
    """A changed password or pg_hba during a fail-over: asyncpg's own error would end whoever reads."""
    user = f"r_{schema}"
    await administrate(f"CREATE ROLE {user} LOGIN")
    await administrate(f"CREATE SCHEMA {schema} AUTHORIZATION {user}")
    await administrate(f"GRANT CREATE ON DATABASE postgres TO {user}")
    store = PostgresStore(postgres.server().replace("postgres@", f"{user}@"), schema=schema)
    await store.open()
    try:
        await administrate(f"ALTER ROLE {user} NOLOGIN")
        await administrate("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", user)
        with pytest.raises(StoreUnavailable):
            await store.fetch("SELECT key FROM meta")  # the connection that was there is gone
        with pytest.raises(StoreUnavailable, match="not permitted to log in"):
            await store.fetch("SELECT key FROM meta")  # and there is no other
    finally:
        await store.close()


async def test_one_failed_attempt_answers_all_that_queued(new_store: NewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmsc.store.postgres._FIRST_PAUSE", 2.0)
    store = new_store()
    await store.open()
    attempts = itertools.count(1)

    async def away() -> None:
        next(attempts)
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr(store, "_connect", away)
    await administrate("SELECT pg_terminate_backend($1)", pid_of(store))
    many = 4 * MAXIMUM_BATCH
    async with asyncio.timeout(10):
        told = await asyncio.gather(
            *(store.commit(put(f"k{number}")) for number in range(many)), return_exceptions=True
        )
    assert [type(one) for one in told] == [StoreUnavailable] * many
    assert next(attempts) == 2, "one attempt"


async def test_a_connection_that_forgot_its_statements_is_given_them_again(new_store: NewStore) -> None:
    """DISCARD ALL, or a pooler between us and the server: a batch was refused, and so was each one after it."""
    store = new_store()
    await store.open()
    connection = store._writer.connection
    assert connection is not None
    await connection.execute("DEALLOCATE number_batch")
    done = await asyncio.gather(*(store.commit(put(key)) for key in ("one", "two")))
    assert list(done) == [[("one",)], [("two",)]]
    await store._writer.enter()  # and one that knows it already
    assert await store.commit(put("three")) == [("three",)]


async def test_a_schema_made_before_is_stored_as_one_made_now(new_store: NewStore, schema: str) -> None:
    first = new_store()
    await first.open()
    connection = await asyncpg.connect(postgres.server(), server_settings={"search_path": schema})
    await connection.execute("ALTER TABLE content ALTER COLUMN body SET STORAGE EXTENDED")
    await connection.execute("ALTER TABLE recipient RESET (fillfactor)")
    await new_store().open()
    stored = await connection.fetchrow(
        "SELECT attstorage, (SELECT reloptions FROM pg_class WHERE oid = 'recipient'::regclass)"
        " FROM pg_attribute WHERE attrelid = 'content'::regclass AND attname = 'body'"
    )
    await connection.close()
    assert stored is not None
    assert tuple(stored) == (b"e", ["fillfactor=50"])
