"""The rule of the report ledger, and its totals."""

import pytest

from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.ledger import (
    BEING_SENT,
    MOST_REASONS,
    NOT_TRIED,
    OTHER_REASONS,
    Case,
    EndedReport,
    Entry,
    OpenReport,
    ReportStatus,
    Totals,
    entry_of,
    read_answer,
)
from mmsc.domain.states import FINAL, RecipientState

AT = Instant(1_000 * SECOND)
QUEUED = OpenReport(5, "retrieved", Instant(AT + 1), 0, Instant(AT + 9), under_way=False)
TOLD = EndedReport(5, "retrieved", Instant(AT + 2), ReportStatus.SENT, 1, "1000 Success")


def entry(
    state: RecipientState = RecipientState.RETRIEVED,
    *,
    queued: tuple[OpenReport, ...] = (),
    ended: tuple[EndedReport, ...] = (),
    no_report: str = "",
    asked: bool = True,
) -> Entry:
    return entry_of(
        Case(
            recipient_id=2,
            mm_id=1,
            message_id="1@mms.example",
            mm7_transaction_id="t",
            vasp="news",
            submitted_at=AT,
            recipient="+15550100123",
            state=state,
            state_at=Instant(AT + 1),
            asked=asked,
            message_class="",
            has_address=True,
            no_report=no_report,
            queued=queued,
            ended=ended,
        )
    )


@pytest.mark.parametrize("state", RecipientState)
def test_nobody_is_left_without_a_word(state: RecipientState) -> None:
    """A recipient that has not ended is waited for; one that has ended without a trace is told as that."""
    one = entry(state)
    assert one.status is (ReportStatus.NONE if state in FINAL else ReportStatus.WAITING)
    assert bool(one.why) is (state in FINAL)
    assert entry(state, asked=False).status is ReportStatus.NONE


def test_what_was_told_is_stronger_than_what_was_queued_a_moment_before() -> None:
    """Tasks are read before events: a report that leaves between is in both."""
    assert entry(queued=(QUEUED,), ended=(TOLD,)).status is ReportStatus.SENT


def test_a_report_in_a_couriers_hands_has_no_next_attempt() -> None:
    under_way = OpenReport(5, "retrieved", AT, 2, AT, under_way=True, because="no answer")
    one = entry(queued=(under_way,))
    assert (one.status, one.next_attempt_at) == (ReportStatus.OWED, None)
    assert one.why == f"{BEING_SENT}; last: no answer"
    assert entry(queued=(QUEUED,)).why == NOT_TRIED
    assert entry(queued=(QUEUED,)).next_attempt_at == AT + 9


@pytest.mark.parametrize(
    ("told", "code", "text"),
    [
        ("1000 Success", "1000", "Success"),
        ("1000", "1000", ""),
        ("4004 two\nlines", "4004", "two\nlines"),
        ("HTTP 404 without a readable MM7 answer", "HTTP 404", "without a readable MM7 answer"),
        ("no connection", "", "no connection"),
        ("40040 no code", "", "40040 no code"),
        ("", "", ""),
    ],
)
def test_a_vasps_answer_is_a_code_and_a_text(told: str, code: str, text: str) -> None:
    assert read_answer(told) == (code, text)


def test_age_is_never_below_zero() -> None:
    """A clock that was set back makes nothing younger than new."""
    assert entry(ended=(TOLD,)).age(Instant(0)) == 0
    assert entry(ended=(TOLD,)).age(Instant(AT + 2 + SECOND)) == SECOND


def test_totals_are_bounded_however_many_reasons_there_are() -> None:
    totals = Totals()
    many = MOST_REASONS + 30
    for number in range(many):
        totals.add([entry(no_report=f"reason {number}"), entry(ended=(TOLD,))])
    assert (totals.recipients, totals.missing) == (2 * many, many)
    assert len(totals.reasons) == MOST_REASONS + 1
    assert totals.reasons[ReportStatus.NONE, OTHER_REASONS] == 30
    assert totals.by_status() == {
        "waiting": 0,
        "owed": 0,
        "sent": many,
        "refused": 0,
        "given_up": 0,
        "none": many,
    }
