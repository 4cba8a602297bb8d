"""Many deadlines with one timer: they are looked through when it goes off, so setting and clearing one is cheap."""

import asyncio
from collections.abc import Callable


class Deadlines:
    """When each of many things is too late (seconds on the loop's clock). Made inside the event loop."""

    def __init__(self, late: Callable[[int], None]) -> None:
        """`late` is called with the key of what was not cleared in time."""
        self._late = late
        self._loop = asyncio.get_running_loop()
        self._ends: dict[int, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def set(self, key: int, seconds: float) -> None:
        """It is too late so many seconds from now."""
        end = self._ends[key] = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > end:
            self._watch(end)

    def clear(self, key: int) -> None:
        """It came, or nobody waits for it any more."""
        self._ends.pop(key, None)

    def close(self) -> None:
        """Nothing is too late any more."""
        self._ends.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch(self, end: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(end, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._loop.time()
        for key in [key for key, end in self._ends.items() if end <= now]:
            if self._ends.pop(key, None) is not None:  # who was late before it may have cleared it
                self._late(key)
        if self._ends and self._timer is None:
            self._watch(min(self._ends.values()))
