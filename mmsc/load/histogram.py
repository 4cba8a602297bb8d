"""Latencies in a fixed number of counters, as HdrHistogram does it: each octave of microseconds in 128 equal steps.

A value read back is at most 1/128 (0.8 %) above what was recorded, the maximum is exact, and memory does not grow.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

_STEP_BITS: Final = 7
_STEPS: Final = 1 << _STEP_BITS
_EXACT: Final = 2 * _STEPS  # below this many microseconds each has its own counter
LONGEST_MICROS: Final = (1 << 36) - 1  # 19 hours; what took longer is counted as that
_SLOTS: Final = (36 - _STEP_BITS) * _STEPS + _STEPS


def slot_of(micros: int) -> int:
    """The counter of a value between 0 and `LONGEST_MICROS`."""
    if micros < _EXACT:
        return micros
    shift = micros.bit_length() - _STEP_BITS - 1
    return (shift << _STEP_BITS) + (micros >> shift)


def highest_of(slot: int) -> int:
    """The largest value that is counted in a slot, microseconds."""
    if slot < _EXACT:
        return slot
    shift = (slot >> _STEP_BITS) - 1
    return ((slot - (shift << _STEP_BITS) + 1) << shift) - 1


class Histogram:
    """Counts of latencies. All values are seconds outside and microseconds inside."""

    __slots__ = ("_counts", "count", "maximum", "total")

    def __init__(self) -> None:
        self._counts = [0] * _SLOTS
        self.count = 0
        self.total = 0
        self.maximum = 0

    def record(self, seconds: float) -> None:
        """Count one value; below 0 it is 0."""
        micros = int(seconds * 1e6)
        if micros < _EXACT:
            if micros < 0:
                micros = 0
            slot = micros
        else:
            if micros > LONGEST_MICROS:
                micros = LONGEST_MICROS
            shift = micros.bit_length() - 8
            slot = (shift << 7) + (micros >> shift)  # `slot_of`, without the call
        self._counts[slot] += 1
        self.count += 1
        self.total += micros
        if micros > self.maximum:
            self.maximum = micros

    def percentile(self, percent: float) -> float:
        """The value in seconds that `percent` of all are at or below (0.8 % high at most); 0 when there is none."""
        if not self.count:
            return 0.0
        wanted = max(1, -(-self.count * percent // 100))  # rounded up: p50 of two values is the first
        sums = list(accumulate(self._counts[: slot_of(self.maximum) + 1]))
        return min(highest_of(bisect_left(sums, wanted)), self.maximum) / 1e6

    def mean(self) -> float:
        """The average in seconds."""
        return self.total / self.count / 1e6 if self.count else 0.0

    def add(self, other: "Histogram") -> None:
        """Count all that the other one has counted."""
        for upper, number in other.slots():
            self._counts[slot_of(round(upper * 1e6))] += number
        self.count += other.count
        self.total += other.total
        self.maximum = max(self.maximum, other.maximum)

    def clear(self) -> None:
        """As new."""
        if self.count:
            self._counts = [0] * _SLOTS
        self.count = self.total = self.maximum = 0

    def slots(self) -> Iterator[tuple[float, int]]:
        """(upper end in seconds, count) of every counter that is not empty, smallest first."""
        return ((highest_of(slot) / 1e6, number) for slot, number in enumerate(self._counts) if number)
