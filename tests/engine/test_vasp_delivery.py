"""MMs for a VASP's short code (TS 23.140 8.7.2), LinkedID (8.7.1) and read reports (8.7.6), as the engine sees them."""

import asyncio
from typing import Any

import pytest

from mmsc.domain.address import Address
from mmsc.domain.message import Interface, Job, Origin, Relative, TaskKind
from mmsc.domain.neighbours import Vasp
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.states import Cause, Happening
from mmsc.engine.ports import Accepted, Delivered, Evidence, Failed, Later, Outcome, ReadSaid, Retrievable, Retry
from mmsc.store import messages as sql
from mmsc.trace import events as trace
from tests.engine.conftest import OTHER, PHONE, Bench, Hand, listed

HANDSET = Origin(Interface.MM1, PHONE)
WEATHER = Vasp(name="weather", report_url="http://127.0.0.1:1/", short_codes=("7255", "7256"))
SILENT = Vasp(name="silent", short_codes=("7300",))
TAKEN = Delivered(note="1000 Success", status=1000, service_code="gold")


@pytest.fixture
async def town(bench: Bench) -> Bench:
    """The bench with further VASPs."""
    await bench.engine.neighbours.replace((*listed(), WEATHER, SILENT), "local")
    return bench


async def sent(bench: Bench, *to: str, **changes: Any) -> Accepted:
    """An m-send-req of a handset."""
    return await bench.submit(*to, **{"origin": HANDSET, "sender": PHONE, **changes})


async def reply(bench: Bench, linked_id: str, **changes: Any) -> Accepted | Refused:
    """A SubmitReq of `weather` with a LinkedID."""
    origin = Origin(Interface.MM7, "weather")
    submission = bench.submission(OTHER, origin=origin, sender="7255", linked_id=linked_id, **changes)
    return await bench.engine.submit.accept(submission)


def data_of(bench: Bench, kind: type[trace.Data]) -> list[Any]:
    return [event.data for event in bench.events if isinstance(event.data, kind)]


async def test_a_vasp_that_takes_it_has_retrieved_it(town: Bench) -> None:
    town.hands[TaskKind.DELIVER_MM7].answers = [TAKEN]
    accepted = await sent(town, "7255")
    await town.until(trace.ReportDelivered)
    (job,) = town.hands[TaskKind.DELIVER_MM7].jobs
    assert job.lane == "vasp:weather"
    assert job.payload["linked_id"] == accepted.message_id
    assert job.payload["transaction_id"]
    assert await town.state("7255") == "retrieved"
    (report,) = town.hands[TaskKind.REPORT_MM1].jobs
    assert report.payload["state"] == "retrieved"
    (told,) = data_of(town, trace.DeliverAnswered)
    assert (told.vasp, told.taken, told.status, told.service_code) == ("weather", True, 1000, "gold")
    assert await town.tasks() == []


async def test_one_request_for_all_short_codes_of_a_vasp(town: Bench) -> None:
    """And one for each VASP."""
    await sent(town, "7255", "7256", "4488")
    await town.until(trace.ReportDelivered, 3)
    jobs = {job.lane: {one.address.value for one in job.recipients} for job in town.hands[TaskKind.DELIVER_MM7].jobs}
    assert jobs == {"vasp:weather": {"7255", "7256"}, "vasp:news": {"4488"}}
    assert len(town.hands[TaskKind.DELIVER_MM7].jobs) == 2
    assert {await town.state(one) for one in ("7255", "7256", "4488")} == {"retrieved"}


async def test_nothing_leaves_before_the_sender_was_answered(town: Bench) -> None:
    accepted = await sent(town, "7255", answered=False)
    assert not town.hands[TaskKind.DELIVER_MM7].jobs
    accepted.answered()
    await town.until(trace.ReportDelivered)


@pytest.mark.parametrize(
    ("outcome", "state", "cause"),
    [
        (Failed("2004 refused", Happening.REJECTED, 2004), "rejected", "recipient"),
        (Failed("4004 wrong", Happening.UNDELIVERABLE, 4004), "unreachable", "us"),
        (Failed("HTTP 404"), "unreachable", "us"),
    ],
)
async def test_a_final_refusal_is_told_with_its_words(town: Bench, outcome: Failed, state: str, cause: str) -> None:
    town.hands[TaskKind.DELIVER_MM7].answers = [outcome]
    await sent(town, "7255")
    await town.until(trace.ReportDelivered)
    (report,) = town.hands[TaskKind.REPORT_MM1].jobs
    assert (report.payload["state"], report.payload["cause"]) == (state, cause)
    assert report.payload["text"] == outcome.because
    assert [one.status for one in data_of(town, trace.DeliverAnswered)] == [outcome.status]


