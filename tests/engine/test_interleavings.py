"""Two things at once, and half of a thing: each is told once, and none is lost."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from mmsc.domain.message import TaskKind
from mmsc.domain.neighbours import FallbackReport
from mmsc.domain.states import Happening
from mmsc.engine import delivery, timetable
from mmsc.engine.ports import Delivered, Evidence, Gone, GoneBecause, Later, ReceiptState, Retrievable, Retry
from mmsc.store.core import StoreUnavailable
from mmsc.trace import events as trace
from tests.engine.conftest import OLD_PHONE, OTHER, PHONE, Bench
from tests.engine.test_adversity import Slow

LAB = Evidence(user_agent="Lab/1.0", mms_version=0x12)


async def answer(bench: Bench, happening: Happening) -> bool | Gone:
    return await tell(bench, bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id, happening)


async def tell(bench: Bench, transaction_id: str, happening: Happening) -> bool | Gone:
    return await bench.engine.retrieval.answer(transaction_id, happening, report_allowed=True, evidence=LAB)


def away(bench: Bench, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    """The store's verb says that the store is away, until the patch is undone."""

    async def refuse(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("database or disk is full")

    monkeypatch.setattr(bench.store, verb, refuse)


async def test_deferred_twice_in_one_batch_is_told_once(bench: Bench) -> None:
    """Semantics 1: a report tells of a state that was reached, not of each PDU that says so."""
    vasps = bench.engine.neighbours.vasps
    vasps["news"] = replace(vasps["news"], deferred_reports=True)
    await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    assert await asyncio.gather(*(answer(bench, Happening.DEFERRED) for _ in range(2))) == [True, True]
    assert await bench.state(PHONE) == "deferred"
    assert await answer(bench, Happening.RETRIEVED)
    for _ in range(3):
        bench.clock.advance(2)
        await bench.at_rest()
    assert [job.payload["state"] for job in bench.hands[TaskKind.REPORT_MM7].jobs] == ["deferred", "retrieved"]


@pytest.mark.parametrize("phone", [PHONE, OLD_PHONE])
async def test_the_history_tells_no_move_that_did_not_happen(bench: Bench, phone: str) -> None:
    """The handset defers while the SMSC answers: neither push nor link moves who has deferred (`domain.states`)."""
    kind = TaskKind.NOTIFY if phone == PHONE else TaskKind.LINK
    slow = bench.engine.couriers[kind] = Slow()
    await bench.submit(phone)
    await slow.working.wait()
    assert await tell(bench, slow.jobs[0].recipients[0].transaction_id, Happening.DEFERRED)
    slow.release.set()
    await bench.until(trace.NotificationPushed if phone == PHONE else trace.LinkSent)
    await bench.at_rest()
    moves = [event.data for event in bench.events if isinstance(event.data, trace.RecipientMoved)]
    assert [(one.before, one.after) for one in moves] == [("accepted", "deferred")]
    assert await bench.state(phone) == "deferred"


async def test_a_receipt_that_was_noted_by_half_is_told_when_it_comes_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Semantics 4: deliver_sm_resp promises what the receipt means (6: `sms_delivered`), and was not sent."""
    news = bench.engine.neighbours.vasps["news"]
    bench.engine.neighbours.vasps["news"] = replace(news, fallback_report=FallbackReport.SMS_DELIVERED)
    bench.hands[TaskKind.LINK].answers = [Delivered(("id1", "id2"), receipt_expected=True)]
    await bench.submit(OLD_PHONE)
    await bench.until(trace.LinkSent)
    receipts = bench.engine.receipts
    assert await receipts.receipt("local", "id1", ReceiptState.DELIVERED, "")
    with monkeypatch.context() as patch:
        patch.setattr(bench.engine.transitions, "apply", _refuse)
        with pytest.raises(StoreUnavailable):
            await receipts.receipt("local", "id2", ReceiptState.DELIVERED, "")
    for _ in range(2):
        assert await receipts.receipt("local", "id2", ReceiptState.DELIVERED, "")
    await bench.until(trace.ReportDelivered)
    assert [job.payload["state"] for job in bench.hands[TaskKind.REPORT_MM7].jobs] == ["indeterminate"]


async def _refuse(*_: Any, **__: Any) -> Any:
    raise StoreUnavailable("database or disk is full")


async def test_a_store_that_is_away_behind_a_push_makes_no_second_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The push is noted; only whether a GET came meanwhile is not known (semantics 5)."""
    monkeypatch.setattr(delivery, "real_pause", lambda seconds: asyncio.sleep(0))
    await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    real, failures = bench.store.fetch_one, [StoreUnavailable("database or disk is full")]

    async def fails_once(sql: str, *params: Any) -> Any:
        if failures and "FROM recipient" in sql:
            raise failures.pop()
        return await real(sql, *params)

    def forgotten(_: object) -> None:  # so much else happened while the SMSC answered
        bench.engine.recent.forget(bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].id)
        monkeypatch.setattr(bench.store, "fetch_one", fails_once)

    bench.hands[TaskKind.NOTIFY].on_job = forgotten
    bench.clock.advance(301)
    await bench.until(trace.NotificationPushed, 2)
    for _ in range(100_000):
        if not failures and not bench.engine.lanes.get("smsc:local").taken:
            break
        await asyncio.sleep(0)
    assert not failures
    assert len(bench.hands[TaskKind.NOTIFY].jobs) == 2


