"""A message that an application took with 202, and what it says of it later (EAIF, X-NOKIA-MMSC-Status)."""

import asyncio
from typing import Any

import pytest

from mmsc.domain.changes import Asked, Changed
from mmsc.domain.message import Interface, Job, Origin, Relative, TaskKind
from mmsc.domain.neighbours import Vasp, VaspInterface
from mmsc.domain.states import Happening
from mmsc.engine.application_news import happening_of
from mmsc.engine.ports import Accepted, Delivered, Gone, GoneBecause, Retry
from mmsc.ids import to_text
from mmsc.store.core import StoreUnavailable, Unit
from mmsc.trace import events as trace
from tests.engine.conftest import PHONE, Bench, listed

HANDSET = Origin(Interface.MM1, PHONE)
GAMES = Vasp(name="games", report_url="http://127.0.0.1:1/", short_codes=("7255", "7256"), interface=VaspInterface.EAIF)
LATER = Delivered(answer_expected=True, note="HTTP 202: the answer comes later")


@pytest.fixture
async def town(bench: Bench) -> Bench:
    """The bench with an application that answers 202."""
    await bench.engine.neighbours.replace((*listed(), GAMES), "local")
    bench.hands[TaskKind.DELIVER_MM7].answers = [LATER]
    return bench


async def sent(bench: Bench, *to: str, **changes: Any) -> Accepted:
    """An m-send-req of a handset, taken by the application for now."""
    accepted = await bench.submit(*to, **{"origin": HANDSET, "sender": PHONE, **changes})
    await bench.until(trace.AttemptPostponed)
    return accepted


async def say(bench: Bench, accepted: Accepted, status: int = 200) -> bool | Gone:
    return await bench.engine.application_answers.application_answered("games", to_text(accepted.mm_id), status=status)


def told(bench: Bench) -> list[Any]:
    return [event.data for event in bench.events if isinstance(event.data, trace.DeliverAnswered)]


async def test_the_outcome_is_open_until_the_application_answers(town: Bench) -> None:
    accepted = await sent(town, "7255", "7256")
    assert [await town.state(one) for one in ("7255", "7256")] == ["accepted", "accepted"]
    assert told(town) == []
    assert await say(town, accepted) is True
    await town.until(trace.ReportDelivered, 2)
    assert [await town.state(one) for one in ("7255", "7256")] == ["retrieved", "retrieved"]
    assert {job.payload["state"] for job in town.hands[TaskKind.REPORT_MM1].jobs} == {"retrieved"}
    assert [(one.vasp, one.taken, one.attempt, one.text) for one in told(town)] == [
        ("games", True, 1, "X-NOKIA-MMSC-Status 200")
    ] * 2
    [job] = town.hands[TaskKind.DELIVER_MM7].jobs
    assert {one.linked_id for one in told(town)} == {job.payload["linked_id"]}
    assert await town.tasks() == []


@pytest.mark.parametrize(
    ("status", "happening", "state"),
    [
        (200, Happening.RETRIEVED, "retrieved"),
        (299, Happening.RETRIEVED, "retrieved"),
        (400, Happening.REJECTED, "rejected"),
        (500, Happening.UNDELIVERABLE, "unreachable"),
        (100, Happening.UNDELIVERABLE, "unreachable"),
    ],
)
async def test_what_a_status_means(town: Bench, status: int, happening: Happening, state: str) -> None:
    assert happening_of(status) is happening
    accepted = await sent(town, "7255")
    assert await say(town, accepted, status) is True
    await town.until(trace.ReportDelivered)
    [report] = town.hands[TaskKind.REPORT_MM1].jobs
    assert report.payload["state"] == state
    assert report.payload["text"] == ("" if status < 300 and status >= 200 else f"the application answered {status}")


async def test_nothing_is_sent_again_meanwhile(town: Bench) -> None:
    accepted = await sent(town, "7255", expires=Relative(7200))
    town.clock.advance(3600)
    await town.at_rest()
    assert len(town.hands[TaskKind.DELIVER_MM7].jobs) == 1
    await say(town, accepted)
    town.clock.advance(7200)
    await town.until(trace.ReportDelivered)
    assert await town.state("7255") == "retrieved"