async def test_where_nothing_was_sent_nothing_was_answered(town: Bench) -> None:
    town.hands[TaskKind.DELIVER_MM7].answers = [Failed("its content is gone", nothing_sent=True)]
    await sent(town, "7255")
    await town.until(trace.ReportDelivered)
    assert await town.state("7255") == "unreachable"
    assert not data_of(town, trace.DeliverAnswered)


@pytest.mark.parametrize("outcome", [Retry("HTTP 500"), Later(60, "4006"), Retry("refused", neighbour_down=True)])
async def test_it_is_tried_again_with_the_same_identifiers(town: Bench, outcome: Outcome) -> None:
    town.hands[TaskKind.DELIVER_MM7].answers = [outcome, outcome, TAKEN]
    await sent(town, "7255")
    failed = trace.AttemptFailed if outcome == Retry("HTTP 500") else trace.AttemptPostponed
    for number in (1, 2):
        await town.until(failed, number)
        town.clock.advance(301)
    await town.until(trace.ReportDelivered)
    assert await town.state("7255") == "retrieved"
    payloads = [job.payload for job in town.hands[TaskKind.DELIVER_MM7].jobs]
    assert len(payloads) == 3
    assert payloads[0] == payloads[1] == payloads[2]


async def test_it_expires_with_the_mm(town: Bench) -> None:
    town.hands[TaskKind.DELIVER_MM7].answers = [Retry("HTTP 500")] * 50
    await sent(town, "7255", expires=Relative(600))
    await town.until(trace.AttemptFailed)
    town.clock.advance(601)
    await town.until(trace.ReportDelivered)
    assert await town.state("7255") == "expired"
    assert town.hands[TaskKind.REPORT_MM1].jobs[0].payload["state"] == "expired"
    assert await town.tasks() == []


async def test_it_expires_while_the_vasp_is_down(town: Bench) -> None:
    town.hands[TaskKind.DELIVER_MM7].answers = [Retry("refused", neighbour_down=True)] * 500
    await sent(town, "7255", expires=Relative(600))
    await town.until(trace.LanePaused)
    town.clock.advance(700)
    await town.until(trace.ReportDelivered)
    assert await town.state("7255") == "expired"


@pytest.mark.parametrize("answers", [True, False])
async def test_an_application_may_answer_later(town: Bench, answers: bool) -> None:
    """EAIF 202: it is sent once; the word comes with a request of its own, or not at all."""
    town.hands[TaskKind.DELIVER_MM7].answers = [Delivered(answer_expected=True, note="HTTP 202")]
    accepted = await sent(town, "7255", expires=Relative(600))
    await town.at_rest()
    assert await town.state("7255") == "accepted"
    if answers:
        await town.engine.application_answers.application_answered("weather", accepted.message_id, status=200)
    town.clock.advance(601)
    await town.until(trace.ReportDelivered)
    await town.at_rest()
    assert await town.state("7255") == ("retrieved" if answers else "indeterminate")
    assert len(town.hands[TaskKind.DELIVER_MM7].jobs) == 1
    assert await town.tasks() == []


async def test_scheduled_delivery_waits(town: Bench) -> None:
    await sent(town, "7255", deliver_at=Relative(3600))
    await town.at_rest()
    assert await town.state("7255") == "scheduled"
    town.clock.advance(3601)
    await town.until(trace.ReportDelivered)
    assert await town.state("7255") == "retrieved"


