"""Bodies in object storage: written before they are referred to, removed after, whatever dies in between."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from mmsc.domain.instant import HOUR, MINUTE, Instant
from mmsc.domain.message import Content, ContentId, Part
from mmsc.store import bodies as bodies_sql
from mmsc.store.bodies import GRACE, STRAY_AFTER, Bodies
from mmsc.store.core import Store, StoreRefused, StoreUnavailable, Unit
from mmsc.store.objects import S3Objects
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from tests import s3

CONTENT = Content("application/vnd.wap.multipart.mixed", b"body" * 10, (Part("text/plain", "t", "", 5, 1),))
OTHER = replace(CONTENT, body=b"another" * 10)
START = 1_700_000_000_000_000


class Died(Exception):
    """The process ended here."""


@dataclass
class Memory:
    """An object storage in memory that a test can break. `dies_before_delete`: the process ends there."""

    now: int = START
    kept: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    away: bool = False
    dies_before_delete: bool = False

    async def open(self) -> None:
        self._check()

    async def put(self, name: str, body: bytes) -> None:
        self._check()
        assert name not in self.kept, "a name is used once"
        self.kept[name] = (body, self.now)

    async def get(self, name: str) -> bytes | None:
        self._check()
        return self.kept[name][0] if name in self.kept else None

    async def delete(self, names: Sequence[str]) -> None:
        self._check()
        if self.dies_before_delete:
            raise Died
        for name in names:
            self.kept.pop(name, None)

    async def listed(self) -> AsyncIterator[list[tuple[str, int]]]:
        self._check()
        yield [(name, written) for name, (_, written) in self.kept.items()]

    def real_now(self) -> int:
        return self.now

    def _check(self) -> None:
        if self.away:
            raise StoreUnavailable("object storage: away")


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def bodies(store: Store, memory: Memory) -> Bodies:
    return Bodies(store, memory, memory.real_now, smallest_octets=1)


async def keep(store: Store, bodies: Bodies, number: int, content: Content = CONTENT) -> None:
    await store.commit(Unit(None, await bodies.put(ContentId(number), content)))


async def drop(store: Store, memory: Memory, *numbers: int) -> None:
    effects = [one for number in numbers for one in bodies_sql.forget(ContentId(number), memory.now)]
    await store.commit(Unit(None, tuple(effects)))


async def test_a_body_comes_back_as_it_was(store: Store, bodies: Bodies, memory: Memory) -> None:
    await keep(store, bodies, 1)
    assert await bodies.read(ContentId(1)) == CONTENT
    assert [body for body, _ in memory.kept.values()] == [CONTENT.body]
    assert (await store.fetch("SELECT body, size FROM content")) == [(None, len(CONTENT.body))]


async def test_small_bodies_stay_in_the_database(store: Store, memory: Memory) -> None:
    bodies = Bodies(store, memory, memory.real_now, smallest_octets=len(CONTENT.body) + 1)
    assert not bodies.is_outside(CONTENT)
    assert Bodies(store, memory, memory.real_now, smallest_octets=len(CONTENT.body)).is_outside(CONTENT)
    assert not Bodies(store, None, memory.real_now).is_outside(CONTENT)


async def test_equal_bodies_are_one_object_until_the_last_of_them_goes(
    store: Store, bodies: Bodies, memory: Memory
) -> None:
    for number in (1, 2, 3):
        await keep(store, bodies, number)
    await keep(store, bodies, 4, OTHER)
    assert len(memory.kept) == 2
    await drop(store, memory, 1, 2)
    memory.now += 2 * GRACE
    assert await bodies.sweep() == 0
    assert await bodies.read(ContentId(3)) == CONTENT
    await drop(store, memory, 3)
    memory.now += GRACE + 1
    assert await bodies.sweep() == 1
    assert [body for body, _ in memory.kept.values()] == [OTHER.body]
    assert await bodies.read(ContentId(1)) is None
    assert await store.fetch("SELECT refs FROM object") == [(1,)]


async def test_what_goes_twice_counts_once(store: Store, bodies: Bodies, memory: Memory) -> None:
    await keep(store, bodies, 1)
    await keep(store, bodies, 2)
    await drop(store, memory, 1)
    await drop(store, memory, 1)
    assert await store.fetch("SELECT refs FROM object") == [(1,)]


async def test_an_object_without_references_waits_for_who_may_still_commit(
    store: Store, bodies: Bodies, memory: Memory
) -> None:
    """A node that knew the object lately refers to it without writing it again."""
    await keep(store, bodies, 1)
    await drop(store, memory, 1)
    memory.now += GRACE // 2 - MINUTE
    effects = await bodies.put(ContentId(2), CONTENT)
    assert len(memory.kept) == 1, "it is still there, and need not be written again"
    memory.now += 30 * MINUTE
    assert await bodies.sweep() == 0
    await store.commit(Unit(None, effects))
    assert await bodies.read(ContentId(2)) == CONTENT


async def test_an_object_that_may_go_at_any_moment_is_written_anew(
    store: Store, bodies: Bodies, memory: Memory
) -> None:
    await keep(store, bodies, 1)
    await drop(store, memory, 1)
    memory.now += GRACE - MINUTE
    effects = await bodies.put(ContentId(2), CONTENT)
    assert len(memory.kept) == 2
    memory.now += 2 * MINUTE
    assert await bodies.sweep() == 1
    await store.commit(Unit(None, effects))
    assert await bodies.read(ContentId(2)) == CONTENT


async def test_of_two_that_write_the_same_body_one_leaves_a_stray(store: Store, memory: Memory) -> None:
    """Two nodes: the row names the first object, the second is swept as a stray."""
    one, two = (Bodies(store, memory, memory.real_now, smallest_octets=1) for _ in range(2))
    first, second = await asyncio.gather(one.put(ContentId(1), CONTENT), two.put(ContentId(2), CONTENT))
    await store.commit(Unit(None, first))
    await store.commit(Unit(None, second))
    assert len(memory.kept) == 2
    assert await store.fetch("SELECT refs FROM object") == [(2,)]
    memory.now += STRAY_AFTER + 1
    assert await one.sweep_strays() == 1
    assert await one.read(ContentId(1)) == await one.read(ContentId(2)) == CONTENT


async def test_what_a_crash_left_is_found_after_a_day(store: Store, bodies: Bodies, memory: Memory) -> None:
    await bodies.put(ContentId(1), CONTENT)  # died before its unit was committed
    await keep(store, bodies, 2, OTHER)
    memory.kept["somebody/elses"] = (b"", 0)
    memory.now += STRAY_AFTER - MINUTE
    assert await bodies.sweep_strays() == 0
    memory.now += 2 * MINUTE
    assert await bodies.sweep_strays() == 1
    assert sorted(body for body, _ in memory.kept.values()) == [b"", OTHER.body]


async def test_a_crash_between_row_and_object_leaves_a_stray(store: Store, bodies: Bodies, memory: Memory) -> None:
    await keep(store, bodies, 1)
    await drop(store, memory, 1)
    memory.now += GRACE + 1
    memory.dies_before_delete = True
    with pytest.raises(Died):
        await bodies.sweep()
    memory.dies_before_delete = False
    assert await store.fetch("SELECT * FROM object") == []
    await keep(store, bodies, 2)  # the same body again: another name
    memory.now += STRAY_AFTER + 1
    assert await bodies.sweep_strays() == 1
    assert await bodies.read(ContentId(2)) == CONTENT


async def test_nothing_is_taken_and_nothing_lost_while_the_storage_is_away(
    store: Store, bodies: Bodies, memory: Memory
) -> None:
    await keep(store, bodies, 1)
    memory.away = True
    with pytest.raises(StoreUnavailable, match="away"):
        await bodies.put(ContentId(2), OTHER)
    with pytest.raises(StoreUnavailable, match="away"):
        await bodies.read(ContentId(1))
    memory.away = False
    assert await bodies.read(ContentId(1)) == CONTENT


async def test_a_body_that_is_gone_or_damaged_is_no_wrong_answer(store: Store, bodies: Bodies, memory: Memory) -> None:
    await keep(store, bodies, 1)
    (name,) = memory.kept
    memory.kept[name] = (b"something else", START)
    with pytest.raises(StoreUnavailable, match="damaged"):
        await bodies.read(ContentId(1))
    memory.kept.clear()
    with pytest.raises(StoreUnavailable, match="is gone"):
        await bodies.read(ContentId(1))
    with pytest.raises(StoreUnavailable, match=r"store\.objects\.url is not set"):
        await Bodies(store, None, memory.real_now).read(ContentId(1))


@pytest.mark.parametrize("seed", range(30))
async def test_whatever_dies_when_each_body_that_is_referred_to_is_there(seed: int) -> None:
    """Two nodes accept, forget, sweep and die at any step, and time jumps; at each step what is referred to exists."""
    chance = random.Random(seed)
    memory = Memory()
    store = SqliteStore(":memory:", SqliteOptions(synchronous="OFF", inline=True))
    await store.open()
    nodes = [Bodies(store, memory, memory.real_now, smallest_octets=1) for _ in range(2)]
    contents = [replace(CONTENT, body=b"%d" % number) for number in range(3)]
    alive: list[int] = []
    under_way: list[tuple[int, int, Unit]] = []  # accepted half: number, since when, the unit
    for number in range(1, 200):
        node = chance.randrange(2)
        match chance.randrange(8):
            case 0 | 1:
                effects = await nodes[node].put(ContentId(number), chance.choice(contents))
                under_way.append((number, memory.now, Unit(None, effects)))
            case 2 | 3 if under_way:
                begun, _, unit = under_way.pop(chance.randrange(len(under_way)))
                await store.commit(unit)
                alive.append(begun)
            case 4 if under_way:
                under_way.pop(chance.randrange(len(under_way)))  # its process died before the commit
                nodes[node] = Bodies(store, memory, memory.real_now, smallest_octets=1)
            case 5 if alive:
                await drop(store, memory, alive.pop(chance.randrange(len(alive))))
            case 6:
                memory.dies_before_delete = chance.random() < 0.3
                try:
                    await chance.choice((nodes[node].sweep, nodes[node].sweep_strays))()
                except Died:
                    nodes[node] = Bodies(store, memory, memory.real_now, smallest_octets=1)
            case _:
                longest = min([since + 30 * MINUTE - 1 - memory.now for _, since, _ in under_way], default=48 * HOUR)
                memory.now += chance.randrange(longest + 1)
        for one in alive:
            assert await nodes[node].read(ContentId(one)) is not None, f"seed {seed}, step {number}"
    for _, _, unit in under_way:
        await store.commit(unit)
    await drop(store, memory, *alive, *(begun for begun, _, _ in under_way))
    memory.dies_before_delete = False
    memory.now += STRAY_AFTER + GRACE
    while await nodes[0].sweep():
        pass
    await nodes[0].sweep_strays()
    assert memory.kept == {}, "nothing is left behind"
    assert await store.fetch("SELECT * FROM object") == []
    await store.close()


async def test_a_real_bucket_keeps_lists_and_forgets(store: Store) -> None:
    objects = S3Objects(s3.bucket())
    await objects.open()
    now = Instant(2_000_000_000_000_000)  # the server's own clock dates the objects
    bodies = Bodies(store, objects, lambda: now, smallest_octets=1)
    await bodies.put(ContentId(1), OTHER)  # a stray
    await keep(store, bodies, 2)
    await keep(store, bodies, 3)
    assert await bodies.read(ContentId(3)) == CONTENT
    assert sum([len(some) async for some in objects.listed()]) == 2
    assert await bodies.sweep_strays() == 1
    assert await bodies.read(ContentId(2)) == CONTENT
    names = [name async for some in objects.listed() for name, _ in some]
    await objects.delete(names)
    await objects.delete(names)  # gone already
    assert await objects.get(names[0]) is None


async def test_a_bucket_that_is_not_there_is_told_at_the_start() -> None:
    objects = S3Objects(replace(s3.bucket(), url="s3://nobodys-bucket"))
    with pytest.raises(StoreRefused, match="s3://nobodys-bucket takes no objects"):
        await objects.open()


async def test_a_server_that_is_away_is_later() -> None:
    objects = S3Objects(replace(s3.bucket(), endpoint="http://127.0.0.1:9", timeout_seconds=1.0))
    with pytest.raises(StoreUnavailable, match="object storage"):
        await objects.put("a/b", b"x")
    with pytest.raises(StoreUnavailable, match="object storage"):
        await objects.get("a/b")
