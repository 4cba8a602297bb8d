"""Deadlines that move, with one timer each: it looks again when it goes off, so moving one costs nothing."""

import asyncio
from collections.abc import Callable
from math import inf


class Alarm:
    """Calls `late` at the moment `at` (seconds on the loop's clock; inf: never), which may be moved. Made inside the
    event loop.

    When its timer goes off is kept here: uvloop's handle of a moment that is nearly here cannot say."""

    __slots__ = ("_goes_off", "_late", "_loop", "_timer", "at")

    def __init__(self, late: Callable[[], None]) -> None:
        self._late = late
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Handle | None = None
        self._goes_off = inf
        self.at = inf

    def set(self, at: float) -> None:
        """Late is from this moment on."""
        self.at = at
        if self._timer is None or self._goes_off > at:
            self._watch()

    def cancel(self) -> None:
        """Nothing is late any more."""
        self.at = inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._goes_off = self.at
        self._timer = self._loop.call_at(self.at, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._loop.time() >= self.at:
            self.at = inf
            self._late()
        elif self.at != inf:
            self._watch()


class Deadlines:
    """When each of many things is too late. Made inside the event loop."""

    def __init__(self, late: Callable[[int], None]) -> None:
        """`late` is called with the key of what was not cleared in time."""
        self._late = late
        self._loop = asyncio.get_running_loop()
        self._ends: dict[int, float] = {}
        self._alarm = Alarm(self._look)

    def set(self, key: int, seconds: float) -> None:
        """It is too late so many seconds from now."""
        end = self._ends[key] = self._loop.time() + seconds
        if end < self._alarm.at:
            self._alarm.set(end)

    def clear(self, key: int) -> None:
        """It came, or nobody waits for it any more."""
        self._ends.pop(key, None)

    def close(self) -> None:
        """Nothing is too late any more."""
        self._ends.clear()
        self._alarm.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        for key in [key for key, end in self._ends.items() if end <= now]:
            if self._ends.pop(key, None) is not None:  # who was late before it may have cleared it
                self._late(key)
        if self._ends:
            self._alarm.set(min(self._ends.values()))
