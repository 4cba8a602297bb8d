"""What goes wrong at the worst moment: the store between two steps, a lost claim, a lease that runs out."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from mmsc.domain.instant import DAY, Instant
from mmsc.domain.message import Relative, TaskKind
from mmsc.domain.states import Happening, RecipientState
from mmsc.engine import delivery
from mmsc.engine.ports import Delivered, Evidence, Failed, Gone, Later, Outcome, Retrievable, Retry
from mmsc.store.core import StoreUnavailable, Unit
from mmsc.trace import events as trace
from tests.engine.conftest import FOREIGN, OLD_PHONE, OTHER, PHONE, Bench

LAB = Evidence(user_agent="Lab/1.0", mms_version=0x12)


class Slow:
    """A courier whose first job waits for `release`."""

    def __init__(self, outcome: Outcome | None = None) -> None:
        self.jobs: list[Any] = []
        self.working = asyncio.Event()
        self.release = asyncio.Event()
        self.outcome = outcome or Delivered(("slow",))

    async def deliver(self, job: Any) -> Outcome:
        self.jobs.append(job)
        self.working.set()
        await self.release.wait()
        return self.outcome


def failing(bench: Bench, monkeypatch: pytest.MonkeyPatch, what: str, times: int = 1) -> list[int]:
    """The store's verb `what` says so many times that it is away; how many of them are left."""
    real, left = getattr(bench.store, what), [times]

    async def verb(*given: Any, **named: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise StoreUnavailable("database or disk is full")
        return await real(*given, **named)

    monkeypatch.setattr(bench.store, what, verb)
    return left


async def test_a_claim_that_cannot_be_loaded_comes_back_and_keeps_no_seat(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was claimed and lost on its way to the lane is claimed again when its lease ran out."""
    await bench.submit(PHONE, deliver_at=bench.clock.now() + 10_000_000)
    bench.engine.recent.forget(await _recipient_id(bench))
    left = failing(bench, monkeypatch, "fetch_one")
    bench.clock.advance(11)
    await _leased(bench)

    async def failed() -> bool:
        return left == [0]

    await _come(failed)
    await _beats(bench, 4)
    await bench.until(trace.NotificationPushed)
    await _all_seats_free(bench)


async def _come(true: Callable[[], Awaitable[bool]]) -> None:
    """Let everybody work until it is true."""
    async with asyncio.timeout(10):
        for _ in range(1_000_000):
            if await true():
                return
            await asyncio.sleep(0)


async def _all_seats_free(bench: Bench) -> None:
    async def free() -> bool:
        return bench.engine.lanes.get("smsc:local").taken == 0

    await _come(free)


async def _beats(bench: Bench, number: int) -> None:
    """Real time passes with the heart beating as it does."""
    for _ in range(number):
        await bench.engine.heartbeat.renew()
        bench.clock.advance(20)


async def _recipient_id(bench: Bench) -> Any:
    return (await bench.store.fetch("SELECT id FROM recipient"))[0][0]


async def _leased(bench: Bench) -> None:
    async def leased() -> bool:
        return [str(row[2]) for row in await bench.tasks()] == ["leased"]

    await _come(leased)


async def test_an_answer_that_nobody_handed_over_holds_its_mm_until_the_lease_runs_out(bench: Bench) -> None:
    accepted = await bench.submit(PHONE, answered=False)
    await _beats(bench, 4)
    await bench.until(trace.NotificationPushed)
    accepted.answered()
    await bench.engine.heartbeat.renew()
    assert len(bench.hands[TaskKind.NOTIFY].jobs) == 1
    await _all_seats_free(bench)


async def test_what_is_in_hands_is_held_longer(bench: Bench) -> None:
    slow = bench.engine.couriers[TaskKind.NOTIFY] = Slow()
    await bench.submit(PHONE)
    await slow.working.wait()
    for _ in range(5):
        bench.clock.advance(40)
        await bench.engine.heartbeat.renew()
    slow.release.set()
    await bench.until(trace.NotificationPushed)
    assert len(slow.jobs) == 1


async def test_a_lease_that_runs_out_in_our_own_hands_makes_no_second_push(bench: Bench) -> None:
    slow = bench.engine.couriers[TaskKind.NOTIFY] = Slow()
    await bench.submit(PHONE)
    await slow.working.wait()
    claims = bench.store.counters.commits
    bench.clock.advance(61)

    async def claimed() -> bool:
        return bench.store.counters.commits > claims

    await _come(claimed)
    await bench.store.commit(Unit(None, ()))
    slow.release.set()
    await bench.until(trace.NotificationPushed)
    assert len(slow.jobs) == 1


async def test_unrecognised_before_the_smsc_answered_is_not_undone_by_its_answer(bench: Bench) -> None:
    """The push under way has lost its task to the plain one: its outcome may not bring the old payload back."""
    slow = bench.engine.couriers[TaskKind.NOTIFY] = Slow()
    await bench.submit(PHONE)
    await slow.working.wait()
    tid = slow.jobs[0].recipients[0].transaction_id
    assert await bench.engine.retrieval.answer(tid, Happening.UNRECOGNISED, report_allowed=True, evidence=LAB)

    async def pushed_again() -> bool:
        return len(slow.jobs) == 2

    await _come(pushed_again)
    assert slow.jobs[1].payload["plain"] == "1"
    slow.release.set()
    await bench.until(trace.TaskOvertaken)
    await bench.until(trace.NotificationPushed)
    payload = await bench.store.fetch("SELECT payload FROM task WHERE kind = 'notify'")
    assert "plain" in str(payload[0][0])


@pytest.mark.parametrize("outcome", [Failed("no such number"), Retry("not bound", neighbour_down=True), Delivered()])
async def test_a_store_that_is_away_after_the_courier_did_its_work_stops_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> None:
    """The disk is full when the outcome is written: the engine lives, and writes it when there is room again."""
    monkeypatch.setattr(delivery, "real_pause", lambda seconds: asyncio.sleep(0))
    slow = bench.engine.couriers[TaskKind.NOTIFY] = Slow(outcome)
    await bench.submit(PHONE)
    await slow.working.wait()
    failing(bench, monkeypatch, "commit", 3)
    slow.release.set()
    awaited: dict[type, type[trace.Data]] = {
        Failed: trace.ReportDelivered,
        Retry: trace.LanePaused,
        Delivered: trace.NotificationPushed,
    }
    await bench.until(awaited[type(outcome)])
    assert not bench.running.done()


async def test_a_store_that_is_away_when_an_mm_expires_stops_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "real_pause", lambda seconds: asyncio.sleep(0))
    await bench.submit(PHONE, expires=Relative(10))
    await bench.until(trace.NotificationPushed)
    real = bench.store.commit
    left = [2]

    async def commit(unit: Unit) -> Any:
        if left[0] and "recipient" in str(unit.guard):
            left[0] -= 1
            raise StoreUnavailable("database or disk is full")
        return await real(unit)

    monkeypatch.setattr(bench.store, "commit", commit)
    bench.clock.advance(11)
    await bench.until(trace.ReportDelivered)
    assert await bench.state(PHONE) == "expired"


async def _fetch(bench: Bench, job: Any) -> None:
    found = await bench.engine.retrieval.open(job.recipients[0].token, None, LAB)
    assert isinstance(found, Retrievable), found
    await bench.engine.retrieval.fetched(found)


async def test_a_get_after_the_third_push_and_no_acknowledgement_is_told_in_five_minutes(bench: Bench) -> None:
    """The next push would be an hour away (semantics 5: `unacknowledged_after` counts from the GET)."""
    await bench.submit(PHONE)
    for number, seconds in enumerate((300, 900, 0), 1):
        await bench.until(trace.NotificationPushed, number)
        await _all_seats_free(bench)
        bench.clock.advance(seconds)
    await _fetch(bench, bench.hands[TaskKind.NOTIFY].jobs[0])
    bench.clock.advance(301)
    await bench.until(trace.ReportDelivered)
    assert await bench.state(PHONE) == "retrieved"


async def test_a_get_while_the_third_push_is_under_way_is_told_in_five_minutes(bench: Bench) -> None:
    await bench.submit(PHONE)
    for number, seconds in enumerate((300, 900), 1):
        await bench.until(trace.NotificationPushed, number)
        await _all_seats_free(bench)
        if number == 2:
            slow = bench.engine.couriers[TaskKind.NOTIFY] = Slow()
        bench.clock.advance(seconds)
    await slow.working.wait()
    await _fetch(bench, slow.jobs[0])
    slow.release.set()
    await bench.until(trace.NotificationPushed, 3)
    await _all_seats_free(bench)
    bench.clock.advance(301)
    await bench.until(trace.ReportDelivered)
    assert await bench.state(PHONE) == "retrieved"


@pytest.mark.parametrize("phone", [PHONE, OLD_PHONE])
async def test_a_get_after_deferral_or_link_is_told_in_five_minutes(bench: Bench, phone: str) -> None:
    await bench.submit(phone)
    if phone == PHONE:
        await bench.until(trace.NotificationPushed)
        job = bench.hands[TaskKind.NOTIFY].jobs[0]
        tid = job.recipients[0].transaction_id
        await bench.engine.retrieval.answer(tid, Happening.DEFERRED, report_allowed=True, evidence=LAB)
    else:
        await bench.until(trace.LinkSent)
        job = bench.hands[TaskKind.LINK].jobs[0]
    await _all_seats_free(bench)
    await _fetch(bench, job)
    bench.clock.advance(301)
    await bench.until(trace.ReportDelivered)
    assert await bench.state(phone) == "retrieved"


_TRIES = [Retry("connection refused", neighbour_down=True), Later(3600, "4006"), Retry("HTTP 500")]


@pytest.mark.parametrize("answer", _TRIES)
async def test_a_report_that_nobody_takes_for_three_days_is_given_up(bench: Bench, answer: Outcome) -> None:
    """Whatever the VASP answers, or if nobody is there (semantics 7, `report_lifetime`)."""
    bench.hands[TaskKind.REPORT_MM7].answers = [answer] * 3
    await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    tid = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id
    await bench.engine.retrieval.answer(tid, Happening.REJECTED, report_allowed=True, evidence=LAB)
    failed = trace.AttemptFailed if answer == Retry("HTTP 500") else trace.AttemptPostponed
    await bench.until(failed)
    bench.clock.advance(71 * 3600)
    await bench.until(failed, 2)
    bench.clock.advance(2 * 3600)
    await bench.until(trace.TaskGivenUp)
    assert await bench.tasks() == []


async def test_the_life_of_a_report_begins_when_it_is_made(bench: Bench) -> None:
    """A peer's report about an event of last week is tried as long as any other; its date stays."""
    bench.hands[TaskKind.REPORT_MM7].answers = [Retry("HTTP 500")]
    accepted = await bench.submit(FOREIGN)
    await bench.until(trace.ForwardSent)
    last_week = Instant(bench.clock.now() - 7 * DAY)
    reports = bench.engine.peer_reports
    happening = Happening.PEER_RETRIEVED
    address, message_id = FOREIGN, accepted.message_id
    assert await reports.delivery_report("other", message_id, address, happening, date=last_week, to_originator=True)
    await bench.until(trace.AttemptFailed)
    bench.clock.advance(6)
    await bench.until(trace.ReportDelivered)
    dates = {job.payload["date"] for job in bench.hands[TaskKind.REPORT_MM7].jobs}
    assert dates == {str(last_week)}


async def test_deferred_again_is_told_once(bench: Bench) -> None:
    """A handset that repeats m-notifyresp-ind Deferred: the VASP that wants to know hears it once."""
    vasps = bench.engine.neighbours.vasps
    vasps["news"] = replace(vasps["news"], deferred_reports=True)
    await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    tid = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0].transaction_id
    for happening in (Happening.DEFERRED, Happening.DEFERRED, Happening.RETRIEVED):
        assert await bench.engine.retrieval.answer(tid, happening, report_allowed=True, evidence=LAB)

    async def all_told() -> bool:
        bench.clock.advance(2)  # the second report waits for the first
        return await bench.tasks() == []

    await _come(all_told)
    assert [job.payload["state"] for job in bench.hands[TaskKind.REPORT_MM7].jobs] == ["deferred", "retrieved"]


async def test_a_task_that_falls_due_while_its_lane_is_full_is_next(bench: Bench) -> None:
    """Not half a minute later, when the scheduler happens to look again."""
    lane = bench.engine.lanes.get("smsc:local")
    lane.limits = replace(lane.limits, concurrency=1, backlog=0)
    slow = bench.engine.couriers[TaskKind.NOTIFY] = Slow()
    await bench.submit(PHONE, deliver_at=Relative(10))
    await _come(lambda: _none_wanted(bench))
    await bench.submit(OTHER)
    await slow.working.wait()
    await bench.engine.store.commit(Unit(None, ()))
    bench.clock.advance(11)
    for _ in range(50):
        await bench.store.fetch("SELECT 1")
    slow.release.set()
    async with asyncio.timeout(5):
        await bench.until(trace.NotificationPushed, 2)
    assert (await bench.state(PHONE), await bench.state(OTHER)) == ("notified", "notified")


async def _none_wanted(bench: Bench) -> bool:
    return not bench.engine.lanes.get("smsc:local").more


@pytest.mark.parametrize("to", [PHONE, FOREIGN])
async def test_an_mm_expires_in_time_though_its_neighbour_is_down(bench: Bench, to: str) -> None:
    """Those before it in the lane live on: its turn to be the probe would come minutes late."""
    down = Retry("not bound", neighbour_down=True)
    kind = TaskKind.NOTIFY if to == PHONE else TaskKind.FORWARD
    bench.hands[kind].answers = [down] * 100
    for _ in range(5):
        await bench.submit(to)
    await bench.submit(to, expires=Relative(10))
    await bench.until(trace.LanePaused)
    await bench.until(trace.AttemptPostponed)
    bench.clock.advance(11)
    reported = await bench.until(trace.ReportDelivered)
    assert bench.hands[TaskKind.REPORT_MM7].jobs[0].payload["state"] == "expired"
    assert len(reported) == 1


async def test_a_slow_read_does_not_undo_what_happened_meanwhile(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GET whose look-up was under way while the MM was rejected: the rejection is what is remembered."""
    await bench.submit(PHONE)
    await bench.until(trace.NotificationPushed)
    await _all_seats_free(bench)
    recipient = bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0]
    bench.engine.recent.forget(recipient.id)
    reading, release, real = asyncio.Event(), asyncio.Event(), bench.store.fetch_one

    async def slow(*given: Any) -> Any:
        row = await real(*given)
        reading.set()
        await release.wait()
        return row

    monkeypatch.setattr(bench.store, "fetch_one", slow)
    get = asyncio.create_task(bench.engine.recent.by_token(recipient.token))
    await reading.wait()
    monkeypatch.setattr(bench.store, "fetch_one", real)
    tid = recipient.transaction_id
    assert await bench.engine.retrieval.answer(tid, Happening.REJECTED, report_allowed=True, evidence=LAB)
    release.set()
    record = await get
    assert record is not None
    assert record.recipient.state is RecipientState.REJECTED
    again = await bench.engine.retrieval.open(recipient.token, None, LAB)
    assert isinstance(again, Gone)
