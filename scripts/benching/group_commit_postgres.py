"""The floor's store on PostgreSQL: group commit on one connection, as little as makes a step durable.

- 2026-11-26: first version: the tables and units of `group_commit.py`, `executemany` per kind of statement, in a schema
  of its own that each run makes anew.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from benching.group_commit import SCHEMA, Statement

_SCHEMA_NAME: Final = "mmsc_floor"
_TYPES: Final = {"INTEGER": "BIGINT", "BLOB": "BYTEA"}

Unit = tuple[Sequence[Statement], "asyncio.Future[None]"]


class PostgresGroupCommitter:
    """Whatever queued while the last commit ran goes into the next. `open` before the first commit."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._units: asyncio.Queue[Unit | None] = asyncio.Queue()
        self._working: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, and make the tables."""
        connection = await asyncpg.connect(self._url, server_settings={"search_path": _SCHEMA_NAME})
        await connection.execute(f"DROP SCHEMA IF EXISTS {_SCHEMA_NAME} CASCADE; CREATE SCHEMA {_SCHEMA_NAME}")
        await connection.execute(re.sub(r"INTEGER|BLOB", lambda found: _TYPES[found[0]], SCHEMA))
        self._working = asyncio.create_task(self._work(connection))

    def commit(self, *statements: Statement) -> "asyncio.Future[None]":
        """Done when the statements are durable."""
        done = asyncio.get_running_loop().create_future()
        self._units.put_nowait((statements, done))
        return done

    async def close(self) -> None:
        """Write what is queued and end."""
        self._units.put_nowait(None)
        if self._working is not None:
            await self._working

    async def _work(self, connection: "asyncpg.Connection[Any]") -> None:
        while (unit := await self._units.get()) is not None:
            batch = [unit]
            while not self._units.empty() and (more := self._units.get_nowait()) is not None:
                batch.append(more)
            await _write(connection, [statement for statements, _ in batch for statement in statements])
            for _, done in batch:
                if not done.done():
                    done.set_result(None)
        await connection.close()


async def _write(connection: "asyncpg.Connection[Any]", statements: Sequence[Statement]) -> None:
    by_kind: dict[str, list[tuple[Any, ...]]] = {}
    for sql, params in statements:
        by_kind.setdefault(sql, []).append(params)
    await connection.execute("BEGIN")
    for sql, rows in by_kind.items():
        await connection.executemany(_numbered(sql), rows)
    await connection.execute("COMMIT")


_numbers: Final[dict[str, str]] = {}


def _numbered(sql: str) -> str:
    """$1 for the first ?, and so on."""
    if sql not in _numbers:
        pieces = sql.split("?")
        _numbers[sql] = "".join(f"{piece}${place}" for place, piece in enumerate(pieces[:-1], 1)) + pieces[-1]
    return _numbers[sql]
