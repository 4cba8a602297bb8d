"""Names, numbers and signs of life of the nodes, on every store."""

import asyncio

import pytest

from mmsc.domain.message import TaskId, TaskKind
from mmsc.store import nodes, tasks
from mmsc.store.core import LOST, Statement, Store, Unit
from mmsc.store.nodes import ANY_NUMBER, Entered
from mmsc.store.tasks import Holder, TaskRow


async def enter(store: Store, name: str, number: int = ANY_NUMBER) -> Entered:
    entered = await nodes.enter_new(store, name, number, "{}")
    assert entered is not None
    return entered


async def known(store: Store, name: str) -> nodes.Known:
    return next(one for one in await nodes.known(store) if one.name == name)


async def test_each_node_gets_the_lowest_free_number(store: Store) -> None:
    assert [(await enter(store, name)).number for name in "abc"] == [0, 1, 2]
    await enter(store, "seven", 7)
    assert (await enter(store, "d")).number == 3
    assert await nodes.enter_new(store, "other", 7, "{}") is None, "it is the other's"
    assert await nodes.enter_new(store, "a", ANY_NUMBER, "{}") is None, "the name is taken"


async def test_nodes_that_start_together_get_different_numbers(store: Store) -> None:
    async def place(name: str) -> int:
        while True:
            entered = await nodes.enter_new(store, name, ANY_NUMBER, "{}")
            if entered is not None:
                return entered.number

    assert sorted(await asyncio.gather(*map(place, "abcdefgh"))) == list(range(8))


async def test_a_node_comes_back_under_its_number(store: Store) -> None:
    await enter(store, "a")
    first = await enter(store, "b")
    await store.commit(Unit(None, (nodes.leaves("b", 1),)))
    again = await nodes.enter_again(store, "b", 0, "{}")
    assert again is not None
    assert (again.number, again.start_no) == (first.number, 2)


async def test_a_name_is_free_when_it_gave_no_sign_since(store: Store) -> None:
    await enter(store, "a")
    seen = (await known(store, "a")).seen_at
    assert await nodes.enter_again(store, "a", seen - 1, "{}") is None, "it has moved since"
    assert await nodes.enter_again(store, "a", seen, "{}") is not None


async def test_a_node_without_a_number_left_is_told(store: Store) -> None:
    assert await nodes.renumber(store, "nobody", 3) is False
    await enter(store, "a")
    await enter(store, "b")
    assert await nodes.renumber(store, "a", 1) is False, "b has it"
    assert await nodes.renumber(store, "a", 5) is True
    assert (await known(store, "a")).number == 5


async def test_a_sign_of_life_is_that_of_the_latest_start(store: Store) -> None:
    await enter(store, "a")
    assert await store.commit(Unit(nodes.is_alive("a", 1), ())) is not LOST
    await nodes.enter_again(store, "a", (await known(store, "a")).seen_at, "{}")
    assert await store.commit(Unit(nodes.is_alive("a", 1), ())) is LOST
    assert await store.commit(Unit(nodes.is_back("a", 1), ())) is LOST
    assert await store.commit(Unit(nodes.is_alive("a", 2), ())) is not LOST


@pytest.mark.parametrize("micros", [-1, 3600 * 1_000_000])
async def test_who_is_silent_is_buried_once_and_its_tasks_are_free(store: Store, micros: int) -> None:
    """`micros` of silence: -1 makes everybody silent."""
    await enter(store, "a")
    row = TaskRow(TaskId(1), None, None, TaskKind.NOTIFY, "smsc:x", (await known(store, "a")).seen_at, 1, {})  # type: ignore[arg-type]
    await store.commit(Unit(None, (tasks.insert(row, Holder("a", 1), 1 << 60),)))
    silent = await nodes.silent(store, micros)
    burial = Unit(nodes.is_dead("a", 1, micros), (tasks.release("a", 1),))
    outcomes = [await store.commit(burial) for _ in range(2)]
    held = await tasks.held_by(store, Holder("a", 1))
    if micros > 0:
        assert (silent, outcomes, held) == ([], [LOST, LOST], {(1, 0)})
        return
    assert silent == [("a", 1, 1)]
    assert outcomes == [[("a",)], LOST]
    assert held == set()
    assert await store.commit(Unit(nodes.is_alive("a", 1), ())) is LOST
    assert await store.commit(Unit(nodes.is_back("a", 1), ())) is not LOST, "it lives after all"


async def test_a_name_is_forgotten_after_a_month_unless_somebody_still_needs_it(store: Store) -> None:
    """Not that of the node that starts (its start numbers go on), nor of one that owes charging records."""
    for name in ("gone", "starting", "owing", "fresh"):
        await enter(store, name)
    owed = Statement("INSERT INTO cdr (node, event_id) VALUES ('owing', 1)")
    aged = Statement("UPDATE node SET seen_at = seen_at - $1 WHERE name <> 'fresh'", (nodes.KEPT_MICROS + 1_000_000,))
    await store.commit(Unit(None, (owed, aged)))
    await nodes.forget_old(store, "starting")
    assert sorted(one.name for one in await nodes.known(store)) == ["fresh", "owing", "starting"]
