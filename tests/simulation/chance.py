"""What a seed decides: the options of a story, and from then on every die that is thrown in it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")

HABITS: Final = ("immediate", "silent", "defer", "reject", "ignore", "puzzled_once", "puzzled", "twice", "late", "old")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A story's options, as drawn from its seed. Seconds are virtual."""

    seed: int
    nodes: int
    submissions: int
    phase_one_seconds: float
    fault_level: float  # 0 none, 1 as bad as it gets
    store_faults: bool
    crashes: int  # at a random commit each, in phase one
    restarts: int  # clean ones
    clock_jumps: int
    outages: int  # of SMSC sessions
    receipts: bool
    window: int
    concurrency: int
    backlog: int
    deferred_reports: bool
    sms_delivered: bool
    ack_request: bool
    validity_seconds: int
    acts: int  # of an operator, on an MM
    lane_acts: int
    resets: int

    def __str__(self) -> str:
        return " ".join(f"{one.name}={getattr(self, one.name)}" for one in fields(self))


def drawn(seed: int) -> Options:
    """The options of a seed."""
    dice = Random(f"options {seed}")
    nodes = dice.choice((1, 1, 1, 2))
    level = dice.choice((0.0, 0.2, 0.5, 1.0))
    return Options(
        seed=seed,
        nodes=nodes,
        submissions=dice.randint(1, 6),
        phase_one_seconds=dice.choice((20.0, 60.0, 200.0)),
        fault_level=level,
        store_faults=level > 0 and dice.random() < 0.6,
        crashes=dice.choice((0, 0, 1, 2)),
        restarts=dice.choice((0, 0, 1)),
        clock_jumps=dice.choice((0, 0, 1, 2)),
        outages=dice.choice((0, 0, 1, 2)),
        receipts=dice.random() < 0.5,
        window=dice.choice((1, 2, 10)),
        concurrency=dice.choice((1, 2, 4)),
        backlog=dice.choice((0, 1, 100)),
        deferred_reports=dice.random() < 0.5,
        sms_delivered=dice.random() < 0.3,
        ack_request=dice.random() < 0.7,
        validity_seconds=dice.choice((90, 240, 600)),
        acts=dice.choice((0, 0, 2, 6)),
        lane_acts=dice.choice((0, 0, 1, 4)),
        resets=dice.choice((0, 0, 0, 1, 2)),
    )


def drawn_for_crashes(seed: int) -> Options:
    """A short story in which nothing else dies: it is told once for each of its commits."""
    dice = Random(f"crashes {seed}")
    return replace(
        drawn(seed),
        submissions=dice.choice((1, 1, 2, 3)),
        phase_one_seconds=20.0,
        fault_level=dice.choice((0.0, 0.0, 0.3)),
        store_faults=False,
        crashes=0,
        restarts=0,
        clock_jumps=0,
        outages=0,
        validity_seconds=90,
        acts=dice.choice((0, 2, 4)),
        lane_acts=dice.choice((0, 0, 2)),
        resets=dice.choice((0, 0, 1)),
    )


class Chance:
    """The dice of one story. `calm` ends the faults; what is no fault (how long something takes) goes on."""

    def __init__(self, seed: int, level: float) -> None:
        self._dice = Random(f"story {seed}")
        self._level = level
        self.calm = False

    def fault(self, probability: float) -> bool:
        """Whether something goes wrong now."""
        return self._dice.random() < probability * self._level and not self.calm

    def happens(self, probability: float) -> bool:
        """Whether something that is allowed happens."""
        return self._dice.random() < probability

    def pick(self, among: Sequence[T]) -> T:
        """One of them."""
        return among[self._dice.randrange(len(among))]

    def between(self, low: float, high: float) -> float:
        """A number, small ones more often."""
        return low + (high - low) * self._dice.random() ** 2

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self._dice.randint(low, high)
