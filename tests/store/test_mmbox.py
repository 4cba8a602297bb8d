"""MMBoxes on every store: entries share content with MMs, quotas hold, and what is shown outlives its MM."""

import asyncio
import os
from dataclasses import replace

import pytest

from mmsc.domain.address import Address
from mmsc.domain.box_entry import BoxEntry, BoxId, Told, source_received, source_uploaded
from mmsc.domain.instant import DAY, Instant
from mmsc.domain.message import Content, ContentId
from mmsc.domain.mmbox import BoxPolicy, BoxState, BoxTotals
from mmsc.engine.housekeeping import RetentionPolicy
from mmsc.store import content as content_sql
from mmsc.store import mmbox as sql
from mmsc.store.bodies import Bodies, drop
from mmsc.store.core import LOST, Lost, Row, Store, Unit
from mmsc.store.postgres import PostgresStore
from tests import postgres
from tests.store.test_bodies import Memory
from tests.store.test_contract import NOW
from tests.store.test_housekeeping import House

OWNER = Address.of("+15550100123")
CONTENT = Content("application/vnd.wap.multipart.mixed", bytes(100), ())
ENTRY = BoxEntry(
    id=BoxId(10),
    owner=OWNER,
    token="box",
    source=source_received(2),
    content_id=ContentId(1),
    state=BoxState.NEW,
    flags=("family",),
    stored_at=NOW,
    size=100,
    told=Told(subject="Grüße", to=("+15550100123/TYPE=PLMN",), details={"a": "b"}, others=(("X-Own", "1"),)),
)
POLICY = BoxPolicy(quota_messages=3, quota_octets=250)


def entry(number: int, **fields: object) -> BoxEntry:
    """Another one, with content of its own."""
    named = {"id": BoxId(number), "token": f"t{number}", "source": f"s{number}", "content_id": ContentId(number)}
    return replace(ENTRY, **{**named, **fields})  # type: ignore[arg-type]


async def keep(store: Store, one: BoxEntry, policy: BoxPolicy = POLICY) -> bool:
    guard, effects = sql.keep_shared(one, policy)
    return not isinstance(await store.commit(Unit(guard, effects)), Lost)


async def upload(store: Store, one: BoxEntry, policy: BoxPolicy = POLICY) -> bool:
    guard, effects = sql.keep_uploaded(one, policy, (content_sql.insert(one.content_id, CONTENT),))
    return not isinstance(await store.commit(Unit(guard, effects)), Lost)


async def shown(store: Store) -> list[Row]:
    return await store.fetch("SELECT id, boxes FROM content ORDER BY id")


async def test_an_entry_comes_back_as_it_was(store: Store) -> None:
    await store.commit(Unit(None, (content_sql.insert(ContentId(1), CONTENT),)))
    assert await keep(store, ENTRY)
    assert await sql.by_token(store, "box") == ENTRY
    assert await sql.by_source(store, ENTRY.source) == ENTRY
    assert await sql.by_id(store, 10) == ENTRY
    assert await sql.by_token(store, "bo") is None
    assert await sql.listed(store, OWNER) == [(10, BoxState.NEW, ("family",))]
    assert await sql.totals(store, OWNER) == BoxTotals(1, 100)
    assert await shown(store) == [(1, 1)]


async def test_content_that_is_gone_is_not_kept(store: Store) -> None:
    assert not await keep(store, ENTRY)
    assert await sql.totals(store, OWNER) == BoxTotals(0, 0)


async def test_one_source_has_one_entry(store: Store) -> None:
    one = entry(10, source=source_uploaded(OWNER, b"same"))
    again = entry(11, source=one.source)
    assert list(await asyncio.gather(upload(store, one), upload(store, again))) == [True, False]
    assert not await upload(store, entry(12, source=one.source))
    assert await shown(store) == [(10, 1)]


@pytest.mark.parametrize("quota", [BoxPolicy(quota_messages=2, quota_octets=10_000), POLICY])
async def test_a_box_is_not_filled_beyond_its_quota(store: Store, quota: BoxPolicy) -> None:
    """Two messages, or 250 octets at a hundred each; all of them at once."""
    made = await asyncio.gather(*[upload(store, entry(number), quota) for number in range(10, 20)])
    assert made.count(True) == 2
    assert await sql.totals(store, OWNER) == BoxTotals(2, 200)
    assert len(await shown(store)) == 2
    assert await upload(store, entry(30, owner=Address.of("+15550100124")), quota)


async def test_what_a_sender_keeps_is_part_of_its_mms_unit(store: Store) -> None:
    """The MM is stored whether his box is full or not."""
    for number, quota in ((10, POLICY), (11, BoxPolicy(quota_messages=1, quota_octets=1000))):
        effects = (content_sql.insert(ContentId(number), CONTENT), *sql.keep_sent(entry(number), quota))
        await store.commit(Unit(None, effects))
    assert await shown(store) == [(10, 1), (11, None)]
    assert await sql.by_id(store, 11) is None


