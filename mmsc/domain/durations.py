"""How long things took: a histogram that costs an addition or two, so that the hot path can keep one."""

from collections.abc import Iterator

_BUCKETS = 42  # 2^41 µs are 25 days; what takes longer counts there


class Durations:
    """Durations in µs, counted in buckets whose bounds double: bucket n holds what took at most 2^n µs."""

    __slots__ = ("buckets", "total")

    def __init__(self) -> None:
        self.buckets = [0] * _BUCKETS
        self.total = 0  # µs

    def note(self, micros: int) -> None:
        """Count one duration; one below zero (a clock was set) counts as zero."""
        if micros <= 1:
            self.buckets[0] += 1
            return
        bucket = (micros - 1).bit_length()
        self.buckets[bucket if bucket < _BUCKETS else -1] += 1
        self.total += micros

    @property
    def count(self) -> int:
        """How many were noted."""
        return sum(self.buckets)

    def cumulative(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """(bound in µs, how many took at most that) for the buckets from 2^first to 2^last µs."""
        so_far = sum(self.buckets[:first])
        for number in range(first, min(last, _BUCKETS - 1) + 1):
            so_far += self.buckets[number]
            yield 1 << number, so_far
