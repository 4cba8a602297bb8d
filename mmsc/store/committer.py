"""Group commit: what queued while the last commit ran becomes one transaction. No timer.

A batch runs its guards in order, then the winners' effects, grouped by their text. A statement that raises is our bug
or the disk: the batch is rolled back and its units run one by one, so that one unit never sinks another.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from mmsc.store.core import Counters, Lost, Row, StoreBusy, StoreUnavailable, Unit

MAXIMUM_QUEUE: Final = 10_000  # units waiting; beyond it callers are told "later"
MAXIMUM_BATCH: Final = 256  # units in one transaction

Result = list[Row] | Lost | BaseException
Waiting = tuple[Unit, "asyncio.Future[list[Row] | Lost]"]


class Committer:
    """The queue in front of a driver. `start_batch` begins a batch and answers through `finish`."""

    def __init__(self, start_batch: Callable[[Sequence[Unit]], None], counters: Counters) -> None:
        self._start_batch = start_batch
        self._counters = counters
        self._queue: deque[Waiting] = deque()
        self._running: list[Waiting] = []
        self._idle: asyncio.Event = asyncio.Event()
        self._idle.set()
        self.available = True

    async def commit(self, unit: Unit) -> list[Row] | Lost:
        """Queue a unit and wait until it is durable. Cancelling the caller never withdraws it."""
        if len(self._queue) >= MAXIMUM_QUEUE:
            raise StoreBusy(f"{MAXIMUM_QUEUE} units wait for the store")
        future: asyncio.Future[list[Row] | Lost] = asyncio.get_running_loop().create_future()
        self._queue.append((unit, future))
        if not self._running:
            self._next_batch()
        return await future  # a caller that is cancelled cancels this future; the unit stays where it is

    async def drain(self) -> None:
        """Until nothing is queued or running."""
        await self._idle.wait()

    def finish(self, results: Sequence[Result]) -> None:
        """The driver's answer to the running batch, on the event loop."""
        batch, self._running = self._running, []
        failed = False
        for (unit, future), result in zip(batch, results, strict=True):
            if isinstance(result, StoreUnavailable):
                failed = True
            if isinstance(result, BaseException):
                if not future.done():
                    future.set_exception(result)
                continue
            if unit.after is not None and not isinstance(result, Lost):
                unit.after()
            if not future.done():
                future.set_result(result)
        self.available = not failed
        if self._queue:
            self._next_batch()
        else:
            self._idle.set()

    def _next_batch(self) -> None:
        self._idle.clear()
        queue, size = self._queue, min(len(self._queue), MAXIMUM_BATCH)
        self._running = [queue.popleft() for _ in range(size)]
        self._counters.commits += 1
        self._counters.units += size
        self._start_batch([unit for unit, _ in self._running])


def count(counters: Counters, units: Sequence[Unit], results: Sequence[Result]) -> None:
    """Add a batch to the counters: each unit's own statements, as if it were alone."""
    for unit, result in zip(units, results, strict=True):
        counters.statements += unit.guard is not None
        if isinstance(result, Lost):
            counters.lost += 1
        else:
            counters.statements += len(unit.effects)
