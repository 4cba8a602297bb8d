"""The lanes as people look at them: does it move, and if not, why not."""

from collections import deque
from enum import StrEnum
from typing import Final

from mmsc.clock import Clock
from mmsc.domain.instant import SECOND
from mmsc.engine.engine import Engine, QueuedTask
from mmsc.engine.lane_acts import Act as Act
from mmsc.engine.lane_acts import Acting as Acting
from mmsc.engine.lanes import Lane
from mmsc.engine.ports import Delivered, Failed, Later, Mixed, Outcome, Retry
from protocols.records import record

LANES_AT_MOST: Final = 500  # the first of them by name are looked at
QUEUE_AT_MOST: Final = 200  # tasks of one lane
LOOK_SECONDS: Final = 0.5  # so old may be what is told of the store
SAMPLE_SECONDS: Final = 10
SAMPLES: Final = 60  # ten minutes
KINDS: Final = {"smsc": "SMSC", "vasp": "VASP", "peer": "peer MMSC", "mail": "mail"}


class LaneState(StrEnum):
    """What a lane does."""

    MOVING = "moving"
    IDLE = "idle"  # nothing is due
    WAITING = "waiting"  # something is due, and nothing is carried out
    BACK_OFF = "back_off"  # the neighbour is down
    PROBING = "probing"  # one job asks whether it is back
    STOPPED = "stopped"  # by an operator, on this node
    HELD = "held"  # with all others, by the lab


@record(frozen=True, slots=True)
class LastAnswer:
    """What the neighbour said last; real time (µs), and how long it took (µs)."""

    words: str
    good: bool
    at_real: int
    took: int


@record(frozen=True, slots=True, kw_only=True)
class LaneSeen:
    """One lane now. `waiting` tasks are due in the store, `in_memory` are behind the ones in flight; `next_at` is when
    the next one is due (service time, µs; 0: none). `until` ends a back-off (real time, µs). `done` and `failed` are
    the answers of the last ten minutes, oldest first, ten seconds each."""

    name: str
    kind: str
    target: str
    state: LaneState
    why: str
    in_flight: int
    in_memory: int
    waiting: int
    oldest_seconds: float
    next_at: int
    until: int
    last: LastAnswer | None
    done: tuple[int, ...]
    failed: tuple[int, ...]

    @property
    def acts(self) -> tuple[Act, ...]:
        """What can be done to it now."""
        backing_off = self.state in (LaneState.BACK_OFF, LaneState.PROBING)
        return (
            Act.RETRY,
            *((Act.DROP_BACK_OFF,) if backing_off else ()),
            Act.GO if self.state is LaneState.STOPPED else Act.STOP,
        )


