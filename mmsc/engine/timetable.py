"""The one scheduler: it sleeps on service time, and claims what is due for lanes with free seats.

A row that nothing here understands keeps its lease, and is looked at again when that ends: it stops nobody else's.

It wakes when something is planned earlier than it sleeps, when a wanted seat becomes free, when a paused lane may try
again, when another node made work, and when somebody turns the clock.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from mmsc.clock import Clock
from mmsc.domain.durations import Durations
from mmsc.domain.instant import SECOND, Instant
from mmsc.engine.delivery import Delivery
from mmsc.engine.heartbeat import LEASE_SECONDS
from mmsc.engine.lanes import Lane, Lanes
from mmsc.store import tasks as sql
from mmsc.store.core import Row, Store, StoreBusy, StoreUnavailable, Unit
from mmsc.store.messages import CHANGED
from mmsc.store.neighbours import ASSIGNED
from mmsc.store.setup import SETUP
from mmsc.store.tasks import Holder

CLAIM_AT_ONCE: Final = 50  # tasks of a lane
LANES_AT_ONCE: Final = 50  # lanes in one batch of claims: it holds the event loop for their statements
LONGEST_SLEEP_SECONDS: Final = 30.0
_PATIENCE_SECONDS: Final = 1.0
_CHANGED_AT_ONCE: Final = 200  # tasks in one unit: a batch holds the event loop for its statements
_EXPIRED_AT_ONCE: Final = 10_000  # tasks at the end of a pause
_log: Final = logging.getLogger(__name__)


class Timetable:
    """Claims due tasks and hands them to their lanes."""

    def __init__(self, store: Store, clock: Clock, lanes: Lanes, holder: Holder) -> None:
        self._store = store
        self._clock = clock
        self._lanes = lanes
        self._holder = holder
        self._delivery: Delivery | None = None
        self._wake = asyncio.Event()
        self._sleeping_until: int = 0
        self.claims = Durations()
        self._all_at = 0  # with many lanes: when to claim for all of them again (real time, µs)

    def planned(self, due_at: Instant) -> None:
        """A task is ready for `due_at`; wakes the scheduler if that is earlier than it meant to wake."""
        if due_at < self._sleeping_until:
            self._wake.set()

    def wake(self) -> None:
        """Look again now."""
        self._wake.set()

    async def run(self, delivery: Delivery) -> None:
        """Until cancelled."""
        self._delivery = delivery
        unwatch = self._clock.watch(self.wake)
        self._store.on_wake(self._woken)
        try:
            while True:
                self._wake.clear()
                self._sleeping_until = 1 << 62
                try:
                    if not self._lanes.is_sure():
                        await self._sleep(_PATIENCE_SECONDS)  # what is ours is looked at first (`heartbeat.py`)
                        continue
                    await self._look_around()
                    claimed = await self._claim()
                    if claimed:
                        continue
                    await self._sleep(await self._until_next())
                except (StoreBusy, StoreUnavailable):
                    await self._sleep(_PATIENCE_SECONDS)
        finally:
            unwatch()

    def _woken(self, lane: str) -> None:
        """Another node made work on a lane ("": on any)."""
        if lane in (CHANGED, ASSIGNED) or lane.startswith(SETUP):
            return
        if lane:
            self._lanes.get(lane)
            self.wake()
        else:
            self._lanes.look_around()

    async def _look_around(self) -> None:
        """Other nodes, and other starts of this one, had lanes that nobody asked for here yet."""
        if self._lanes.unknown:
            self._lanes.unknown = False
            try:
                for name in await sql.lanes_in_use(self._store):
                    self._lanes.get(name)
                for name in await sql.next_due(self._store):
                    self._lanes.get(name).behind = True
            except BaseException:
                self._lanes.unknown = True
                raise

    async def _claim(self) -> int:
        """Claim what is due; how many tasks that were."""
        if self._lanes.held:
            return 0
        real_now = self._clock.real_now()
        for lane in [one for one in self._lanes if not one.expired_first and one.free_seats(real_now)]:
            await self._put_expired_first(lane)
        wanted = [lane for lane in self._lanes if lane.free_seats(real_now)]
        if len(wanted) > LANES_AT_ONCE and real_now < self._all_at:
            wanted = await self._with_work(wanted)
        elif len(wanted) > LANES_AT_ONCE:
            self._all_at = real_now + round(LONGEST_SLEEP_SECONDS * SECOND)
        count = 0
        for at in range(0, len(wanted), LANES_AT_ONCE):
            count += await self._claim_for(wanted[at : at + LANES_AT_ONCE])
        return count

    async def _with_work(self, lanes: Sequence[Lane]) -> list[Lane]:
        """Those in which something is due. Leases that ended in the others are found every `LONGEST_SLEEP_SECONDS`."""
        due, now = await sql.next_due(self._store), self._clock.now()
        return [lane for lane in lanes if lane.name in due and due[lane.name] <= now]

    async def _claim_for(self, lanes: Sequence[Lane]) -> int:
        """Claim for some lanes and hand over what that brings; how many tasks that were."""
        left: dict[str, int] = {}
        for lane in lanes:
            left[lane.name] = seats = min(lane.free_seats(self._clock.real_now()), CLAIM_AT_ONCE)
            lane.taken += seats  # held while the claim is under way
        claimed: dict[str, list[sql.TaskRow]] = {name: [] for name in left}
        holder, begun = self._holder, self._clock.real_now()
        self._lanes.put_down_lately = set()
        try:
            rows = await self._store.claim(
                [(name, seats) for name, seats in left.items() if seats],
                node=holder.node,
                start=holder.start_no,
                now=self._clock.now(),
                lease_seconds=LEASE_SECONDS,
                turns={lane.name: lane.turn for lane in lanes},
            )
            self.claims.note(self._clock.real_now() - begun)
            for lane in lanes:  # what is written from now on wakes us again
                lane.more = lane.behind = False
            for row in rows:
                task = _read(row)
                if task is None:
                    continue
                claimed[task.lane].append(task)
                lane = self._lanes.get(task.lane)
                lane.more = lane.behind = True
                if await self._hand_over(task):
                    left[task.lane] -= 1
        finally:
            self._lanes.put_down_lately = None
            for lane in lanes:
                lane.taken -= left[lane.name]
                if lane.stopped and not lane.taken:
                    lane.settled.set()
                lane.claimed(claimed[lane.name])
        return sum(map(len, claimed.values()))

    async def _put_expired_first(self, lane: Lane) -> None:
        """Before the one job that asks whether the neighbour is back: those that can end without it do not queue
        behind those that cannot."""
        lane.expired_first = True
        tasks = await sql.expired(self._store, lane.name, self._clock.now(), _EXPIRED_AT_ONCE)
        for at in range(0, len(tasks), _CHANGED_AT_ONCE):
            await self._store.commit(Unit(None, tuple(map(sql.put_first, tasks[at : at + _CHANGED_AT_ONCE]))))

    async def _hand_over(self, task: sql.TaskRow) -> bool:
        """Whether the task took its seat."""
        assert self._delivery is not None
        key = (task.id, task.attempt)
        if key in self._lanes.in_hands:
            return False  # its lease ran out here: it is held anew, and carried out once
        lately = self._lanes.put_down_lately
        if lately is not None and key in lately and not await sql.is_held(self._store, *key, self._holder):
            return False  # likewise, and its outcome was written behind the claim
        try:
            job = await self._delivery.load(task)
        except (StoreBusy, StoreUnavailable):
            raise
        except Exception:
            _log.exception("task %d (%s) cannot be carried out", task.id, str(task.kind), extra={"task_id": task.id})
            return False
        if job is None:
            await self._store.commit(Unit(sql.finish(task.id, task.attempt, self._holder), ()))
            return False
        self._lanes.hand_over(job)
        return True

    async def _until_next(self) -> float:
        """Real seconds until the next task is due or the next pause ends."""
        seconds = LONGEST_SLEEP_SECONDS
        due = {} if self._lanes.held else await sql.next_due(self._store)
        for name in due:
            self._lanes.get(name)  # somebody may have made work in a lane that is new here
        real_now = self._clock.real_now()
        open_lanes = []
        for lane in self._lanes:
            if lane.free_seats(real_now):
                open_lanes.append(lane)
            else:
                lane.more = True  # nobody looks into it until a seat becomes free
        if not self._lanes.held:
            due_at = min((due[lane.name] for lane in open_lanes if lane.name in due), default=None)
            self._sleeping_until = self._clock.now() + round(seconds * SECOND * max(1.0, self._clock.state.speed))
            if due_at is not None:
                self._sleeping_until = due_at
                waiting = self._clock.real_seconds_until(due_at)
                seconds = seconds if waiting is None else min(seconds, waiting)
        pause_end = self._lanes.next_pause_end()
        if pause_end is not None:
            seconds = min(seconds, max(0.0, (pause_end - real_now) / SECOND))
        return seconds

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return


def _read(row: Row) -> sql.TaskRow | None:
    try:
        return sql.read(row)
    except Exception:
        _log.exception("task %s (%s) cannot be read", row[0], row[3])
        return None
