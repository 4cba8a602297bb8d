"""A process of the killing test: `python -m tests.cdr.child FOLDER SEED` tells events and writes their records at once,
until it is killed. It prints a line for each MM that has ended."""

import asyncio
import random
import sys
from pathlib import Path

from mmsc.clock import Clock
from mmsc.store import meta
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from tests.cdr.world import World, writer


async def main(folder: Path, seed: int) -> None:
    """Eight MMs at a time; files that rotate every few records."""
    chance = random.Random(seed)
    clock = Clock()
    store = SqliteStore(str(folder / "mmsc.db"), SqliteOptions(synchronous="OFF"))
    await store.open()
    world = World(store, clock)
    world.ids.go_on_above(await meta.highest_id(store))
    endings = ("jsonl", "csv") if seed % 2 else ("jsonl",)
    one = writer(store, clock, folder, rotate_octets=chance.randrange(500, 20_000), endings=endings)

    async def lives() -> None:
        while True:
            await world.life()
            print("life", flush=True)

    async def writing() -> None:
        while True:
            await one.write()

    await asyncio.gather(writing(), *[lives() for _ in range(8)])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
