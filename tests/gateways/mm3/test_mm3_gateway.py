"""From where mails are taken (TS 23.140 8.3.1; RFC 4291 2.5.5.2)."""

from types import SimpleNamespace
from typing import Any

import pytest

from mmsc.domain.address import NumberPlan
from mmsc.domain.message import Route
from mmsc.gateways.mm3.server import Mm3Server


def server(*networks: str) -> Mm3Server:
    plan = NumberPlan()
    numbers: Any = SimpleNamespace(normalise=plan.normalise, route=lambda address: (Route.SUBSCRIBER, "smsc", ""))
    nothing: Any = None
    return Mm3Server(nothing, numbers, nothing, domain="mms.example", networks=networks)


@pytest.mark.parametrize(
    ("remote", "taken"),
    [
        *(("127.0.0.1", True), ("::ffff:127.0.0.1", True), ("2001:db8::1", True)),
        *(("192.0.2.1", False), ("::ffff:192.0.2.1", False), ("2001:db9::1", False), ("nowhere", False), ("", False)),
    ],
)
async def test_mails_are_taken_from_the_networks_alone(remote: str, taken: bool) -> None:
    """An IPv4 client of a listener on :: is that IPv4 address."""
    said = await server("127.0.0.0/8", "2001:db8::/32").rcpt(remote, "eve@mail.example", "+15550100123@mms.example")
    assert said.startswith("250 " if taken else "550 5.7.1 no mail is taken from there")


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="gateway"):
        server("gateway")
