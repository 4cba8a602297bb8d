"""What an operator may do to a lane. Each act is an event. A stop holds on this node until it is let go or restarts."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Final

from mmsc.engine.delivery import Desk
from mmsc.engine.lanes import Lane
from mmsc.store import tasks as sql
from mmsc.store.core import StoreBusy, StoreUnavailable
from mmsc.trace.events import LaneActed

_SETTLES_IN_SECONDS: Final = 2.0  # longer nobody waits for a neighbour's answer to what it was sent


class Act(StrEnum):
    """What can be done."""

    STOP = "stop"  # begin nothing more; what a neighbour is being sent is finished first
    GO = "go"
    RETRY = "retry"  # whatever waits for another attempt is due now, and the back-off is over
    DROP_BACK_OFF = "drop_back_off"  # the back-off is over, what waits keeps its time


class Acting(StrEnum):
    """What came of it."""

    DONE = "done"
    NO_SUCH_LANE = "no_such_lane"
    STORE_AWAY = "store_away"  # nothing was done


class LaneActs:
    """`wake` makes the timetable look again."""

    def __init__(self, desk: Desk, wake: Callable[[], None]) -> None:
        self._desk = desk
        self._wake = wake

    async def act(self, name: str, act: Act, who: str) -> Acting:
        """Do it; `who` is where that was asked for."""
        lane = self._desk.lanes.known(name)
        if lane is None:
            return Acting.NO_SUCH_LANE
        effects = (sql.retry_lane(name, self._desk.clock.now()),) if act is Act.RETRY else ()
        event = self._desk.chronicle.event(LaneActed(name, str(act), who))
        try:
            await self._desk.store.commit(self._desk.chronicle.unit(None, effects, (event,)))
        except (StoreBusy, StoreUnavailable):
            return Acting.STORE_AWAY
        self._change(lane, act)
        self._wake()
        if act is Act.STOP:
            await _settled(lane)
        return Acting.DONE

    def _change(self, lane: Lane, act: Act) -> None:
        if act in (Act.STOP, Act.GO):
            lane.stopped = act is Act.STOP
            lane.more = True
        else:
            self._desk.lanes.drop_back_off(lane)


async def _settled(lane: Lane) -> None:
    """Wait until nothing is carried out, waits in memory or is being claimed: nothing leaves after the answer."""
    lane.settled.clear()
    if lane.taken:
        with suppress(TimeoutError):
            async with asyncio.timeout(_SETTLES_IN_SECONDS):
                await lane.settled.wait()