@pytest.mark.parametrize("verb", ["commit", "fetch_one"])
async def test_while_the_store_is_away_an_answer_is_for_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """Semantics 4: no positive answer to m-notifyresp-ind before it is durable; and the GET before it was whole."""
    await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    recipient = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0]
    found = await bench.engine.retrieval.open(recipient.token, recipient.address, LAB)
    assert isinstance(found, Retrievable)
    with monkeypatch.context() as patch:
        bench.engine.recent.forget(recipient.id)
        away(bench, patch, verb)
        await bench.engine.retrieval.fetched(found)
        assert await answer(bench, Happening.RETRIEVED) == Gone(GoneBecause.STORE_AWAY)
    assert await bench.state(PHONE) == "notified"
    assert await answer(bench, Happening.RETRIEVED) is True
    assert await bench.state(PHONE) == "retrieved"


async def test_while_the_store_is_away_a_view_is_for_later(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Semantics 6: the first view is the delivery; a page that was shown and not noted would be Expired."""
    await bench.submit(OLD_PHONE)
    await bench.until(trace.LinkSent)
    found = await bench.engine.links.open(bench.hands[TaskKind.LINK].jobs[0].recipients[0].link_token)
    assert isinstance(found, Retrievable)
    with monkeypatch.context() as patch:
        away(bench, patch, "commit")
        assert await bench.engine.links.viewed(found) == Gone(GoneBecause.STORE_AWAY)
    assert await bench.engine.links.viewed(found) is None
    assert await bench.state(OLD_PHONE) == "link_viewed"


async def test_what_may_have_arrived_waits_and_lets_others_go_first(bench: Bench) -> None:
    """smpp.md 7. A message at which the SMSC hangs up each time would else be the first again after each bind."""
    lost = Retry("the connection was lost", neighbour_down=True, wait_seconds=300)
    bench.hands[TaskKind.LINK].answers = [lost, Delivered(("late",))]
    await bench.submit(OLD_PHONE)
    await bench.until(trace.LanePaused)
    await bench.submit(PHONE)
    bench.engine.lane_is_up("smsc:local")
    await bench.until(trace.NotificationPushed)
    bench.clock.advance(290)
    await bench.at_rest()
    assert len(bench.hands[TaskKind.LINK].jobs) == 1
    bench.clock.advance(11)
    await bench.until(trace.LinkSent)


async def test_a_wait_that_a_vasp_asked_for_lasts_though_its_lane_comes_back(bench: Bench) -> None:
    """Semantics 7: Retry-After is honoured; what only failed is due at once when the VASP answers again."""
    reports = bench.hands[TaskKind.REPORT_MM7]
    reports.answers = [Retry("500"), Later(3600, "503"), Retry("500"), Retry("refused", neighbour_down=True)]
    await bench.submit(PHONE, OTHER, OLD_PHONE)
    await bench.until(trace.NotificationPushed, 2)
    await bench.until(trace.LinkSent)
    first, second = (job.recipients[0] for job in bench.hands[TaskKind.NOTIFY].jobs)
    for count, one in ((1, first), (2, second)):
        assert await tell(bench, one.transaction_id, Happening.REJECTED)
        await bench.until(trace.AttemptFailed, count)
        if one is first:
            bench.clock.advance(6)
            await bench.until(trace.AttemptPostponed)
    found = await bench.engine.links.open(bench.hands[TaskKind.LINK].jobs[0].recipients[0].link_token)
    assert isinstance(found, Retrievable)
    await bench.engine.links.viewed(found)
    await bench.until(trace.LanePaused)
    bench.clock.advance(2)
    await bench.until(trace.ReportDelivered, 2)
    await bench.at_rest()
    assert [job.recipients[0].id for job in reports.jobs].count(first.id) == 2, "it asked for an hour"
    bench.clock.advance(3600)
    await bench.until(trace.ReportDelivered, 3)
    payloads = [job.payload for job in reports.jobs if job.recipients[0].id == first.id]
    assert payloads == payloads[:1] * 3


async def test_an_unrecognised_that_comes_again_does_not_undo_the_fallback(bench: Bench) -> None:
    """Semantics 5: the same answer again, about a push before, tells nothing new while the link is on its way."""
    await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    await bench.at_rest()
    bench.engine.hold(held=True)
    for _ in range(3):
        assert await answer(bench, Happening.UNRECOGNISED) is True
    bench.engine.hold(held=False)
    await bench.until(trace.LinkSent)
    await bench.at_rest()
    assert await bench.state(PHONE) == "link_sent"


async def test_a_store_that_is_away_when_the_engine_begins_to_work_ends_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.running.cancel()
    await asyncio.gather(bench.running, return_exceptions=True)
    monkeypatch.setattr(timetable, "_PATIENCE_SECONDS", 0.0)
    real, failures = bench.store.fetch, [StoreUnavailable("I/O error")]

    async def fails_once(sql: str, *params: Any) -> Any:
        if failures:
            raise failures.pop()
        return await real(sql, *params)

    monkeypatch.setattr(bench.store, "fetch", fails_once)
    bench.running = asyncio.create_task(bench.engine.run())
    await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    assert not failures
