"""Figures of a second, sampled from counters."""

from collections import Counter

from mmsc.clock import VirtualClock
from mmsc.control.rates import LATENCY, REMEMBERED_SECONDS, Rates, percentile
from mmsc.domain.durations import Durations


class Counted:
    """Counters in a test's hand."""

    def __init__(self) -> None:
        self.accepted: Counter[object] = Counter()
        self.moved: Counter[object] = Counter()
        self.reports: Counter[object] = Counter()
        self.refused: Counter[object] = Counter()
        self.findings: Counter[object] = Counter()
        self.steps = {LATENCY: Durations()}


def test_a_second_is_what_came_since_the_one_before() -> None:
    counted = Counted()
    rates = Rates(counted, VirtualClock())
    for number in (5, 0, 7):
        counted.accepted["mm7", "news"] += number
        counted.moved["retrieved"] += 1
        counted.moved["link_viewed"] += 1
        counted.moved["notified"] += 9
        rates.tick()
    found: dict[str, object] = {one.name: (one.values, one.now) for one in rates.series()}
    assert found["accepted"] == ((5, 0, 7), 4.0)
    assert found["retrieved"] == ((2, 2, 2), 2.0)
    assert found["latency"] == ((None, None, None), None)
    assert rates.ticks == 3


def test_minutes_are_remembered_and_no_more() -> None:
    rates = Rates(Counted(), VirtualClock())
    for _ in range(REMEMBERED_SECONDS + 20):
        rates.tick()
    assert len(rates.series()[0].values) == REMEMBERED_SECONDS
    assert len(rates.series(10)[0].values) == 10


def test_a_percentile_lies_within_its_bucket() -> None:
    durations = Durations()
    before = list(durations.buckets)
    for _ in range(95):
        durations.note(1_000_000)
    for _ in range(5):
        durations.note(30_000_000)
    found = percentile(before, durations.buckets, 0.95)
    assert found is not None
    assert 0.5 < found <= 1.048577
    late = percentile(before, durations.buckets, 0.99)
    assert late is not None
    assert 16 < late < 34
    assert percentile(durations.buckets, durations.buckets, 0.95) is None


def test_latencies_are_those_of_the_last_minute() -> None:
    counted = Counted()
    rates = Rates(counted, VirtualClock())
    counted.steps[LATENCY].note(2_000_000)
    rates.tick()
    assert rates.series()[3].now is not None
    for _ in range(60):
        rates.tick()
    assert rates.series()[3].now is None
