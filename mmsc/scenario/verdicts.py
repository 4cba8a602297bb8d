"""What came of a scenario: verdicts of steps and cases, as values that can be told in any form."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final


class Verdict(StrEnum):
    """As test systems have it: inconclusive is a lab that could not be asked."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


SIGNS: Final = {Verdict.PASS: "●", Verdict.FAIL: "■", Verdict.INCONCLUSIVE: "◇"}


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """One step. `at` is service time since the scenario began (µs), `took` how much of it the step took. `expected` and
    `got` are aligned lines."""

    number: int
    line: int
    verb: str
    words: str
    verdict: Verdict
    at: int = 0
    took: int = 0
    expected: str = ""
    got: str = ""
    why: str = ""
    pdu: str = ""  # its number in the message's ladder: the one that decided
    mm_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A message that the scenario was about, and its ladder as text."""

    mm_id: str
    name: str
    ladder: str
    url: str = ""
    rows: Any = None  # the ladder as the server's JSON has it
    pdu: Any = None  # the one that decided, decoded


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """One scenario. Times in µs."""

    name: str
    file: str
    verdict: Verdict
    steps: tuple[StepResult, ...] = ()
    messages: tuple[Told, ...] = ()
    began_at: int = 0  # real time, UTC
    service: int = 0
    real: int = 0
    description: str = ""
    clause: str = ""
    why: str = ""

    @property
    def failed(self) -> StepResult | None:
        """The step that decided against it."""
        return next((one for one in self.steps if one.verdict is not Verdict.PASS), None)


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """All of a run."""

    cases: tuple[CaseResult, ...]
    server: str = ""
    version: str = ""
    began_at: int = 0
    real: int = 0
    left_out: int = field(default=0)

    def count(self, verdict: Verdict) -> int:
        """How many cases have it."""
        return sum(one.verdict is verdict for one in self.cases)

    @property
    def exit_status(self) -> int:
        """0: all passed, 1: one failed, 3: the lab could not be asked."""
        if self.count(Verdict.FAIL):
            return 1
        return 3 if self.count(Verdict.INCONCLUSIVE) else 0


def plain(result: CaseResult | RunResult | StepResult) -> dict[str, Any]:
    """As JSON has it."""
    found: dict[str, Any] = asdict(result)
    return found


def duration(microseconds: int) -> str:
    """Service time in words: `0.012 s`, `1 h 0 min 1 s`."""
    seconds = microseconds / 1_000_000
    if seconds < 60:
        return f"{seconds:g} s" if seconds == round(seconds) else f"{seconds:.3f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{value} {unit}" for value, unit in parts if value)
