"""Credits: counted once for each MM that is stored, whatever becomes of the request."""

import asyncio
from dataclasses import replace

import pytest

from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.engine.credits import Credits
from mmsc.engine.ports import Accepted
from mmsc.store import credits as sql
from mmsc.store.core import Unit
from tests.engine.conftest import FOREIGN, OTHER, PHONE, Bench

KEY = b"the same request"


@pytest.fixture
async def limited(bench: Bench) -> Bench:
    """`news` has ten credits."""
    _give(bench, 10)
    return bench


def _give(bench: Bench, credits_given: int) -> None:
    vasps = bench.engine.neighbours.vasps
    vasps["news"] = replace(vasps["news"], credits=credits_given)


async def submit(bench: Bench, *to: str, key: bytes | None = None) -> Accepted | Refused:
    outcome = await bench.engine.submit.accept(bench.submission(*to, repeat_key=key))
    if isinstance(outcome, Accepted):
        outcome.answered()
    return outcome


async def settled(bench: Bench) -> tuple[int, int]:
    """(left by memory, used by the store), after everything before was committed."""
    await bench.store.commit(Unit(None, ()))
    return bench.engine.credits.left("news"), await sql.used(bench.store, "news")


async def test_recipients_of_every_route_cost_one_each(limited: Bench) -> None:
    assert isinstance(await submit(limited, PHONE, OTHER, FOREIGN, PHONE), Accepted)
    assert await settled(limited) == (7, 3)


async def test_who_has_none_set_is_counted_nowhere(bench: Bench) -> None:
    await submit(bench, PHONE)
    assert await sql.used(bench.store, "news") == 0
    assert bench.engine.credits.all_left() == {}


@pytest.mark.parametrize("given", [10, 2])
async def test_the_same_request_many_times_at_once_costs_once(limited: Bench, given: int) -> None:
    """Semantics 3: a repeat waits for the first, also where that takes the last credits."""
    _give(limited, given)
    outcomes = await asyncio.gather(*(submit(limited, PHONE, OTHER, key=KEY) for _ in range(5)))
    assert all(isinstance(one, Accepted) for one in outcomes)
    assert len({one.mm_id for one in outcomes if isinstance(one, Accepted)}) == 1
    assert await settled(limited) == (given - 2, 2)


async def test_a_repeat_gets_its_answer_though_nothing_is_left(limited: Bench) -> None:
    first = await submit(limited, PHONE, OTHER, key=KEY)
    _give(limited, 2)
    again = await submit(limited, PHONE, OTHER, key=KEY)
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert (again.message_id, again.repeat) == (first.message_id, True)
    other = await submit(limited, PHONE, key=b"another")
    assert other == Refused(RefusalReason.NO_CREDIT, "1 recipients, 0 of 2 credits are left")


async def test_a_repeat_after_its_window_is_a_new_request(limited: Bench) -> None:
    await submit(limited, PHONE, key=KEY)
    limited.clock.advance(90_000)
    _give(limited, 1)
    late = await submit(limited, PHONE, key=KEY)
    assert isinstance(late, Refused)
    _give(limited, 2)
    assert isinstance(await submit(limited, PHONE, key=KEY), Accepted)
    assert await settled(limited) == (0, 2)


async def test_who_hangs_up_pays_for_what_is_stored(limited: Bench) -> None:
    hasty = asyncio.create_task(submit(limited, PHONE, OTHER))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    hasty.cancel()
    await asyncio.gather(hasty, return_exceptions=True)
    left, used = await settled(limited)
    stored = await limited.store.fetch("SELECT COUNT(*) FROM recipient")
    assert (10 - left, used) == (stored[0][0], stored[0][0])


async def test_what_the_store_does_not_take_is_given_back(limited: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmsc.store.committer.MAXIMUM_QUEUE", 0)
    refused = await submit(limited, PHONE, OTHER)
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.BUSY
    monkeypatch.undo()
    assert await settled(limited) == (10, 0)
    assert isinstance(await submit(limited, PHONE), Accepted)
    assert await settled(limited) == (9, 1)


async def test_another_node_sees_what_was_used(limited: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited.store, "shared", True)
    other = Credits(limited.store, limited.engine.neighbours)
    await other.load()
    await submit(limited, PHONE, OTHER)
    assert other.left("news") == 10, "it has not looked"
    await other.look("news")
    assert other.left("news") == 8
    origin = limited.submission(PHONE).origin
    spent = other.spend(origin, 3)
    assert spent is not None
    await limited.store.commit(Unit(None, (spent.statement,)))
    await other.look("news")
    await other.look("news")
    assert other.left("news") == 5, "its own are not taken for those of others"
    await submit(limited, PHONE)
    assert await settled(limited) == (4, 6)


async def test_fewer_credits_than_were_used_are_none(limited: Bench) -> None:
    await submit(limited, PHONE, OTHER)
    _give(limited, 1)
    assert limited.engine.credits.all_left() == {"news": 0}
    _give(limited, -1)
    assert limited.engine.credits.all_left() == {}
    assert isinstance(await submit(limited, PHONE), Accepted)
