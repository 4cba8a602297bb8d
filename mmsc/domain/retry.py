"""When to try again. Time is handed in; a week of retries takes a microsecond to test."""

from mmsc.domain.instant import DAY, Instant, later
from protocols.records import record


@record(frozen=True, slots=True)
class RetryPolicy:
    """Waits between attempts in seconds (the last one repeats), and how long a task may live (µs)."""

    waits: tuple[float, ...] = (5, 15, 60, 300, 900, 3600)
    lifetime: int = 3 * DAY

    def wait_after(self, attempt: int) -> float:
        """Seconds to wait after the attempt with this number (from 1)."""
        return self.waits[min(max(attempt, 1), len(self.waits)) - 1]


@record(frozen=True, slots=True)
class GiveUp:
    """No further attempt."""

    because: str


def next_attempt(policy: RetryPolicy, attempt: int, born: Instant, now: Instant) -> Instant | GiveUp:
    """When the next attempt is due after `attempt` failed, or that there is none."""
    at = later(now, policy.wait_after(attempt))
    if at > born + policy.lifetime:
        return GiveUp(f"{attempt} attempts in {(now - born) // 1_000_000} s")
    return at
