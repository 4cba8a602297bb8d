"""One reply of each recipient is paid for, whatever happens at once or in between (TS 23.140 7.1.7), on both stores."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from mmsc.domain.message import Interface, Origin, Submission
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.reply_charging import ANSWERS, Offer, kept
from mmsc.engine.ports import Accepted
from mmsc.store.core import StoreUnavailable
from mmsc.trace import events as trace
from tests.engine.conftest import OTHER, PHONE, Bench
from tests.engine.test_forward_requests import count, town
from tests.engine.test_restart import Killed, new_engine

__all__ = ["town"]


async def offered(bench: Bench, *to: str) -> str:
    accepted = await bench.submit(*to, details=kept(Offer()))
    return accepted.message_id


def reply(bench: Bench, message_id: str, key: bytes = b"r1", sender: str = PHONE, **changes: Any) -> Submission:
    values = {"delivery_report": False, "repeat_key": key, "reply_charging_id": message_id}
    submission = bench.submission("4488", origin=Origin(Interface.MM1, sender), sender=sender, **values)
    return replace(submission, details={ANSWERS: message_id}, **changes)


async def sent(bench: Bench, submission: Submission) -> Accepted | Refused:
    return await bench.engine.submit.accept(submission)


async def test_of_two_replies_at_once_one_is_paid_for(town: Bench) -> None:
    message_id = await offered(town, PHONE, OTHER)
    first, second, other = await asyncio.gather(
        sent(town, reply(town, message_id)),
        sent(town, reply(town, message_id, b"r2")),
        sent(town, reply(town, message_id, b"o1", OTHER)),
    )
    assert isinstance(other, Accepted), "each recipient has one"
    [accepted] = [one for one in (first, second) if isinstance(one, Accepted)]
    [refused] = [one for one in (first, second) if isinstance(one, Refused)]
    assert refused.reason is RefusalReason.REPLY_LIMITS
    assert await count(town, "mm") == 3
    pairs = {event.data for event in town.events if isinstance(event.data, trace.ReplyCharged)}
    assert pairs == {
        trace.ReplyCharged(PHONE, message_id, accepted.message_id),
        trace.ReplyCharged(OTHER, message_id, other.message_id),
    }
    [(details,)] = await town.store.fetch("SELECT details FROM mm WHERE id = $1", accepted.mm_id)
    assert '"charged_party":"recipient"' in str(details)


async def test_the_same_reply_at_once_and_later_is_one(town: Bench) -> None:
    message_id = await offered(town, PHONE)
    found = await asyncio.gather(*(sent(town, reply(town, message_id)) for _ in range(3)))
    town.clock.advance(1)
    found.append(await sent(town, reply(town, message_id)))
    assert {one.message_id for one in found if isinstance(one, Accepted)} == {_id_of(found[0])}
    assert len([one for one in found if isinstance(one, Accepted)]) == 4
    assert await count(town, "mm") == 2


def _id_of(outcome: Accepted | Refused) -> str:
    assert isinstance(outcome, Accepted)
    return outcome.message_id


async def test_a_repeat_behind_the_deadline_gets_its_answer(bench: Bench) -> None:
    deadline = Offer(deadline=bench.clock.now() + 60_000_000)  # type: ignore[arg-type]
    accepted = await bench.submit(PHONE, details=kept(deadline))
    first = await sent(bench, reply(bench, accepted.message_id))
    bench.clock.advance(61)
    assert _id_of(await sent(bench, reply(bench, accepted.message_id))) == _id_of(first)
    second = await sent(bench, reply(bench, accepted.message_id, b"r2"))
    assert isinstance(second, Refused)
    assert second.because == "the deadline for replies is over"


async def test_a_reply_that_is_refused_is_none(bench: Bench) -> None:
    """Who was told no may try again, and is paid for."""
    message_id = await offered(bench, PHONE)
    subject = "x" * 1000
    assert isinstance(await sent(bench, reply(bench, message_id, subject=subject)), Refused)
    assert isinstance(await sent(bench, reply(bench, message_id, b"r2")), Accepted)


async def test_a_store_that_is_away_marks_nobody(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    message_id = await offered(bench, PHONE)

    async def away(*_: object) -> object:
        raise StoreUnavailable("disk full")

    for verb in ("commit", "fetch_one"):
        with monkeypatch.context() as patch:
            patch.setattr(bench.store, verb, away)
            refused = await sent(bench, reply(bench, message_id))
        assert isinstance(refused, Refused)
        assert refused.reason is RefusalReason.STORE_UNAVAILABLE
    assert isinstance(await sent(bench, reply(bench, message_id)), Accepted)


async def test_killed_when_the_reply_is_durable(bench: Bench) -> None:
    message_id = await offered(bench, PHONE)
    await bench.at_rest()
    await bench.stop()
    store = Killed(bench.store, 1 << 30)
    first, running = await new_engine(bench, store)
    store._left = 1
    work = asyncio.create_task(first.submit.accept(reply(bench, message_id)))
    await store.killed.wait()
    for task in (work, running):
        task.cancel()
    await asyncio.gather(work, running, return_exceptions=True)
    second, running = await new_engine(bench, bench.store)
    again = await second.submit.accept(reply(bench, message_id))
    assert isinstance(again, Accepted)
    assert again.repeat
    another = await second.submit.accept(reply(bench, message_id, b"r2"))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert isinstance(another, Refused)
    assert await count(bench, "mm") == 2
