"""SQL of the neighbours (VASPs, peers, SMSCs, subscribers): one row each, their data as JSON."""

from typing import Final

from mmsc.domain.instant import Instant
from mmsc.store.core import Row, Statement, Store

ASSIGNED: Final = "assigned:"  # a wake: whose IP addresses are whose may have changed


def upsert(kind: str, name: str, origin: str, data: str, at: Instant) -> Statement:
    """Write a neighbour; `origin` is config, console or learned."""
    return Statement(
        "INSERT INTO config (kind, name, origin, data, changed_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (kind, name) DO UPDATE SET origin = excluded.origin, data = excluded.data,"
        " changed_at = excluded.changed_at RETURNING name",
        (kind, name, origin, data, at),
    )


def drop(kind: str, name: str) -> Statement:
    """An entry that the file no longer names goes, if it is the file's."""
    return Statement("DELETE FROM config WHERE kind = $1 AND name = $2 AND origin = 'config'", (kind, name))


def assign(kind: str, name: str, data: str, at: Instant) -> Statement:
    """Write an entry that is made while the server runs; other nodes are woken."""
    found = upsert(kind, name, "rest", data, at)
    return Statement(found.sql, found.params, ASSIGNED)


def release(kind: str, name: str) -> Statement:
    """Such an entry goes; other nodes are woken."""
    return Statement("DELETE FROM config WHERE kind = $1 AND name = $2 RETURNING name", (kind, name), ASSIGNED)


async def all_of(store: Store) -> list[Row]:
    """(kind, name, origin, data) of every neighbour."""
    return await store.fetch("SELECT kind, name, origin, data FROM config ORDER BY kind, name")
