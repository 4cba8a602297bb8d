"""The event loop's pulse: a timer each second, how late it comes, and the watchdog of whoever supervises us."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

_BEAT_SECONDS: Final = 1.0
_REMEMBERED: Final = 15  # beats


class Pulse:
    """`start` and `stop` once each, on the event loop."""

    def __init__(self, on_beat: Callable[[], None]) -> None:
        self._on_beat = on_beat
        self._late: deque[float] = deque(maxlen=_REMEMBERED)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def longest_delay(self) -> float:
        """The longest delay of the last beats, in seconds."""
        return max(self._late, default=0.0)

    def start(self) -> None:
        """Begin to beat."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(loop.time() + _BEAT_SECONDS, self._beat, loop.time() + _BEAT_SECONDS)

    def stop(self) -> None:
        """Beat no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self, wanted: float) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._late.append(max(0.0, now - wanted))
        self._on_beat()
        self._timer = loop.call_at(now + _BEAT_SECONDS, self._beat, now + _BEAT_SECONDS)
