"""Each neighbour has its own lane: its own concurrency, backlog, pause and back-off. A dead one delays nobody else.

A lane has seats: whoever wants to hand over a job takes one first. Without a seat a task is written ready and claimed
later, so an outage fills the store and never memory. While due tasks wait in the store, nobody takes a seat past them:
claims share the seats out, one to each owner in turn.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace
from typing import Final

from mmsc.clock import Clock
from mmsc.domain.instant import SECOND
from mmsc.domain.message import Job, MmId, TaskId
from mmsc.engine.answers_seen import AnswersSeen
from mmsc.store.core import Turn
from mmsc.store.tasks import TaskRow
from protocols.records import record

_log: Final = logging.getLogger(__name__)
OVERTAKES: Final = 1000  # jobs of its lane that one of the next lower priority lets pass in memory, and then no more
MOST_IN_ROUNDS: Final = 1000  # jobs of a lane that wait because it is wide: the heartbeat renews each
MOST_GONE: Final = 10_000  # MMs taken away by hand that are remembered; then only the last ones
LOWEST_FIRST_EVERY: Final = 16  # claims of a lane: one of them begins with the lowest priority, so that nobody starves


@record(frozen=True, slots=True, kw_only=True)
class LaneLimits:
    """Jobs carried out at once, jobs waiting in memory, and the pause (seconds) when the neighbour is down. So many
    `rounds` of what is carried out at once may wait, too, where that is more."""

    concurrency: int = 4
    backlog: int = 100
    rounds: int = 0
    first_pause: float = 1.0
    longest_pause: float = 60.0

    def of(self, concurrency: int) -> "LaneLimits":
        """Those of a lane with a concurrency of its own."""
        waiting = min(self.rounds * concurrency, MOST_IN_ROUNDS)
        return replace(self, concurrency=concurrency, backlog=max(self.backlog, waiting))


class Lane:
    """One neighbour's queue in memory. `probing`: one job at a time until the neighbour proved to be back."""

    def __init__(self, name: str, limits: LaneLimits) -> None:
        self.name = name
        self.limits = limits
        # Bounded by the seats. None: one worker too many, whoever takes it ends.
        self._jobs: asyncio.PriorityQueue[tuple[int, int, Job | None]] = asyncio.PriorityQueue()
        self.workers = 0
        self._handed_over = 0
        self.taken = 0
        self.more = True  # the store may hold tasks that are due
        self.behind = False  # it does: who comes now is written there, too
        self.paused_until = 0  # real time, µs
        self.probing = False
        self.down = False  # it was paused, and the neighbour has not answered since: the log says so
        self.expired_first = True  # what needs no neighbour any more stands first in the store
        self.pause_seconds = limits.first_pause
        self.turn = Turn()
        self._claims = 0
        self.seen = AnswersSeen()
        self.in_flight = 0  # jobs that are being carried out
        self.because = ""  # why it was paused last
        self.stopped = False  # by an operator: nothing is begun until it is let go, whatever the neighbour does
        self.settled = asyncio.Event()  # it was stopped, and nobody has a seat any more

    @property
    def waiting(self) -> int:
        """How many jobs wait in memory."""
        return self._jobs.qsize()

    def put(self, job: Job) -> None:
        """Queue a job: an urgent one before those that wait, and nobody behind more than `OVERTAKES` later ones."""
        number = self._handed_over
        self._handed_over = number + 1
        self._jobs.put_nowait((number - OVERTAKES * job.priority, number, job))

    def dismiss(self) -> None:
        """There is one worker too many: it ends behind what waits now."""
        number = self._handed_over
        self._handed_over = number + 1
        self._jobs.put_nowait((number, number, None))

    async def get(self) -> Job | None:
        """The next job; None: this worker ends."""
        return (await self._jobs.get())[2]

    def take_out(self, unwanted: Callable[[Job], bool]) -> list[Job]:
        """Those of the waiting jobs that are not to be carried out any more; they leave the queue."""
        gone: list[Job] = []
        for entry in [self._jobs.get_nowait() for _ in range(self._jobs.qsize())]:
            job = entry[2]
            if job is not None and unwanted(job):
                gone.append(job)
            else:
                self._jobs.put_nowait(entry)
        return gone

    def claimed(self, tasks: Sequence[TaskRow]) -> None:
        """A claim brought these: the next one begins behind the owner that was served last."""
        self._claims += 1
        after = self.turn.after
        shares = Counter(task.owner for task in tasks)
        if shares:
            most = max(shares.values())
            after = max((name for name, share in shares.items() if share == most), key=lambda one: (one <= after, one))
        self.turn = Turn(after, self._claims % LOWEST_FIRST_EVERY == LOWEST_FIRST_EVERY - 1)

    def free_seats(self, real_now: int) -> int:
        """How many jobs may be handed over now."""
        if real_now < self.paused_until or self.stopped:
            return 0
        seats = 1 if self.probing else self.limits.concurrency + self.limits.backlog
        return max(0, seats - self.taken)


