"""A report tells when its event was (semantics 1): an MM expired at its expiry, however late that is seen."""

import pytest

from mmsc.domain.instant import SECOND
from mmsc.domain.message import Relative, TaskKind
from mmsc.engine.ports import Retry
from mmsc.trace import events as trace
from tests.engine.conftest import FOREIGN, PHONE, Bench


@pytest.mark.parametrize("number", [PHONE, FOREIGN])
async def test_what_expired_while_the_clock_jumped_is_dated_by_its_expiry(bench: Bench, number: str) -> None:
    bench.hands[TaskKind.FORWARD].answers = [Retry("it is away", neighbour_down=False)] * 9
    accepted = await bench.submit(number, expires=Relative(3600))
    await bench.until(trace.NotificationPushed if number == PHONE else trace.AttemptFailed)
    expiry = bench.clock.now() + 3600 * SECOND
    bench.clock.advance(7200)
    await bench.until(trace.ReportDelivered)
    assert await bench.state(number) == "expired"
    [job] = bench.hands[TaskKind.REPORT_MM7].jobs
    assert abs(int(job.payload["date"]) - expiry) < 60 * SECOND
    assert job.stored_mm.id == accepted.mm_id
