"""Who a request of a handset comes from (header enrichment; IP addresses)."""

from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.domain.address import Address, NumberPlan
from mmsc.gateways.mm1.identity import Identities
from mmsc.net.http import HttpRequest
from mmsc.settings.model import Mm1

NUMBER = "+15550100123"
OWN = Address.of(NUMBER)
GATEWAY = "192.0.2.1"
AT_HOME = "198.51.100.7"


def identities(**changes: Any) -> Identities:
    """With a subscriber at AT_HOME."""
    found = SimpleNamespace(address=OWN)
    directory: Any = SimpleNamespace(subscriber_at=lambda remote: found if remote == AT_HOME else None)
    numbers: Any = NumberPlan()
    given = {
        "headers": Mm1().identity_headers,
        "gateways": ("192.0.2.0/25", "2001:db8::/32"),
        "address_headers": Mm1().address_headers,
    }
    return Identities(numbers, directory, **given | changes)


def request(remote: str, *headers: tuple[str, str]) -> HttpRequest:
    return HttpRequest("POST", "/", "", CIMultiDictProxy(CIMultiDict(headers)), b"", remote, 1)


def test_the_header_is_believed_from_gateways_alone_however_often_they_ask() -> None:
    own = identities()
    remotes = ("192.0.2.1", "192.0.2.200", "2001:db8::1", "2001:db9::1", "::ffff:192.0.2.1", "not an address")
    for _ in range(2):
        found = [own.of(request(remote, ("X-MSISDN", NUMBER))) for remote in remotes]
        assert found == [OWN, None, OWN, None, OWN, None]


@pytest.mark.parametrize("header", Mm1().identity_headers)
def test_each_header_that_gateways_write_is_known_in_any_case(header: str) -> None:
    for name in (header, header.lower(), header.upper()):
        assert identities().of(request(GATEWAY, (name, "15550100123"))) == OWN


@pytest.mark.parametrize(
    "value",
    [
        "+15550100123",
        "15550100123",
        "5550100123",
        "0115550100123".replace("011", "0111"),
        ' "+15550100123" ',
        "'15550100123'",
        "<tel:+15550100123>",
        "tel:+1-555-010-0123",
        "TEL:+15550100123;phone-context=mms.example",
        "sip:+15550100123@ims.example;user=phone",
        "<sip:+15550100123@ims.example>",
        "sips:+15550100123@ims.example",
        "msisdn:15550100123",
        "+15550100123/TYPE=PLMN",
        "15550100123/type=plmn",
        "1 555 010 0123",
        "15550100123, 15550100123",
        "15550100123,+15550100123/TYPE=PLMN",
        "anonymous, 15550100123",
    ],
)
def test_a_number_is_found_in_every_form_that_gateways_write(value: str) -> None:
    assert identities().of(request(GATEWAY, ("X-MSISDN", value))) == OWN


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        '""',
        "anonymous",
        "user@mail.example",
        "4488",
        "+1",
        "15550100123, 15550100124",  # one of them may be the handset's own
        "1555010012" * 30,
        "\udcff\udcfe",
    ],
)
def test_what_is_no_number_or_more_than_one_shows_nobody(value: str) -> None:
    assert identities().of(request(GATEWAY, ("X-MSISDN", value))) is None


def test_a_header_that_comes_twice_is_one() -> None:
    twice = [("X-MSISDN", "15550100124"), ("X-MSISDN", "15550100123")]
    assert identities().of(request(GATEWAY, *twice)) is None
    assert identities().of(request(GATEWAY, twice[1], twice[1])) == OWN


def test_the_first_header_of_the_list_that_shows_a_number_counts() -> None:
    both = [("X-MDN", "15550100124"), ("X-WAP-Network-Client-MSISDN", "15550100123")]
    assert identities().of(request(GATEWAY, *both)) == OWN
    assert identities().of(request(GATEWAY, both[0], (both[1][0], "unknown"))) == Address.of("+15550100124")


@pytest.mark.parametrize("own", ["15550100999", "x" * 300])
def test_who_spoils_the_gateway_s_header_is_believed_in_no_other(own: str) -> None:
    """A handset that writes the gateway's header beside it may write the next ones of the list, too."""
    spoilt = [("X-MSISDN", own), ("X-MSISDN", "15550100124"), ("X-MDN", NUMBER), ("X-WAP-Client-IP", AT_HOME)]
    assert identities().of(request(GATEWAY, *spoilt)) is None


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([("X-WAP-Network-Client-IP", AT_HOME)], OWN),
        ([("X-WAP-Client-IP", f" {AT_HOME}:51234 ")], OWN),
        ([("X-Forwarded-For", f"203.0.113.9, {AT_HOME}, 192.0.2.7")], OWN),  # the handset may write the left
        ([("X-Forwarded-For", f"{AT_HOME}, 203.0.113.9")], None),
        ([("X-Forwarded-For", AT_HOME), ("X-Forwarded-For", "203.0.113.9")], None),
        ([("X-Forwarded-For", "")], None),
        ([("X-WAP-Network-Client-IP", "203.0.113.9"), ("X-Forwarded-For", AT_HOME)], None),
        ([("X-MSISDN", "unknown"), ("X-WAP-Network-Client-IP", AT_HOME)], OWN),
        ([], None),
    ],
)
def test_a_gateway_may_tell_the_ip_address_instead(headers: list[tuple[str, str]], found: Address | None) -> None:
    assert identities().of(request(GATEWAY, *headers)) == found


def test_who_is_no_gateway_comes_from_where_it_comes_from() -> None:
    assert identities().of(request(AT_HOME, ("X-MSISDN", "15550100999"))) == OWN
    assert identities().of(request("203.0.113.9", ("X-Forwarded-For", AT_HOME))) is None


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="gateway"):
        identities(gateways=("gateway",))
