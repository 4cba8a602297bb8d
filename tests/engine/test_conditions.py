"""Delivery conditions, content that may not be adapted, and what becomes of the others when some cannot be served
(TS 23.140 8.7.1; semantics 6)."""

from dataclasses import replace

import pytest

from mmsc.domain.conditions import CONDITIONS, DeliveryCondition, kept
from mmsc.domain.message import Content, Part, RecipientSpec, Relative, TaskKind
from mmsc.domain.neighbours import Peer
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.states import Happening
from mmsc.engine.ports import Accepted, Evidence
from mmsc.trace import events as trace
from tests.engine.conftest import FOREIGN, OLD_PHONE, PHONE, Bench

CAPABLE_ONLY = {CONDITIONS: kept([DeliveryCondition.MMS_CAPABLE])}
HOME_ONLY = {CONDITIONS: kept([DeliveryCondition.HOME_NETWORK])}
LARGE = Content("application/vnd.wap.multipart.mixed", bytes(5000), (Part("image/jpeg", "i", "", 0, 5000),))
UNKNOWN = "+15550100555"


async def reported(bench: Bench, count: int = 1) -> list[tuple[str, str, str]]:
    """(recipient, state, StatusText) of the reports so far."""
    await bench.until(trace.ReportDelivered, count)
    jobs = bench.hands[TaskKind.REPORT_MM7].jobs
    return [(job.recipients[0].address.value, job.payload["state"], job.payload.get("text", "")) for job in jobs]


async def test_a_handset_without_mms_gets_no_link(bench: Bench) -> None:
    await bench.submit(OLD_PHONE, PHONE, details=CAPABLE_ONLY)
    [report] = await reported(bench)
    because = "delivery condition: MMS-capable terminals only; the handset cannot take an MM"
    assert report == (OLD_PHONE, "condition_not_met", because)
    assert await bench.state(PHONE) == "notified"
    assert bench.hands[TaskKind.LINK].jobs == []


async def test_without_the_condition_it_gets_the_link(bench: Bench) -> None:
    await bench.submit(OLD_PHONE, details=HOME_ONLY)
    await bench.until(trace.LinkSent)
    assert await bench.state(OLD_PHONE) == "link_sent"


async def test_an_unknown_handset_is_notified_and_ends_where_the_link_would_go(bench: Bench) -> None:
    await bench.submit(UNKNOWN, details=CAPABLE_ONLY)
    await bench.until(trace.NotificationPushed)
    await bench.at_rest()
    bench.clock.advance(3700)
    [(_, state, text)] = await reported(bench)
    assert (state, text.partition(";")[0]) == ("condition_not_met", "delivery condition: MMS-capable terminals only")
    assert bench.hands[TaskKind.LINK].jobs == []


async def test_a_handset_that_understands_no_notification_ends_so_too(bench: Bench) -> None:
    await bench.submit(PHONE, details=CAPABLE_ONLY)
    await bench.until(trace.NotificationPushed)
    transaction_id = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id
    for count in (2, 3):
        await bench.at_rest()
        answer = bench.engine.retrieval.answer
        assert await answer(transaction_id, Happening.UNRECOGNISED, report_allowed=True, evidence=Evidence())
        if count == 2:
            await bench.until(trace.NotificationPushed, count)
    [(_, state, _)] = await reported(bench)
    assert state == "condition_not_met"
    assert bench.hands[TaskKind.LINK].jobs == []


@pytest.mark.parametrize("later", [None, Relative(3600)])
async def test_the_home_network_only(bench: Bench, later: Relative | None) -> None:
    """Known at once, told when the MM is due; until then it can be withdrawn."""
    await bench.submit(FOREIGN, "4488", PHONE, details=HOME_ONLY, deliver_at=later)
    if later is not None:
        assert await bench.state(FOREIGN) == "scheduled"
        bench.clock.advance(3601)
    assert await reported(bench) == [(FOREIGN, "condition_not_met", "delivery condition: the home network only")]
    assert bench.hands[TaskKind.FORWARD].jobs == []
    await bench.until(trace.NotificationPushed)
    chosen = [one.data for one in bench.events if isinstance(one.data, trace.RouteChosen)]
    assert ("none", "delivery condition: the home network only") in [(one.route, one.why) for one in chosen]


async def test_a_condition_that_only_handsets_can_fail_lets_the_mm_go_to_a_peer(bench: Bench) -> None:
    await bench.submit(FOREIGN, details=CAPABLE_ONLY)
    await bench.until(trace.ForwardSent)


# --- content that may not be adapted


async def small_peer(bench: Bench) -> None:
    peer = bench.engine.neighbours.peers["other"]
    assert isinstance(peer, Peer)
    bench.engine.neighbours.peers["other"] = replace(peer, maximum_octets=4000)


async def test_what_a_peer_could_only_be_sent_adapted_is_refused(bench: Bench) -> None:
    await small_peer(bench)
    submission = bench.submission(FOREIGN, content=LARGE, adaptation_allowed=False)
    refused = await bench.engine.submit.accept(submission)
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.CONTENT_REFUSED
    assert "may not be adapted" in refused.because


async def test_the_others_get_it_unchanged(bench: Bench) -> None:
    await small_peer(bench)
    accepted = await bench.submit(FOREIGN, PHONE, content=LARGE, adaptation_allowed=False)
    assert [one.text for one in accepted.refused] == [FOREIGN]
    await bench.until(trace.NotificationPushed)
    assert bench.hands[TaskKind.NOTIFY].jobs[0].stored_mm.adaptation_allowed is False


async def test_what_fits_goes(bench: Bench) -> None:
    await small_peer(bench)
    accepted = await bench.submit(FOREIGN, adaptation_allowed=False)
    await bench.until(trace.ForwardSent)
    assert accepted.refused == ()


# --- all or none


async def test_one_that_cannot_be_served_ends_it_for_all_where_the_policy_says_so(bench: Bench) -> None:
    outcome = await bench.engine.submit.accept(bench.submission(PHONE, "999", partial_success=False))
    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.address) == (RefusalReason.RECIPIENT_UNKNOWN, "999")
    assert isinstance(await bench.engine.submit.accept(bench.submission(PHONE, partial_success=False)), Accepted)


async def test_an_obstacle_that_the_gateway_knows_is_told_for_its_address(bench: Bench) -> None:
    coded = RecipientSpec("7f3a", obstacle="no number is known")
    accepted = await bench.submit(recipients=(coded, RecipientSpec(PHONE)))
    assert [(one.text, one.because) for one in accepted.refused] == [("7f3a", "no number is known")]
    refused = await bench.engine.submit.accept(bench.submission(recipients=(coded,)))
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.ADDRESS_MALFORMED


async def test_nobody_but_who_is_shown_is_nobody(bench: Bench) -> None:
    shown = RecipientSpec(PHONE, display_only=True)
    refused = await bench.engine.submit.accept(bench.submission(recipients=(shown,)))
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.NO_RECIPIENTS


async def test_a_cut_expiry_is_remarked(bench: Bench) -> None:
    await bench.submit(PHONE, expires=Relative(365 * 86400))
    [finding] = await bench.until(trace.FindingNoted)
    assert isinstance(finding, trace.FindingNoted)
    assert (finding.rule, finding.source) == ("MM7-R104", "vasp:news")
