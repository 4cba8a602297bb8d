"""What the neighbour of one lane answered, for whoever looks at the lane: two counts and the last of them."""

from mmsc.domain.instant import Instant
from mmsc.engine.ports import Delivered, Mixed, Outcome


class AnswersSeen:
    """On the hot path: an addition and two stores an answer. `last_at` is real time (µs), 0 before the first one."""

    __slots__ = ("done", "failed", "last", "last_at", "last_micros")

    def __init__(self) -> None:
        self.done = 0
        self.failed = 0  # also those that ask to wait
        self.last: Outcome | None = None
        self.last_at = Instant(0)
        self.last_micros = 0

    def note(self, outcome: Outcome, at: Instant, micros: int) -> None:
        """A call came to this, so many µs after it began."""
        if isinstance(outcome, Delivered | Mixed):
            self.done += 1
        else:
            self.failed += 1
        self.last = outcome
        self.last_at = at
        self.last_micros = micros
