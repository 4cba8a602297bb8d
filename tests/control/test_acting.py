"""Retry now, expire now, cancel: through the engine's own transitions, with the reports that follow, on both stores."""

import asyncio
from dataclasses import replace

from mmsc.control.acting import in_words
from mmsc.domain.message import Mm, Recipient, TaskKind
from mmsc.domain.states import Cause, Happening
from mmsc.engine.acting import Action
from mmsc.engine.ports import Delivered, Evidence, Failed, ReceiptState, Retrievable, Retry
from mmsc.engine.transitions import Circumstances
from mmsc.store import messages
from mmsc.store.core import Unit
from mmsc.trace import events as trace
from tests.control.conftest import Desk
from tests.engine.conftest import FOREIGN, OTHER, PHONE


async def both(desk: Desk, mm_id: int) -> tuple[Mm, tuple[Recipient, ...]]:
    found = await messages.with_recipients(desk.bench.store, mm_id)
    assert found is not None
    return found


async def test_retry_now_pushes_again_at_once(desk: Desk) -> None:
    accepted = await desk.bench.submit(PHONE)
    await desk.bench.until(trace.NotificationPushed)
    await desk.bench.at_rest()
    outcome = await desk.control.acting.act(Action.RETRY, accepted.mm_id, "console")
    assert (outcome.done, outcome.not_done) == (1, [])
    pushed = await desk.bench.until(trace.NotificationPushed, 2)
    assert [one.push for one in pushed] == [1, 2]  # type: ignore[attr-defined]
    (acted,) = await desk.bench.until(trace.OperatorActed)
    assert acted == trace.OperatorActed("retry", "console", "notify", "smsc:local")


async def test_retry_now_says_that_the_smsc_still_has_the_last_push(desk: Desk) -> None:
    """Nothing is pushed on top of it (semantics 5), so nothing is hastened either; once the receipt is there, it is."""
    bench = desk.bench
    smscs = bench.engine.neighbours.smscs
    smscs["local"] = replace(smscs["local"], receipts=True)
    bench.hands[TaskKind.NOTIFY].answers = [Delivered(("id1",), receipt_expected=True)]
    accepted = await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    await bench.at_rest()
    outcome = await desk.control.acting.act(Action.RETRY, accepted.mm_id, "console")
    (waits,) = outcome.not_done
    assert waits.because == "the SMSC still has the last push: its receipt is awaited, for 10 min at the most"
    assert not [one for one in bench.events if isinstance(one.data, trace.OperatorActed)]
    assert await bench.engine.receipts.receipt("local", "id1", ReceiptState.DELIVERED, "")
    assert (await desk.control.acting.act(Action.RETRY, accepted.mm_id, "console")).done == 1
    await bench.until(trace.NotificationPushed, 2)


async def test_retry_now_does_not_wait_for_the_pause_of_its_lane(desk: Desk) -> None:
    bench = desk.bench
    accepted = await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    await bench.at_rest()
    lane = bench.engine.lanes.get("smsc:local")
    assert bench.engine.lanes.pause(lane, "down") > 0
    assert (await desk.control.acting.act(Action.RETRY, accepted.mm_id, "rest")).done == 1
    await bench.until(trace.NotificationPushed, 2)
    assert lane.paused_until == 0


async def test_a_report_that_waits_is_sent_now(desk: Desk) -> None:
    bench = desk.bench
    bench.hands[TaskKind.REPORT_MM7].answers = [Retry("HTTP 503")]
    accepted = await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    mm, (recipient,) = await both(desk, accepted.mm_id)
    await bench.engine.transitions.apply(mm, recipient, Happening.RETRIEVED, Circumstances())
    await bench.until(trace.AttemptFailed)
    assert (await desk.control.acting.act(Action.RETRY, accepted.mm_id, "console", [recipient.id])).done == 1
    (told,) = await bench.until(trace.ReportDelivered)
    assert told.attempt == 2  # type: ignore[attr-defined]


async def test_expire_now_ends_the_recipient_and_reports(desk: Desk) -> None:
    bench = desk.bench
    accepted = await bench.submit(PHONE, OTHER)
    await bench.until(trace.NotificationPushed, 2)
    await bench.at_rest()
    _, recipients = await both(desk, accepted.mm_id)
    first = next(one for one in recipients if one.address.value == PHONE)
    outcome = await desk.control.acting.act(Action.EXPIRE, accepted.mm_id, "console", [first.id])
    assert outcome.done == 1
    assert (await bench.state(PHONE), await bench.state(OTHER)) == ("expired", "notified")
    (told,) = await bench.until(trace.ReportDelivered)
    assert told.state == "expired"  # type: ignore[attr-defined]
    await bench.at_rest()
    assert [row[0] for row in await bench.tasks()] == ["notify"]


