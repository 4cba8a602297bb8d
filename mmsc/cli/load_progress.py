"""How a run goes: a line on a terminal that is written anew, elsewhere a line every ten seconds."""

import shutil
import sys
from typing import Final

from mmsc.load.plan import Plan
from mmsc.load.session import Session

_BAR_CELLS: Final = 20
_LINE_SECONDS: Final = 10.0
_CLEAR: Final = "\r\x1b[K"


class Progress:
    """Writes to standard error."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._terminal = sys.stderr.isatty()
        self._next_line = _LINE_SECONDS

    def tick(self, session: Session) -> None:
        """Show how it goes, where it is time for that."""
        elapsed = session.now() - session.driver.started_at
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            self._write(_CLEAR + self._line(session, elapsed)[:width])
        elif elapsed >= self._next_line:
            self._next_line += _LINE_SECONDS
            self._write(self._line(session, elapsed) + "\n")

    def say(self, text: str) -> None:
        """Tell something that stays."""
        self._write((_CLEAR if self._terminal else "") + text + "\n")

    def clear(self) -> None:
        """Take the line away."""
        if self._terminal:
            self._write(_CLEAR)

    def _line(self, session: Session, elapsed: float) -> str:
        driver, tally = session.driver, session.tally
        share = self._share(session)
        filled = round(_BAR_CELLS * share)
        bar = "#" * filled + "-" * (_BAR_CELLS - filled)
        pieces = tally.series.intervals
        rate = pieces[-1].accepted / pieces[-1].seconds if pieces else 0.0
        words = [f"[{bar}] {share:4.0%}", f"{rate:,.0f}/s", f"{driver.out:,} in flight", f"errors {tally.errors:,}"]
        if self._plan.reports:
            words.append(f"open reports {driver.awaiting:,}")
        waits = tally.submit
        words.append(f"p50 {1000 * waits.percentile(50):,.1f} p99 {1000 * waits.percentile(99):,.1f} ms")
        if not driver.counting:
            words.append("warm-up")
        elif not driver.sending:
            words.append("waiting for what is out")
        elif share > 0:
            words.append(f"{_clock(elapsed * (1 - share) / share)} left")
        return "  ".join(words)

    def _share(self, session: Session) -> float:
        driver, plan = session.driver, self._plan
        if not driver.sending:
            return 1.0
        if plan.messages:
            done = (driver.begun if plan.rate else driver.ended) / (plan.messages + plan.warm_up_messages)
        else:
            done = (session.now() - driver.started_at) / (plan.seconds + plan.warm_up_seconds)
        return min(1.0, done)

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
