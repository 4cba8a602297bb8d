"""The connection that commits batches. A batch is one transaction in few round trips: it begins with its number, then
come the guards, those of one text together, then the winners' effects per text, then one NOTIFY with the COMMIT.

What went wrong is told apart here: a batch that certainly was not committed, one that must run again because another
node was in the way, and a COMMIT whose answer was lost. `was_committed` finds out about the last on a new connection.
"""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import asyncpg

from mmsc.store import postgres_text as text
from mmsc.store.committer import Result
from mmsc.store.core import LOST, Row, Unit
from mmsc.store.postgres_effects import Connection, Effects
from protocols.records import record

GONE: Final = (  # asyncpg takes some answers of a server that goes for errors of its own ("cannot switch to state")
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.ReadOnlySQLTransactionError,  # the primary of before became a standby
    TimeoutError,
)
DISK: Final = (asyncpg.InsufficientResourcesError, asyncpg.OperatorInterventionError, asyncpg.PostgresIOError)
IN_THE_WAY: Final = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class OutcomeUnknown(Exception):
    """The connection was lost while the COMMIT was under way. `results` are the units' if it was carried out."""

    def __init__(self, results: list[Result], batch: int, because: BaseException) -> None:
        super().__init__(f"the COMMIT was not answered: {because}")
        self.results = results
        self.batch = batch


@record(frozen=True, slots=True)
class _Backend:
    """The server's process behind a connection: a number alone may be another's after a while."""

    pid: int
    started: object


class Writer:
    """One at a time; `open` makes the connection anew after it was lost."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], channel: str) -> None:
        self._connect = connect
        self._channel = channel
        self._id = ""
        self._batch = 0
        self._backend: _Backend | None = None
        self._effects = Effects()
        self.connection: Connection | None = None

    @property
    def is_cut(self) -> bool:
        """Whether there is no connection."""
        return self.connection is None or self.connection.is_closed()

    async def open(self) -> Connection:
        """Connect."""
        self.connection = await self._connect()
        return self.connection

    async def enter(self) -> None:
        """Take a row among the writers, once the schema is there."""
        assert self.connection is not None, "open comes first"
        row = await self.connection.fetchrow(text.WHO_AM_I)
        assert row is not None, "a connection is always in pg_stat_activity"
        self._backend = _Backend(row[0], row[1])
        self._id = self._id or f"{row[0]} {row[1].isoformat()}"
        await self.connection.execute(text.FORGET_WRITERS)
        await self.connection.execute(text.ENTER_WRITER, self._id, self._batch)
        await self._prepare(self.connection)

    async def was_committed(self, doubt: OutcomeUnknown) -> bool:
        """Whether a batch whose COMMIT was not answered is durable; asked on a new connection, before `enter`.

        The old connection's process is ended first, and its row's lock is waited for: a COMMIT that was still on its
        way can change nothing afterwards."""
        assert self.connection is not None, "open comes first"
        if self._backend is not None:
            await self.connection.execute(text.END_BACKEND, self._backend.pid, self._backend.started)
        last: object = await self.connection.fetchval(text.LAST_BATCH, self._id)
        return last == doubt.batch

    async def close(self) -> None:
        """Give the row back, and let go."""
        connection, self.connection = self.connection, None
        if connection is None or connection.is_closed():
            return
        try:
            if self._id:
                await connection.execute(text.LEAVE_WRITER, self._id)
            await connection.close()
        except (*GONE, asyncpg.InterfaceError, asyncpg.PostgresError):
            connection.terminate()

    def drop(self) -> None:
        """The connection is of no use any more."""
        if self.connection is not None:
            self.connection.terminate()

    async def transaction(self, units: Sequence[Unit]) -> list[Result]:
        """Commit a batch. Raises what the database said, with nothing done, or `OutcomeUnknown`."""
        connection = self.connection
        if connection is None or connection.is_closed():
            raise ConnectionResetError("not connected")
        self._batch += 1
        try:
            await self._begin(connection)
            results = await _guard(connection, units)
            notice = await self._effects.apply(connection, units, results)
        except BaseException:
            await _roll_back(connection)
            raise
        await self._commit(connection, notice, results)
        return results

    async def _begin(self, connection: Connection) -> None:
        begin = text.begin(self._id, self._batch)
        try:
            said = await connection.execute(begin)
        except asyncpg.InvalidSQLStatementNameError:  # DISCARD ALL, or a pooler that gave us another server process
            await connection.execute("ROLLBACK")
            await self._prepare(connection)
            said = await connection.execute(begin)
        if said != "UPDATE 1":
            await connection.execute(text.ENTER_WRITER, self._id, self._batch)  # forgotten in a long pause

    async def _prepare(self, connection: Connection) -> None:
        with contextlib.suppress(asyncpg.DuplicatePreparedStatementError):  # a pooler's, and then ours
            await connection.execute(text.NUMBER_BATCH)

    async def _commit(self, connection: Connection, notice: str | None, results: list[Result]) -> None:
        try:
            said = await connection.execute(text.commit(self._channel, notice))
        except (*GONE, *DISK, asyncpg.InterfaceError) as error:
            connection.terminate()
            raise OutcomeUnknown(results, self._batch, error) from error
        except asyncpg.PostgresError:
            await _roll_back(connection)
            raise
        if said != "COMMIT":
            raise asyncpg.InvalidTransactionStateError(f"COMMIT was answered {said}")


async def _roll_back(connection: Connection) -> None:
    if connection.is_closed():
        return
    try:
        await connection.execute("ROLLBACK")
    except (*GONE, asyncpg.InterfaceError, asyncpg.PostgresError):
        connection.terminate()


async def _guard(connection: Connection, units: Sequence[Unit]) -> list[Result]:
    """Run the guards, those of one text together and in order. Units of one batch are concurrent: nobody was told
    anything about one of them, so none can count on another's guard having run before."""
    results: list[Result] = [LOST if unit.guard is not None else [] for unit in units]
    texts: dict[str, list[int]] = {}
    for number, unit in enumerate(units):
        if unit.guard is not None:
            texts.setdefault(unit.guard.sql, []).append(number)
    for sql, numbers in texts.items():
        guards = [(number, guard.params) for number in numbers if (guard := units[number].guard) is not None]
        if len(guards) == 1:
            number, params = guards[0]
            rows = [tuple(row) for row in await connection.fetch(text.native(sql), *params)]
            results[number] = rows or LOST
            continue
        many = [(*params, number) for number, params in guards]
        for found in await connection.fetchmany(text.numbered_rows(sql, len(guards[0][1])), many):
            number, *values = found
            _add(results, number, tuple(values))
    return results


def _add(results: list[Result], number: int, row: Row) -> None:
    known = results[number]
    if isinstance(known, list):
        known.append(row)
    else:
        results[number] = [row]
