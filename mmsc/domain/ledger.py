"""The report ledger: for each recipient of a VASP's MM, what became of the delivery report about it, and why.

`entry_of` is the whole rule; it judges what a store knows of one recipient. TS 23.140 8.7 asks for one delivery report
per recipient; a Deferred report goes before it where a VASP's profile asks.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from mmsc.domain.instant import Instant
from mmsc.domain.reports import NoReport, is_automatic
from mmsc.domain.states import FINAL, RecipientState
from protocols.records import record

MOST_REASONS: Final = 50  # that totals tell apart; what is more counts together
OTHER_REASONS: Final = "other reasons"
_ANSWER: Final = re.compile(r"((?:HTTP )?[0-9]{3,4})\b[ :]*(.*)", re.DOTALL)  # a status code before its text


class ReportStatus(StrEnum):
    """Where the report about a recipient stands."""

    WAITING = "waiting"  # the recipient has not ended
    OWED = "owed"  # queued for its VASP
    SENT = "sent"  # the VASP answered 1xxx
    REFUSED = "refused"  # the VASP's answer was another final one
    GIVEN_UP = "given_up"  # the report's lifetime is over, or there is nobody to tell any more
    NONE = "none"  # never owed


ACCEPTED_NOT: Final = "not accepted at submission"
CANCELLED: Final = "the MM was cancelled"
NO_ADDRESS_NOW: Final = "the VASP has no report_url now"
NOT_TRIED: Final = "not tried yet"
BEING_SENT: Final = "being sent"
NOTHING_KNOWN: Final = "no event tells: retention is removing it, or see `mmsc store verify`"


@record(frozen=True, slots=True)
class OpenReport:
    """A report that is queued. `attempts` failed so far, `because` is why the last one brought nothing ("": none was
    made), `due_at` when the next one is planned."""

    task_id: int
    about: str  # the RecipientState that it tells
    born: Instant
    attempts: int
    due_at: Instant
    under_way: bool
    because: str = ""


@record(frozen=True, slots=True)
class EndedReport:
    """A report that ended: `told` is the VASP's answer, or why it was given up; `about` is "" where the event does not
    say."""

    task_id: int
    about: str
    at: Instant
    status: ReportStatus
    attempts: int
    told: str


@record(frozen=True, slots=True, kw_only=True)
class Case:
    """What a store knows of one recipient of an MM that a VASP submitted. `state` is "" for one that was not accepted;
    `no_report` is why its end owes none."""

    recipient_id: int
    mm_id: int
    message_id: str
    mm7_transaction_id: str
    vasp: str
    submitted_at: Instant
    recipient: str
    state: str
    state_at: Instant
    asked: bool
    message_class: str
    has_address: bool  # whether the VASP has a report_url now
    no_report: str = ""
    queued: tuple[OpenReport, ...] = ()
    ended: tuple[EndedReport, ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger. `since` is when `status` began; `code` is the VASP's status (`1000`, `HTTP 404`), `why`
    its text or our reason; `next_attempt_at` is None where none is planned."""

    message_id: str
    mm_id: int
    vasp: str
    mm7_transaction_id: str
    submitted_at: Instant
    recipient: str
    state: str
    state_at: Instant
    status: ReportStatus
    since: Instant
    why: str = ""
    code: str = ""
    attempts: int = 0
    next_attempt_at: Instant | None = None

    def age(self, now: Instant) -> int:
        """How long the report has stood like that (µs)."""
        return max(0, now - self.since)


def entry_of(case: Case) -> Entry:
    """What became of the report about a recipient."""
    if not case.state:
        return _entry(case, ReportStatus.NONE, case.submitted_at, case.no_report or ACCEPTED_NOT)
    if not case.asked:
        return _entry(case, ReportStatus.NONE, case.submitted_at, NoReport.NOT_ASKED)
    if is_automatic(case.message_class):
        return _entry(case, ReportStatus.NONE, case.submitted_at, NoReport.CLASS_AUTO)
    return _of_ended(case) if case.state in FINAL else _of_open(case)