async def test_what_another_node_told_is_charged_once(town: Bench) -> None:
    """A lease ran out under way: both nodes delivered it, with the same TransactionID."""
    overtaking: list[asyncio.Future[object]] = []

    def overtake(job: Job) -> None:
        told = trace.DeliverAnswered("weather", 1, True, 1000)
        event = town.engine.chronicle.event(told, mm_id=job.stored_mm.id, recipient_id=job.recipients[0].id)
        moved = sql.move_recipient(job.recipients[0].id, Happening.RETRIEVED, town.clock.now(), Cause.NONE)
        overtaking.append(asyncio.ensure_future(town.store.commit(town.engine.chronicle.unit(moved, (), (event,)))))

    class Slow(Hand):
        async def deliver(self, job: Job) -> Outcome:
            outcome = await super().deliver(job)
            await asyncio.gather(*overtaking)
            return outcome

    town.engine.couriers[TaskKind.DELIVER_MM7] = Slow(answers=[TAKEN], on_job=overtake)
    await sent(town, "7255")
    await town.until(trace.AnswerIgnored)
    await town.at_rest()
    assert len(data_of(town, trace.DeliverAnswered)) == 1
    assert await town.tasks() == []


async def test_a_short_code_of_a_vasp_without_an_address_is_refused(town: Bench) -> None:
    found = await town.engine.submit.accept(town.submission("7300", origin=HANDSET, sender=PHONE))
    assert isinstance(found, Refused)
    assert "no address for MM7_deliver" in found.because


async def test_a_vasp_reaches_another_and_not_itself(town: Bench) -> None:
    await town.submit("7255")
    await town.until(trace.ReportDelivered)
    assert town.hands[TaskKind.REPORT_MM7].jobs[0].lane == "vasp:news"
    found = await town.engine.submit.accept(town.submission("4488"))
    assert isinstance(found, Refused)
    assert "back where it came from" in found.because


async def test_a_message_from_a_peer_has_a_linked_id_of_ours(town: Bench) -> None:
    """A peer's Message-ID is nobody's promise to be unique."""
    origin = Origin(Interface.MM4, "other")
    accepted = await town.submit("7255", origin=origin, sender="+16660100123", foreign_id="abc@other.example")
    await town.until(trace.ReportDelivered)
    (job,) = town.hands[TaskKind.DELIVER_MM7].jobs
    assert accepted.message_id == "abc@other.example"
    assert job.payload["linked_id"].endswith("@mms.example")
    assert isinstance(await reply(town, job.payload["linked_id"]), Accepted)


# --- LinkedID


async def test_an_answer_with_the_linked_id_is_tied_to_it(town: Bench) -> None:
    delivered = await sent(town, "7255")
    await town.until(trace.ReportDelivered)
    linked_id = town.hands[TaskKind.DELIVER_MM7].jobs[0].payload["linked_id"]
    answer = await reply(town, linked_id)
    assert isinstance(answer, Accepted)
    pairs = [event for event in town.events if isinstance(event.data, trace.MmLinked)]
    assert {event.mm_id for event in pairs} == {delivered.mm_id, answer.mm_id}, "both histories tell the pair"
    wanted = trace.MmLinked("weather", linked_id, delivered.message_id, answer.message_id)
    assert [event.data for event in pairs] == [wanted, wanted]


async def test_a_vasp_may_answer_before_it_says_that_it_has_the_mm(town: Bench) -> None:
    accepted = await sent(town, "7255", answered=False)
    assert isinstance(await reply(town, accepted.message_id), Accepted)


@pytest.mark.parametrize("which", ["unknown", "nonsense", "another VASP's", "a handset's"])
async def test_an_unknown_linked_id_is_refused_or_forgiven(town: Bench, which: str) -> None:
    to = {"another VASP's": "4488", "a handset's": OTHER}.get(which, "7255")
    accepted = await sent(town, to, delivery_report=False)
    linked_id = {"unknown": "0000000000001@mms.example", "nonsense": "??"}.get(which, accepted.message_id)
    refused = await reply(town, linked_id)
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.LINKED_ID_UNKNOWN
    assert not data_of(town, trace.MmLinked)
    assert isinstance(await reply(town, linked_id, unknown_linked_id_accepted=True), Accepted)
    (finding,) = data_of(town, trace.FindingNoted)
    assert finding.clause == "TS 23.140 8.7.1"
    assert not data_of(town, trace.MmLinked)


# --- read reports


async def fetched(bench: Bench) -> Retrievable:
    recipient = bench.hands[TaskKind.NOTIFY].jobs[-1].recipients[0]
    found = await bench.engine.retrieval.open(recipient.token, recipient.address, Evidence())
    assert isinstance(found, Retrievable)
    await bench.engine.retrieval.fetched(found)
    return found


