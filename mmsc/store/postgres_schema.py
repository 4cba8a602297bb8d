"""The schema of a PostgreSQL store, and what of the server's settings endangers it."""

import logging
from typing import Any, Final

import asyncpg

from mmsc.store import postgres_text as text
from mmsc.store import schema as ddl
from mmsc.store.core import StoreRefused

_log: Final = logging.getLogger(__name__)
_SCHEMA_LOCK: Final = 0x4D4D5343
_DURABLE: Final = ("fsync", "full_page_writes", "synchronous_commit")


async def check(connection: "asyncpg.Connection[Any]", schema: str) -> None:
    """Make the schema or check it; one starter makes it while the others wait. Raises `StoreRefused`."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _SCHEMA_LOCK)
        await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        known = await connection.fetchval(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = $1", schema
        )
        if not known:
            for statement in (*ddl.statements(**text.TYPES), text.WRITERS, *text.STORAGE):
                await connection.execute(statement)
            await connection.execute("INSERT INTO meta (key, value) VALUES ('schema', $1)", ddl.HASH)
            return
    try:
        found = await connection.fetchval("SELECT value FROM meta WHERE key = 'schema'")
    except asyncpg.UndefinedTableError as error:
        raise StoreRefused(f"schema {schema} belongs to another program; it was left as it is") from error
    if found != ddl.HASH:
        raise StoreRefused(f"schema {schema} is version {found}, this version needs {ddl.HASH}; name another schema")
    await _store_as_now(connection)


async def _store_as_now(connection: "asyncpg.Connection[Any]") -> None:
    """A schema that was made before its tables were stored like this; for what is written from now on."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _SCHEMA_LOCK)
        if await connection.fetchval(text.STORED_OTHERWISE):
            for statement in text.STORAGE:
                await connection.execute(statement)


async def warn(connection: "asyncpg.Connection[Any]") -> None:
    """Say what makes "accepted" mean less than "durable"."""
    rows = await connection.fetch(
        "SELECT name FROM pg_settings WHERE name = ANY ($1::text[]) AND setting = 'off'", list(_DURABLE)
    )
    for row in rows:
        _log.warning("PostgreSQL runs with %s = off: what was accepted can be lost when its machine fails", row[0])
