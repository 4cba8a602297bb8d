"""An event loop without sockets, threads or a clock: when nothing is ready, its time jumps to the next timer.

A story of hours takes milliseconds, and the same calls come in the same order each time it is run.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

_TURNS_IN_A_SECOND: Final = 20_000  # of the loop in a virtual second; with more of them somebody goes in circles

T = TypeVar("T")


class Stuck(Exception):
    """Nothing will ever happen again, or everything happens at one moment."""


class VirtualLoop(asyncio.BaseEventLoop):
    """`time()` begins at 0 and moves only by jumps."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Jumps(self)
        self._clock_resolution = 1e-7
        self._virtual = 0.0
        self._turns = 0
        self._turned_since = 0.0

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual

    def jump(self, timeout: float | None) -> None:
        """What the selector's wait is here."""
        if timeout is None:
            raise Stuck("nothing is planned, and the story is not over")
        if timeout > 0:
            timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
            self._virtual = max(self._virtual, timers[0].when())
        if self._virtual >= self._turned_since + 1:
            self._turns, self._turned_since = 0, self._virtual
        self._turns += 1
        if self._turns > _TURNS_IN_A_SECOND:
            self._turns = 0
            raise Stuck(f"{_TURNS_IN_A_SECOND} turns of the loop, and no second is over")

    def _process_events(self, event_list: object) -> None:
        return None  # there are none

    def _write_to_self(self) -> None:
        return None  # there is no other thread


class _Jumps:
    """Where other loops have a selector."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> tuple[()]:
        """Nothing ever comes from outside."""
        self._loop.jump(timeout)
        return ()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a story to its end on a loop of its own."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        asyncio.set_event_loop(None)
        loop.close()