def _of_open(case: Case) -> Entry:
    """The recipient has not ended: only a report Deferred can be under way, or one that another system took the MM."""
    ended = {one.task_id: one for one in case.ended}
    for one in case.queued:
        if one.task_id not in ended:
            return _owed(case, one)
    if not case.has_address:
        why = NO_ADDRESS_NOW
    else:
        why = "; ".join(f"{_before_the_end(one)}: {one.status.replace('_', ' ')}, {one.told}" for one in case.ended)
    return _entry(case, ReportStatus.WAITING, case.submitted_at, why)


def _before_the_end(report: EndedReport) -> str:
    return "Forwarded" if report.about == RecipientState.RELAYED else "Deferred"


def _of_ended(case: Case) -> Entry:
    """The recipient has ended. What was told of it is stronger than what was queued: it is younger."""
    told = [one for one in case.ended if one.about in ("", case.state)]
    if told:
        return _ended(case, max(told, key=lambda one: one.task_id))
    open_ones = [one for one in case.queued if one.about == case.state]
    if open_ones:
        return _owed(case, max(open_ones, key=lambda one: one.task_id))
    if case.state == RecipientState.CANCELLED:
        return _entry(case, ReportStatus.NONE, case.state_at, CANCELLED)
    return _entry(case, ReportStatus.NONE, case.state_at, case.no_report or NOTHING_KNOWN)


def _owed(case: Case, report: OpenReport) -> Entry:
    why = report.because or NOT_TRIED
    if report.under_way:
        why = f"{BEING_SENT}; last: {report.because}" if report.because else BEING_SENT
    next_at = None if report.under_way else report.due_at
    return _entry(case, ReportStatus.OWED, report.born, why, attempts=report.attempts, next_attempt_at=next_at)


def _ended(case: Case, report: EndedReport) -> Entry:
    code, text = "", report.told
    if report.status in (ReportStatus.SENT, ReportStatus.REFUSED):
        code, text = read_answer(report.told)
    return _entry(case, report.status, report.at, text, code=code, attempts=report.attempts)


def _entry(
    case: Case,
    status: ReportStatus,
    since: Instant,
    why: str,
    *,
    code: str = "",
    attempts: int = 0,
    next_attempt_at: Instant | None = None,
) -> Entry:
    return Entry(
        message_id=case.message_id,
        mm_id=case.mm_id,
        vasp=case.vasp,
        mm7_transaction_id=case.mm7_transaction_id,
        submitted_at=case.submitted_at,
        recipient=case.recipient,
        state=case.state,
        state_at=case.state_at,
        status=status,
        since=since,
        why=str(why),
        code=code,
        attempts=attempts,
        next_attempt_at=next_attempt_at,
    )


def read_answer(told: str) -> tuple[str, str]:
    """(status code, text) of a VASP's answer as it was recorded; no code where it has none."""
    found = _ANSWER.fullmatch(told)
    return (found[1], found[2]) if found is not None else ("", told)


class Totals:
    """A ledger in numbers, however long it is: recipients by status, and by status and reason for whoever has no
    report."""

    def __init__(self) -> None:
        self.statuses: Counter[ReportStatus] = Counter()
        self.reasons: Counter[tuple[ReportStatus, str]] = Counter()

    def add(self, entries: Iterable[Entry]) -> None:
        """Count some more."""
        for one in entries:
            self.statuses[one.status] += 1
            if one.status is ReportStatus.SENT:
                continue
            key = (one.status, " ".join(filter(None, (one.code, one.why))) or one.state)
            if key not in self.reasons and len(self.reasons) >= MOST_REASONS:
                key = (one.status, OTHER_REASONS)
            self.reasons[key] += 1

    @property
    def recipients(self) -> int:
        """How many lines there are."""
        return self.statuses.total()

    @property
    def missing(self) -> int:
        """How many have no report."""
        return self.recipients - self.statuses[ReportStatus.SENT]

    def by_status(self) -> Mapping[str, int]:
        """Every status with its number, in the order in which a report goes through them."""
        return {str(status): self.statuses[status] for status in ReportStatus}