async def test_a_lane_that_comes_back_does_not_send_it_again(town: Bench) -> None:
    await sent(town, "7255", expires=Relative(7200))
    town.hands[TaskKind.DELIVER_MM7].answers = [Retry("refused", neighbour_down=True), LATER]
    await town.submit("7256", origin=HANDSET, sender=PHONE)
    await town.until(trace.LanePaused)
    town.clock.advance(120)
    await town.until(trace.LaneResumed)
    await town.until(trace.AttemptPostponed, 3)
    asked = [job.recipients[0].address.value for job in town.hands[TaskKind.DELIVER_MM7].jobs]
    assert asked == ["7255", "7256", "7256"]


async def test_an_application_that_never_answers_is_indeterminate(town: Bench) -> None:
    accepted = await sent(town, "7255", expires=Relative(7200))
    town.clock.advance(7201)
    await town.until(trace.ReportDelivered)
    assert await town.state("7255") == "indeterminate"
    assert len(town.hands[TaskKind.DELIVER_MM7].jobs) == 1
    assert await town.tasks() == []
    assert await say(town, accepted) is True, "too late, and no reason to say it again"
    assert await town.state("7255") == "indeterminate"


async def test_an_answer_may_be_faster_than_the_202(town: Bench) -> None:
    accepted: list[Accepted] = []
    hand = town.hands[TaskKind.DELIVER_MM7]

    class Fast:
        """Answers before its own 202."""

        async def deliver(self, job: Job) -> Delivered:
            hand.jobs.append(job)
            assert await say(town, accepted[0]) is True
            return LATER

    town.engine.couriers[TaskKind.DELIVER_MM7] = Fast()
    accepted.append(await town.submit("7255", origin=HANDSET, sender=PHONE, answered=False))
    accepted[0].answered()
    await town.until(trace.ReportDelivered)
    await town.until(trace.AttemptPostponed)
    async with asyncio.timeout(10):
        while await town.tasks():  # the task that waited for its word goes in a unit of its own
            await town.store.commit(Unit(None, ()))
    assert await town.state("7255") == "retrieved"


async def test_a_repeated_answer_changes_and_charges_nothing(town: Bench) -> None:
    accepted = await sent(town, "7255")
    assert [await say(town, accepted, status) for status in (200, 200, 500)] == [True, True, True]
    await town.until(trace.ReportDelivered)
    assert await town.state("7255") == "retrieved"
    assert len(told(town)) == 1
    heard = await town.until(trace.ApplicationAnswered, 3)
    assert [one.status for one in heard if isinstance(one, trace.ApplicationAnswered)] == [200, 200, 500]


async def test_who_asks_about_what_is_not_its_own_is_told_nothing(town: Bench) -> None:
    accepted = await sent(town, "7255")
    answers = town.engine.application_answers
    other = await town.submit(PHONE, origin=Origin(Interface.MM7, "games"))
    for vasp, message_id in (
        ("news", to_text(accepted.mm_id)),
        ("games", to_text(other.mm_id)),
        ("games", "0000000000000"),
        ("games", "x"),
        ("games", ""),
    ):
        assert await answers.application_answered(vasp, message_id, status=200) is False, (vasp, message_id)
    assert await town.state("7255") == "accepted"


async def test_nothing_is_noted_while_the_store_is_away(town: Bench, monkeypatch: pytest.MonkeyPatch) -> None:

    accepted = await sent(town, "7255")

    async def away(*_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(town.store, "commit", away)
    assert await say(town, accepted) == Gone(GoneBecause.STORE_AWAY)
    monkeypatch.undo()
    assert await town.state("7255") == "accepted"
    assert await say(town, accepted) is True
    await town.until(trace.ReportDelivered)


async def test_what_an_application_took_is_not_withdrawn(town: Bench) -> None:
    """It has the MM, and its word is only about what became of it (semantics 8: what another system has)."""
    accepted = await town.submit("7255")
    await town.until(trace.AttemptPostponed)
    await town.at_rest()
    outcome = await town.engine.changes.cancel(Asked(vasp="news", message_id=accepted.message_id))
    assert isinstance(outcome, Changed)
    assert (outcome.done, [address for address, _ in outcome.late]) == (0, ["7255"])
    assert await say(town, accepted) is True
    assert await town.state("7255") == "retrieved"


async def test_an_answer_about_what_was_not_sent_yet_ends_nothing(town: Bench) -> None:
    """Its delivery time is to come, and it is sent then."""
    accepted = await town.submit("7255", deliver_at=Relative(3600))
    await say(town, accepted)
    assert await town.state("7255") == "scheduled"
    town.clock.advance(3601)
    await town.until(trace.AttemptPostponed)
    assert len(town.hands[TaskKind.DELIVER_MM7].jobs) == 1
