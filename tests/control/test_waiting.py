"""Waiting for what a message becomes, and for messages that are not there yet."""

import asyncio

import pytest

from mmsc.control.query import parse
from mmsc.control.waiting import MOST_SEARCHERS, MOST_WAITERS, TooManyWait, Waited, WaitingService
from mmsc.domain.states import RecipientState
from mmsc.engine.acting import Action
from mmsc.engine.queries.messages import Gone
from mmsc.trace import events as trace
from tests.control.conftest import Desk
from tests.engine.conftest import OTHER, PHONE

S = RecipientState


async def begun(desk: Desk, number: int = 1) -> None:
    """Until so many wait."""
    while desk.control.waiting.waiting < number:  # noqa: ASYNC110
        await asyncio.sleep(0)


async def test_who_waits_for_a_state_hears_of_it_when_it_is_durable(desk: Desk) -> None:
    accepted = await desk.bench.submit(PHONE)
    await desk.bench.until(trace.NotificationPushed)
    waiting = asyncio.create_task(
        desk.control.waiting.for_message(accepted.mm_id, states=[S.EXPIRED, S.RETRIEVED], timeout_seconds=60)
    )
    await begun(desk)
    await desk.control.acting.act(Action.EXPIRE, accepted.mm_id, "rest")
    waited = await waiting
    assert isinstance(waited, Waited)
    assert waited.reached
    assert waited.message is not None
    assert waited.message.states == {S.EXPIRED: 1}


async def test_a_state_that_was_passed_through_was_reached(desk: Desk) -> None:
    accepted = await desk.bench.submit(PHONE)
    await desk.bench.until(trace.NotificationPushed)
    await desk.control.acting.act(Action.EXPIRE, accepted.mm_id, "rest")
    waited = await desk.control.waiting.for_message(accepted.mm_id, states=[S.NOTIFIED], timeout_seconds=60)
    assert isinstance(waited, Waited)
    assert waited.reached
    never = await desk.control.waiting.for_message(accepted.mm_id, states=[S.RETRIEVED], timeout_seconds=0)
    assert isinstance(never, Waited)
    assert not never.reached


async def test_every_recipient_or_any_of_them(desk: Desk) -> None:
    accepted = await desk.bench.submit(PHONE, OTHER)
    await desk.bench.until(trace.NotificationPushed, 2)
    detail = await desk.control.messages.recipients(accepted.mm_id)
    await desk.control.acting.act(Action.CANCEL, accepted.mm_id, "rest", [int(detail.rows[0].id)])
    waits = desk.control.waiting
    one = await waits.for_message(accepted.mm_id, states=[S.CANCELLED], every=False, timeout_seconds=0)
    both = await waits.for_message(accepted.mm_id, states=[S.CANCELLED], timeout_seconds=0)
    ended = await waits.for_message(accepted.mm_id, timeout_seconds=0)
    assert [isinstance(each, Waited) and each.reached for each in (one, both, ended)] == [True, False, False]
    await desk.control.acting.act(Action.CANCEL, accepted.mm_id, "rest")
    ended = await waits.for_message(accepted.mm_id, timeout_seconds=60)
    assert isinstance(ended, Waited)
    assert ended.reached


async def test_an_event_can_be_waited_for(desk: Desk) -> None:
    accepted = await desk.bench.submit(PHONE)
    await desk.bench.until(trace.NotificationPushed)
    waiting = asyncio.create_task(
        desk.control.waiting.for_message(accepted.mm_id, events=["report.delivered"], timeout_seconds=60)
    )
    await begun(desk)
    await desk.control.acting.act(Action.EXPIRE, accepted.mm_id, "rest")
    waited = await waiting
    assert isinstance(waited, Waited)
    assert waited.reached


async def test_a_message_that_is_not_there_yet_can_be_waited_for(desk: Desk) -> None:
    first = await desk.bench.submit(OTHER)
    query = parse(f"to:{PHONE}", desk.bench.clock.now())
    waiting = asyncio.create_task(desk.control.waiting.for_query(query, timeout_seconds=60))
    await begun(desk)
    second = await desk.bench.submit(PHONE)
    waited = await waiting
    assert waited.reached
    assert waited.message is not None
    assert waited.message.mm_id == str(second.mm_id)
    there = await desk.control.waiting.for_query(parse("", 0), after=first.mm_id, timeout_seconds=0)  # type: ignore[arg-type]
    assert there.reached
    none = await desk.control.waiting.for_query(query, after=second.mm_id, timeout_seconds=0)
    assert none == Waited(reached=False, message=None)


async def test_nothing_is_called_while_nobody_waits(desk: Desk) -> None:
    assert desk.control.bus._watchers == []
    await desk.control.waiting.for_query(parse("to:nobody", desk.bench.clock.now()), timeout_seconds=0)
    assert desk.control.bus._watchers == []
    assert desk.control.waiting.waiting == 0
    assert await desk.control.waiting.for_message(9, timeout_seconds=60) == Gone()


async def test_there_is_a_limit(desk: Desk) -> None:
    accepted = await desk.bench.submit(PHONE)
    control = desk.control
    few = WaitingService(control.bus, control.waiting._messages, control.messages, most=1)
    one = asyncio.create_task(few.for_message(accepted.mm_id, states=[S.REJECTED], timeout_seconds=60))
    while not few.waiting:  # noqa: ASYNC110
        await asyncio.sleep(0)
    with pytest.raises(TooManyWait):
        await few.for_message(accepted.mm_id, states=[S.REJECTED], timeout_seconds=60)
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    assert few.waiting == 0
    assert MOST_WAITERS == 1000


@pytest.mark.slow
async def test_a_thousand_waiters_cost_an_event_one_look(desk: Desk) -> None:
    """Of all that wait, only those for this very message are woken."""
    accepted = await desk.bench.submit(PHONE)
    others = [(await desk.bench.submit(OTHER)).mm_id for _ in range(3)]
    waits = desk.control.waiting
    tasks = [
        asyncio.create_task(waits.for_message(others[n % 3], states=[S.REJECTED], timeout_seconds=60))
        for n in range(MOST_WAITERS)
    ]
    await begun(desk, MOST_WAITERS)
    assert len(desk.control.bus._watchers) == 1
    reads = desk.bench.store.counters.reads
    waits._heard(trace.Event(1, accepted.mm_id, None, None, 1, 1, trace.MmFetched()))
    assert [news for flags in waits._by_mm.values() for news in flags if news.is_set()] == []
    assert desk.bench.store.counters.reads == reads
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert waits.waiting == 0


async def test_those_who_search_are_fewer(desk: Desk) -> None:
    query = parse("to:nobody", desk.bench.clock.now())
    waits = desk.control.waiting
    tasks = [asyncio.create_task(waits.for_query(query, timeout_seconds=60)) for _ in range(MOST_SEARCHERS)]
    await begun(desk, MOST_SEARCHERS)
    with pytest.raises(TooManyWait, match="not there yet"):
        await waits.for_query(query, timeout_seconds=60)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert waits.waiting == 0
