"""Addresses as the interfaces write them (OMA-TS-MMS_ENC 8; TS 23.140 8.4.5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.address import IPV4, IPV6, PLMN, MmsAddress, read


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("+15550100123/TYPE=PLMN", MmsAddress("+15550100123", PLMN)),
        (" +15550100123/type=plmn ", MmsAddress("+15550100123", PLMN)),
        ("+15550100123/TYPE=PLMN@mms.example", MmsAddress("+15550100123", PLMN, "mms.example")),
        ("+15550100123@mms.example", MmsAddress("+15550100123", "", "mms.example")),
        ("0205550101/TYPE=PLMN", MmsAddress("0205550101", PLMN)),
        ("192.0.2.7/TYPE=ipv4", MmsAddress("192.0.2.7", IPV4)),
        ("2001:db8:0:0:0:0:0:7/TYPE=IPv6", MmsAddress("2001:db8:0:0:0:0:0:7", IPV6)),
        ("alice/TYPE=im", MmsAddress("alice", "im")),
        ("alice@example.net", MmsAddress("alice@example.net")),
        ("1.2@example.net", MmsAddress("1.2", "", "example.net")),
        ("4488", MmsAddress("4488")),
        ("", MmsAddress("")),
        ("/TYPE=", MmsAddress("")),
    ],
)
def test_every_spelling_is_read(text: str, meant: MmsAddress) -> None:
    assert read(text) == meant


def test_what_is_a_number() -> None:
    assert [read(one).is_number for one in ("+1555-0100.123", "4488", "x/TYPE=PLMN")] == [True, True, True]
    assert [read(one).is_number for one in ("alice", "a@b.example", "192.0.2.7/TYPE=IPv4", "")] == [False] * 4


_VALUE = st.from_regex(r"\+?[0-9]{1,15}", fullmatch=True)
_TYPE = st.sampled_from((PLMN, IPV4, IPV6, "im", ""))
_DOMAIN = st.sampled_from(("", "mms.example", "mms.mnc001.mcc001.3gppnetwork.org"))


@given(_VALUE, _TYPE, _DOMAIN)
def test_what_is_written_is_read_back(value: str, kind: str, domain: str) -> None:
    address = MmsAddress(value, kind, domain)
    assert read(str(address)) == address


@given(st.text(max_size=60))
def test_no_text_is_an_error(text: str) -> None:
    assert isinstance(read(text), MmsAddress)
