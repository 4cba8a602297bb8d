"""The table of moves is total and never leaves a final state."""

import pytest

from mmsc.domain.states import CAUSE_OF, FINAL, MOVES, Cause, Happening, RecipientState, move, sources


@pytest.mark.parametrize("state", RecipientState)
@pytest.mark.parametrize("happening", Happening)
def test_every_cell_is_a_state_or_nothing(state: RecipientState, happening: Happening) -> None:
    after = move(state, happening)
    assert after is None or isinstance(after, RecipientState)
    if state in FINAL:
        assert after is None, "a final state stays"
    if after is not None:
        assert state in sources(happening)


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
