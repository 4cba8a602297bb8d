"""Forwarded for "sent to the network": a dialect of some VASPs (TS 23.140 8.7.4), never the meaning (semantics 2)."""

from dataclasses import replace

import pytest

from mmsc.domain.message import TaskKind
from mmsc.domain.states import Happening
from mmsc.engine.ports import Later
from mmsc.trace import events as trace
from tests.engine.conftest import FOREIGN, Bench


@pytest.mark.parametrize(("asked", "told"), [(True, ["relayed", "retrieved"]), (False, ["retrieved"])])
async def test_relayed_is_reported_once_before_what_became_of_it(bench: Bench, asked: bool, told: list[str]) -> None:
    vasps = bench.engine.neighbours.vasps
    vasps["news"] = replace(vasps["news"], relayed_reports=asked)
    accepted = await bench.submit(FOREIGN)
    bench.hands[TaskKind.REPORT_MM7].answers = [Later(600, "4006")] if asked else []
    await bench.until(trace.RecipientMoved)
    news = bench.engine.peer_reports
    assert await news.forward_answered("other", accepted.message_id, ok=True, because="")  # a RES repeats the 250
    retrieved, now = Happening.PEER_RETRIEVED, bench.clock.now()
    assert await news.delivery_report("other", accepted.message_id, FOREIGN, retrieved, date=now, to_originator=True)
    if asked:
        await bench.until(trace.AttemptPostponed, 2)  # the second waits for the first
        bench.clock.advance(602)
        await bench.until(trace.ReportDelivered)
        bench.clock.advance(3)
    reported = await bench.until(trace.ReportDelivered, len(told))
    assert [one.state for one in reported] == told  # type: ignore[attr-defined]
    jobs = bench.hands[TaskKind.REPORT_MM7].jobs
    assert {job.payload["state"] for job in jobs} == set(told)


async def test_nobody_else_is_told_that_an_mm_was_relayed(bench: Bench) -> None:
    """Who asked for no report gets none of these, either."""
    vasps = bench.engine.neighbours.vasps
    vasps["news"] = replace(vasps["news"], relayed_reports=True)
    await bench.submit(FOREIGN, delivery_report=False)
    moved = (await bench.until(trace.RecipientMoved))[0]
    assert (moved.after, moved.report) == ("relayed", "")  # type: ignore[attr-defined]
    assert bench.hands[TaskKind.REPORT_MM7].jobs == []
