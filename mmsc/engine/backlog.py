"""What waits in the store, lane by lane: bounded questions that the index answers, asked at most every few seconds."""

import asyncio
from typing import Final

from mmsc.clock import Clock
from mmsc.domain.instant import SECOND, Instant
from mmsc.engine.lanes import Lanes
from mmsc.store import tasks as sql
from mmsc.store.core import Store, StoreUnavailable
from protocols.records import record

COUNTED_AT_MOST: Final = 10_000  # tasks of one lane; more of them count as so many
LANES_AT_MOST: Final = 500  # beyond them nobody is asked about
_FRESH_SECONDS: Final = 5
_PATIENCE_SECONDS: Final = 2.0  # for all questions together; who was not asked about by then is not told of


@record(frozen=True, slots=True)
class Waiting:
    """Tasks of one lane that are due and wait in the store (at most `COUNTED_AT_MOST`), and for how long the earliest
    of them has been due (seconds; 0 when none is). `next_at`: when the earliest one of all is due (service time, µs; 0:
    nothing waits)."""

    tasks: int
    oldest_seconds: float
    next_at: int = 0


class Backlog:
    """Asks the store what waits, and remembers the answer for a few seconds."""

    def __init__(self, store: Store, clock: Clock, lanes: Lanes) -> None:
        self._store = store
        self._clock = clock
        self._lanes = lanes
        self._asked_at = 0
        self.waiting: dict[str, Waiting] = {}

    async def look(self, old_seconds: float = _FRESH_SECONDS) -> None:
        """Bring `waiting` up to date, unless it is not so old. What the store does not tell in time is left out."""
        now, real = self._clock.moment()
        if self._asked_at and 0 <= real - self._asked_at < old_seconds * SECOND:
            return
        self._asked_at = real
        found: dict[str, Waiting] = {}
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                first = await sql.next_due(self._store)
                for name in [lane.name for lane in self._lanes][:LANES_AT_MOST]:
                    since = first.get(name, now) or now  # 0: one that was put before all others
                    tasks = await sql.due_in(self._store, name, now, COUNTED_AT_MOST) if since <= now else 0
                    found[name] = Waiting(tasks, max(0.0, (now - since) / SECOND), first.get(name, 0))
        except (StoreUnavailable, TimeoutError):
            pass  # /readyz tells that; a gauge that is missing is better than one that is wrong
        self.waiting = found

    async def next_due(self) -> Instant | None:
        """When the next task is due, or was (service time); None: nothing waits. Raises StoreUnavailable."""
        return min((await sql.next_due(self._store)).values(), default=None)
