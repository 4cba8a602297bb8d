"""Looking into a store from outside, beside the server that owns it or without one: nothing is ever written.

Each look is short: what takes long is read page by page. A reader of SQLite that stays keeps the write-ahead log from
beginning anew, and the server's disk pays for it.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from mmsc.store import schema
from mmsc.store.core import Row, SqlValue, StoreRefused, StoreUnavailable
from mmsc.store.postgres_place import place_of
from mmsc.store.sqlite_file import APPLICATION_ID, inspect
from mmsc.store.sqlite_text import numbered

T = TypeVar("T")
LONGEST_LOG: Final = 2 << 30  # octets of the server's log; a look that lets it grow beyond that is given up
_BUSY_SECONDS: Final = 5.0
_LOOKED_AT: Final = 1_000_000  # steps of SQLite's machine between two looks at the log


class Reader(Protocol):
    """A store, opened for reading."""

    name: str  # what a person is told: a path, or a schema; never an address with its password

    async def fetch(self, sql: str, *params: SqlValue) -> list[Row]:
        """Rows of a query. Raises `StoreUnavailable`."""
        ...

    def snapshot(self) -> Any:
        """An async context in which all queries see the same moment. Keep it short."""
        ...

    async def close(self) -> None:
        """Let go."""
        ...


class SqliteReader:
    """Implements `Reader` on a SQLite file."""

    def __init__(self, path: Path) -> None:
        """Raises `StoreRefused` when there is no store of this version."""
        self.path = path
        self.name = str(path)
        if not path.exists() or (path.is_file() and not path.stat().st_size):
            inspect(str(path))  # a log without its file is told
            empty = " is empty" if path.exists() else ""
            raise StoreRefused(f"{path}{empty}: there is no store; `mmsc serve` makes it, store.path names it")
        try:
            self.connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
                timeout=_BUSY_SECONDS,
            )
        except sqlite3.Error as error:
            inspect(str(path))
            raise StoreRefused(f"{path} cannot be opened: {error}") from error
        try:
            self._check()
            self.connection.set_progress_handler(self._log_is_too_long, _LOOKED_AT)
        except sqlite3.Error as error:
            self.connection.close()
            inspect(str(path))  # only now: a server that writes meanwhile is no reason to refuse a file
            raise StoreRefused(f"{path} is no readable SQLite database: {error}") from error
        except BaseException:
            self.connection.close()
            raise

    def _check(self) -> None:
        if self.connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise StoreRefused(f"{self.path} is a database of another program")
        row = self.connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        check_schema(str(self.path), row[0] if row else "none")

    def _log_is_too_long(self) -> bool:
        return on_disk(self.path)[1] > LONGEST_LOG

    def unavailable(self, error: sqlite3.Error) -> StoreUnavailable:
        """What a query that failed is told as."""
        if "interrupted" in str(error) and self._log_is_too_long():
            return StoreUnavailable(
                f"{self.path}: given up, because the server's log grew beyond {LONGEST_LOG >> 20} MB meanwhile;"
                " try again while it has less to do"
            )
        return StoreUnavailable(f"{self.path}: {error}")

    async def fetch(self, sql: str, *params: SqlValue) -> list[Row]:
        """Rows of a query."""

        def rows() -> list[Row]:
            try:
                return self.connection.execute(numbered(sql), params).fetchall()
            except sqlite3.Error as error:
                raise self.unavailable(error) from error

        return await self.interruptible(rows)

    async def interruptible(self, work: Callable[[], T]) -> T:
        """Run something on the connection in a thread; who is cancelled (Ctrl-C) ends it there, too."""
        running = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self.connection.interrupt()
            await asyncio.gather(running, return_exceptions=True)
            raise

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """One read transaction."""
        await self.fetch("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    async def close(self) -> None:
        """Let go."""
        self.connection.close()


class PostgresReader:
    """Implements `Reader` on a PostgreSQL schema."""

    def __init__(self, connection: Any, name: str) -> None:
        """Made by `open_postgres`."""
        self._connection = connection
        self.name = name

    async def fetch(self, sql: str, *params: SqlValue) -> list[Row]:
        """Rows of a query."""
        import asyncpg

        try:
            return [tuple(row) for row in await self._connection.fetch(sql, *params)]
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreUnavailable(f"PostgreSQL: {error}") from error

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        """One read transaction."""
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            yield

    async def close(self) -> None:
        """Let go."""
        await self._connection.close()


async def open_postgres(dsn: str, schema_name: str) -> PostgresReader:
    """Raises `StoreRefused` when there is no store of this version."""
    import asyncpg

    name = f"schema {schema_name} of PostgreSQL"
    settings = {"search_path": schema_name, "application_name": "mmsc store", "default_transaction_read_only": "on"}
    try:
        connection = await asyncpg.connect(dsn, server_settings=settings)
    except (OSError, ValueError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreRefused(f"PostgreSQL at {place_of(dsn)}: {error}") from error
    try:
        row = await connection.fetchrow("SELECT value FROM meta WHERE key = 'schema'")
        check_schema(name, row[0] if row else "none")
    except asyncpg.UndefinedTableError as error:
        await connection.close()
        raise StoreRefused(f"{name}: there is no store; `mmsc serve` makes it, store.schema names it") from error
    except BaseException:
        await connection.close()
        raise
    return PostgresReader(connection, name)


def check_schema(name: str, found: str) -> None:
    """Raises `StoreRefused` when a store is of another version."""
    if found != schema.HASH:
        raise StoreRefused(f"{name} has schema {found}, this version reads {schema.HASH}: use the version that made it")


def on_disk(path: Path) -> tuple[int, int]:
    """Octets of a SQLite file and of its write-ahead log."""
    log = Path(f"{path}-wal")
    return path.stat().st_size, log.stat().st_size if log.exists() else 0


async def after_each(reader: Reader, table: str, key: str, limit: int) -> AsyncIterator[tuple[int, int]]:
    """(above, up to) of the keys of a table, some rows at a time."""
    above = 0
    sql = f"SELECT max({key}) FROM (SELECT {key} FROM {table} WHERE {key} > $1 ORDER BY {key} LIMIT $2) page"
    while True:
        ((last,),) = await reader.fetch(sql, above, limit)
        if not isinstance(last, int):
            return
        yield above, last
        above = last