async def test_many_ways_into_a_box_in_one_batch(store: Store) -> None:
    """Effects of a batch run grouped by their text: each entry is counted all the same."""
    many = BoxPolicy()
    await store.commit(Unit(None, (content_sql.insert(ContentId(1), CONTENT),)))
    sent = (content_sql.insert(ContentId(12), CONTENT), *sql.keep_sent(entry(12), many))
    await asyncio.gather(
        keep(store, entry(10, content_id=ContentId(1)), many),
        upload(store, entry(11), many),
        store.commit(Unit(None, sent)),
        keep(store, entry(13, content_id=ContentId(1), owner=Address.of("+15550100124")), many),
        upload(store, entry(14), many),
    )
    assert await shown(store) == [(1, 2), (11, 1), (12, 1), (14, 1)]


async def test_state_and_flags_change_from_what_they_were(store: Store) -> None:
    await upload(store, ENTRY)
    changed = sql.change(ENTRY, BoxState.FORWARDED, ())
    assert await store.commit(Unit(changed, ())) == [(10,)]
    assert await store.commit(Unit(changed, ())) is LOST
    assert await sql.by_id(store, 10) == replace(ENTRY, state=BoxState.FORWARDED, flags=())
    assert await store.commit(Unit(sql.read_once(ENTRY.source), ())) is LOST


async def test_content_stays_until_neither_mm_nor_box_has_it(store: Store) -> None:
    house = House(store, RetentionPolicy(bodies=7 * DAY, messages=90 * DAY))
    await house.put(1)
    one, other = entry(10, content_id=ContentId(1000)), entry(11, content_id=ContentId(1000))
    assert await keep(store, one)
    assert await keep(store, other)
    house.clock.advance(91 * 86400)
    await house.keeper.round()
    assert await store.fetch("SELECT count(*) FROM mm") == [(0,)]
    assert await shown(store) == [(1000, 2)]
    for left in (1, 0):
        guard, effects = sql.delete(one.id if left else other.id, 1000)
        assert await store.commit(Unit(guard, effects)) != LOST
        assert await store.commit(Unit(guard, effects)) is LOST
        assert await shown(store) == [(1000, left)]
    await house.keeper.round()
    assert await shown(store) == []


async def test_what_a_box_lets_go_is_its_mms_again(store: Store) -> None:
    house = House(store)
    await house.put(1)
    one = entry(10, content_id=ContentId(1000))
    await keep(store, one)
    await store.commit(Unit(*sql.delete(one.id, 1000)))
    await house.keeper.round()
    assert await shown(store) == [(1000, 0)]
    house.clock.advance(8 * 86400)
    await house.keeper.round()
    assert await shown(store) == []


async def test_retention_takes_what_lay_in_a_box_for_too_long(store: Store) -> None:
    house = House(store, RetentionPolicy(boxes=30 * DAY))
    old, young = entry(10, stored_at=house.clock.now()), entry(11, stored_at=Instant(house.clock.now() + 2 * DAY))
    assert await upload(store, old)
    assert await upload(store, young)
    house.clock.advance(31 * 86400)
    await house.keeper.round()
    assert [one[0] for one in await sql.listed(store, OWNER)] == [11]
    assert await shown(store) == [(11, 1)]
    assert "box.deleted" in [event.kind for event in house.told]


async def test_an_object_that_a_box_shows_keeps_its_references(store: Store) -> None:
    memory = Memory()
    bodies = Bodies(store, memory, memory.real_now, smallest_octets=1)
    await store.commit(Unit(None, await bodies.write(ContentId(10), CONTENT)))
    assert await keep(store, entry(10))
    await store.commit(Unit(None, drop(ContentId(10), memory.now)))
    assert await store.fetch("SELECT refs FROM object") == [(1,)]
    assert await bodies.read(ContentId(10)) == CONTENT
    await store.commit(Unit(*sql.delete(10, 10)))
    await store.commit(Unit(None, drop(ContentId(10), memory.now)))
    assert await store.fetch("SELECT refs FROM object") == [(0,)]
    assert await shown(store) == []


async def test_two_nodes_do_not_overfill_a_box_together() -> None:
    """PostgreSQL: each looks at the quota before the other's commit; the number that both want tells them apart."""
    schema = f"boxes_{os.getpid()}"
    stores = [PostgresStore(postgres.server(), schema=schema) for _ in range(2)]
    for one in stores:
        await one.open()
    try:
        quota = BoxPolicy(quota_messages=8, quota_octets=10_000)
        for start in range(0, 20, 2):
            pair = zip(stores, (100 + start, 101 + start), strict=True)
            await asyncio.gather(*[upload(store, entry(number), quota) for store, number in pair])
        totals = await sql.totals(stores[0], OWNER)
        assert totals == BoxTotals(8, 800)
        assert len(await shown(stores[1])) == 8
    finally:
        for one in stores:
            await one.close()