@pytest.mark.parametrize("read", [True, False])
async def test_a_read_report_goes_to_the_vasp_that_asked(bench: Bench, read: bool) -> None:
    accepted = await bench.submit(PHONE, read_report=True)
    await bench.until(trace.NotificationPushed)
    found = await fetched(bench)
    await bench.engine.retrieval.answer(
        found.transaction_id, Happening.RETRIEVED, report_allowed=True, evidence=Evidence()
    )
    assert await bench.engine.retrieval.read_by(accepted.message_id, Address.of(PHONE), ReadSaid(read=read))
    (told,) = await bench.until(trace.ReadReported)
    assert isinstance(told, trace.ReadReported)
    (job,) = bench.hands[TaskKind.READ_MM7].jobs
    assert (told.read, job.payload["read"], job.lane) == (read, "1" if read else "0", "vasp:news")
    assert await bench.engine.retrieval.read_by(accepted.message_id, Address.of(PHONE), ReadSaid(read=read)), (
        "said again"
    )
    await bench.at_rest()
    assert len(bench.hands[TaskKind.READ_MM7].jobs) == 1
    assert await bench.tasks() == []


async def test_a_read_report_alone_finds_its_way(bench: Bench) -> None:
    """No delivery report was asked for: this node never had work for the VASP's lane."""
    accepted = await bench.submit(PHONE, read_report=True, delivery_report=False)
    await bench.until(trace.NotificationPushed)
    await fetched(bench)
    await bench.at_rest()
    assert await bench.engine.retrieval.read_by(accepted.message_id, Address.of(PHONE), ReadSaid(read=True))
    await bench.until(trace.ReadReported)


async def test_it_leaves_after_the_delivery_report_which_it_proves(bench: Bench) -> None:
    """The handset's acknowledgement was lost; its read report shows that it has the MM."""
    order: list[TaskKind] = []
    for kind in (TaskKind.REPORT_MM7, TaskKind.READ_MM7):
        bench.hands[kind].on_job = lambda job: order.append(job.kind)
    bench.hands[TaskKind.REPORT_MM7].answers = [Retry("HTTP 500")] * 2
    accepted = await bench.submit(PHONE, read_report=True)
    await bench.until(trace.NotificationPushed)
    await fetched(bench)
    assert await bench.engine.retrieval.read_by(accepted.message_id, Address.of(PHONE), ReadSaid(read=True))
    assert await bench.state(PHONE) == "retrieved"
    for number in (1, 2):
        await bench.until(trace.AttemptFailed, number)
        await bench.until(trace.AttemptPostponed, number)
        bench.clock.advance(301)
    await bench.until(trace.ReportDelivered)
    await bench.at_rest()  # the read report may have looked while the delivery report was on its way
    bench.clock.advance(301)
    await bench.until(trace.ReadReported)
    assert order == [*[TaskKind.REPORT_MM7] * 3, TaskKind.READ_MM7]


@pytest.mark.parametrize("changes", [{"read_report": False}, {"message_class": "Auto", "read_report": True}])
async def test_nobody_else_gets_one(bench: Bench, changes: dict[str, Any]) -> None:
    accepted = await bench.submit(PHONE, **changes)
    await bench.until(trace.NotificationPushed)
    await fetched(bench)
    assert await bench.engine.retrieval.read_by(accepted.message_id, Address.of(PHONE), ReadSaid(read=True))
    await bench.at_rest()
    assert not bench.hands[TaskKind.READ_MM7].jobs


# --- what a VASP spoke last


async def test_what_a_vasp_spoke_last_is_remembered_over_a_restart(bench: Bench) -> None:
    from mmsc.engine.dialects import VaspDialects

    dialects = bench.engine.dialects
    assert dialects.last_of("news") == ("", "")
    await dialects.heard("news", "urn:a", "6.8.0")
    await dialects.heard("news", "urn:c", "5.3.0")
    assert dialects.last_of("news") == ("urn:c", "5.3.0")
    bench.clock.advance(61)
    await dialects.heard("news", "urn:b", "5.3.0")
    again = VaspDialects(bench.store, bench.clock)
    await again.load()
    assert again.last_of("news") == dialects.last_of("news") == ("urn:b", "5.3.0")
