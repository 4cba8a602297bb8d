"""SQL of the neighbours that are made while the server runs: rows of `config` with the origin `console`.

A VASP, a peer or an SMSC has a second row, `given.KIND`: the table as it was given, of which the first one is made
again when the settings that it stands on change."""

from typing import Final

from mmsc.domain.instant import Instant
from mmsc.store.core import Row, Statement, Store

SETUP: Final = "setup:"  # a wake: a neighbour was changed; what follows says which, "" for any
GIVEN: Final = "given."  # before a kind


def put(kind: str, name: str, data: str, at: Instant, wakes: str = SETUP) -> Statement:
    """Write one, unless the settings file has it: a guard. Other nodes are woken."""
    return Statement(
        "INSERT INTO config (kind, name, origin, data, changed_at) VALUES ($1, $2, 'console', $3, $4)"
        " ON CONFLICT (kind, name) DO UPDATE SET data = excluded.data, changed_at = excluded.changed_at"
        " WHERE config.origin = 'console' RETURNING name",
        (kind, name, data, at),
        wakes,
    )


def take(kind: str, name: str, wakes: str = SETUP) -> Statement:
    """One goes, unless the settings file has it: a guard. Other nodes are woken."""
    return Statement(
        "DELETE FROM config WHERE kind = $1 AND name = $2 AND origin = 'console' RETURNING name", (kind, name), wakes
    )


async def one(store: Store, kind: str, name: str) -> Row | None:
    """(origin, data) of one."""
    return await store.fetch_one("SELECT origin, data FROM config WHERE kind = $1 AND name = $2", kind, name)


async def given(store: Store) -> list[Row]:
    """(kind, name, data) of all tables that were given."""
    return await store.fetch(
        "SELECT kind, name, data FROM config WHERE kind IN ('given.vasp', 'given.peer', 'given.smsc')"
        " ORDER BY kind, name"
    )


async def waiting(store: Store, lane: str, at_most: int) -> int:
    """How many tasks of a lane are not done."""
    row = await store.fetch_one(
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM task WHERE lane = $1 AND state = 'ready' LIMIT $2) AS ready)"
        " + (SELECT count(*) FROM (SELECT 1 FROM task WHERE lane = $1 AND state = 'leased' LIMIT $2) AS leased)",
        *(lane, at_most),
    )
    return 0 if row is None or not isinstance(row[0], int) else row[0]