class LaneBook:
    """`tick` is called once a second."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._ticks = 0
        self._samples: dict[str, _Samples] = {}

    def tick(self) -> None:
        """A second is over."""
        self._ticks += 1
        if self._ticks % SAMPLE_SECONDS == 0:
            for lane in self._engine.lanes:
                if lane.name in self._samples or len(self._samples) < LANES_AT_MOST:
                    self._samples.setdefault(lane.name, _Samples()).take(lane)

    @property
    def number(self) -> int:
        """How many lanes there are."""
        return sum(1 for _ in self._engine.lanes)

    async def listed(self) -> list[LaneSeen]:
        """All of them, those that do not move first, then by name; at most `LANES_AT_MOST`."""
        await self._engine.backlog.look(LOOK_SECONDS)
        lanes = sorted(self._engine.lanes, key=lambda lane: lane.name)[:LANES_AT_MOST]
        return sorted(map(self._seen, lanes), key=lambda one: _ORDER.index(one.state))

    async def one(self, name: str) -> LaneSeen | None:
        """One of them, if it was ever used."""
        lane = self._engine.lanes.known(name)
        if lane is None:
            return None
        await self._engine.backlog.look(LOOK_SECONDS)
        return self._seen(lane)

    async def queue(self, name: str) -> list[QueuedTask] | None:
        """What it has to do, at most `QUEUE_AT_MOST`; None: the store does not tell now."""
        return await self._engine.lane_queue(name, QUEUE_AT_MOST)

    async def act(self, name: str, act: Act, who: str) -> Acting:
        """Do something to a lane."""
        return await self._engine.lane_acts.act(name, act, who)

    def _seen(self, lane: Lane) -> LaneSeen:
        waits = self._engine.backlog.waiting.get(lane.name)
        real = self._clock.real_now()
        kind, _, target = lane.name.partition(":")
        samples = self._samples.get(lane.name, _Samples())
        waiting = waits.tasks if waits else 0
        state = self._state(lane, real, waiting)
        next_at = waits.next_at if waits else 0
        return LaneSeen(
            name=lane.name,
            kind=KINDS.get(kind, kind),
            target=target,
            state=state,
            why=self._why(lane, state, real, next_at, waiting + lane.waiting),
            in_flight=lane.in_flight,
            in_memory=lane.waiting,
            waiting=waiting,
            oldest_seconds=waits.oldest_seconds if waits and waits.tasks else 0.0,
            next_at=next_at,
            until=lane.paused_until if lane.paused_until > real else 0,
            last=_last(lane),
            done=tuple(samples.done),
            failed=tuple(samples.failed),
        )

    def _state(self, lane: Lane, real: int, waiting: int) -> LaneState:
        if lane.stopped:
            return LaneState.STOPPED
        if self._engine.lanes.held:
            return LaneState.HELD
        if real < lane.paused_until:
            return LaneState.BACK_OFF
        if lane.probing:
            return LaneState.PROBING
        if lane.in_flight:
            return LaneState.MOVING
        return LaneState.WAITING if waiting or lane.waiting else LaneState.IDLE

    def _why(self, lane: Lane, state: LaneState, real: int, next_at: int, waiting: int) -> str:
        """Why it does not move, in one line; "" when it does."""
        wait = f" {waiting:,} {'task waits' if waiting == 1 else 'tasks wait'}." if waiting else " Nothing waits."
        match state:
            case LaneState.STOPPED:
                return f"Stopped by an operator.{wait}"
            case LaneState.HELD:
                return f"The lab holds all lanes.{wait}"
            case LaneState.BACK_OFF:
                return f"Back-off, {_seconds(lane.paused_until - real)} left: {lane.because}.{wait}"
            case LaneState.PROBING:
                return f"One at a time until it answers: {lane.because}.{wait}"
            case LaneState.IDLE if next_at > self._clock.now():
                return f"Next is due in {_seconds(next_at - self._clock.now())}."
            case LaneState.IDLE:
                return "Nothing to do."
            case _:
                return ""


class _Samples:
    """The answers of one lane, ten seconds each."""

    def __init__(self) -> None:
        self._before = (0, 0)
        self.done: deque[int] = deque(maxlen=SAMPLES)
        self.failed: deque[int] = deque(maxlen=SAMPLES)

    def take(self, lane: Lane) -> None:
        done, failed = self._before
        self._before = (lane.seen.done, lane.seen.failed)
        self.done.append(lane.seen.done - done)
        self.failed.append(lane.seen.failed - failed)


_ORDER: Final = (
    *(LaneState.BACK_OFF, LaneState.PROBING, LaneState.STOPPED, LaneState.HELD),
    *(LaneState.WAITING, LaneState.MOVING, LaneState.IDLE),
)


def _last(lane: Lane) -> LastAnswer | None:
    outcome = lane.seen.last
    if outcome is None:
        return None
    return LastAnswer(words(outcome), isinstance(outcome, Delivered | Mixed), lane.seen.last_at, lane.seen.last_micros)


def words(outcome: Outcome) -> str:
    """An outcome in a few words."""
    match outcome:
        case Delivered(nothing_sent=True):
            return "nothing to send"
        case Delivered(status=status, note=note):
            return note or (str(status) if status else "taken")
        case Mixed(outcomes=outcomes):
            return f"{len(outcomes)} recipients, not all alike"
        case Later(seconds=seconds, because=because):
            return f"{because}: later, in {seconds:.0f} s"
        case Retry(because=because) | Failed(because=because):
            return because


def _seconds(micros: int) -> str:
    seconds = max(1, round(micros / SECOND))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
