"""Measures what a large store costs: a filled SQLite store and an empty one, by turns, with the product's statements.

    .venv/bin/python scripts/fill_store.py --messages 1000000 --bodies 20000 /tmp/large.db
    .venv/bin/python scripts/bench_large.py /tmp/large.db

Each round opens a store, plays lifecycles of MMs (`scripts/bench_store.py`: five durable steps each), claims tasks and
looks MMs up by their secrets; the filled file grows by what is played. With `--keeping-house` retention removes bodies
and MMs of the filled store meanwhile. The last line has the ratios of filled to empty, of the medians; only those hold
between machines, and on a busy one only those of processor time.
"""

import argparse
import asyncio
import hashlib
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bench_store

from mmsc.clock import Clock
from mmsc.domain.instant import HOUR
from mmsc.engine.chronicle import Chronicle
from mmsc.engine.housekeeping import Housekeeper, RetentionPolicy
from mmsc.ids import Ids
from mmsc.store import messages, meta
from mmsc.store.bodies import Bodies
from mmsc.store.core import Statement, Store, Unit
from mmsc.store.sqlite import SqliteStore

IDS = Ids()
CLAIMED = 1000
LOOKED_UP = 2000
Figures = dict[str, float]


def keys(first: int) -> tuple[bytes, str, str]:
    """As the product makes them: a digest, and secrets that begin with their time."""
    return hashlib.sha256(first.to_bytes(8)).digest(), IDS.transaction_id(), IDS.token()


@asynccontextmanager
async def house(store: Store, *, kept: bool) -> AsyncIterator[Housekeeper]:
    """Retention at work on the side: everything older than an hour goes."""
    clock = Clock()
    policy = RetentionPolicy(bodies=HOUR, messages=HOUR, repeat_window=1)
    bodies = Bodies(store, None, clock.real_now)
    keeper = Housekeeper(store, bodies, clock, Chronicle(clock, IDS, lambda event: None), policy, node="bench")
    work = asyncio.create_task(keeper.round()) if kept else None
    yield keeper
    if work is not None:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def measured(path: Path, arguments: argparse.Namespace, *, kept: bool) -> Figures:
    """The figures of one store."""
    store = SqliteStore(str(path))
    await store.open()
    try:
        numbers = itertools.count(await meta.highest_id(store) // 20 + 1)
        body = os.urandom(arguments.body_octets)
        await bench_store.lifecycles(store, 64, 256, body, numbers, keys)
        longest: list[float] = []
        async with house(store, kept=kept) as keeper:
            watching = asyncio.create_task(stalls(longest))
            processor = time.process_time()
            seconds = await bench_store.lifecycles(store, 64, arguments.messages, body, numbers, keys)
            processor = time.process_time() - processor
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            removed = keeper.done
        figures = {
            "messages_per_s": arguments.messages / seconds,
            "cpu_us_per_message": processor / arguments.messages * 1e6,
            "claims_per_s": await claims(store, numbers),
            "longest_stall_ms": max(longest, default=0.0) * 1000,
            **await lookups(store),
        }
        if kept:
            figures |= {"bodies_removed": removed.bodies, "mms_removed": removed.messages}
        return figures
    finally:
        await store.close()


async def stalls(longest: list[float]) -> None:
    """How long the event loop was held at a time."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(0)
        longest.append(time.perf_counter() - before)


async def claims(store: Store, numbers: Iterator[int]) -> float:
    """Tasks claimed a second; they go afterwards, so that the next round finds as many."""
    found = await bench_store.claims(store, CLAIMED, numbers)
    await store.commit(Unit(None, (Statement("DELETE FROM task WHERE lane = $1", ("peer:other",)),)))
    return found


async def lookups(store: Store) -> Figures:
    """MMs found by their Content-Location, from all over the store."""
    ((first, last),) = await store.fetch("SELECT min(id), max(id) FROM recipient")
    assert isinstance(first, int)
    assert isinstance(last, int)
    places = [first + (last - first) // LOOKED_UP * number for number in range(LOOKED_UP)]
    found = [
        await store.fetch("SELECT token FROM recipient WHERE id >= $1 ORDER BY id LIMIT 1", place) for place in places
    ]
    before, processor = time.perf_counter(), time.process_time()
    for ((token,),) in found:
        assert await messages.by_token(store, str(token)) is not None
    seconds, processor = time.perf_counter() - before, time.process_time() - processor
    return {"lookups_per_s": LOOKED_UP / seconds, "cpu_us_per_lookup": processor / LOOKED_UP * 1e6}


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, metavar="FILE", help="a store that scripts/fill_store.py made")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=2000, help="MMs in each round")
    parser.add_argument("--body-octets", type=int, default=30_000)
    parser.add_argument("--keeping-house", action="store_true", help="remove what is older than an hour meanwhile")
    given = parser.parse_args()
    found: dict[str, list[Figures]] = {"empty": [], "filled": []}
    for number in range(given.rounds):
        with tempfile.TemporaryDirectory(prefix="mmsc-bench-", dir=given.file.parent) as folder:
            for name, path in (("empty", Path(folder) / f"{number}.db"), ("filled", given.file)):
                figures = asyncio.run(measured(path, given, kept=given.keeping_house and name == "filled"))
                print(
                    json.dumps({"store": name, **{key: round(value, 1) for key, value in figures.items()}}), flush=True
                )
                found[name].append(figures)
    medians = {
        name: {key: statistics.median(one[key] for one in all_) for key in all_[0]} for name, all_ in found.items()
    }
    ratios = {key: round(medians["filled"][key] / value, 3) for key, value in medians["empty"].items()}
    print(json.dumps({"filled_to_empty": ratios}))


if __name__ == "__main__":
    main()
