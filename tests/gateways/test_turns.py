"""Whose request is looked at next, when there are more than are looked at at once."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from mmsc.gateways.turns import Turns


async def served(turns: Turns, owners: str) -> str:
    """The order in which one request of each owner is looked at, when the one before it is done."""
    order: list[str] = []

    async def one(owner: str) -> None:
        await turns.enter(owner)
        order.append(owner)
        await asyncio.sleep(0)
        turns.leave(owner)

    await asyncio.gather(*map(one, owners))
    return "".join(order)


async def test_one_of_each_is_looked_at_in_turn() -> None:
    assert await served(Turns(at_once=1, beside=0), "ffffffabb") == "ffabfbfff"


async def test_where_nobody_waits_all_are_let_in_as_they_come() -> None:
    turns = Turns(at_once=3)
    for owner in "fff":
        await turns.enter(owner)
    assert turns.looked_at == 3


async def test_who_has_none_that_is_looked_at_does_not_wait_for_those_who_have() -> None:
    """What keeps a flood's requests under way keeps nobody else's."""
    turns = Turns(at_once=2, beside=2)
    for owner in "ffab":
        await turns.enter(owner)
    waiting = [asyncio.create_task(turns.enter(owner)) for owner in "acf"]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting), "a has one, and four are looked at: c waits, too"
    turns.leave("a")
    turns.leave("b")
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting), "as many as usual are looked at"
    await turns.enter("d")
    turns.leave("f")
    turns.leave("d")
    await asyncio.sleep(0)
    assert [one.done() for one in waiting] == [True, False, False]
    turns.leave("f")
    turns.leave("a")
    await asyncio.gather(*waiting)
    assert turns.looked_at == 2


async def test_who_hangs_up_while_it_waits_gives_its_turn_to_the_next() -> None:
    turns = Turns(at_once=1, beside=0)
    await turns.enter("f")
    waiting = [asyncio.create_task(turns.enter(owner)) for owner in "fab"]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    turns.leave("f")  # it is a's turn now, and a hangs up before it hears of it
    waiting[1].cancel()
    await waiting[2]
    turns.leave("b")
    assert turns.looked_at == 0


_REQUESTS = st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 3)), max_size=30)


@given(_REQUESTS, st.integers(1, 3), st.integers(0, 2))
def test_never_too_many_at_once_and_everybody_gets_out(
    requests: list[tuple[str, bool, int]], at_once: int, beside: int
) -> None:
    inside = most = 0

    async def one(turns: Turns, owner: str, rounds: int) -> None:
        nonlocal inside, most
        await turns.enter(owner)
        inside += 1
        most = max(most, inside)
        try:
            for _ in range(rounds):
                await asyncio.sleep(0)
        finally:
            inside -= 1
            turns.leave(owner)

    async def play() -> Turns:
        turns = Turns(at_once, beside)
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
    assert (turns.looked_at, len(turns._of), len(turns._lines)) == (0, 0, 0)
