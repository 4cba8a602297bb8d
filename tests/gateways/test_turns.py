"""Whose request is looked at next, when there are more than are looked at at once."""

import asyncio
from collections import Counter

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
    """What keeps a flood's requests under way keeps nobody else's; and those beside it take nothing from the others."""
    turns = Turns(at_once=2, beside=2)
    for owner in "ffab":
        assert await turns.enter(owner)
    waiting = {owner: asyncio.create_task(turns.enter(owner)) for owner in "acf"}
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting.values()), "a has one; and two are beside the usual ones, so c waits"
    turns.leave("a")
    await asyncio.sleep(0)
    assert [owner for owner, one in waiting.items() if one.done()] == ["a"], "it has none now, and one is free beside"
    turns.leave("f")
    await asyncio.sleep(0)
    assert waiting["c"].done(), "a usual one: those beside are not counted there"
    turns.leave("f")
    assert all(await asyncio.gather(*waiting.values()))
    assert turns.looked_at == 4


async def test_a_line_moves_however_many_send_one_at_a_time() -> None:
    turns, done = Turns(at_once=4, beside=4), Counter[str]()

    async def one_by_one(owner: str) -> None:
        for _ in range(50):
            await turns.enter(owner)
            await asyncio.sleep(0)
            turns.leave(owner)
            done[owner] += 1

    flood = [asyncio.create_task(one_by_one("flood")) for _ in range(20)]
    await asyncio.gather(*(one_by_one(f"single {number}") for number in range(12)))
    assert done["flood"] >= 40, "as often as each of the others, at least nearly"
    for task in flood:
        task.cancel()
    await asyncio.gather(*flood, return_exceptions=True)
    assert turns.looked_at == 0


async def test_large_bodies_wait_for_each_other_and_keep_nobody_else() -> None:
    turns = Turns(at_once=10, octets=100)
    assert await turns.enter("f", 90)
    waiting = [asyncio.create_task(turns.enter("f", octets)) for octets in (20, 5)]
    await asyncio.sleep(0)
    assert await turns.enter("a", 1000), "it has none"
    assert not any(one.done() for one in waiting), "nobody overtakes its own line"
    turns.leave("f", 90)
    await asyncio.sleep(0)
    assert waiting[0].done(), "it has none, too, now"
    turns.leave("a", 1000)
    assert all(await asyncio.gather(*waiting))
    turns.leave("f", 20)
    turns.leave("f", 5)
    assert (turns.looked_at, turns._octets) == (0, 0)


async def test_whose_client_is_gone_waits_no_longer_and_takes_nobody_s_turn() -> None:
    turns = Turns(at_once=1, beside=0)
    await turns.enter("f")
    gone = [asyncio.get_running_loop().create_future() for _ in range(2)]
    waiting = [asyncio.create_task(turns.enter("f", 0, one)) for one in gone]
    await asyncio.sleep(0)
    gone[0].set_result(None)
    assert await waiting[0] is False
    assert len(turns._lines["f"]) == 1, "what waits is what is remembered"
    turns.leave("f")
    gone[1].set_result(None)  # too late: it is looked at
    assert await waiting[1] is True
    turns.leave("f")
    assert (turns.looked_at, len(turns._lines)) == (0, 0)


async def test_at_a_stop_who_waits_is_told_and_what_is_looked_at_is_served() -> None:
    turns = Turns(at_once=1, beside=0)
    assert await turns.enter("f")
    waiting = [asyncio.create_task(turns.enter("f")) for _ in range(3)]
    await asyncio.sleep(0)
    await turns.close()
    assert await asyncio.gather(*waiting, turns.enter("a")) == [False] * 4
    turns.leave("f")
    assert (turns.looked_at, len(turns._lines)) == (0, 0)


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
    gone_of: dict[str, asyncio.Future[None]] = {}

    async def one(turns: Turns, owner: str, rounds: int) -> None:
        nonlocal inside, most
        if not await turns.enter(owner, rounds, gone_of[owner]):
            return
        inside += 1
        most = max(most, inside)
        try:
            for _ in range(rounds):
                await asyncio.sleep(0)
        finally:
            inside -= 1
            turns.leave(owner, rounds)

    async def play() -> Turns:
        turns = Turns(at_once, beside, octets=4)
        tasks = []
        gone_of.update((owner, asyncio.get_running_loop().create_future()) for owner in "abc")
        for owner, hangs_up, rounds in requests:
            tasks.append(asyncio.create_task(one(turns, owner, rounds)))
            if rounds:
                await asyncio.sleep(0)
            if hangs_up:
                tasks[len(tasks) // 2].cancel()
            if rounds == 3 and hangs_up and not gone_of[owner].done():
                gone_of[owner].set_result(None)
        await asyncio.gather(*tasks, return_exceptions=True)
        return turns

    turns = asyncio.run(play())
    assert most <= at_once + beside
    assert (turns.looked_at, turns._octets, len(turns._beside)) == (0, 0, 0)
    assert (len(turns._of), len(turns._lines)) == (0, 0)
