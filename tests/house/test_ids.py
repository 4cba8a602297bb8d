"""Identifiers: increasing, short, seedable, readable."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmsc.ids import MAXIMUM_NODE, NODE_BITS, Ids, from_text, to_text


def test_a_restart_goes_on_above_though_the_host_clock_was_set_back() -> None:
    ids = Ids(3, real=lambda: 1000)
    ids.go_on_above(Ids(5, real=lambda: 2000).new_id())
    assert ids.new_id() >> NODE_BITS == 2001
    ids.go_on_above(0)
    assert ids.new_id() >> NODE_BITS == 2002


def test_ids_increase_strictly_even_when_the_host_clock_stands_or_goes_back() -> None:
    moments = iter([5_000, 5_000, 5_000, 10, 6_000])
    ids = Ids(3, real=lambda: next(moments))
    made = [ids.new_id() for _ in range(5)]
    assert made == sorted(set(made))
    assert {number & MAXIMUM_NODE for number in made} == {3}
    assert made[-1] >> 10 == 6_000


def test_ids_of_two_nodes_never_meet() -> None:
    one, two = Ids(1, real=lambda: 7), Ids(2, real=lambda: 7)
    assert not {one.new_id() for _ in range(50)} & {two.new_id() for _ in range(50)}


def test_an_id_of_today_has_63_bits_at_most() -> None:
    assert 0 < Ids(MAXIMUM_NODE).new_id() < 1 << 63


@pytest.mark.parametrize("node", [-1, MAXIMUM_NODE + 1])
def test_a_node_number_out_of_range_is_refused(node: int) -> None:
    with pytest.raises(ValueError, match="node"):
        Ids(node)


@given(st.integers(0, (1 << 63) - 1))
def test_text_and_id_are_the_same_thing(number: int) -> None:
    text = to_text(number)
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{13}", text)
    assert from_text(text) == number
    assert from_text(text.lower().replace("0", "o").replace("1", "l")) == number
    assert from_text(f"{text[:4]}-{text[4:]}") == number


@given(st.integers(0, (1 << 63) - 1), st.integers(0, (1 << 63) - 1))
def test_texts_sort_as_ids_do(one: int, two: int) -> None:
    assert (to_text(one) < to_text(two)) == (one < two)


@given(st.text(max_size=20))
def test_any_other_text_is_refused_or_is_an_id(text: str) -> None:
    try:
        number = from_text(text)
    except ValueError:
        return
    assert 0 <= number < 1 << 63


def test_ids_outside_63_bits_are_refused() -> None:
    with pytest.raises(ValueError, match="63-bit"):
        to_text(1 << 63)
    with pytest.raises(ValueError, match="larger"):
        from_text("Z" * 13)


def test_tokens_are_url_safe_and_as_long_as_asked() -> None:
    ids = Ids()
    assert re.fullmatch("[A-Za-z0-9_-]{26}", ids.token())
    assert len(ids.token(256)) == 47
    assert ids.token() != ids.token()


def test_transaction_ids_fit_every_interface() -> None:
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{18}", Ids().transaction_id())


def test_a_seed_replays_the_secrets() -> None:
    one, two = (Ids.seeded(42, real=lambda: 1_700_000_000_000_000) for _ in range(2))
    assert [one.token(), one.transaction_id(), one.number(8)] == [two.token(), two.transaction_id(), two.number(8)]
    assert Ids.seeded(43).token() != Ids.seeded(42).token()


def test_secrets_of_one_moment_are_neighbours() -> None:
    now = 1_700_000_000_000_000
    ids = Ids(real=lambda: now)
    tokens, transactions = {ids.token()[:4] for _ in range(50)}, {ids.transaction_id()[:4] for _ in range(50)}
    assert len(tokens) == len(transactions) == 1
    now += 3_600_000_000
    assert ids.token()[:4] not in tokens
    assert ids.transaction_id()[:4] not in transactions


def test_who_has_read_the_clock_spares_reading_it_again() -> None:
    def unread() -> int:
        raise AssertionError("the clock was read")

    ids, now = Ids(5, real=unread), 1_700_000_000_000_000
    first, second, earlier = ids.new_id(now), ids.new_id(now), ids.new_id(now - 1000)
    assert first == now << NODE_BITS | 5
    assert first < second < earlier
    assert ids.token(real=now)[:4] == Ids(real=lambda: now).token()[:4]
    assert ids.transaction_id(now)[:5] == Ids(real=lambda: now).transaction_id()[:5]


@given(st.integers(1, 64))
def test_random_numbers_have_the_bits_asked_for(bits: int) -> None:
    assert 0 <= Ids().number(bits) < 1 << bits


def test_chance_is_drawn_from_the_system_and_never_given_out_twice() -> None:
    ids = Ids()
    tokens = {ids.token(bits) for bits in (128, 256, 8 * 5000) for _ in range(300)}
    assert len(tokens) == 900
    assert {len(token) for token in tokens} == {26, 47, 6671}
