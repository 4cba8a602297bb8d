"""The shared store: PostgreSQL, many nodes on one database. The same units, the same SQL text.

One connection commits batches; a pool reads. A batch is one transaction: guards in order, then the winners' effects
per text with `executemany`, then one NOTIFY. When the connection is lost the running batch fails with
`StoreUnavailable`: an outcome that nobody knows is never reported as success.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import asyncpg

from mmsc.store import schema as ddl
from mmsc.store.committer import Committer, Result, count
from mmsc.store.core import (
    LOST,
    TASK_PRIORITIES,
    Counters,
    Lost,
    Row,
    SqlValue,
    Statement,
    StoreRefused,
    StoreUnavailable,
    Unit,
    claim_order,
)

_log: Final = logging.getLogger(__name__)
_TYPES: Final = {"id": "BIGINT", "blob": "BYTEA", "bigint": "BIGINT"}
_READERS: Final = 4
_COMMAND_SECONDS: Final = 30.0
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 10.0
_SCHEMA_LOCK: Final = 0x4D4D5343
_LONGEST_NOTICE: Final = 7000  # octets; NOTIFY takes 8000
_GONE: Final = (  # asyncpg takes some answers of a server that goes for errors of its own ("cannot switch to state")
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    TimeoutError,
)
_DISK: Final = (asyncpg.InsufficientResourcesError, asyncpg.OperatorInterventionError, asyncpg.PostgresIOError)

_NOW: Final = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"  # leases run on the database's clock
# For each lane the first n of each priority, then those whose lease ended: the index gives each in order, however
# much waits. What is locked here and not chosen is free again with the statement's end.
_FREE: Final = "SELECT due.*, seats FROM wanted, LATERAL (SELECT id, lane, priority, due_at FROM task"
_DUE: Final = " UNION ALL ".join(
    f"{_FREE} WHERE state = 'ready' AND lane = wanted.lane AND priority = {priority} AND due_at <= $5"
    " ORDER BY due_at LIMIT wanted.seats FOR UPDATE SKIP LOCKED) due"
    for priority in TASK_PRIORITIES
)
_ENDED: Final = (
    f"{_FREE} WHERE state = 'leased' AND lane = wanted.lane"
    f" AND (lease_until < {_NOW} OR (node = $3 AND start_no < $4)) LIMIT wanted.seats FOR UPDATE SKIP LOCKED) due"
)
_CLAIM: Final = (
    "WITH wanted AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::bigint[]) AS wanted (lane, seats)),"
    f" due AS MATERIALIZED ({_DUE} UNION ALL {_ENDED}),"
    " placed AS (SELECT id, seats,"
    " row_number() OVER (PARTITION BY lane ORDER BY priority DESC, due_at, id) AS place FROM due)"
    f" UPDATE task SET state = 'leased', node = $3, start_no = $4, lease_until = {_NOW} + $6"
    " WHERE id = ANY (ARRAY(SELECT id FROM placed WHERE place <= seats))"
    " RETURNING id, mm_id, recipient_id, kind, lane, due_at, priority, attempt, payload"
)


class PostgresStore:
    """Implements `core.Store`. `schema` is where the tables are; several starters make it safely."""

    shared = True

    def __init__(self, dsn: str, *, schema: str = "mmsc") -> None:
        if not re.fullmatch(r"[a-z_][a-z0-9_]*", schema):
            raise StoreRefused(f"{schema!r} is no schema name")
        self._dsn = dsn
        self._schema = schema
        self._channel = f"{schema}_wake"
        self.counters = Counters()
        self._committer = Committer(self._start_batch, self.counters)
        self._writer: asyncpg.Connection[Any] | None = None
        self._listener: asyncpg.Connection[Any] | None = None
        self._readers: asyncpg.Pool[Any] | None = None
        self._batches: asyncio.Queue[Sequence[Unit]] = asyncio.Queue()
        self._working: asyncio.Task[None] | None = None
        self._on_wake: list[Callable[[str], None]] = []

    @property
    def available(self) -> bool:
        """Whether commits are taken at the moment."""
        return self._committer.available

    async def open(self) -> None:
        """Connect; make the schema or check it. Raises `StoreRefused`."""
        try:
            self._writer = await self._connect()
            await self._check_schema(self._writer)
            self._readers = await asyncpg.create_pool(
                self._dsn, min_size=1, max_size=_READERS, command_timeout=_COMMAND_SECONDS, server_settings=self._path()
            )
            self._listener = await self._connect()
            await self._listener.add_listener(self._channel, self._woken)
        except (*_GONE, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            await self._let_go()
            raise StoreRefused(f"PostgreSQL: {error}") from error
        except StoreRefused:
            await self._let_go()
            raise
        self._working = asyncio.create_task(self._work(), name="store")

    async def close(self) -> None:
        """Finish what is queued, then let go."""
        await self._committer.drain()
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)
        await self._let_go()

    async def commit(self, unit: Unit) -> list[Row] | Lost:
        """The guard's rows once the unit is durable ([] without a guard), or `LOST`."""
        return await self._committer.commit(unit)

    async def fetch(self, sql: str, *params: SqlValue) -> list[Row]:
        """Rows of a query."""
        self.counters.reads += 1
        return await self._read(sql, *params)

    async def fetch_one(self, sql: str, *params: SqlValue) -> Row | None:
        """The first row of a query, None when there is none."""
        rows = await self.fetch(sql, *params)
        return rows[0] if rows else None

    async def claim(
        self, lanes: Sequence[tuple[str, int]], *, node: str, start: int, now: int, lease_seconds: float
    ) -> list[Row]:
        """Lease due tasks, at most n per lane: priority first, then due time. Leases run on the database's clock."""
        names, seats = [lane for lane, _ in lanes], [number for _, number in lanes]
        rows = await self._read(_CLAIM, names, seats, node, start, now, round(lease_seconds * 1_000_000))
        return sorted(rows, key=claim_order)

    def on_wake(self, callback: Callable[[str], None]) -> None:
        """Call `callback` when another node made work, or may have while we were cut off."""
        self._on_wake.append(callback)

    async def _read(self, sql: str, *params: object) -> list[Row]:
        if self._readers is None:
            raise StoreUnavailable("the store is closed")
        try:
            return [tuple(row) for row in await self._readers.fetch(sql, *params)]
        except (*_GONE, *_DISK) as error:
            raise StoreUnavailable(f"PostgreSQL: {error}") from error

    # --- connections ---

    def _path(self) -> dict[str, str]:
        return {"search_path": self._schema, "application_name": "mmsc"}

    async def _connect(self) -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(self._dsn, command_timeout=_COMMAND_SECONDS, server_settings=self._path())

    async def _let_go(self) -> None:
        for connection in (self._writer, self._listener):
            if connection is not None and not connection.is_closed():
                await connection.close()
        if self._readers is not None:
            await self._readers.close()
            self._readers = None

    def _woken(self, connection: object, process: int, channel: str, payload: object) -> None:
        if self._writer is not None and not self._writer.is_closed() and process == self._writer.get_server_pid():
            return  # our own units tell our own engine
        self._wake(str(payload).split("\n"))

    def _wake(self, lanes: Sequence[str]) -> None:
        for callback in self._on_wake:
            for lane in lanes:
                callback(lane)

    def _cut_off(self) -> bool:
        return any(one is None or one.is_closed() for one in (self._writer, self._listener))

    async def _check_schema(self, connection: "asyncpg.Connection[Any]") -> None:
        """One starter makes the schema while the others wait."""
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _SCHEMA_LOCK)
            await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{self._schema}"')
            known = await connection.fetchval(
                "SELECT count(*) FROM information_schema.tables WHERE table_schema = $1", self._schema
            )
            if not known:
                for statement in ddl.statements(**_TYPES):
                    await connection.execute(statement)
                await connection.execute("INSERT INTO meta (key, value) VALUES ('schema', $1)", ddl.HASH)
                return
        try:
            found = await connection.fetchval("SELECT value FROM meta WHERE key = 'schema'")
        except asyncpg.UndefinedTableError as error:
            raise StoreRefused(f"schema {self._schema} belongs to another program; it was left as it is") from error
        if found != ddl.HASH:
            raise StoreRefused(
                f"schema {self._schema} is version {found}, this version needs {ddl.HASH}; name another schema"
            )

    # --- the writer ---

    def _start_batch(self, units: Sequence[Unit]) -> None:
        self._batches.put_nowait(units)

    async def _work(self) -> None:
        while True:
            units = await self._batches.get()
            results = await self._write(units)
            count(self.counters, units, results)
            self._committer.finish(results)
            if self._cut_off():
                await self._reconnect()

    async def _reconnect(self) -> None:
        """Until the database is back. Each attempt that fails is the answer to what queued before it: nobody waits
        for the whole of an outage, and the server can stop during one."""
        pause = _FIRST_PAUSE
        while True:
            try:
                if self._writer is None or self._writer.is_closed():
                    self._writer = await self._connect()
                if self._listener is None or self._listener.is_closed():
                    self._listener = await self._connect()
                    await self._listener.add_listener(self._channel, self._woken)
            except (*_GONE, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
                _log.warning("PostgreSQL is away: %s", error)
                self._refuse_waiting(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            self._committer.available = True
            self._wake([""])
            return

    def _refuse_waiting(self, error: Exception) -> None:
        while not self._batches.empty():
            units = self._batches.get_nowait()
            self._committer.finish([StoreUnavailable(f"PostgreSQL: {error}") for _ in units])

    async def _write(self, units: Sequence[Unit]) -> list[Result]:
        try:
            return await self._transaction(units)
        except Exception as error:  # not PostgreSQL's alone: asyncpg refuses a value before it sends it
            lost = isinstance(error, _GONE) or self._writer is None or self._writer.is_closed()
            if lost and self._writer is not None:
                self._writer.terminate()
            if lost or isinstance(error, _DISK):
                return [StoreUnavailable(f"PostgreSQL: {error}") for _ in units]
            if len(units) == 1:
                return [error]
        results: list[Result] = []
        for unit in units:
            results += await self._write((unit,))
        return results

    async def _transaction(self, units: Sequence[Unit]) -> list[Result]:
        writer = self._writer
        if writer is None or writer.is_closed():
            raise ConnectionResetError("not connected")
        results: list[Result] = []
        effects: dict[str, list[tuple[SqlValue, ...]]] = {}
        lanes: set[str] = set()
        async with writer.transaction():
            for unit in units:
                rows: list[Row] = []
                if unit.guard is not None:
                    rows = [tuple(row) for row in await writer.fetch(unit.guard.sql, *unit.guard.params)]
                    if not rows:
                        results.append(LOST)
                        continue
                    lanes |= _woken_by(unit.guard)
                for effect in unit.effects:
                    effects.setdefault(effect.sql, []).append(effect.params)
                    lanes |= _woken_by(effect)
                results.append(rows)
            for sql, many in effects.items():
                if len(many) == 1:
                    await writer.execute(sql, *many[0])
                else:
                    await writer.executemany(sql, many)
            if lanes:
                notice = "\n".join(sorted(lanes))
                short = notice if len(notice.encode()) <= _LONGEST_NOTICE else ""
                await writer.execute("SELECT pg_notify($1, $2)", self._channel, short)
        return results


def _woken_by(statement: Statement) -> frozenset[str]:
    return frozenset() if statement.wakes is None else frozenset((statement.wakes,))
