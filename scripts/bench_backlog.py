"""Measures a store in which very many tasks wait: what a start asks of it, and claims while the backlog shrinks.

    .venv/bin/python scripts/bench_backlog.py                                  1,000,000 tasks of 1, 10 and 100 owners
    .venv/bin/python scripts/bench_backlog.py --tasks 100000 --owners 10 --lanes 10000
    .venv/bin/python scripts/bench_backlog.py --postgres postgresql://user@host/database    (drops schema bench_backlog)

Milliseconds, as seen by the caller; one JSON object a line. `start` is what a server asks before it claims: the highest
identifier, the lanes with work, what is due when. Each claim of 50 is committed like any other.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmsc.store import meta, tasks
from mmsc.store.core import Statement, Store, Turn, Unit
from mmsc.store.sqlite import SqliteOptions, SqliteStore

NOW = 1_700_000_000_000_000
LANE = "smsc:00000"
CLAIMS = 40
_COLUMNS = "INSERT INTO task (id, kind, lane, owner, state, due_at, priority, attempt)"
_VALUES = (
    " SELECT number, 'notify', 'smsc:' || substr('0000' || CAST(number % $3 AS TEXT), -5),"
    " 'vasp:' || CAST(number / $3 % $2 AS TEXT), 'ready', $4 - $1 + number, number % 3, 0 FROM numbers"
)
_SQLITE = (
    "WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < $1) "
    + _COLUMNS
    + _VALUES
)
_POSTGRES = (
    _COLUMNS + " SELECT number, 'notify', 'smsc:' || lpad((number % $3::bigint)::text, 5, '0'),"
    " 'vasp:' || (number / $3::bigint % $2::bigint)::text, 'ready', $4::bigint - $1::bigint + number, number % 3, 0"
    " FROM generate_series(1, $1::bigint) AS numbers (number)"
)


@asynccontextmanager
async def opened(postgres: str) -> AsyncIterator[Store]:
    """A new, empty store."""
    if postgres:
        import asyncpg

        from mmsc.store.postgres import PostgresStore

        connection = await asyncpg.connect(postgres)
        await connection.execute("DROP SCHEMA IF EXISTS bench_backlog CASCADE")
        await connection.close()
        store: Store = PostgresStore(postgres, schema="bench_backlog")
        await store.open()
        yield store
        await store.close()
        return
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(str(Path(folder) / "mmsc.db"), SqliteOptions(synchronous="OFF"))
        await store.open()
        yield store
        await store.close()


async def fill(store: Store, number: int, owners: int, lanes: int) -> None:
    """Make the backlog, all of it due."""
    sql = _SQLITE if isinstance(store, SqliteStore) else _POSTGRES
    await store.commit(Unit(None, (Statement(sql, (number, owners, lanes, NOW)),)))


async def timed(work: Awaitable[object]) -> float:
    """Milliseconds until it is done."""
    begun = time.perf_counter()
    await work
    return (time.perf_counter() - begun) * 1000


async def measure(store: Store, number: int, owners: int, lanes: int) -> dict[str, object]:
    """One line of results."""
    found: dict[str, object] = {"tasks": number, "owners": owners, "lanes": lanes}
    found["fill_ms"] = round(await timed(fill(store, number, owners, lanes)))
    found["highest_id_ms"] = round(await timed(meta.highest_id(store)), 2)
    found["lanes_in_use_ms"] = round(await timed(tasks.lanes_in_use(store)), 2)
    found["next_due_ms"] = round(await timed(tasks.next_due(store)), 2)
    spent, served = [], 0
    for at in range(CLAIMS):
        begun = time.perf_counter()
        rows = await store.claim(
            [(LANE, 50)], node="bench", start=1, now=NOW, lease_seconds=60, turns={LANE: Turn(f"vasp:{at}")}
        )
        spent.append((time.perf_counter() - begun) * 1000)
        served += len(rows)
    found |= {"claim_50_ms": round(median(spent), 2), "claim_50_first_ms": round(spent[0], 2), "claimed": served}
    return found


async def run(arguments: argparse.Namespace) -> None:
    """Every number of owners, each in a store of its own."""
    for owners in arguments.owners or [1, 10, 100]:
        async with opened(arguments.postgres) as store:
            print(json.dumps(await measure(store, arguments.tasks, owners, arguments.lanes)), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--owners", type=int, action="append")
    parser.add_argument("--lanes", type=int, default=1)
    parser.add_argument("--postgres", default="", help="address of a database; without it a SQLite file is used")
    asyncio.run(run(parser.parse_args()))
