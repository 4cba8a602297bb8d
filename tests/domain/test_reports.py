"""State to status, one test a cell (OMA-TS-MMS_ENC 7.3.54; TS 23.140 8.4.2 and 8.7)."""

import pytest

from mmsc.domain.reports import report_is_due, status_of
from mmsc.domain.states import Cause, RecipientState

S, C = RecipientState, Cause
ROWS = [  # state, cause: MM1, MM1 older, MM4, MM7 REL-6, MM7 REL-5, MM4 extension, MM7 extension
    (S.RETRIEVED, C.NONE, "Retrieved", "Retrieved", "Retrieved", "Retrieved", "Retrieved", "", ""),
    (
        S.REJECTED,
        C.RECIPIENT,
        "Rejected",
        "Rejected",
        "Rejected",
        "Rejected",
        "Rejected",
        "Rejection-By-MMS-Recipient",
        "RejectionByMMSRecipient",
    ),
    (
        S.REJECTED,
        C.OTHER_RS,
        "Unreachable",
        "Indeterminate",
        "Rejected",
        "Rejected",
        "Rejected",
        "Rejection-by-Other-RS",
        "RejectionByOtherRS",
    ),
    (S.UNREACHABLE, C.US, "Unreachable", "Indeterminate", "Rejected", "Rejected", "Rejected", "", ""),
    (S.CONDITION_NOT_MET, C.NONE, "", "", "", "DeliveryConditionNotMet", "Rejected", "", ""),
    (
        S.UNRECOGNISED,
        C.NONE,
        "Indeterminate",
        "Indeterminate",
        "Unrecognised",
        "Unrecognised",
        "Indeterminate",
        "",
        "",
    ),
    (S.EXPIRED, C.NONE, "Expired", "Expired", "Expired", "Expired", "Expired", "", ""),
    (S.FORWARDED, C.NONE, "Forwarded", "Indeterminate", "Forwarded", "Forwarded", "Forwarded", "", ""),
    (S.INDETERMINATE, C.NONE, *["Indeterminate"] * 5, "", ""),
    (S.DEFERRED, C.NONE, "Deferred", "Deferred", "Deferred", "Deferred", "", "", ""),
    (S.LINK_VIEWED, C.WEB_LINK, *["Retrieved"] * 5, "", ""),
    (S.CANCELLED, C.NONE, "", "", "", "", "", "", ""),
    (S.SCHEDULED, C.NONE, "", "", "", "", "", "", ""),
    (S.ACCEPTED, C.NONE, "", "", "", "", "", "", ""),
    (S.NOTIFIED, C.NONE, "", "", "", "", "", "", ""),
    (S.RELAYED, C.NONE, "", "", "", "", "", "", ""),
    (S.LINK_SENT, C.NONE, "", "", "", "", "", "", ""),
]
CELLS = [
    (row[0], row[1], name, word)
    for row in ROWS
    for name, word in zip(
        ("mm1", "mm1_older", "mm4", "mm7", "mm7_rel5", "mm4_extension", "mm7_extension"), row[2:], strict=True
    )
]


@pytest.mark.parametrize(("state", "cause", "interface", "word"), CELLS)
def test_cell(state: RecipientState, cause: Cause, interface: str, word: str) -> None:
    assert getattr(status_of(state, cause), interface) == word


def test_every_state_has_a_row_here() -> None:
    assert {row[0] for row in ROWS} == set(RecipientState)


@pytest.mark.parametrize(
    ("state", "asked", "message_class", "allowed", "deferred_too", "due"),
    [
        (S.RETRIEVED, True, "", True, False, True),
        (S.RETRIEVED, False, "", True, False, False),
        (S.RETRIEVED, True, "Auto", True, False, False),
        (S.RETRIEVED, True, "", False, False, False),
        (S.CANCELLED, True, "", True, False, False),
        (S.RELAYED, True, "", True, True, False),
        (S.DEFERRED, True, "", True, False, False),
        (S.DEFERRED, True, "", True, True, True),
        (S.EXPIRED, True, "Personal", True, False, True),
    ],
)
def test_who_gets_a_report(
    state: RecipientState, asked: bool, message_class: str, allowed: bool, deferred_too: bool, due: bool
) -> None:
    told = report_is_due(
        state, asked=asked, message_class=message_class, report_allowed=allowed, deferred_too=deferred_too
    )
    assert told is due
