"""The table of moves is total and never leaves a final state."""

import pytest

from mmsc.domain.states import CAUSE_OF, FINAL, MOVES, Cause, Happening, RecipientState, move, sources

# Every cell, from semantics 1, 5, 6, 8 and 9: after the happening, a recipient that was scheduled, accepted,
# notified, deferred, relayed, link_sent. A dot: nothing happens; from a final state, nothing ever does.
GRID = """
due                 accepted          .                 .                 .           .             .
pushed              .                 notified          notified          deferred    .             .
fetched             .                 accepted          notified          deferred    .             link_sent
retrieved           .                 retrieved         retrieved         retrieved   .             retrieved
deferred            .                 deferred          deferred          deferred    .             .
rejected            .                 rejected          rejected          rejected    .             rejected
unrecognised        .                 unrecognised      unrecognised      unrecognised .            .
forwarded           .                 forwarded         forwarded         forwarded   .             forwarded
expired             expired           expired           expired           expired     .             expired
relayed             .                 relayed           .                 .           relayed       .
refused_by_peer     .                 rejected          .                 .           rejected      .
peer_retrieved      .                 retrieved         .                 .           retrieved     .
peer_rejected       .                 rejected          .                 .           rejected      .
peer_expired        .                 expired           .                 .           expired       .
peer_forwarded      .                 forwarded         .                 .           forwarded     .
peer_unrecognised   .                 unrecognised      .                 .           unrecognised  .
peer_indeterminate  .                 indeterminate     .                 .           indeterminate .
peer_deferred       .                 relayed           .                 .           relayed       .
silence             .                 .                 .                 .           indeterminate .
undeliverable       unreachable       unreachable       unreachable       unreachable .             unreachable
condition_failed    condition_not_met condition_not_met condition_not_met .           .             .
link_sent           .                 link_sent         link_sent         .           .             link_sent
link_viewed         .                 link_viewed       link_viewed       link_viewed .             link_viewed
link_sms_delivered  .                 .                 .                 .           .             indeterminate
cancelled           cancelled         cancelled         cancelled         cancelled   .             cancelled
"""
OPEN = ("scheduled", "accepted", "notified", "deferred", "relayed", "link_sent")
ENDS = (
    "retrieved",
    "rejected",
    "expired",
    "forwarded",
    "unrecognised",
    "indeterminate",
    "unreachable",
    "condition_not_met",
    "cancelled",
    "link_viewed",
)
CELLS = [
    (state, row[0], after)
    for row in map(str.split, GRID.strip().splitlines())
    for state, after in zip((*OPEN, *ENDS), (*row[1:], *"." * len(ENDS)), strict=True)
]


@pytest.mark.parametrize(("state", "happening", "after"), CELLS)
def test_cell(state: str, happening: str, after: str) -> None:
    moved = move(RecipientState(state), Happening(happening))
    assert moved == (None if after == "." else RecipientState(after))
    assert (moved is not None) == (RecipientState(state) in sources(Happening(happening)))


def test_no_cell_is_missing() -> None:
    assert {(state, happening) for state, happening, _ in CELLS} == {
        (s.value, h.value) for s in RecipientState for h in Happening
    }
    assert {state.value for state in FINAL} == set(ENDS)


@pytest.mark.parametrize("happening", Happening)
def test_every_happening_can_happen(happening: Happening) -> None:
    assert sources(happening)


def test_every_state_but_the_first_two_is_reached() -> None:
    reached = {after for row in MOVES.values() for after in row.values()}
    assert set(RecipientState) - reached == {RecipientState.SCHEDULED}


def test_a_cause_is_given_only_where_the_state_does_not_say() -> None:
    assert CAUSE_OF[Happening.REJECTED] is Cause.RECIPIENT
    assert CAUSE_OF[Happening.REFUSED_BY_PEER] is Cause.OTHER_RS
    assert CAUSE_OF[Happening.UNDELIVERABLE] is Cause.US


def test_deferred_survives_a_push_that_was_under_way() -> None:
    assert move(RecipientState.DEFERRED, Happening.PUSHED) is RecipientState.DEFERRED


def test_a_fast_handset_may_answer_before_the_smsc_did() -> None:
    assert move(RecipientState.ACCEPTED, Happening.RETRIEVED) is RecipientState.RETRIEVED
