"""What VASPs have used of their credits, counted in the same way on every store."""

import asyncio

from mmsc.store import credits as sql
from mmsc.store.core import LOST, Statement, Store, Unit


async def test_units_of_one_batch_and_of_several_add_up(store: Store) -> None:
    units = [Unit(None, (sql.spend(name, count),)) for count in (1, 2, 3) for name in ("news", "weather") for _ in "xy"]
    await asyncio.gather(*map(store.commit, units))
    await store.commit(Unit(None, (sql.spend("news", 10_000_000_000),)))
    assert await sql.used(store, "news") == 10_000_000_012
    assert await sql.used(store, "weather") == 12
    assert await sql.used(store, "nobody") == 0


async def test_a_unit_that_is_lost_counts_nothing(store: Store) -> None:
    guard = Statement(
        "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING RETURNING key", ("k", "v")
    )
    outcomes = await asyncio.gather(*(store.commit(Unit(guard, (sql.spend("news", 5),))) for _ in range(4)))
    assert outcomes.count(LOST) == 3
    assert await sql.used(store, "news") == 5
