"""An orderly stop within a set time, whatever neighbours do."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

_log: Final = logging.getLogger(__name__)
_UNDER_WAY: Final = 0.6  # the share of the time after which what is under way is given up ...
_GOODBYES: Final = 0.8  # ... and the one after which neighbours are not told any more
LAST_SECONDS: Final = 0.5  # what every step of a stop gets at least, however late it is


class Deadline:
    """`seconds` from now, in which several steps follow one another."""

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._seconds = seconds

    async def within(self, share: float, *work: Awaitable[object]) -> bool:
        """Wait for all of it together, until that share of the time is over; what is late then is cancelled. False when
        something was late or failed: a stop goes on, and says so in the log."""
        if not work:
            return True
        tasks = [asyncio.ensure_future(one) for one in work]
        left = self._begun + share * self._seconds - self._loop.time()
        try:
            done, late = await asyncio.wait(tasks, timeout=max(LAST_SECONDS, left))
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            raise
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=LAST_SECONDS)
        failed = [task.exception() for task in done if not task.cancelled() and task.exception() is not None]
        for error in failed:
            _log.warning("while stopping: %s: %s", type(error).__name__, error)
        return not late and not failed


class Stop:
    """The order of a stop: doors closed and what is under way finished, together; neighbours told goodbye; then the
    parts in the reverse order of their start, by `step`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadline: Deadline | None = None
        self.doors: list[Callable[[], Awaitable[object]]] = []
        self.goodbyes: list[Callable[[], Awaitable[object]]] = []

    @property
    def patience(self) -> float:
        """How long a door may wait for what is under way behind it (seconds)."""
        return self._seconds * _UNDER_WAY

    async def begin(self, *under_way: Callable[[], Awaitable[object]]) -> None:
        """Take no more, finish what is under way, say goodbye."""
        deadline = self._deadline = Deadline(self._seconds)
        doors, self.doors = self.doors, []
        goodbyes, self.goodbyes = self.goodbyes, []
        await deadline.within(_UNDER_WAY, *(work() for work in (*doors, *under_way)))
        await deadline.within(_GOODBYES, *(work() for work in goodbyes))

    async def close_doors(self) -> None:
        """For a start that failed half-way: what listens already is closed."""
        doors, self.doors = self.doors, []
        for close in doors:
            await self.step(close)

    async def step(self, work: Callable[[], Awaitable[object]]) -> None:
        """One step more, within the time that is left."""
        if self._deadline is None:
            self._deadline = Deadline(self._seconds)
        await self._deadline.within(1.0, work())
