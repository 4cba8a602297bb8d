"""What one run of the bench is, and what it measured. The driver is that of `mmsc load`; here it is strict: one wrong
answer and the run is void."""

from dataclasses import dataclass
from typing import Final

from benching import octets
from mmsc.load.session import Session

ACCEPT: Final = "accept"
LIFECYCLE: Final = "lifecycle"


class WireError(Exception):
    """The server answered wrongly, or stopped answering; the run is void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. A message of case `accept` ends with its SubmitRsp, of `lifecycle` when its report was answered.

    A message is lost when its report is still out `grace_seconds` after it was accepted; the whole run is given up
    after `bound_seconds`. With `seconds` it runs so long instead of until `messages` have ended."""

    case: str
    in_flight: int
    warm_up: int
    messages: int
    seconds: float = 0.0
    recipients: int = 1
    picture_octets: int = octets.PICTURE_OCTETS
    grace_seconds: float = 15.0
    bound_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What the server has used so far: processor time in seconds, resident memory in MB."""

    cpu_seconds: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run measured, between the end of the warm-up and the end of the last counted message."""

    messages_per_s: float
    p50_ms: float
    p99_ms: float
    push_p50_ms: float  # from SubmitReq to the whole push, 0 where that cannot be told
    cpu_us_per_message: float
    rss_mb: float
    driver_us_per_message: float  # processor time of the driver itself
    lost: int


def check(session: Session) -> None:
    """Raises WireError when anything came that a well-behaved server does not do."""
    tally = session.tally
    wrong = {kind: number for kind, number in tally.answers.items() if kind != "1000"}
    if wrong:
        sample = next(iter(tally.samples.values()), "")
        raise WireError(f"SubmitReq was answered {wrong}: {sample}")
    for what, kinds in (("reports", tally.reports), ("pushes", tally.pushes), ("retrievals", tally.retrievals)):
        if odd := {kind: number for kind, number in kinds.items() if kind != "Retrieved"}:
            raise WireError(f"{what} went wrong: {odd}")
    for what in ("different_contents", "early_reports", "other_requests", "untracked"):
        if number := getattr(tally, what):
            raise WireError(f"{number} {what.replace('_', ' ')}")
    if tally.connects:
        raise WireError(f"connections failed: {tally.connects}")


def figures_of(session: Session, plan: Plan, before: Usage, after: Usage, driver_seconds: float) -> Figures:
    """The figures of a run that is over."""
    driver, tally = session.driver, session.tally
    latencies = tally.submit if plan.case == ACCEPT else tally.report
    ended = driver.ended_in_window
    return Figures(
        messages_per_s=ended / (driver.window_closed - driver.window_opened),
        p50_ms=latencies.percentile(50) * 1000,
        p99_ms=latencies.percentile(99) * 1000,
        push_p50_ms=tally.push_after.percentile(50) * 1000,
        cpu_us_per_message=(after.cpu_seconds - before.cpu_seconds) / ended * 1e6,
        rss_mb=after.rss_mb,
        driver_us_per_message=driver_seconds / ended * 1e6,
        lost=tally.overdue + driver.out,
    )
