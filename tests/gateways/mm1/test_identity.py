"""Who a request of a handset comes from."""

from types import SimpleNamespace
from typing import Any

from mmsc.domain.address import Address, NumberPlan
from mmsc.gateways.mm1.identity import Identities

HEADERS = {"X-MSISDN": "tel:+15550100123"}


def test_the_header_is_believed_from_gateways_alone_however_often_they_ask() -> None:
    directory: Any = SimpleNamespace(subscriber_at=lambda remote: None)
    numbers: Any = NumberPlan()
    identities = Identities(numbers, directory, headers=["X-MSISDN"], gateways=["192.0.2.0/25", "2001:db8::/32"])
    remotes = ("192.0.2.1", "192.0.2.200", "2001:db8::1", "2001:db9::1", "not an address")
    for _ in range(2):
        found = [identities.of(HEADERS, remote) for remote in remotes]
        assert found == [Address.of("+15550100123"), None, Address.of("+15550100123"), None, None]
