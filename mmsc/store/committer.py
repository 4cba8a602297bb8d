"""Group commit: what queued while the last commit ran becomes one transaction. No timer.

A batch runs its guards in order, then the winners' effects, grouped by their text; a guard that looks around (`core`)
begins another batch, so that it sees the effects of those before it. A statement that raises is our bug
or the disk: the batch is rolled back and its units run one by one, so that one unit never sinks another.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from mmsc.store.core import Counters, Lost, Row, Statement, StoreBusy, StoreError, StoreUnavailable, Unit

MAXIMUM_QUEUE: Final = 10_000  # units waiting; beyond it callers are told "later"
MAXIMUM_QUEUE_OCTETS: Final = 64 * 1024 * 1024  # of large values in units that wait or run; likewise
MAXIMUM_BATCH: Final = 256  # units in one transaction
MAXIMUM_BATCH_ROWS: Final = 6_000  # and their effects: the event loop waits for SQLite's, a tenth of a second
PROBE_SECONDS: Final = 1.0  # after a failure of the disk: how often a small commit asks whether it is well again

_PROBE: Final = Unit(
    None,
    (
        Statement(
            "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            ("probe", "written after the store failed"),
        ),
    ),
)
_log: Final = logging.getLogger(__name__)

Result = list[Row] | Lost | BaseException
Waiting = tuple[Unit, "asyncio.Future[list[Row] | Lost]"]
Obstacle = Callable[[], float | None]  # asked before a batch begins: seconds that it waits, None when it is refused


class Committer:
    """The queue in front of a driver. `start_batch` begins a batch and answers through `finish`."""

    def __init__(
        self, start_batch: Callable[[Sequence[Unit]], None], counters: Counters, steady_ns: Callable[[], int]
    ) -> None:
        """`steady_ns` counts nanoseconds, for the times of batches."""
        self._start_batch = start_batch
        self._counters = counters
        self._steady_ns = steady_ns
        self._began_ns = 0
        self._queue: deque[Waiting] = deque()
        self._running: list[Waiting] = []
        self._idle: asyncio.Event = asyncio.Event()
        self._idle.set()
        self._probing: asyncio.TimerHandle | None = None
        self._closed = False
        self._ended: StoreError | None = None
        self._starting = False
        self._octets = 0
        self.available = True
        self.obstacle: Obstacle | None = None

    async def commit(self, unit: Unit) -> list[Row] | Lost:
        """Queue a unit and wait until it is durable. Cancelling the caller never withdraws it."""
        try:
            self._check_door(unit.octets)
        except StoreError:
            if unit.otherwise is not None:
                unit.otherwise()
            raise
        return await self._put(unit)  # a caller that is cancelled cancels this future; the unit stays where it is

    @property
    def waiting(self) -> int:
        """Units that are queued or running."""
        return len(self._queue) + len(self._running)

    async def drain(self) -> None:
        """Take nothing more, and wait until nothing is queued or running."""
        self._closed = True
        await self._idle.wait()
        if self._probing is not None:
            self._probing.cancel()

    def finish(self, results: Sequence[Result]) -> None:
        """The driver's answer to the running batch, on the event loop."""
        batch, self._running = self._running, []
        self._counters.batches.note((self._steady_ns() - self._began_ns) // 1000)
        failed = False
        for (unit, future), result in zip(batch, results, strict=True):
            failed = failed or isinstance(result, StoreUnavailable)
            self._octets -= unit.octets
            _answer(unit, future, result)
        self._judge(failed=failed)
        self._soon()

    def set_aside(self) -> Sequence[Waiting]:
        """The running batch, whose outcome nobody knows yet: its units wait for `settle`, the others go on."""
        batch, self._running = self._running, []
        self._judge(failed=True)
        self._soon()
        return batch

    def settle(self, batch: Sequence[Waiting], results: Sequence[Result]) -> None:
        """The outcome of a batch that was set aside."""
        for (unit, future), result in zip(batch, results, strict=True):
            self._octets -= unit.octets
            _answer(unit, future, result)

    def recovered(self) -> None:
        """The driver found out by itself that the store is well again."""
        self._judge(failed=False)

    def end(self, why: StoreError) -> None:
        """The driver will answer no more: nothing is taken from now on, and nobody waits for it."""
        self._closed, self._ended, self.available = True, why, False
        waiting = [*self._running, *self._queue]
        self._running = []
        self._queue.clear()
        self.settle(waiting, [why] * len(waiting))
        self._idle.set()
        if self._probing is not None:
            self._probing.cancel()

    def _check_door(self, octets: int) -> None:
        if self._closed:
            raise self._ended or StoreUnavailable("the store is closed")
        if len(self._queue) >= MAXIMUM_QUEUE:
            raise StoreBusy(f"{MAXIMUM_QUEUE} units wait for the store")
        if self._octets and self._octets + octets > MAXIMUM_QUEUE_OCTETS:
            raise StoreBusy(f"{self._octets} octets wait for the store")

    def _put(self, unit: Unit) -> "asyncio.Future[list[Row] | Lost]":
        future: asyncio.Future[list[Row] | Lost] = asyncio.get_running_loop().create_future()
        self._queue.append((unit, future))
        self._octets += unit.octets
        if not self._running:
            self._soon()
        return future

    def _soon(self) -> None:
        """Begin a batch after what is ready on the event loop now: it may have more to commit."""
        if not self._starting:
            self._starting = True
            self._idle.clear()
            asyncio.get_running_loop().call_soon(self._next_batch)

    def _judge(self, *, failed: bool) -> None:
        """Close the door when the store failed, and keep asking whether it is well again; open it when it is."""
        if failed and self.available:
            _log.error("the store takes nothing for the moment; it is asked again every %g s", PROBE_SECONDS)
        elif not failed and not self.available:
            _log.warning("the store takes messages again")
        self.available = not failed
        if failed and self._probing is None and not self._closed:
            self._probing = asyncio.get_running_loop().call_later(PROBE_SECONDS, self._probe)

    def _probe(self) -> None:
        self._probing = None
        if not self.available and not self._closed:
            self._put(_PROBE).add_done_callback(asyncio.Future.exception)  # `finish` saw it: nobody waits for it

    def _next_batch(self) -> None:
        self._starting = False
        if not self._queue:
            self._idle.set()
            return
        self._running = self._next_units()
        self._counters.commits += 1
        self._counters.units += len(self._running)
        self._began_ns = self._steady_ns()
        if self.obstacle is not None and self._is_held_up(self.obstacle()):
            return
        self._start_batch([unit for unit, _ in self._running])

    def _is_held_up(self, seconds: float | None) -> bool:
        """The lab's doing: a batch fails as on a full disk, or begins later."""
        units = [unit for unit, _ in self._running]
        loop = asyncio.get_running_loop()
        if seconds is None:
            loop.call_soon(self.finish, [StoreUnavailable("the disk is full (a fault of the lab)")] * len(units))
        elif seconds:
            loop.call_later(seconds, self._begin_late, units)
        return seconds is None or seconds > 0

    def _begin_late(self, units: Sequence[Unit]) -> None:
        if self._running:  # the driver may have ended meanwhile
            self._start_batch(units)

    def _next_units(self) -> list[Waiting]:
        """A batch; a guard that looks around waits for the next one when others stand before it, because their effects
        run behind all guards."""
        queue, units = self._queue, [self._queue.popleft()]
        rows = len(units[0][0].effects)
        while queue and len(units) < MAXIMUM_BATCH:
            guard = queue[0][0].guard
            rows += len(queue[0][0].effects)
            if rows > MAXIMUM_BATCH_ROWS:
                break
            if guard is not None and guard.looks_around and not _looks_around(units[-1][0]):
                break
            units.append(queue.popleft())
        return units


def _looks_around(unit: Unit) -> bool:
    return unit.guard is not None and unit.guard.looks_around


def _answer(unit: Unit, future: "asyncio.Future[list[Row] | Lost]", result: Result) -> None:
    """Tell the caller. What follows a commit must not raise; if it does, the others of its batch still get theirs."""
    failed = not isinstance(result, list)
    follow = unit.otherwise if failed else unit.after
    if follow is not None:
        try:
            follow()
        except Exception as error:
            message = "what follows a failed commit failed" if failed else "what follows a commit failed; it is durable"
            future.get_loop().call_exception_handler({"message": message, "exception": error})
    if future.done():
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)


def count(counters: Counters, units: Sequence[Unit], results: Sequence[Result]) -> None:
    """Add a batch to the counters: each unit's own statements, as if it were alone."""
    for unit, result in zip(units, results, strict=True):
        counters.statements += unit.guard is not None
        if isinstance(result, Lost):
            counters.lost += 1
        else:
            counters.statements += len(unit.effects)
