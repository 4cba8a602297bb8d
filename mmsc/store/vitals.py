"""Whether the threads and tasks that carry a store are there. One that ends by itself is a bug of ours, or of what it
stands on: nobody can say what it would do next, so it is told and not started again."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from mmsc.store.core import StoreEnded

_log: Final = logging.getLogger(__name__)


class Vitals:
    """For one store, on its event loop."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()
        self._why = ""

    def died(self, part: str, error: BaseException | None) -> StoreEnded:
        """A part of the store ended by itself; what everybody is told. The first one counts."""
        why = f"{part} of the store ended: {type(error).__name__}: {error}" if error else f"{part} of the store ended"
        _log.critical("%s; the server stops", why, exc_info=error)
        self._why = self._why or why
        self._ended.set()
        return StoreEnded(why)

    def watch(
        self, task: "asyncio.Task[None]", part: str, then: Callable[[StoreEnded], None] = lambda why: None
    ) -> None:
        """A part that is a task: when it ends without being cancelled, that is told, `then` to who depends on it."""

        def over(done: "asyncio.Task[None]") -> None:
            if not done.cancelled():
                then(self.died(part, done.exception()))

        task.add_done_callback(over)

    async def ended(self) -> None:
        """Until a part of the store ends by itself; raises `StoreEnded` then."""
        await self._ended.wait()
        raise StoreEnded(self._why)
