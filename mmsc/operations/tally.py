"""Counts the events as they are published, and how long MMs take from step to step. On the hot path: an addition to a
dictionary an event, and a subtraction where a step ends."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from mmsc.clock import Clock
from mmsc.domain.durations import Durations
from mmsc.domain.states import RecipientState
from mmsc.ids import NODE_BITS
from mmsc.trace import events as trace
from mmsc.trace.events import Data, Event

OPEN_AT_MOST: Final = 20_000  # recipients between push, GET and answer whose time is remembered; the oldest go first
STEPS: Final = ("accept", "submit_to_push", "push_to_fetch", "fetch_to_answer", "state_to_report", "submit_to_report")
_SUBSCRIBERS: Final = "mm1"  # its neighbours are telephone numbers, which are no labels
_RETRIEVED: Final = str(RecipientState.RETRIEVED)

Counts = defaultdict[Any, int]


class Tally:
    """Stands between the engine and the bus: `publish` counts an event and passes it on."""

    def __init__(self, clock: Clock, pass_on: Callable[[Event], None]) -> None:
        self._real_now = clock.real_now
        self._pass_on = pass_on
        self.write: Callable[[Event], None] | None = None  # also writes each event into the log
        self.kinds: defaultdict[type[Data], int] = defaultdict(int)
        self.accepted: Counts = defaultdict(int)  # (interface, neighbour)
        self.recipients = 0
        self.octets = 0
        self.refused: Counts = defaultdict(int)  # (interface, reason)
        self.repeated: Counts = defaultdict(int)  # interface
        self.moved: Counts = defaultdict(int)  # state
        self.reports: Counts = defaultdict(int)  # kind of neighbour
        self.given_up: Counts = defaultdict(int)  # task
        self.failed: Counts = defaultdict(int)  # task
        self.postponed: Counts = defaultdict(int)  # task
        self.findings: Counts = defaultdict(int)  # rule
        self.steps = {step: Durations() for step in STEPS}
        self._pushed: dict[int, int] = {}  # recipient -> real time, µs
        self._fetched: dict[int, int] = {}
        self._accept, self._to_push, self._to_fetch, self._to_answer, self._to_report, self._all = self.steps.values()
        self._takers: dict[type[Data], Callable[[Event, Any], None]] = {
            trace.MmAccepted: self._mm_accepted,
            trace.SubmissionRefused: self._submission_refused,
            trace.SubmissionRepeated: self._submission_repeated,
            trace.NotificationPushed: self._notification_pushed,
            trace.MmFetched: self._mm_fetched,
            trace.RecipientMoved: self._recipient_moved,
            trace.ReportDelivered: self._report_delivered,
            trace.TaskGivenUp: lambda event, data: _add(self.given_up, data.task),
            trace.AttemptFailed: lambda event, data: _add(self.failed, data.task),
            trace.AttemptPostponed: lambda event, data: _add(self.postponed, data.task),
            trace.FindingNoted: lambda event, data: _add(self.findings, data.rule),
        }

    def publish(self, event: Event) -> None:
        """Count it, and tell the bus."""
        cls = type(event.data)
        self.kinds[cls] += 1
        taker = self._takers.get(cls)
        if taker is not None:
            taker(event, event.data)
        if self.write is not None:
            self.write(event)
        self._pass_on(event)

    def _mm_accepted(self, event: Event, data: trace.MmAccepted) -> None:
        interface = data.interface
        self.accepted[interface, "" if interface == _SUBSCRIBERS else data.neighbour] += 1
        self.recipients += data.recipients
        self.octets += data.size_octets
        self._accept.note(self._real_now() - event.at_real)

    def _submission_refused(self, event: Event, data: trace.SubmissionRefused) -> None:
        self.refused[data.interface, data.reason] += data.times

    def _submission_repeated(self, event: Event, data: trace.SubmissionRepeated) -> None:
        self.repeated[data.interface] += 1

    def _notification_pushed(self, event: Event, data: trace.NotificationPushed) -> None:
        if event.recipient_id is None or event.mm_id is None:
            return
        if data.push == 1:  # ids begin with the real time at which they were made
            self._to_push.note(event.at_real - (event.mm_id >> NODE_BITS))
        _remember(self._pushed, event.recipient_id, event.at_real)

    def _mm_fetched(self, event: Event, data: trace.MmFetched) -> None:
        if event.recipient_id is None:
            return
        pushed_at = self._pushed.pop(event.recipient_id, 0)
        if pushed_at:
            self._to_fetch.note(event.at_real - pushed_at)
        _remember(self._fetched, event.recipient_id, event.at_real)

    def _recipient_moved(self, event: Event, data: trace.RecipientMoved) -> None:
        after = data.after
        self.moved[after] += 1
        if after == _RETRIEVED and event.recipient_id is not None:
            fetched_at = self._fetched.pop(event.recipient_id, 0)
            if fetched_at:
                self._to_answer.note(event.at_real - fetched_at)

    def _report_delivered(self, event: Event, data: trace.ReportDelivered) -> None:
        self.reports[data.lane[:4]] += 1
        if event.task_id is not None:
            self._to_report.note(event.at_real - (event.task_id >> NODE_BITS))
        if event.mm_id is not None:
            self._all.note(event.at_real - (event.mm_id >> NODE_BITS))


def _add(counts: Counts, key: str) -> None:
    counts[key] += 1


def _remember(times: dict[int, int], key: int, at: int) -> None:
    times[key] = at
    if len(times) > OPEN_AT_MOST:
        del times[next(iter(times))]
