"""Service time and real time. The one place, beside `net/` and the scheduler, that looks at a clock.

Service time (expiry, retry, deferred delivery, notification timers, retention) is read from a `Clock` that the lab can
pause, step and speed up. Real time (leases, network time-outs, rate windows) is the host's. What the lab did is a
`ClockState` that is handed to `save` at every change, so that a restart goes on from there and never back.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from mmsc.domain.instant import SECOND, Instant
from protocols.records import record

_log: Final = logging.getLogger(__name__)
_NOTICEABLE: Final = SECOND // 10  # less is how far two clocks of one host may drift apart between two looks
MAXIMUM_SPEED: Final = 1_000_000.0  # a day in 86 ms; beyond that a scheduler only spins
VIRTUAL_START: Final = Instant(1_700_000_000 * SECOND)  # 14 November 2023: any moment does


class HostTime:
    """The host's wall clock (microseconds UTC since 1970), except that it never goes back: when that was set back, time
    goes on here from where it stood, and stays ahead until the host's clock is set forward again."""

    def __init__(self, wall: Callable[[], int] = time.time_ns, steady: Callable[[], int] = time.monotonic_ns) -> None:
        self._wall = wall
        self._steady = steady
        self._last = 0
        self._ahead = 0
        self._seen = (0, 0)  # wall and steady time when `_ahead` was last looked at

    def __call__(self) -> Instant:
        """Now."""
        wall = self._wall() // 1000
        if self._ahead or wall < self._last:
            wall += self._lead(wall)
        self._last = wall
        return wall  # type: ignore[return-value] # read too often for a call that only names the type

    def _lead(self, wall: int) -> int:
        """How far to be ahead of the host's clock now."""
        steady = self._steady() // 1000
        set_forward = wall - self._seen[0] - (steady - self._seen[1])
        if self._ahead and set_forward > _NOTICEABLE:
            self._ahead -= min(self._ahead, set_forward)
        self._seen = (wall, steady)
        set_back = self._last - wall - self._ahead
        if set_back > 0:
            self._ahead += set_back
        if set_back > _NOTICEABLE:
            _log.warning("the host's clock was set back by %.1f s; time goes on here", set_back / SECOND)
        return self._ahead


host_now: Final = HostTime().__call__  # the bound method is called without a detour over the type


class Moment(NamedTuple):
    """Service time and real time, read together."""

    service: Instant
    real: Instant


@record(frozen=True, slots=True)
class ClockState:
    """Service time as a line over real time: it was `service` at `real` and gains `speed` seconds a second since."""

    service: Instant
    real: Instant
    speed: float = 1.0
    paused: bool = False

    def at(self, real: Instant) -> Instant:
        """Service time when the host's clock shows `real`."""
        if self.paused:
            return self.service
        if self.speed == 1.0:
            return self.service + real - self.real  # type: ignore[return-value]
        return Instant(self.service + round((real - self.real) * self.speed))


class Clock:
    """The service clock. Not thread-safe: it belongs to the event loop's thread, which alone changes it."""

    def __init__(
        self,
        *,
        state: ClockState | None = None,
        save: Callable[[ClockState], None] | None = None,
        real: Callable[[], Instant] = host_now,
    ) -> None:
        """`state` is what `save` was given before the restart; without one, service time is real time."""
        self.real_now: Final = real  # real time, microseconds UTC
        self._save = save
        self._watchers: list[Callable[[], None]] = []
        now = real()
        self._state = state or ClockState(now, now)
        self.at = self._state.at  # service time when the host's clock shows an instant: for who has read that already

    @property
    def state(self) -> ClockState:
        """How service time runs now."""
        return self._state

    def now(self) -> Instant:
        """Service time, microseconds UTC."""
        return self._state.at(self.real_now())

    def moment(self) -> Moment:
        """Service time and real time, for who needs both, or does several things at once."""
        real = self.real_now()
        return Moment(self._state.at(real), real)

    def offset_seconds(self) -> float:
        """How far service time is ahead of real time now."""
        real = self.real_now()
        return (self._state.at(real) - real) / SECOND

    def real_seconds_until(self, instant: Instant) -> float | None:
        """Real seconds until service time reaches `instant`: 0 when it is past, None while the clock is paused."""
        waiting = instant - self.now()
        if waiting <= 0:
            return 0.0
        if self._state.paused:
            return None
        return waiting / SECOND / self._state.speed

    def watch(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call `on_change` after every pause, step, resume or change of speed; returns the way to stop that.

        A scheduler that sleeps until a service time re-arms itself here.
        """
        self._watchers.append(on_change)
        return lambda: self._watchers.remove(on_change) if on_change in self._watchers else None

    def pause(self) -> None:
        """Service time stands still."""
        self._change(replace(self._rebased(), paused=True))

    def resume(self) -> None:
        """Service time goes on from where it stands."""
        self._change(replace(self._rebased(), paused=False))

    def step(self, seconds: float) -> None:
        """Service time jumps ahead. Backwards is refused with ValueError: what was due stays due."""
        if seconds < 0:
            raise ValueError(f"service time only goes forward, not by {seconds} s")
        base = self._rebased()
        self._change(replace(base, service=Instant(base.service + round(seconds * SECOND))))

    def set_speed(self, speed: float) -> None:
        """Service seconds per real second, above 0 (`pause` stops it) and at most `MAXIMUM_SPEED`; else ValueError."""
        if not 0 < speed <= MAXIMUM_SPEED:
            raise ValueError(f"speed must be above 0 and at most {MAXIMUM_SPEED:.0f}, not {speed}")
        self._change(replace(self._rebased(), speed=float(speed)))

    def be_real(self) -> None:
        """Service time is real time from now on. It may go back by that: for who knows that nothing hangs on it."""
        now = self.real_now()
        self._change(ClockState(now, now))

    def go_on(self, state: ClockState) -> None:
        """Run as it did before a restart, paused or behind real time if it was: before anybody has read it."""
        self._change(state)

    def restore(self, state: ClockState) -> None:
        """Go on from a saved state, unless that would go back."""
        if state.at(self.real_now()) > self.now():
            self._change(state)

    def _rebased(self) -> ClockState:
        real = self.real_now()
        return replace(self._state, service=self._state.at(real), real=real)

    def _change(self, state: ClockState) -> None:
        self._state = state
        self.at = state.at
        if self._save is not None:
            self._save(state)
        for on_change in tuple(self._watchers):
            on_change()


class VirtualClock(Clock):
    """A clock whose real time, too, moves only by `advance`: a week of retries in a millisecond."""

    def __init__(self, start: Instant = VIRTUAL_START) -> None:
        self._virtual = start
        super().__init__(real=lambda: self._virtual)

    def advance(self, seconds: float) -> None:
        """Real time passes, and service time with it; watchers are told, as after a step."""
        if seconds < 0:
            raise ValueError(f"time only goes forward, not by {seconds} s")
        self._virtual = Instant(self._virtual + round(seconds * SECOND))
        for on_change in tuple(self._watchers):
            on_change()