async def test_cancel_is_silent_and_final(desk: Desk) -> None:
    bench = desk.bench
    accepted = await bench.submit(PHONE, OTHER)
    await bench.until(trace.NotificationPushed, 2)
    await bench.at_rest()
    outcome = await desk.control.acting.act(Action.CANCEL, accepted.mm_id, "scenario")
    assert outcome.done == 2
    assert in_words(outcome) == "Cancelled: 2 recipients."
    assert (await bench.state(PHONE), await bench.state(OTHER)) == ("cancelled", "cancelled")
    assert await bench.tasks() == []
    again = await desk.control.acting.act(Action.CANCEL, accepted.mm_id, "scenario")
    assert again.done == 0
    assert {one.because for one in again.not_done} == {"cancelled already"}


async def test_what_a_peer_has_is_indeterminate_and_not_expired(desk: Desk) -> None:
    bench = desk.bench
    bench.hands[TaskKind.FORWARD].answers = [Delivered((), answer_expected=False)]
    accepted = await bench.submit(FOREIGN)
    await bench.until(trace.ForwardSent)
    await bench.at_rest()
    late = await desk.control.acting.act(Action.CANCEL, accepted.mm_id, "rest")
    assert [one.because for one in late.not_done] == ["another system has it"]
    waiting = await desk.control.acting.act(Action.RETRY, accepted.mm_id, "rest")
    assert [one.because for one in waiting.not_done] == ["the peer has it: its report is awaited"]
    assert (await desk.control.acting.act(Action.EXPIRE, accepted.mm_id, "rest")).done == 1
    assert await bench.state(FOREIGN) == "indeterminate"
    await bench.until(trace.ReportDelivered)
    await bench.at_rest()
    assert await bench.tasks() == []


async def test_what_is_in_somebodys_hands_is_left_to_him(desk: Desk) -> None:
    bench = desk.bench
    held, seen = asyncio.Event(), asyncio.Event()

    class Slow:
        async def deliver(self, job: object) -> Failed:
            seen.set()
            await held.wait()
            return Failed("no")

    bench.engine.couriers[TaskKind.FORWARD] = Slow()
    accepted = await bench.submit(FOREIGN)
    await seen.wait()
    for action in (Action.EXPIRE, Action.CANCEL, Action.RETRY):
        outcome = await desk.control.acting.act(action, accepted.mm_id, "rest")
        assert outcome.done == 0, action
        assert len(outcome.not_done) == 1, action
    held.set()
    await bench.until(trace.RecipientMoved)
    assert await bench.state(FOREIGN) == "unreachable"


async def test_what_waits_for_somebody_else_says_for_whom(desk: Desk) -> None:
    bench = desk.bench
    accepted = await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    mm, (recipient,) = await both(desk, accepted.mm_id)
    await bench.engine.transitions.apply(mm, recipient, Happening.DEFERRED, Circumstances())
    deferred = await desk.control.acting.act(Action.RETRY, accepted.mm_id, "rest")
    assert [one.because for one in deferred.not_done] == ["deferred: it is for the recipient to come"]
    later = await bench.submit(OTHER, deliver_at=bench.clock.now() + 3_600_000_000)
    scheduled = await desk.control.acting.act(Action.RETRY, later.mm_id, "rest")
    assert [one.because for one in scheduled.not_done] == ["its delivery time has not come"]
    assert (await desk.control.acting.act(Action.EXPIRE, later.mm_id, "rest")).done == 1
    assert await bench.state(OTHER) == "expired"


async def test_many_at_once_and_those_that_are_not_there(desk: Desk) -> None:
    ids = [(await desk.bench.submit(PHONE)).mm_id for _ in range(3)]
    await desk.bench.until(trace.NotificationPushed, 3)
    outcome = await desk.control.acting.act_on_many(Action.CANCEL, [*ids, 5, ids[0]], "console")
    assert (outcome.done, outcome.unknown, outcome.not_done) == (3, ["5"], [])


async def test_what_was_fetched_does_not_expire_by_hand(desk: Desk) -> None:
    """The handset has it: an Expired about it would be wrong."""
    bench = desk.bench
    accepted = await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    _, (recipient,) = await both(desk, accepted.mm_id)
    found = await bench.engine.retrieval.open(recipient.token, None, Evidence())
    assert isinstance(found, Retrievable)
    bench.engine.retrieval.begun(found)
    during = await desk.control.acting.act(Action.EXPIRE, accepted.mm_id, "rest")
    assert [one.because for one in during.not_done] == ["it is being fetched"]
    await bench.engine.retrieval.fetched(found)
    late = await desk.control.acting.act(Action.EXPIRE, accepted.mm_id, "rest")
    assert [one.because for one in late.not_done] == ["it was fetched: the handset's answer is awaited"]
    assert await bench.state(PHONE) == "notified"


async def test_a_get_that_another_node_noted_is_seen_when_it_is_written(desk: Desk) -> None:
    """What is read before it is decided may be old: the store has the last word."""
    bench = desk.bench
    accepted = await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    mm, (before,) = await both(desk, accepted.mm_id)
    await bench.store.commit(
        Unit(messages.move_recipient(before.id, Happening.FETCHED, bench.clock.now(), Cause.NONE), ())
    )
    assert await bench.engine.acts._expire(mm, before, "rest") == "it was fetched: the handset's answer is awaited"
    assert await bench.state(PHONE) == "notified"
