"""What a second brings: sampled from counters that are kept anyway, so that nothing is added per message."""

from collections import deque
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol

from mmsc.clock import Clock
from mmsc.domain.durations import Durations
from mmsc.domain.states import RecipientState
from protocols.records import record

REMEMBERED_SECONDS: Final = 300
FIGURE_SECONDS: Final = 10  # a figure is the mean of so many
LATENCY: Final = "submit_to_report"
_LATENCY_SECONDS: Final = 60  # p95 is of what ended in these
_GOOD: Final = (str(RecipientState.RETRIEVED), str(RecipientState.LINK_VIEWED))


class Counters(Protocol):
    """Counts since the start, by whatever they are counted by."""

    @property
    def accepted(self) -> Mapping[object, int]:
        """MMs."""
        ...

    @property
    def moved(self) -> Mapping[object, int]:
        """Recipients, by the state that they came to."""
        ...

    @property
    def reports(self) -> Mapping[object, int]:
        """Reports that were answered."""
        ...

    @property
    def refused(self) -> Mapping[object, int]:
        """Submissions."""
        ...

    @property
    def findings(self) -> Mapping[object, int]:
        """Findings, by rule."""
        ...

    @property
    def steps(self) -> Mapping[str, Durations]:
        """What steps of MMs take."""
        ...


class NothingCounted:
    """Where nobody counts."""

    accepted: Mapping[object, int] = MappingProxyType({})
    moved: Mapping[object, int] = MappingProxyType({})
    reports: Mapping[object, int] = MappingProxyType({})
    refused: Mapping[object, int] = MappingProxyType({})
    findings: Mapping[object, int] = MappingProxyType({})
    steps: Mapping[str, Durations] = MappingProxyType({LATENCY: Durations()})


@record(frozen=True, slots=True)
class Series:
    """One thing over the last minutes: what each second brought, oldest first, and the figure for now."""

    name: str
    label: str
    unit: str
    values: tuple[float | None, ...]
    now: float | None


NAMES: Final = {
    "accepted": ("Accepted", "/s"),
    "retrieved": ("Retrieved", "/s"),
    "reports": ("Reports answered", "/s"),
    "latency": ("Submit to report, p95", "s"),
    "refused": ("Refused", "/s"),
}


class Rates:
    """`tick` is called once a second."""

    def __init__(self, counters: Counters, clock: Clock) -> None:
        self._counters = counters
        self._real_now = clock.real_now
        self._latencies: deque[list[int]] = deque([self._buckets()], maxlen=_LATENCY_SECONDS)
        self._totals = self._counted()
        self.ticks = 0
        self.at_real = clock.real_now()
        self._series: dict[str, deque[float | None]] = {name: deque(maxlen=REMEMBERED_SECONDS) for name in NAMES}

    def tick(self) -> None:
        """A second is over."""
        before, now = self._totals, self._counted()
        self._totals = now
        for name, count in now.items():
            self._series[name].append(count - before[name])
        buckets = self._buckets()
        self._series["latency"].append(percentile(self._latencies[0], buckets, 0.95))
        self._latencies.append(buckets)
        self.at_real = self._real_now()
        self.ticks += 1

    def series(self, seconds: int = REMEMBERED_SECONDS) -> tuple[Series, ...]:
        """All of them, over at most so many seconds."""
        return tuple(self._one(name, seconds) for name in NAMES)

    @property
    def rules(self) -> int:
        """How many rules findings name, since the start."""
        return len(self._counters.findings)

    def _one(self, name: str, seconds: int) -> Series:
        values = tuple(self._series[name])[-seconds:]
        label, unit = NAMES[name]
        return Series(name, label, unit, values, _mean(values) if unit == "/s" else values[-1] if values else None)

    def _counted(self) -> dict[str, int]:
        counters = self._counters
        return {
            "accepted": sum(counters.accepted.values()),
            "retrieved": sum(counters.moved.get(state, 0) for state in _GOOD),
            "reports": sum(counters.reports.values()),
            "refused": sum(counters.refused.values()),
        }

    def _buckets(self) -> list[int]:
        return list(self._counters.steps[LATENCY].buckets)


def percentile(before: Sequence[int], after: Sequence[int], share: float) -> float | None:
    """Seconds within which `share` of what was counted between two looks at `Durations.buckets` was done; None when
    there was nothing. Bucket n ends at 2^n µs: within it, they are taken to lie evenly."""
    counts = [new - old for old, new in zip(before, after, strict=True)]
    total = sum(counts)
    if not total:
        return None
    wanted, so_far = share * total, 0
    for number, count in enumerate(counts):
        if count and so_far + count >= wanted:
            low = 0 if number == 0 else 1 << (number - 1)
            return (low + ((1 << number) - low) * (wanted - so_far) / count) / 1e6
        so_far += count
    raise AssertionError("all were counted")


def _mean(values: Sequence[float | None]) -> float:
    last = [value or 0.0 for value in values[-FIGURE_SECONDS:]]
    return sum(last) / len(last) if last else 0.0
