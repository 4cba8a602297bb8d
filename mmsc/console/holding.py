"""Answers to wrong bearer tokens are held back a little: who guesses one after the other is slow from the first one on.
Each holds a connection meanwhile, so that only some are; who guesses more at once is told so."""

from collections.abc import Awaitable, Callable
from typing import Final

MAXIMUM: Final = 20  # answers held at once, of all addresses: a tenth of the connections that the console has
SECONDS: Final = 1.0  # real time

Pause = Callable[[float], Awaitable[None]]


class Holding:
    """Counts them. `pause` lets real time pass."""

    def __init__(self, pause: Pause, seconds: float = SECONDS) -> None:
        self._pause = pause
        self._seconds = seconds
        self._held = 0

    async def hold(self) -> bool:
        """Wait, and True; False at once where `MAXIMUM` wait already."""
        if self._held >= MAXIMUM:
            return False
        self._held += 1
        try:
            await self._pause(self._seconds)
        finally:
            self._held -= 1
        return True
