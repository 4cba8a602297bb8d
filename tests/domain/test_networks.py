"""IP addresses and networks as keys (RFC 4291, RFC 5952)."""

import pytest

from mmsc.domain.networks import NetworkTable, address_of, network_of, spelled


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("10.0.0.7/32", "10.0.0.7"),
        ("10.0.0.7/24", "10.0.0.0/24"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("::FFFF:0a00:0007", "10.0.0.7"),
        ("::ffff:10.0.0.7/120", "10.0.0.0/24"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("2001:db8::7/64", "2001:db8::/64"),
        (" ::1 ", "::1"),
        ("::/0", "::/0"),
    ],
)
def test_each_network_has_one_spelling(text: str, one: str) -> None:
    assert spelled(network_of(text)) == one


@pytest.mark.parametrize("text", ["", "x", "10.0.0", "10.0.0.7/33", "10.0.0.7:80", "::1/129"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        network_of(text)
    assert address_of(text) is None


def test_an_address_is_read_in_any_spelling() -> None:
    for text in ("10.0.0.7", " 10.0.0.7", "::ffff:10.0.0.7", "[::ffff:a00:7]"):
        assert str(address_of(text)) == "10.0.0.7"
    assert str(address_of("fe80::1%eth0")) == "fe80::1"


def test_the_narrowest_network_counts() -> None:
    table: NetworkTable[str] = NetworkTable()
    for text in ("10.0.0.0/8", "10.0.0.0/24", "10.0.0.7", "2001:db8::/64", "2001:db8::7"):
        table.put(network_of(text), text)

    def found(text: str) -> str | None:
        address = address_of(text)
        assert address is not None
        value = table.find(address)
        return None if value is None else value[1]

    asked = ("10.0.0.7", "10.0.0.8", "10.9.9.9", "11.0.0.0", "2001:db8::7", "2001:db8::8", "2001:db8:0:1::7", "::7")
    expected = ["10.0.0.7", "10.0.0.0/24", "10.0.0.0/8", None, "2001:db8::7", "2001:db8::/64", None, None]
    assert [found(one) for one in asked] == expected
    table.drop(network_of("10.0.0.7"))
    table.drop(network_of("10.0.0.99"))
    assert found("10.0.0.7") == "10.0.0.0/24"
    table.clear()
    assert found("10.0.0.7") is None
