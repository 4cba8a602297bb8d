"""The number plan: every spelling of a number becomes one address, and the steps are told."""

import pytest

from mmsc.domain.address import (
    Address,
    AddressKind,
    Normalised,
    NotAnAddress,
    NumberPlan,
    Rewrite,
    longest_first,
    longest_prefix,
    told,
)

NANP = NumberPlan(short_codes=frozenset({"4488", "5550100"}))
EUROPE = NumberPlan(country_code="49", national_prefix="0", national_length=0, international_prefixes=("00",))


@pytest.mark.parametrize(
    ("plan", "text", "kind", "value"),
    [
        (NANP, "+15550100123", AddressKind.PHONE, "+15550100123"),
        (NANP, "15550100123", AddressKind.PHONE, "+15550100123"),
        (NANP, "5550100123", AddressKind.PHONE, "+15550100123"),
        (NANP, "0015550100123", AddressKind.PHONE, "+15550100123"),
        (NANP, "01115550100123", AddressKind.PHONE, "+15550100123"),
        (NANP, "+1 (555) 010-0123", AddressKind.PHONE, "+15550100123"),
        (NANP, "+15550100123/TYPE=PLMN", AddressKind.PHONE, "+15550100123"),
        (NANP, "+15550100123/type=plmn@mms.example", AddressKind.PHONE, "+15550100123"),
        (NANP, "4488", AddressKind.SHORT_CODE, "4488"),
        (NANP, "5550100", AddressKind.SHORT_CODE, "5550100"),
        (NANP, "NEWS", AddressKind.SHORT_CODE, "NEWS"),
        (NANP, "user@Mail.Example", AddressKind.EMAIL, "user@mail.example"),
        (NANP, "192.0.2.7/TYPE=IPv4", AddressKind.IP, "192.0.2.7"),
        (EUROPE, "0171555010", AddressKind.PHONE, "+49171555010"),
        (EUROPE, "0049171555010", AddressKind.PHONE, "+49171555010"),
    ],
)
def test_spelling(plan: NumberPlan, text: str, kind: AddressKind, value: str) -> None:
    found = plan.normalise(text)
    assert isinstance(found, Normalised)
    assert found.address == Address(kind, value)
    assert found.steps
    assert Address.of(value) == found.address


@pytest.mark.parametrize(
    "text", ["", "   ", "not a number!", "+", "+12", "+1234567890123456", "a@b@", "@", "a b c d e f g"]
)
def test_nobody(text: str) -> None:
    found = NANP.normalise(text)
    assert isinstance(found, NotAnAddress)
    assert found.because


def test_a_neighbours_rewrite_comes_first() -> None:
    found = NANP.normalise("990100123", (Rewrite("99", "+1555"),))
    assert isinstance(found, Normalised)
    assert found.address.value == "+15550100123"
    assert "rewrite" in found.steps[0]


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        ("+447700900123", "07700900123"),
        ("+15550100123", "0015550100123"),
        ("4488", "4488"),
        ("a@mail.example", "a@mail.example"),
    ],
)
def test_a_neighbour_is_told_numbers_in_its_own_spelling(value: str, spelling: str) -> None:
    """The first rewrite that fits; short codes and mail addresses have no other spelling."""
    rewrites = (Rewrite("+44", "0"), Rewrite("+", "00"), Rewrite("4", "9"))
    assert told(Address.of(value), rewrites).value == spelling


@pytest.mark.parametrize(
    ("number", "prefix"), [("+15551", "+1555"), ("+1566", "+15"), ("+44", "+"), ("7777", ""), ("", "")]
)
def test_the_longest_prefix_wins(number: str, prefix: str) -> None:
    assert longest_prefix(number, longest_first({"+", "+1555", "+15", "+16"})) == prefix
    assert longest_prefix(number, longest_first(())) == ""
