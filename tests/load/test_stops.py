"""Conditions that end a run, and words that are none."""

import pytest

from mmsc.load.stops import condition_of, first_that_holds
from mmsc.load.tally import MAXIMUM_INTERVALS, MAXIMUM_KINDS, Series, Tally, count


def tally_of(accepted: int, failed: int, seconds: float = 0.01) -> Tally:
    tally = Tally()
    tally.sent = accepted + failed
    for _ in range(accepted):
        tally.accepted += 1
        count(tally.answers, "1000")
        tally.submit.record(seconds)
    for _ in range(failed):
        tally.failed("4006", True)
    return tally


@pytest.mark.parametrize(
    ("text", "tally", "holds"),
    [
        ("errors>1%", tally_of(990, 10), False),
        ("errors>1%", tally_of(989, 11), True),
        ("errors>1%", tally_of(1, 1), False),  # too few to tell
        ("errors>10", tally_of(0, 11), True),
        ("p99>500ms", tally_of(1000, 0, 0.4), False),
        ("p99>500ms", tally_of(1000, 0, 0.6), True),
        ("p50 > 0.5s", tally_of(1000, 0, 0.6), True),
        ("p99.9>500ms", tally_of(10, 0, 0.6), False),
        ("max>500ms", tally_of(10, 0, 0.6), True),
        ("report-p99>1ms", tally_of(1000, 0), False),
        ("lost>0", tally_of(1000, 0), False),
    ],
)
def test_a_condition_holds_or_not(text: str, tally: Tally, holds: bool) -> None:
    assert bool(first_that_holds([condition_of(text)], tally, at_end=False)) == holds


def test_at_the_end_few_are_enough() -> None:
    assert first_that_holds([condition_of("errors>1%")], tally_of(1, 1), at_end=True) == "errors>1%: 50.00 % of 2"


def test_time_outs_are_errors_of_their_own() -> None:
    tally = tally_of(5, 0)
    tally.failed("no answer in 2 s", True)
    assert first_that_holds([condition_of("timeouts>0")], tally, at_end=False) == "timeouts>0: 1"


@pytest.mark.parametrize(
    "text",
    ["", "errors", "errors>", "errors>x", "errors>1ms", "p99>5", "p98>5ms", "p99<5ms", "nonsense>1", "errors>-1"],
)
def test_words_that_are_no_condition(text: str) -> None:
    with pytest.raises(ValueError, match="errors"):
        condition_of(text)


def test_kinds_of_answers_are_bounded() -> None:
    kinds: dict[str, int] = {}
    for number in range(1000):
        count(kinds, f"HTTP {number}")
    assert len(kinds) == MAXIMUM_KINDS + 1
    assert sum(kinds.values()) == 1000


def test_a_long_run_has_a_short_series_that_forgets_nothing() -> None:
    series = Series()
    for second in range(1, 10_000):
        series.current.accepted += 3
        series.latencies.record(second / 1000)
        series.roll(float(second), 5)
    series.close(10_000.0, 5)
    assert len(series.intervals) < MAXIMUM_INTERVALS
    assert sum(one.accepted for one in series.intervals) == 3 * 9_999
    assert sum(one.seconds for one in series.intervals) == pytest.approx(10_000)
    assert max(one.maximum for one in series.intervals) == pytest.approx(9.999)
