"""The engine's scenes: one MM, its recipients, what leaves and what is reported."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from mmsc.domain.address import Address
from mmsc.domain.instant import DAY, HOUR, SECOND
from mmsc.domain.message import Interface, Origin, RecipientId, RecipientSpec, Relative, Role, TaskKind
from mmsc.domain.neighbours import FallbackReport
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.states import Happening
from mmsc.engine.ports import (
    Accepted,
    Delivered,
    Evidence,
    Failed,
    Gone,
    GoneBecause,
    Later,
    Mixed,
    ReceiptState,
    ResMm4,
    Retrievable,
    Retry,
)
from mmsc.store.core import Unit
from mmsc.trace import events as trace
from tests.engine.conftest import CONTENT, FOREIGN, OLD_PHONE, OTHER, PHONE, Bench

SAFARI = Evidence(user_agent="Lab/1.0", mms_version=0x12)


async def notified(bench: Bench, *to: str, **changes: Any) -> None:
    await bench.submit(*to, **changes)
    await bench.until(trace.NotificationPushed, len(to))


async def retrieve(bench: Bench, number: int = 0) -> Retrievable:
    recipient = bench.hands[TaskKind.NOTIFY].jobs[number].recipients[0]
    found = await bench.engine.retrieval.open(recipient.token, recipient.address, SAFARI)
    assert isinstance(found, Retrievable), found
    await bench.engine.retrieval.fetched(found)
    return found


async def test_retrieved_and_reported(bench: Bench) -> None:
    await notified(bench, PHONE)
    found = await retrieve(bench)
    assert found.content.body == CONTENT.body
    told = await bench.engine.retrieval.answer(
        found.transaction_id, Happening.RETRIEVED, report_allowed=True, evidence=SAFARI
    )
    assert told
    await bench.until(trace.ReportDelivered)
    report = bench.hands[TaskKind.REPORT_MM7].jobs[0]
    assert report.payload["state"] == "retrieved"
    assert await bench.state(PHONE) == "retrieved"
    assert await bench.tasks() == []


async def test_nothing_leaves_before_the_answer_was_handed_over(bench: Bench) -> None:
    accepted = await bench.submit(PHONE, answered=False)
    assert bench.hands[TaskKind.NOTIFY].jobs == []
    accepted.answered()
    accepted.answered()
    await bench.until(trace.NotificationPushed)
    assert len(bench.hands[TaskKind.NOTIFY].jobs) == 1


async def test_what_comes_while_the_engine_stops_is_kept_for_its_next_start(bench: Bench) -> None:
    """A lane that is new after the last worker left starts nobody; the lease goes back with the others."""
    bench.running.cancel()
    await asyncio.gather(bench.running, return_exceptions=True)
    await bench.submit(PHONE)
    await bench.stop()
    assert bench.hands[TaskKind.NOTIFY].jobs == []
    bench.running = asyncio.create_task(bench.engine.run())
    await bench.until(trace.NotificationPushed)


async def test_a_fast_handset_answers_before_the_smsc(bench: Bench) -> None:
    """A GET and an answer that race the submit_sm_resp: the MM is there, and the late outcome is only recorded."""
    release, pushing = asyncio.Event(), asyncio.Event()

    class Slow:
        async def deliver(self, job):  # type: ignore[no-untyped-def]
            bench.hands[TaskKind.NOTIFY].jobs.append(job)
            pushing.set()
            await release.wait()
            return Delivered(("late",))

    bench.engine.couriers[TaskKind.NOTIFY] = Slow()
    await bench.submit(PHONE)
    await pushing.wait()
    found = await retrieve(bench)
    await bench.engine.retrieval.answer(found.transaction_id, Happening.RETRIEVED, report_allowed=True, evidence=SAFARI)
    release.set()
    await bench.until(trace.TaskOvertaken)
    assert await bench.state(PHONE) == "retrieved"
    assert len(bench.hands[TaskKind.REPORT_MM7].jobs) == 1


async def test_everyone_is_served_once_and_reported_once(bench: Bench) -> None:
    recipients = (
        RecipientSpec(PHONE),
        RecipientSpec("5550100123"),  # the same number again
        RecipientSpec(OTHER, Role.CC),
        RecipientSpec("+15550100125", Role.BCC),
        RecipientSpec("+15550100126", Role.TO, display_only=True),
    )
    await bench.submit(recipients=recipients)
    await bench.until(trace.NotificationPushed, 3)
    jobs = bench.hands[TaskKind.NOTIFY].jobs
    assert sorted(job.recipients[0].address.value for job in jobs) == [PHONE, OTHER, "+15550100125"]
    assert "+15550100125" not in str(jobs[0].stored_mm.shown_to)
    for number in range(3):
        found = await retrieve(bench, number)
        await bench.engine.retrieval.answer(
            found.transaction_id, Happening.RETRIEVED, report_allowed=True, evidence=SAFARI
        )
    await bench.until(trace.ReportDelivered, 3)
    assert len(bench.hands[TaskKind.REPORT_MM7].jobs) == 3


@pytest.mark.parametrize("happening", [Happening.REJECTED, Happening.DEFERRED])
async def test_rejected_is_reported_and_deferred_is_not(bench: Bench, happening: Happening) -> None:
    await notified(bench, PHONE)
    tid = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id
    assert await bench.engine.retrieval.answer(tid, happening, report_allowed=True, evidence=SAFARI)
    moved = [one for one in await bench.until(trace.RecipientMoved, 2) if isinstance(one, trace.RecipientMoved)]
    assert moved[-1].after == happening.value
    assert moved[-1].report == ("vasp:news" if happening is Happening.REJECTED else "")


async def test_a_repeated_answer_is_ignored_and_recorded(bench: Bench) -> None:
    await notified(bench, PHONE)
    tid = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id
    answer = bench.engine.retrieval.answer
    assert await answer(tid, Happening.RETRIEVED, report_allowed=True, evidence=SAFARI)
    assert not await answer(tid, Happening.RETRIEVED, report_allowed=True, evidence=SAFARI)
    assert not await answer("nobody", Happening.RETRIEVED, report_allowed=True, evidence=SAFARI)
    await bench.until(trace.AnswerIgnored)
    await bench.until(trace.ReportDelivered)
    assert len(bench.hands[TaskKind.REPORT_MM7].jobs) == 1


async def test_report_allowed_no_means_none(bench: Bench) -> None:
    await notified(bench, PHONE)
    tid = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id
    await bench.engine.retrieval.answer(tid, Happening.RETRIEVED, report_allowed=False, evidence=SAFARI)
    moved = await bench.until(trace.RecipientMoved, 2)
    assert moved[-1].no_report == "the recipient allows no report"  # type: ignore[attr-defined]


async def test_expired_is_reported(bench: Bench) -> None:
    await notified(bench, PHONE, expires=Relative(60))
    bench.clock.advance(61)
    await bench.until(trace.ReportDelivered)
    assert bench.hands[TaskKind.REPORT_MM7].jobs[0].payload["state"] == "expired"
    job = bench.hands[TaskKind.NOTIFY].jobs[0]
    gone = await bench.engine.retrieval.open(job.recipients[0].token, None, SAFARI)
    assert gone == Gone(GoneBecause.EXPIRED, kept_until=job.stored_mm.expires_at)


async def test_the_notification_comes_again_with_the_same_ids(bench: Bench) -> None:
    await notified(bench, PHONE)
    bench.clock.advance(301)
    await bench.until(trace.NotificationPushed, 2)
    first, second = (job.recipients[0] for job in bench.hands[TaskKind.NOTIFY].jobs)
    assert (first.transaction_id, first.token) == (second.transaction_id, second.token)


async def test_fetched_and_never_acknowledged_is_retrieved(bench: Bench) -> None:
    await notified(bench, PHONE)
    await retrieve(bench)
    bench.clock.advance(301)
    await bench.until(trace.ReportDelivered)
    assert bench.hands[TaskKind.REPORT_MM7].jobs[0].payload["state"] == "retrieved"
    assert len(bench.hands[TaskKind.NOTIFY].jobs) == 1


async def test_a_second_get_works_and_proves_retrieval(bench: Bench) -> None:
    await notified(bench, PHONE)
    await retrieve(bench)
    await retrieve(bench)
    await bench.until(trace.ReportDelivered)
    assert await bench.state(PHONE) == "retrieved"


@pytest.mark.parametrize("identity", [Address.of(OTHER), None])
async def test_the_token_is_bound_to_its_subscriber(bench: Bench, identity: Address | None) -> None:
    await notified(bench, PHONE)
    token = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].token
    found = await bench.engine.retrieval.open(token, identity, SAFARI)
    assert (found == Gone(GoneBecause.UNKNOWN)) is (identity is not None)
    assert await bench.engine.retrieval.open("wrong", identity, SAFARI) == Gone(GoneBecause.UNKNOWN)


async def test_scheduled_delivery_waits(bench: Bench) -> None:
    await bench.submit(PHONE, deliver_at=Relative(600))
    assert await bench.state(PHONE) == "scheduled"
    assert bench.hands[TaskKind.NOTIFY].jobs == []
    bench.clock.advance(601)
    await bench.until(trace.NotificationPushed)
    assert await bench.state(PHONE) == "notified"


async def test_an_old_phone_gets_a_link_and_its_view_is_the_delivery(bench: Bench) -> None:
    await bench.submit(OLD_PHONE)
    await bench.until(trace.LinkSent)
    recipient = bench.hands[TaskKind.LINK].jobs[0].recipients[0]
    assert bench.hands[TaskKind.NOTIFY].jobs == []
    found = await bench.engine.links.open(recipient.link_token)
    assert isinstance(found, Retrievable)
    assert await bench.state(OLD_PHONE) == "link_sent"
    await bench.engine.links.viewed(found)
    await bench.until(trace.ReportDelivered)
    assert bench.hands[TaskKind.REPORT_MM7].jobs[0].payload["state"] == "link_viewed"
    again = await bench.engine.links.open(recipient.link_token)
    assert isinstance(again, Retrievable), "the page still shows within the grace"
    await bench.engine.links.viewed(again)
    assert await bench.engine.links.open("nothing") == Gone(GoneBecause.UNKNOWN)


async def test_an_unseen_link_expires(bench: Bench) -> None:
    await bench.submit(OLD_PHONE, expires=Relative(600))
    await bench.until(trace.LinkSent)
    bench.clock.advance(601)
    await bench.until(trace.ReportDelivered)
    assert bench.hands[TaskKind.REPORT_MM7].jobs[0].payload["state"] == "expired"


async def test_an_unknown_handset_falls_back_after_its_timer(bench: Bench) -> None:
    await notified(bench, "+15550100777")
    for _ in range(3):
        bench.clock.advance(1300)
        await bench.until(trace.RecipientMoved)
    await bench.until(trace.LinkSent)
    assert await bench.state("+15550100777") == "link_sent"


async def test_pushes_in_between_do_not_put_the_fallback_off(bench: Bench) -> None:
    """The timer runs from the first push, and the last push is not valid beyond it."""
    await notified(bench, "+15550100777")
    for pushes, seconds in ((2, 300), (3, 900)):
        bench.clock.advance(seconds)
        await bench.until(trace.NotificationPushed, pushes)
    bench.clock.advance(2400)
    await bench.until(trace.LinkSent)
    validities = [job.payload["validity_seconds"] for job in bench.hands[TaskKind.NOTIFY].jobs]
    assert validities == ["300", "900", "2400"]


async def test_unrecognised_is_tried_plain_then_by_link(bench: Bench) -> None:
    await notified(bench, PHONE)
    tid = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id
    answer = bench.engine.retrieval.answer
    assert await answer(tid, Happening.UNRECOGNISED, report_allowed=True, evidence=SAFARI)
    await bench.until(trace.NotificationPushed, 2)
    assert bench.hands[TaskKind.NOTIFY].jobs[1].payload["plain"] == "1"
    assert await answer(tid, Happening.UNRECOGNISED, report_allowed=True, evidence=SAFARI)
    await bench.until(trace.LinkSent)


async def test_an_smsc_that_is_down_pauses_its_lane_only(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.hands[TaskKind.NOTIFY].answers = [Retry("not bound", neighbour_down=True)]
    await bench.submit(PHONE, FOREIGN)
    await bench.until(trace.LanePaused)
    await bench.until(trace.ForwardSent)
    bench.engine.lane_is_up("smsc:local")
    await bench.until(trace.NotificationPushed)
    assert await bench.state(PHONE) == "notified"
    assert [one.getMessage() for one in caplog.records if one.name == "mmsc.engine.lanes"] == [
        "lane smsc:local is paused: not bound",
        "lane smsc:local is open again: the neighbour answers",
    ]


async def test_throttling_is_later_and_not_a_failed_attempt(bench: Bench) -> None:
    bench.hands[TaskKind.NOTIFY].answers = [Later(2, "ESME_RTHROTTLED")]
    await bench.submit(PHONE)
    await bench.until(trace.AttemptPostponed)
    bench.clock.advance(3)
    await bench.until(trace.NotificationPushed)
    assert not [event for event in bench.events if isinstance(event.data, trace.AttemptFailed)]


async def test_a_push_refused_for_good_is_reported(bench: Bench) -> None:
    bench.hands[TaskKind.NOTIFY].answers = [Failed("SMSC does not know the number")]
    await bench.submit(PHONE)
    await bench.until(trace.ReportDelivered)
    report = bench.hands[TaskKind.REPORT_MM7].jobs[0].payload
    assert (report["state"], report["cause"], report["text"]) == ("unreachable", "us", "SMSC does not know the number")


async def test_a_courier_that_raises_is_our_bug_and_loses_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def burst(job: object) -> None:
        bench.hands[TaskKind.NOTIFY].on_job = lambda job: None
        raise RuntimeError("boom")

    bench.hands[TaskKind.NOTIFY].on_job = burst
    await bench.submit(PHONE)
    await bench.until(trace.AttemptFailed)
    assert "boom" in caplog.text
    bench.clock.advance(10)
    await bench.until(trace.NotificationPushed)


async def test_reports_are_repeated_with_the_same_ids_and_date(bench: Bench) -> None:
    bench.hands[TaskKind.REPORT_MM7].answers = [Retry("500"), Later(10, "4006")]
    await notified(bench, PHONE)
    tid = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id
    await bench.engine.retrieval.answer(tid, Happening.RETRIEVED, report_allowed=True, evidence=SAFARI)
    await bench.until(trace.AttemptFailed)
    bench.clock.advance(6)
    await bench.until(trace.AttemptPostponed)
    bench.clock.advance(11)
    await bench.until(trace.ReportDelivered)
    payloads = [job.payload for job in bench.hands[TaskKind.REPORT_MM7].jobs]
    assert len(payloads) == 3
    assert payloads[0] == payloads[1] == payloads[2]


async def test_reports_about_one_recipient_leave_in_order_and_wait_without_asking_every_second(bench: Bench) -> None:
    vasps = bench.engine.neighbours.vasps
    vasps["news"] = replace(vasps["news"], deferred_reports=True)
    bench.hands[TaskKind.REPORT_MM7].answers = [Later(600, "4006")]
    await notified(bench, PHONE)
    tid = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id
    for number, happening in enumerate((Happening.DEFERRED, Happening.RETRIEVED), 1):
        await bench.engine.retrieval.answer(tid, happening, report_allowed=True, evidence=SAFARI)
        await bench.until(trace.AttemptPostponed, number)
    first, second = (await bench.until(trace.AttemptPostponed, 2))[:2]
    assert "an earlier report" in second.because  # type: ignore[attr-defined]
    assert second.next_at >= first.next_at  # type: ignore[attr-defined]
    bench.clock.advance(602)
    await bench.until(trace.ReportDelivered)
    bench.clock.advance(3)
    told = await bench.until(trace.ReportDelivered, 2)
    assert [one.state for one in told] == ["deferred", "retrieved"]  # type: ignore[attr-defined]


async def test_a_report_nobody_takes_is_given_up_visibly(bench: Bench) -> None:
    bench.hands[TaskKind.REPORT_MM7].answers = [Failed("2001")]
    await notified(bench, PHONE)
    tid = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id
    await bench.engine.retrieval.answer(tid, Happening.REJECTED, report_allowed=True, evidence=SAFARI)
    given_up = await bench.until(trace.TaskGivenUp)
    assert given_up[0].because == "2001"  # type: ignore[attr-defined]
    assert await bench.tasks() == []


@pytest.mark.parametrize(
    "outcome", [Later(3600, "4006"), Retry("401", neighbour_down=True), Retry("no answer in time")], ids=str
)
async def test_a_report_is_given_up_after_its_lifetime_whatever_the_vasp_says(
    bench: Bench, outcome: Later | Retry
) -> None:
    bench.hands[TaskKind.REPORT_MM7].answers = [outcome] * 400
    await notified(bench, PHONE)
    tid = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id
    await bench.engine.retrieval.answer(tid, Happening.RETRIEVED, report_allowed=True, evidence=SAFARI)
    await bench.until(trace.AttemptFailed if outcome == Retry("no answer in time") else trace.AttemptPostponed)
    bench.clock.advance(4 * DAY / SECOND)
    assert outcome.because in str((await bench.until(trace.TaskGivenUp))[0])
    assert await bench.tasks() == []


async def test_a_peer_takes_reports_and_is_believed(bench: Bench) -> None:
    bench.hands[TaskKind.FORWARD].answers = [Delivered(answer_expected=True)]
    accepted = await bench.submit(FOREIGN, "+16660100124")
    await bench.until(trace.ForwardSent)
    assert len(bench.hands[TaskKind.FORWARD].jobs) == 1, "one MM4_forward.REQ for all recipients of a peer"
    assert await bench.state(FOREIGN) == "relayed"
    news = bench.engine.peer_reports
    assert await news.forward_answered("other", accepted.message_id, ok=True, because="")
    assert not await news.forward_answered("stranger", accepted.message_id, ok=True, because="")
    took = await news.delivery_report(
        "other",
        accepted.message_id,
        FOREIGN,
        Happening.PEER_RETRIEVED,
        date=bench.clock.now(),
        to_originator=True,
        res=lambda found: ResMm4("other", {"ok": str(found)}),
    )
    assert took
    await bench.until(trace.ReportDelivered, 2)
    assert bench.hands[TaskKind.RES_MM4].jobs[0].payload["ok"] == "True"
    assert bench.hands[TaskKind.REPORT_MM7].jobs[0].payload["state"] == "retrieved"
    assert not await news.delivery_report(
        "other",
        accepted.message_id,
        "+16669999999",
        Happening.PEER_RETRIEVED,
        date=bench.clock.now(),
        to_originator=True,
    )


async def test_a_res_that_no_peer_takes_is_given_up(bench: Bench) -> None:
    bench.hands[TaskKind.RES_MM4].answers = [Later(60, "452 full")] * 400
    await bench.engine.submit.answer_refused(ResMm4("other", {"ok": "no"}))
    await bench.until(trace.AttemptPostponed)
    bench.clock.advance(4 * DAY / SECOND)
    await bench.until(trace.TaskGivenUp)
    assert await bench.tasks() == []


async def test_a_peer_that_refuses(bench: Bench) -> None:
    accepted = await bench.submit(FOREIGN)
    await bench.until(trace.ForwardSent)
    because = "Error-content-not-accepted"
    assert await bench.engine.peer_reports.forward_answered("other", accepted.message_id, ok=False, because=because)
    await bench.until(trace.ReportDelivered)
    report = bench.hands[TaskKind.REPORT_MM7].jobs[0].payload
    assert (report["state"], report["cause"], report["text"]) == ("rejected", "other_rs", because)


async def test_a_silent_peer_is_asked_again_then_becomes_indeterminate(bench: Bench) -> None:
    bench.hands[TaskKind.FORWARD].answers = [Delivered(answer_expected=True)] * 4
    await bench.submit(FOREIGN)
    await bench.until(trace.ForwardSent)
    for count, wait in enumerate((61, 301, 1801), 2):
        bench.clock.advance(wait)
        await bench.until(trace.ForwardSent, count)
    jobs = bench.hands[TaskKind.FORWARD].jobs
    assert len({job.payload["transaction_id"] for job in jobs}) == 1
    bench.clock.advance(1801)
    await bench.until(trace.FindingNoted)
    bench.clock.advance((3 * DAY + 25 * HOUR) / SECOND)
    await bench.until(trace.ReportDelivered)
    assert bench.hands[TaskKind.REPORT_MM7].jobs[0].payload["state"] == "indeterminate"
    assert len(jobs) == 4


async def test_recipients_of_one_forward_that_fare_differently(bench: Bench) -> None:
    def split(job: object) -> None:
        first, second = bench.hands[TaskKind.FORWARD].jobs[0].recipients
        refused = Failed("550 5.1.1", Happening.REFUSED_BY_PEER)
        outcomes: dict[RecipientId, Delivered | Later | Retry | Failed] = {first.id: Delivered(), second.id: refused}
        bench.hands[TaskKind.FORWARD].answers = [Mixed(outcomes)]

    bench.hands[TaskKind.FORWARD].on_job = split
    await bench.submit(FOREIGN, "+16660100124")
    await bench.until(trace.ReportDelivered)
    await bench.until(trace.ForwardSent)
    assert await bench.state(FOREIGN) == "relayed"
    assert await bench.state("+16660100124") == "rejected"


async def test_a_peer_down_until_expiry_is_our_expired(bench: Bench) -> None:
    bench.hands[TaskKind.FORWARD].answers = [Retry("451 4.3.0")] * 50
    await bench.submit(FOREIGN, expires=Relative(100))
    await bench.until(trace.AttemptFailed)
    bench.clock.advance(101)
    await bench.until(trace.ReportDelivered)
    assert await bench.state(FOREIGN) == "expired"


async def test_the_same_request_again_gets_the_stored_answer(bench: Bench) -> None:
    first = await bench.submit(PHONE, repeat_key=b"k")
    second = await bench.submit(PHONE, repeat_key=b"k")
    assert second.repeat
    assert second.message_id == first.message_id
    bench.clock.advance(2 * DAY / SECOND)
    third = await bench.submit(PHONE, repeat_key=b"k")
    assert third.message_id != first.message_id, "beyond the window it is a new request"
    fourth = await bench.submit(PHONE, repeat_key=b"k")
    assert (fourth.repeat, fourth.message_id) == (True, third.message_id), "and has repeats of its own"
    bench.clock.advance(2 * DAY / SECOND)
    at_once = await asyncio.gather(*(bench.submit(PHONE, repeat_key=b"k") for _ in range(5)))
    assert sorted(one.repeat for one in at_once) == [False, True, True, True, True]
    assert len({one.message_id for one in at_once}) == 1
    assert len(await bench.store.fetch("SELECT id FROM mm")) == 3


async def test_partial_success_names_those_who_were_not_taken(bench: Bench) -> None:
    accepted = await bench.submit(PHONE, "+19990100123", "no number!", repeat_key=b"p")
    assert [one.text for one in accepted.refused] == ["+19990100123", "no number!"]
    again = await bench.submit(PHONE, "+19990100123", "no number!", repeat_key=b"p")
    assert again.refused == accepted.refused


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ((), RefusalReason.NO_RECIPIENTS),
        (("no number!",), RefusalReason.ADDRESS_MALFORMED),
        (("+19990100123",), RefusalReason.RECIPIENT_UNKNOWN),
        (("4488",), RefusalReason.RECIPIENT_UNKNOWN),
        (("user@mail.example",), RefusalReason.RECIPIENT_UNKNOWN),
    ],
)
async def test_a_refusal_keeps_nothing(bench: Bench, to: tuple[str, ...], reason: RefusalReason) -> None:
    refused = await bench.engine.submit.accept(bench.submission(*to))
    assert isinstance(refused, Refused)
    assert refused.reason is reason
    assert await bench.store.fetch("SELECT id FROM mm") == []
    await bench.until(trace.SubmissionRefused)


async def test_an_mm4_message_does_not_go_back_where_it_came_from(bench: Bench) -> None:
    submission = replace(bench.submission(FOREIGN), origin=Origin(Interface.MM4, "other"), foreign_id="m1@other")
    refused = await bench.engine.submit.accept(submission)
    assert isinstance(refused, Refused)
    res = ResMm4("other", {"ok": "no"})
    await bench.engine.submit.answer_refused(res)
    await bench.until(trace.ReportDelivered)
    assert bench.hands[TaskKind.RES_MM4].jobs[0].payload["ok"] == "no"


async def test_an_mm4_mm_is_answered_and_reported_to_its_peer(bench: Bench) -> None:
    submission = replace(
        bench.submission(PHONE), origin=Origin(Interface.MM4, "other"), foreign_id="m1@other", sender=FOREIGN
    )
    accepted = await bench.engine.submit.accept(submission, res=ResMm4("other", {"ok": "yes"}))
    assert isinstance(accepted, Accepted)
    assert accepted.message_id == "m1@other"
    accepted.answered()
    await bench.until(trace.NotificationPushed)
    found = await retrieve(bench)
    await bench.engine.retrieval.answer(found.transaction_id, Happening.RETRIEVED, report_allowed=True, evidence=SAFARI)
    await bench.until(trace.ReportDelivered, 2)
    assert bench.hands[TaskKind.REPORT_MM4].jobs[0].lane == "peer:other"
    assert len(bench.hands[TaskKind.RES_MM4].jobs) == 1


async def test_a_receipt_tells_about_the_sms_and_never_about_the_mm(bench: Bench) -> None:
    bench.hands[TaskKind.NOTIFY].answers = [Delivered(("id1", "id2"), receipt_expected=True)]
    await notified(bench, PHONE)
    receipts = bench.engine.receipts
    assert await receipts.receipt("local", "id1", ReceiptState.DELIVERED, "")
    assert not await receipts.receipt("local", "id9", ReceiptState.DELIVERED, "")
    assert await bench.state(PHONE) == "notified"


@pytest.mark.parametrize("settled", [ReceiptState.DELIVERED, ReceiptState.FAILED, ReceiptState.ENROUTE, None])
async def test_nothing_is_pushed_on_top_of_a_push_that_the_smsc_still_has(
    bench: Bench, settled: ReceiptState | None
) -> None:
    """Semantics 5. The second push is due after 5 min; an open receipt holds it up, for 5 min at the most."""
    smscs = bench.engine.neighbours.smscs
    smscs["local"] = replace(smscs["local"], receipts=True)
    bench.hands[TaskKind.NOTIFY].answers = [Delivered(("id1",), receipt_expected=True)]
    await notified(bench, PHONE)
    first_wait = bench.engine.policy.delivery.notification.wait_after_push(1)
    if settled is not None:
        assert await bench.engine.receipts.receipt("local", "id1", settled, "")
    for _ in range(4):
        bench.clock.advance(first_wait / 4 + 1)
        await bench.at_rest()
    open_still = settled in (ReceiptState.ENROUTE, None)
    assert len(bench.hands[TaskKind.NOTIFY].jobs) == (1 if open_still else 2)
    for _ in range(4):
        bench.clock.advance(first_wait / 4 + 1)
        await bench.at_rest()
    assert len(bench.hands[TaskKind.NOTIFY].jobs) == 2


@pytest.mark.parametrize("report", list(FallbackReport))
async def test_a_link_that_arrived_ends_only_where_the_vasp_wants_it_so(bench: Bench, report: FallbackReport) -> None:
    """SMPP v3.4 has one receipt a segment: the SMS is there when all of them are."""
    bench.engine.neighbours.vasps["news"] = replace(bench.engine.neighbours.vasps["news"], fallback_report=report)
    bench.hands[TaskKind.LINK].answers = [Delivered(("id1", "id2"), receipt_expected=True)]
    await bench.submit(OLD_PHONE)
    await bench.until(trace.LinkSent)
    for message_id in ("id1", "id1"):
        assert await bench.engine.receipts.receipt("local", message_id, ReceiptState.DELIVERED, "")
        assert await bench.state(OLD_PHONE) == "link_sent"
    assert await bench.engine.receipts.receipt("local", "id2", ReceiptState.DELIVERED, "")
    if report is FallbackReport.VIEWED:
        assert await bench.state(OLD_PHONE) == "link_sent"
    else:
        await bench.until(trace.ReportDelivered)
        told = bench.hands[TaskKind.REPORT_MM7].jobs[0].payload
        assert (told["state"], told["text"]) == ("indeterminate", "web link sent by SMS")


@pytest.mark.parametrize(
    ("numbers", "meant"),
    [(("15550100900", "MMSC"), True), (("0100900",), True), (("15550100901", "900", ""), False), ((), False)],
)
async def test_a_receipt_may_name_whom_it_is_about(bench: Bench, numbers: tuple[str, ...], meant: bool) -> None:
    bench.hands[TaskKind.LINK].answers = [Delivered(("id1",), receipt_expected=True)]
    await bench.submit(OLD_PHONE)
    await bench.until(trace.LinkSent)
    assert await bench.engine.receipts.receipt("local", "id1", ReceiptState.FAILED, "", numbers) is meant
    assert (await bench.state(OLD_PHONE) == "unreachable") is meant


async def test_a_link_sms_that_never_arrived_is_unreachable(bench: Bench) -> None:
    bench.hands[TaskKind.LINK].answers = [Delivered(("id1",), receipt_expected=True)]
    await bench.submit(OLD_PHONE)
    await bench.until(trace.LinkSent)
    assert await bench.engine.receipts.receipt("local", "id1", ReceiptState.FAILED, "UNDELIV")
    await bench.until(trace.ReportDelivered)
    assert bench.hands[TaskKind.REPORT_MM7].jobs[0].payload["state"] == "unreachable"


async def test_what_a_handset_shows_is_remembered(bench: Bench) -> None:
    await notified(bench, PHONE)
    await retrieve(bench)
    assert bench.engine.neighbours.subscriber(Address.of(PHONE)).user_agent == "Lab/1.0"
    rows = await bench.store.fetch("SELECT data FROM config WHERE kind = 'learned'")
    assert "Lab/1.0" in str(rows[0][0])


@pytest.mark.parametrize("turns", range(12))
async def test_a_neighbour_that_hangs_up_while_its_mm_is_stored_changes_nothing(bench: Bench, turns: int) -> None:
    """Cancelled at any turn of the loop: the MM is either not there, or it is delivered without anybody's help."""
    accepting = asyncio.ensure_future(bench.engine.submit.accept(bench.submission(PHONE)))
    for _ in range(turns):
        await asyncio.sleep(0)
    hung_up = accepting.cancel()
    await asyncio.gather(accepting, return_exceptions=True)
    if not hung_up:
        outcome = accepting.result()
        assert isinstance(outcome, Accepted)
        outcome.answered()
    await bench.store.commit(Unit(None, ()))  # what was queued before is through
    stored = len(await bench.store.fetch("SELECT id FROM mm"))
    await bench.until(trace.NotificationPushed, stored)
    assert len(bench.hands[TaskKind.NOTIFY].jobs) == stored
    await bench.stop()
    assert bench.engine.lanes.get("smsc:local").taken == 0, "every seat was given back"


async def test_a_neighbour_that_hangs_up_just_after_the_commit_changes_nothing(bench: Bench) -> None:
    accepting = asyncio.ensure_future(bench.engine.submit.accept(bench.submission(PHONE)))
    await bench.until(trace.MmAccepted)
    assert accepting.cancel(), "the commit is through, and its caller has not run yet"
    await bench.until(trace.NotificationPushed)
    assert accepting.cancelled()
    await bench.stop()
    assert bench.engine.lanes.get("smsc:local").taken == 0, "every seat was given back"
