"""Service time as people turn it: pause, step, jump, speed. Every change is durable with its event before it is
answered, so that a restart goes on from there.

It never goes back while messages are stored: what was due stays due, and events would be dated before their causes.
With other nodes on the database nothing is turned: each has a clock of its own, and who wants to turn it runs alone.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from mmsc.clock import MAXIMUM_SPEED, Clock
from mmsc.domain.instant import DAY, SECOND, Instant
from mmsc.engine.away import STORE_AWAY as STORE_AWAY
from mmsc.engine.clock_keeping import ClockKeeper
from mmsc.engine.queries.due import Due
from protocols.records import record

LONGEST_STEP_SECONDS: Final = 100 * 365 * 86_400.0
SPEEDS: Final = (1.0, 10.0, 60.0, 600.0)
JUST_BEHIND: Final = 1000  # µs: a jump lands so far behind what is due, which is then past
_NOTICED: Final = SECOND  # less than that is no difference to a person


class ClockRefused(Exception):
    """Why the clock is left as it is, in a sentence."""


class Nonsense(ClockRefused):
    """What was asked for is no time, no span or no speed."""


@record(frozen=True, slots=True)
class ClockView:
    """How service time runs: `now` and `real` read together (µs); `ahead` of real time (µs, behind is negative)."""

    now: Instant
    real: Instant
    speed: float
    paused: bool

    @property
    def ahead(self) -> int:
        """How far service time is ahead of real time (µs)."""
        return self.now - self.real

    @property
    def is_real(self) -> bool:
        """Whether it is real time."""
        return not self.paused and self.speed == 1.0 and abs(self.ahead) < _NOTICED


class Clocking:
    """Turns the clock of one server, one change at a time."""

    def __init__(self, clock: Clock, keeper: ClockKeeper) -> None:
        self._clock = clock
        self._keeper = keeper
        self._turn = asyncio.Lock()

    def view(self) -> ClockView:
        """How it runs now."""
        moment, state = self._clock.moment(), self._clock.state
        return ClockView(moment.service, moment.real, state.speed, state.paused)

    async def due(self, limit: int = 20) -> list[Due]:
        """What is due next. Raises StoreUnavailable."""
        return await self._keeper.due(self._clock.now(), limit)

    async def timers(self) -> int:
        """How many timers run, at most 1,000. Raises StoreUnavailable."""
        return await self._keeper.timers()

    async def why_not(self) -> str:
        """Why nobody may turn the clock of this server, "" when they may. Raises StoreUnavailable."""
        others = await self._keeper.other_nodes()
        if not others:
            return ""
        return (
            f"{', '.join(others)} run on the same database, each with a clock of its own: turn it where one node runs"
        )

    async def why_not_back(self) -> str:
        """Why it does not go back to real time, "" when it may, or need not. Raises StoreUnavailable."""
        if self.view().ahead <= 0 or not await self._keeper.has_messages():
            return ""
        return "The clock never runs back while messages are stored. Reset the lab to return to real time."

    async def pause(self) -> ClockView:
        """Service time stands still. Raises ClockRefused, StoreUnavailable."""
        return await self._turned("paused", self._clock.pause)

    async def resume(self) -> ClockView:
        """It goes on from where it stands."""
        return await self._turned("resumed", self._clock.resume)

    async def speed(self, speed: float) -> ClockView:
        """Service seconds for each real one."""
        if not 0 < speed <= MAXIMUM_SPEED:
            raise Nonsense(f"a speed is above 0 and at most {MAXIMUM_SPEED:,.0f}, not {speed:g}")
        return await self._turned(f"x{speed:g}", lambda: self._clock.set_speed(speed))

    async def step(self, seconds: float) -> ClockView:
        """It jumps ahead."""
        if not 0 < seconds <= LONGEST_STEP_SECONDS:
            raise Nonsense("a step is a number of seconds above 0 and at most a hundred years")
        return await self._turned(f"+{_span(seconds)}", lambda: self._clock.step(seconds))

    async def to(self, instant: Instant) -> ClockView:
        """It jumps to a moment, if that is ahead."""
        ahead = instant - self._clock.now()
        if ahead <= 0:
            raise ClockRefused(await self.why_not_back() or "that moment is past: service time only goes forward")
        if ahead > LONGEST_STEP_SECONDS * SECOND:
            raise Nonsense("that moment is more than a hundred years away")
        return await self._turned("jump", lambda: self._to(instant))

    async def to_next(self) -> ClockView:
        """It jumps to what is due next. Raises ClockRefused when nothing is."""
        due = await self._keeper.due(self._clock.now(), 1)
        if not due:
            raise ClockRefused("nothing is due")
        return await self._turned(f"to next due: {due[0].what}", lambda: self._to(Instant(due[0].at + JUST_BEHIND)))

    async def to_real(self) -> ClockView:
        """Service time is real time again. Raises ClockRefused when that would be back, and messages are stored."""
        why = await self.why_not_back()
        if why:
            raise ClockRefused(why)
        return await self._turned("real time", self._clock.be_real)

    def _to(self, instant: Instant) -> None:
        self._clock.step(max(0, instant - self._clock.now()) / SECOND)

    async def _turned(self, how: str, turn: Callable[[], None]) -> ClockView:
        async with self._turn:
            why = await self.why_not()
            if why:
                raise ClockRefused(why)
            before = self._clock.now()
            turn()
            await self._keeper.keep(self._clock.state, how, jumped=_jumped(before, self._clock.now()))
        return self.view()


def _jumped(before: Instant, after: Instant) -> int:
    return after - before if after - before > SECOND else 0


def _span(seconds: float) -> str:
    for size, unit in ((DAY // SECOND, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
