"""Who a handset is: the header that an operator's gateway adds, believed only from configured gateways; or a static
IP address of a lab."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from mmsc.domain.address import Address, Normalised
from mmsc.engine.ports import Directory, Numbers

_REMEMBERED_GATEWAYS: Final = 256
_WRAPPING: Final = re.compile(r'^["<\s]*(?:tel:|sip:)?|["\s>]*$', re.IGNORECASE)


class Identities:
    """Finds the subscriber behind an MM1 request."""

    def __init__(
        self, numbers: Numbers, directory: Directory, *, headers: Sequence[str], gateways: Sequence[str]
    ) -> None:
        self._numbers = numbers
        self._directory = directory
        self.believe(headers, gateways)

    def believe(self, headers: Sequence[str], gateways: Sequence[str]) -> None:
        """From now on these headers of these gateways. ValueError for what is no network."""
        self._headers = tuple(headers)
        self._gateways = tuple(ip_network(one, strict=False) for one in gateways)
        self._is_gateway = lru_cache(maxsize=_REMEMBERED_GATEWAYS)(self._lies_in_gateways)  # a few ask all the time

    def of(self, headers: Mapping[str, str], remote: str) -> Address | None:
        """The subscriber's address, None when the request shows none that we believe."""
        if self._is_gateway(remote):
            for name in self._headers:
                text = headers.get(name, "")
                if text:
                    found = self._numbers.normalise(_WRAPPING.sub("", text).partition("@")[0])
                    if isinstance(found, Normalised):
                        return found.address
        subscriber = self._directory.subscriber_at(remote)
        return None if subscriber is None else subscriber.address

    def spells(self, text: str, subscriber: Address) -> bool:
        """Whether an address of a PDU is this subscriber's, however it is written."""
        found = self._numbers.normalise(text)
        return isinstance(found, Normalised) and found.address == subscriber

    def _lies_in_gateways(self, remote: str) -> bool:
        try:
            address = ip_address(remote)
        except ValueError:
            return False
        return any(address in network for network in self._gateways)
