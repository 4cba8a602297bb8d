"""Read reports for handsets (OMA-TS-MMS_ENC 6.6), as the engine sees them: in order, once, and kept before they are
answered."""

import asyncio
from typing import Any

import pytest

from mmsc.domain.address import Address
from mmsc.domain.instant import Instant
from mmsc.domain.message import Interface, Origin, TaskKind
from mmsc.engine.ports import Accepted, Delivered, Failed, Gone, ReadSaid, Retry
from mmsc.store.core import StoreUnavailable
from mmsc.trace import events as trace
from tests.engine.conftest import OTHER, PHONE, Bench

READ = ReadSaid(read=True)
READER = Address.of(OTHER)


async def notified(bench: Bench, **changes: Any) -> Accepted:
    """An MM of a handset that asked to hear when it is read; and of its delivery, where `changes` say so."""
    asked = {"read_report": True, "delivery_report": False}
    fields = {"origin": Origin(Interface.MM1, PHONE), "sender": PHONE, **asked, **changes}
    accepted = await bench.submit(OTHER, **fields)
    await bench.until(trace.NotificationPushed)
    return accepted


async def heard(bench: Bench, message_id: str, said: ReadSaid = READ) -> bool | Gone:
    return await bench.engine.retrieval.read_by(message_id, READER, said)


async def test_said_twice_at_once_it_is_told_once(bench: Bench) -> None:
    accepted = await notified(bench)
    both = await asyncio.gather(*(heard(bench, accepted.message_id) for _ in range(5)))
    assert both == [True] * 5
    await bench.until(trace.ReadReported)
    await bench.at_rest()
    assert len(bench.hands[TaskKind.READ_MM1].jobs) == 1
    assert len([one for one in bench.events if isinstance(one.data, trace.MmRead)]) == 1


async def test_the_event_names_the_task_that_it_owes(bench: Bench) -> None:
    """So that `mmsc store verify` sees a read report that vanished."""
    bench.hands[TaskKind.READ_MM1].answers = [Retry("ESME_RSYSERR")]
    accepted = await notified(bench)
    assert await heard(bench, accepted.message_id)
    await bench.until(trace.AttemptFailed)
    [(task_id,)] = await bench.store.fetch("SELECT id FROM task WHERE kind = 'read_mm1'")
    assert [one.task_id for one in bench.events if isinstance(one.data, trace.MmRead)] == [task_id]


async def test_it_waits_for_the_delivery_report(bench: Bench) -> None:
    order: list[TaskKind] = []
    for kind in (TaskKind.REPORT_MM1, TaskKind.READ_MM1):
        bench.hands[kind].on_job = lambda job: order.append(job.kind)
    bench.hands[TaskKind.REPORT_MM1].answers = [Retry("ESME_RSYSERR")]
    accepted = await notified(bench, delivery_report=True)
    assert await heard(bench, accepted.message_id)
    await bench.until(trace.AttemptFailed)
    await bench.until(trace.AttemptPostponed)
    for _ in range(2):
        bench.clock.advance(301)
        await bench.at_rest()
    assert order == [TaskKind.REPORT_MM1, TaskKind.REPORT_MM1, TaskKind.READ_MM1]


async def test_a_report_that_the_smsc_refuses_is_given_up_and_seen(bench: Bench) -> None:
    bench.hands[TaskKind.READ_MM1].answers = [Failed("ESME_RINVDSTADR")]
    accepted = await notified(bench)
    assert await heard(bench, accepted.message_id)
    (given_up,) = await bench.until(trace.TaskGivenUp)
    assert given_up.because == "ESME_RINVDSTADR"  # type: ignore[attr-defined]
    assert await bench.tasks() == []


async def test_the_date_is_the_readers_own_where_it_can_be(bench: Bench) -> None:
    accepted = await notified(bench)
    bench.clock.advance(100)
    at = Instant(bench.clock.now() - 40_000_000)
    assert await heard(bench, accepted.message_id, ReadSaid(read=False, date=at))
    await bench.until(trace.ReadReported)
    payload = bench.hands[TaskKind.READ_MM1].jobs[0].payload
    assert (payload["date"], payload["read"]) == (str(at), "0")
    (told,) = await bench.until(trace.MmRead)
    assert (told.report, told.read_at) == ("smsc:local", at)  # type: ignore[attr-defined]


@pytest.mark.parametrize("date", [0, 1 << 60])
async def test_a_date_before_the_submission_or_ahead_is_ours(bench: Bench, date: int) -> None:
    accepted = await notified(bench)
    assert await heard(bench, accepted.message_id, ReadSaid(read=True, date=Instant(date)))
    await bench.until(trace.ReadReported)
    assert bench.hands[TaskKind.READ_MM1].jobs[0].payload["date"] == str(bench.clock.now())


async def test_without_an_smsc_there_is_no_way(bench: Bench) -> None:
    accepted = await notified(bench)
    neighbours = bench.engine.neighbours
    neighbours.smscs.clear()
    neighbours._default_smsc = ""
    assert await heard(bench, accepted.message_id)
    (told,) = await bench.until(trace.MmRead)
    assert told.no_report == f"no SMSC reaches {PHONE}"  # type: ignore[attr-defined]


async def test_while_the_store_is_away_it_is_for_later(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Semantics 4: 200 promises that it is kept."""
    accepted = await notified(bench)

    async def away(*_: object) -> None:
        raise StoreUnavailable("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "commit", away)
        assert isinstance(await heard(bench, accepted.message_id), Gone)
        assert isinstance(await bench.engine.retrieval.read_by("nothing", None, READ), Gone)
    bench.hands[TaskKind.READ_MM1].answers = [Delivered(("r",))]
    assert await heard(bench, accepted.message_id) is True
    await bench.until(trace.ReadReported)
