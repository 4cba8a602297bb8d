"""Conditions that end a run before its time: `errors>1%`, `p99>500ms`, `lost>0` ..."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from mmsc.load.tally import Tally
from protocols.records import record

MAXIMUM_CONDITIONS: Final = 20
MINIMUM_ENDED: Final = 100  # shares and percentiles of fewer say nothing while a run goes on
_PERCENTILE: Final = re.compile(r"(?:(submit|report|push)-)?(p50|p90|p95|p99|p99\.9|max)")
_VALUE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(%|ms|s|)")
_COUNTS: Final[dict[str, Callable[[Tally], int]]] = {
    "errors": lambda tally: tally.errors,
    "timeouts": lambda tally: sum(number for kind, number in tally.answers.items() if kind.startswith("no answer in ")),
    "lost": lambda tally: tally.overdue,
    "different": lambda tally: tally.different_contents,
    "early": lambda tally: tally.early_reports,
}
_OF_REPORTS: Final = ("lost", "early")
_OF_HANDSETS: Final = ("different",)
HELP: Final = f"{', '.join(_COUNTS)} (as numbers or %), p50 to p99.9 and max with an optional submit-, report- or push-"


@record(frozen=True, slots=True)
class Condition:
    """One condition; `limit` is a number, a share (0 to 1) or seconds, as `unit` (\"\", \"%\", \"s\") says."""

    text: str
    what: str
    unit: str
    limit: float

    def holds(self, tally: Tally, *, at_end: bool) -> str:
        """What makes it hold now, for a person; "" when it does not."""
        if self.unit == "s":
            return self._slow(tally, at_end=at_end)
        number = _COUNTS[self.what](tally)
        if self.unit == "%":
            ended = sum(tally.answers.values())
            if not ended or (ended < MINIMUM_ENDED and not at_end):
                return ""
            share = number / ended
            return f"{self.text}: {100 * share:.2f} % of {ended:,}" if share > self.limit else ""
        return f"{self.text}: {number:,}" if number > self.limit else ""

    def _slow(self, tally: Tally, *, at_end: bool) -> str:
        found = _PERCENTILE.fullmatch(self.what)
        assert found is not None
        latencies = {"report": tally.report, "push": tally.push_after}.get(found[1], tally.submit)
        if latencies.count < (1 if at_end or found[2] == "max" else MINIMUM_ENDED):
            return ""
        percent = 100.0 if found[2] == "max" else float(found[2][1:])
        value = latencies.percentile(percent)
        return f"{self.text}: {1000 * value:.1f} ms" if value > self.limit else ""


def check(conditions: Sequence[Condition], *, reports: bool, plays: bool, pushes: bool) -> None:
    """Whether each can hold in a run with `reports` that `plays` the SMSC and measures `pushes`. Raises ValueError."""
    for one in conditions:
        if not reports and (one.what in _OF_REPORTS or one.what.startswith("report-")):
            raise ValueError(f"{one.text!r} can never hold without --reports")
        if not pushes and one.what.startswith("push-"):
            raise ValueError(f"{one.text!r} can never hold without --play, or with several recipients")
        if not plays and one.what in _OF_HANDSETS:
            raise ValueError(f"{one.text!r} can never hold without --play")


def condition_of(text: str) -> Condition:
    """A condition from the command line. Raises ValueError for a person."""
    what, sign, value = (piece.strip() for piece in text.partition(">"))
    number = _VALUE.fullmatch(value)
    if not sign or number is None:
        raise ValueError(f"{text!r} is no condition; write it WHAT>VALUE, such as errors>1%, p99>500ms, lost>0")
    amount, unit = float(number[1]), number[2]
    if what in _COUNTS and unit in ("", "%"):
        return Condition(text, what, unit, amount / 100 if unit else amount)
    if _PERCENTILE.fullmatch(what) and unit in ("ms", "s"):
        return Condition(text, what, "s", amount / 1000 if unit == "ms" else amount)
    raise ValueError(f"{text!r}: known are {HELP}; times end with ms or s")


def first_that_holds(conditions: Sequence[Condition], tally: Tally, *, at_end: bool) -> str:
    """The reason of the first condition that holds; "" when none does."""
    return next(filter(None, (one.holds(tally, at_end=at_end) for one in conditions)), "")
