"""Latencies in a fixed number of counters: what comes out is at most 0.8 % above what went in."""

import math

from hypothesis import given
from hypothesis import strategies as st

from mmsc.load.histogram import LONGEST_MICROS, Histogram, highest_of, slot_of

MICROS = st.one_of(st.integers(0, 2000), st.integers(0, LONGEST_MICROS))


@given(MICROS)
def test_a_slot_holds_its_value_and_is_narrow(micros: int) -> None:
    highest = highest_of(slot_of(micros))
    assert micros <= highest <= micros + micros / 128
    assert slot_of(highest) == slot_of(micros)


@given(st.integers(0, LONGEST_MICROS - 1))
def test_slots_are_in_order_without_a_gap(micros: int) -> None:
    assert slot_of(micros + 1) - slot_of(micros) in (0, 1)


@given(st.lists(MICROS, min_size=1, max_size=200), st.floats(0.1, 100))
def test_percentiles_are_those_of_the_sorted_list(values: list[int], percent: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record((value + 0.5) / 1e6)
    wanted = sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]
    got = histogram.percentile(percent) * 1e6
    assert wanted - 1e-3 <= got <= wanted * (1 + 1 / 128) + 1e-3
    assert histogram.count == len(values)
    assert histogram.maximum == max(values)
    assert histogram.percentile(100) == max(values) / 1e6


@given(st.lists(MICROS, max_size=50), st.lists(MICROS, max_size=50))
def test_two_together_are_as_one(left: list[int], right: list[int]) -> None:
    first, second, both = Histogram(), Histogram(), Histogram()
    for values, histogram in ((left, first), (right, second), (left + right, both)):
        for value in values:
            histogram.record((value + 0.5) / 1e6)
    first.add(second)
    assert list(first.slots()) == list(both.slots())
    assert (first.count, first.total, first.maximum) == (both.count, both.total, both.maximum)


def test_memory_stays_and_the_impossible_is_counted() -> None:
    histogram = Histogram()
    for seconds in (-1.0, 0.0, 1e9):
        histogram.record(seconds)
    assert histogram.percentile(50) == 0
    assert histogram.maximum == LONGEST_MICROS
    histogram.clear()
    assert histogram.percentile(99) == 0
    assert list(histogram.slots()) == []