class Lanes:
    """All lanes of this node."""

    def __init__(self, clock: Clock, limits_of: Callable[[str], LaneLimits]) -> None:
        self._clock = clock
        self._limits_of = limits_of
        self._lanes: dict[str, Lane] = {}
        self._on_new: Callable[[Lane], None] = _nobody
        self._on_seat: Callable[[], None] = _nobody
        self.ahead = 0  # µs by which the database's clock, on which leases end, is ahead of ours
        self.sure_until = 1 << 62  # real time, µs: so long nobody takes this node for dead
        self._sure = asyncio.Event()
        self._doubtful: set[tuple[TaskId, int]] = set()  # jobs that wait for `be_sure`
        self._dropped: set[tuple[TaskId, int]] = set()
        self.unknown = True  # the store may have lanes that are not here
        self.held = False  # the lab holds all lanes: nothing leaves
        self.closing = False  # the server stops: what is carried out is finished, nothing more is begun
        self._gone: Set[MmId] = frozenset()  # MMs that were taken away lately, tasks and all
        self._working = 0
        self._quiet = asyncio.Event()
        self.in_hands: set[tuple[TaskId, int]] = set()  # task and attempt of all that waits here or is carried out
        self.put_down_lately: set[tuple[TaskId, int]] | None = None  # while a claim is under way: what it may still see

    def watch(self, on_new: Callable[[Lane], None], on_seat: Callable[[], None]) -> None:
        """Who gives a lane its workers (called for a new one, and when its limits changed), and who wants to know that
        a wanted seat became free."""
        self._on_new = on_new
        self._on_seat = on_seat
        for lane in self._lanes.values():
            lane.workers = 0
            on_new(lane)

    def unwatch(self) -> None:
        """Nobody works: jobs handed over from now on keep their lease until it is handed back."""
        self._on_new = self._on_seat = _nobody

    def resize(self) -> None:
        """The neighbours' limits changed: each lane has as many workers as its own say now."""
        for lane in self._lanes.values():
            lane.limits = self._limits_of(lane.name)
            lane.more = True
            self._on_new(lane)
        self._on_seat()

    def begin(self) -> bool:
        """A worker has a job; False: it must not begin with it any more. Its lease is handed back with the others."""
        if self.closing:
            return False
        self._working += 1
        return True

    def end(self) -> None:
        """The worker is through with it."""
        self._working -= 1
        if self.closing and not self._working:
            self._quiet.set()

    async def close(self) -> None:
        """Begin with nothing more, and wait until what is carried out is finished."""
        self.held = self.closing = True
        if self._working:
            await self._quiet.wait()

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def known(self, name: str) -> Lane | None:
        """The lane with this name, if it was ever asked for."""
        return self._lanes.get(name)

    def get(self, name: str) -> Lane:
        """The lane with this name, made when first asked for."""
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane(name, self._limits_of(name))
            self._on_new(lane)
        return lane

    def take_seat(self, name: str, real_now: int) -> bool:
        """Take a seat, to be given back by `leave`; False: write the task ready instead."""
        lane = self.get(name)
        if self.held or lane.behind or not lane.free_seats(real_now):
            lane.more = lane.behind = True
            return False
        lane.taken += 1
        return True

    def hand_over(self, job: Job) -> None:
        """Give a job to the lane, on a seat that was taken before."""
        if self._gone and job.mm is not None and job.mm.id in self._gone:
            self.leave(self.get(job.lane))
            return
        self.in_hands.add((job.task_id, job.attempt))
        self.get(job.lane).put(job)

    def put_down(self, job: Job) -> None:
        """A job that was handed over has its outcome: its task may be claimed anew."""
        key = (job.task_id, job.attempt)
        self.in_hands.discard(key)
        if self.put_down_lately is not None:
            self.put_down_lately.add(key)

    def is_sure(self) -> bool:
        """Whether nobody can have taken this node for dead."""
        return self._clock.real_now() < self.sure_until

    async def may_begin(self, job: Job) -> bool:
        """Whether a job is still ours to carry out; waits while this node may have been taken for dead (`is_sure` is
        asked first)."""
        key = (job.task_id, job.attempt)
        self._doubtful.add(key)
        try:
            while not self.is_sure():
                self._sure.clear()
                await self._sure.wait()
        finally:
            self._doubtful.discard(key)
        if key in self._dropped:
            self._dropped.discard(key)
            return False
        return True

    def be_sure(self, until: int) -> None:
        """The node gave a sign of life: nobody takes it for dead before `until` (real time, µs)."""
        was_sure, self.sure_until = self.is_sure(), until
        self._sure.set()
        if not was_sure:
            self.look_around()

    def drop(self, lost: Set[tuple[TaskId, int]]) -> None:
        """Jobs that others took over, as far as they were not begun: they are not carried out here."""
        self._dropped = self._doubtful & lost
        self._take_out(lambda job: (job.task_id, job.attempt) in lost)

    def let_go(self, mm_ids: Set[MmId]) -> None:
        """These MMs are gone: what waits for them here is not carried out, and what is handed over late neither."""
        self._gone = mm_ids | self._gone if len(self._gone) < MOST_GONE else mm_ids
        self._take_out(lambda job: job.mm is not None and job.mm.id in mm_ids)

    def _take_out(self, unwanted: Callable[[Job], bool]) -> None:
        for lane in self._lanes.values():
            for job in lane.take_out(unwanted):
                self.put_down(job)
                self.leave(lane)

    def look_around(self) -> None:
        """There is work, perhaps on lanes that nobody here has heard of."""
        self.unknown = True
        self._on_seat()

    def leave(self, lane: Lane) -> None:
        """A seat that was taken is free again."""
        lane.taken -= 1
        if lane.more:
            self._on_seat()
        if lane.stopped and not lane.taken:
            lane.settled.set()

    def pause(self, lane: Lane, because: str) -> float:
        """The neighbour is down: nothing leaves for a while. Returns the seconds, 0 when it is paused already."""
        lane.because = because
        now = self._clock.real_now()
        if now < lane.paused_until:
            return 0.0
        seconds = lane.pause_seconds
        lane.paused_until = now + round(seconds * SECOND)
        lane.pause_seconds = min(seconds * 2, lane.limits.longest_pause)
        lane.probing = True
        lane.expired_first = False
        lane.more = True
        if not lane.down:
            lane.down = True
            _log.warning("lane %s is paused: %s", lane.name, because, extra={"neighbour": lane.name})
        self._on_seat()
        return seconds

    def resume(self, lane: Lane) -> bool:
        """The neighbour answers: the lane is wide open. True when it was down before."""
        was_down = lane.down
        if was_down:
            lane.down = False
            _log.warning("lane %s is open again: the neighbour answers", lane.name, extra={"neighbour": lane.name})
            self.drop_back_off(lane)
        return was_down

    def drop_back_off(self, lane: Lane) -> None:
        """The lane is wide open, whether the neighbour answers or not."""
        lane.paused_until = 0
        lane.probing = False
        lane.pause_seconds = lane.limits.first_pause
        lane.more = True
        self._on_seat()

    def try_now(self, lane: Lane) -> None:
        """The pause of a lane is over; it stays one job at a time until the neighbour answers."""
        lane.paused_until = 0
        lane.more = True
        self._on_seat()

    def next_pause_end(self) -> int | None:
        """When the earliest pause ends (real time, µs)."""
        ends = [lane.paused_until for lane in self._lanes.values() if lane.paused_until > self._clock.real_now()]
        return min(ends, default=None)


def _nobody(*_: object) -> None:
    return None
