"""Whose request is looked at next, when there are more than are looked at at once."""

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mmsc.domain.door import DoorLimits
from mmsc.gateways.turns import Turns

FEW = DoorLimits(maximum=8, maximum_of_one=4)


async def served(turns: Turns, owners: str) -> list[str]:
    """The order in which one request of each owner is looked at, when the one before it is done."""
    order: list[str] = []

    async def one(owner: str) -> None:
        if await turns.enter(owner):
            order.append(owner)
            await asyncio.sleep(0)
            turns.leave(owner)
        else:
            order.append(f"not {owner}")

    await asyncio.gather(*map(one, owners))
    return order


async def test_one_of_each_is_looked_at_in_turn() -> None:
    order = await served(Turns(at_once=1, beside=0), "ffffffabb")
    assert "".join(order) == "ffabfbfff"


async def test_where_nobody_waits_all_are_let_in_as_they_come() -> None:
    turns = Turns(at_once=3)
    assert [await turns.enter(owner) for owner in "fff"] == [True] * 3
    assert turns.under_way == 3


async def test_who_has_none_that_is_looked_at_does_not_wait_for_those_who_have() -> None:
    """What keeps a flood's requests under way keeps nobody else's."""
    turns = Turns(at_once=2, beside=2)
    assert [await turns.enter(owner) for owner in "ffab"] == [True] * 4
    waiting = [asyncio.create_task(turns.enter(owner)) for owner in "acf"]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting), "a has one, and four are looked at: c waits, too"
    turns.leave("a")
    turns.leave("b")
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting), "as many as usual are looked at"
    assert await turns.enter("d")
    turns.leave("f")
    turns.leave("d")
    await asyncio.sleep(0)
    assert [one.done() for one in waiting] == [True, False, False]
    turns.leave("f")
    turns.leave("a")
    assert await asyncio.gather(*waiting) == [True] * 3


async def test_what_is_beyond_the_door_is_told_later_at_once() -> None:
    order = await served(Turns(FEW, at_once=1, beside=0), "ffffffa")
    assert order[:3] == ["f", "not f", "not f"]
    assert Counter(order) == {"f": 4, "not f": 2, "a": 1}


async def test_who_hangs_up_while_it_waits_gives_its_turn_to_the_next() -> None:
    turns = Turns(at_once=1, beside=0)
    assert await turns.enter("f")
    waiting = [asyncio.create_task(turns.enter(owner)) for owner in "fab"]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    turns.leave("f")  # it is a's turn now, and a hangs up before it hears of it
    waiting[1].cancel()
    assert await waiting[2]
    turns.leave("b")
    assert turns.under_way == 0
    assert await turns.enter("f"), "nobody waits, and nothing is looked at"


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 3)), max_size=30),
    st.integers(1, 3),
    st.integers(0, 2),
)
def test_never_too_many_at_once_and_everybody_gets_out(
    requests: list[tuple[str, bool, int]], at_once: int, beside: int
) -> None:
    inside = most = 0

    async def one(turns: Turns, owner: str, rounds: int) -> None:
        nonlocal inside, most
        if await turns.enter(owner):
            inside += 1
            most = max(most, inside)
            try:
                for _ in range(rounds):
                    await asyncio.sleep(0)
            finally:
                inside -= 1
                turns.leave(owner)

    async def play() -> Turns:
        turns = Turns(FEW, at_once, beside)
        tasks = []
        for owner, hangs_up, rounds in requests:
            tasks.append(asyncio.create_task(one(turns, owner, rounds)))
            if rounds:
                await asyncio.sleep(0)
            if hangs_up:
                tasks[len(tasks) // 2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return turns

    turns = asyncio.run(play())
    assert most <= at_once + beside
    assert (turns.under_way, turns._looked_at, len(turns._of), len(turns._lines)) == (0, 0, 0, 0)
