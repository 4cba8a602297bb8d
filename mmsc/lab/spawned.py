"""Work beside a listener, bounded, and ended with it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

_log: Final = logging.getLogger(__name__)
MAXIMUM_TASKS: Final = 1000


class Spawned:
    """Tasks of one owner."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Begin something; False when too much is under way: it is not done."""
        if len(self._tasks) >= MAXIMUM_TASKS:
            _log.warning("%d pushes are under way: one is dropped", MAXIMUM_TASKS)
            return False

        async def run() -> None:
            try:
                await work()
            except Exception:
                _log.exception("a handset failed")

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def close(self) -> None:
        """End what is under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
