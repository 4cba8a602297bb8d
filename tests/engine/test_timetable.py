"""When the scheduler wakes."""

import asyncio

from mmsc.domain.instant import MINUTE, Instant
from tests.engine.conftest import Bench


async def test_an_idle_scheduler_does_not_oversleep_on_a_fast_clock(bench: Bench) -> None:
    """It sleeps half a minute of the host's; what is due in five minutes of a clock at 600 is due in half a second."""
    timetable, clock = bench.engine._timetable, bench.clock
    clock.set_speed(600.0)
    async with asyncio.timeout(10):
        while timetable._wake.is_set() or timetable._sleeping_until == 1 << 62:  # it looks around
            await bench.store.fetch("SELECT 1")
    timetable.planned(Instant(clock.now() + 5 * MINUTE))
    assert timetable._wake.is_set()
