"""What a run counts. Memory is bounded whatever comes: histograms, a series that halves itself, and a limited number of
kinds of answers."""

from typing import Final

from mmsc.load.histogram import Histogram

MAXIMUM_KINDS: Final = 40  # of answers, reports, failures; further ones are counted together
MAXIMUM_INTERVALS: Final = 1200
OTHER: Final = "other"


def count(kinds: dict[str, int], kind: str) -> None:
    """Count under a name, or under "other" when there are too many names. Names come from servers, and are shown on
    terminals: what cannot be printed becomes a question mark."""
    if kind not in kinds:
        kind = "".join(letter if letter.isprintable() else "?" for letter in kind)
        if kind not in kinds and len(kinds) >= MAXIMUM_KINDS:
            kind = OTHER
    kinds[kind] = kinds.get(kind, 0) + 1


class Interval:
    """What happened in one piece of the run. Latencies in seconds; of a joined piece they are the worse of its two."""

    __slots__ = (
        "accepted",
        "begins",
        "ended",
        "errors",
        "in_flight",
        "maximum",
        "p50",
        "p99",
        "pushed",
        "reported",
        "seconds",
    )

    def __init__(self, begins: float) -> None:
        self.begins = begins
        self.seconds = 0.0
        self.accepted = self.errors = self.reported = self.pushed = self.in_flight = 0
        self.ended = 0  # that have a latency
        self.p50 = self.p99 = self.maximum = 0.0

    def join(self, after: "Interval") -> None:
        """Take the next piece in."""
        self.seconds += after.seconds
        self.accepted += after.accepted
        self.errors += after.errors
        self.reported += after.reported
        self.pushed += after.pushed
        self.ended += after.ended
        self.in_flight = max(self.in_flight, after.in_flight)
        self.p50, self.p99 = max(self.p50, after.p50), max(self.p99, after.p99)
        self.maximum = max(self.maximum, after.maximum)


class Series:
    """The run in pieces of equal length, a second at first. When there are too many, each two become one."""

    def __init__(self) -> None:
        self.seconds = 1.0  # the length of a piece
        self.intervals: list[Interval] = []
        self.current = Interval(0.0)
        self.latencies = Histogram()  # of the current piece

    def roll(self, elapsed: float, in_flight: int) -> None:
        """End the current piece if it is long enough. `elapsed` since the start of the run."""
        if elapsed - self.current.begins >= self.seconds:
            self.close(elapsed, in_flight)

    def close(self, elapsed: float, in_flight: int) -> None:
        """End the current piece now."""
        piece, latencies = self.current, self.latencies
        piece.seconds = elapsed - piece.begins
        if piece.seconds <= 0:
            return
        piece.in_flight = in_flight
        piece.ended = latencies.count
        piece.p50, piece.p99 = latencies.percentile(50), latencies.percentile(99)
        piece.maximum = latencies.maximum / 1e6
        latencies.clear()
        self.intervals.append(piece)
        self.current = Interval(elapsed)
        if len(self.intervals) >= MAXIMUM_INTERVALS:
            self.seconds *= 2
            for left, right in zip(self.intervals[::2], self.intervals[1::2], strict=False):
                left.join(right)
            del self.intervals[1::2]


class Tally:
    """All counts of a run. Messages are counted here when they began after the warm-up, the series has all."""

    def __init__(self) -> None:
        self.series = Series()
        self.sent = 0
        self.accepted = 0
        self.answers: dict[str, int] = {}  # by StatusCode, HTTP status or failure
        self.reports: dict[str, int] = {}  # by MMStatus
        self.pushes: dict[str, int] = {}  # that were not followed, by reason
        self.retrievals: dict[str, int] = {}  # that failed, by reason
        self.connects: dict[str, int] = {}  # that failed, by reason
        self.samples: dict[str, str] = {}  # the first answer of each kind that was no success
        self.submit = Histogram()  # SubmitReq to SubmitRsp
        self.report = Histogram()  # SubmitReq to the last report
        self.push_after = Histogram()  # SubmitReq to the first push
        self.retrieve = Histogram()  # push to the answer of m-notifyresp-ind
        self.pushed = 0
        self.whole = 0  # retrieved and acknowledged
        self.different_contents = 0
        self.recipients_reported = 0
        self.messages_reported = 0
        self.report_repeats = 0
        self.strange_reports = 0
        self.early_reports = 0  # before their SubmitRsp
        self.other_requests = 0  # to the report listener
        self.untracked = 0  # accepted, but too many were waited for
        self.overdue = 0  # messages whose reports are later than the grace now, those of the warm-up too

    @property
    def errors(self) -> int:
        """Submissions that were not accepted."""
        return sum(self.answers.values()) - self.accepted

    def failed(self, kind: str, counted: bool, sample: str = "") -> None:
        """A submission was not accepted."""
        self.series.current.errors += 1
        if counted:
            count(self.answers, kind)
            if kind not in self.samples and len(self.samples) < MAXIMUM_KINDS:
                self.samples[kind] = sample

    def push(self, why_not: str) -> None:
        """A push that is not followed."""
        count(self.pushes, why_not)

    def retrieval(self, why: str) -> None:
        """A retrieval that failed."""
        count(self.retrievals, why)

    def retrieved(self, seconds: float) -> None:
        """A retrieval that is over, its m-notifyresp-ind answered."""
        self.whole += 1
        self.retrieve.record(seconds)
