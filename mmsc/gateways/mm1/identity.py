"""Who a handset is: the header that an operator's gateway adds, believed only from configured gateways; or its IP
address, of which the settings or somebody at the REST interface say whose it is.

A gateway that adds its header beside one that the handset wrote itself shows two numbers: then nobody knows which of
them is the gateway's, and neither is believed.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from mmsc.domain.address import Address, AddressKind, Normalised
from mmsc.engine.ports import Directory, Numbers
from mmsc.net.forwarded import lies_in, networks_of
from mmsc.net.http import HttpRequest

_REMEMBERED_GATEWAYS: Final = 256
_MAXIMUM_HOPS: Final = 32  # read from the right; a longer way is nobody's
_LONGEST_VALUE: Final = 256  # characters of a header with a number: longer ones are no gateway's
_WRAPPING: Final = re.compile(r'^["\'<\s]*(?:(?:tel|sips?|msisdn):)?|["\'>\s]*$', re.IGNORECASE)
_PARAMETERS: Final = re.compile(r"[@;].*", re.DOTALL)  # a domain, and what RFC 3966 3 puts behind the number
_BRACKETED: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?")
_WITH_PORT: Final = re.compile(r"([0-9.]+):[0-9]+")


class Identities:
    """Finds the subscriber behind an MM1 request."""

    def __init__(
        self,
        numbers: Numbers,
        directory: Directory,
        *,
        headers: Sequence[str],
        gateways: Sequence[str],
        address_headers: Sequence[str] = (),
    ) -> None:
        self._numbers = numbers
        self._directory = directory
        self.believe(headers, gateways, address_headers)

    def believe(self, headers: Sequence[str], gateways: Sequence[str], address_headers: Sequence[str] = ()) -> None:
        """From now on these headers of these gateways: those with a number, and those with the handset's IP address.
        ValueError for what is no network."""
        networks = tuple(gateways)
        networks_of(networks)
        self._headers = tuple(headers)
        self._address_headers = tuple(address_headers)
        self._gateways = networks
        # a few ask all the time
        self._is_gateway = lru_cache(maxsize=_REMEMBERED_GATEWAYS)(lambda remote: lies_in(remote, networks))

    def of(self, request: HttpRequest) -> Address | None:
        """The subscriber's address, None when the request shows none that we believe."""
        headers, remote = request.headers, request.remote
        if self._is_gateway(remote):
            for name in self._headers:
                if name in headers:
                    shown = self._shown(headers.getall(name))
                    if shown:  # two of them: who asks wrote one, and perhaps further headers
                        return shown[0] if len(shown) == 1 else None
            remote = self._client(request)
        subscriber = self._directory.subscriber_at(remote)
        return None if subscriber is None else subscriber.address

    def why_no_subscriber(self, found: Address) -> str:
        """Why who was found is no subscriber of ours; "" when it is one."""
        return self._numbers.why_not_ours(found)

    def run_of(self, subscriber: Address) -> str:
        """The run tag that is configured for a subscriber, "" for none."""
        return self._directory.run_of(subscriber)

    def spells(self, text: str, subscriber: Address) -> bool:
        """Whether an address of a PDU is this subscriber's, however it is written."""
        found = self._numbers.normalise(text)
        return isinstance(found, Normalised) and found.address == subscriber

    def _shown(self, lines: Sequence[str]) -> tuple[Address | None, ...]:
        """The numbers in a header, each once; None for a line that is too long to be looked at."""
        found: dict[Address | None, None] = {}
        for line in lines:
            if len(line) > _LONGEST_VALUE:
                return (None, None)
            for text in line.split(",") if "," in line else (line,):
                normalised = self._numbers.normalise(_PARAMETERS.sub("", _WRAPPING.sub("", text)))
                if isinstance(normalised, Normalised) and normalised.address.kind is AddressKind.PHONE:
                    found[normalised.address] = None
        return tuple(found)

    def _client(self, request: HttpRequest) -> str:
        """The handset's IP address as its gateways tell it: the first hop from the right that is none of them. "" where
        they tell something that is no address."""
        for name in self._address_headers:
            if name in request.headers:
                hops = ",".join(request.headers.getall(name)).split(",")
                return self._first_outside(hops[-_MAXIMUM_HOPS:])
        return request.remote

    def _first_outside(self, hops: Sequence[str]) -> str:
        hop = ""
        for hop in reversed([_bare(one) for one in hops]):
            if not lies_in(hop, self._gateways):
                return hop
        return hop


def _bare(hop: str) -> str:
    """An address without its port, brackets and quotes; "" for what is too long for one, as it would be remembered."""
    text = hop.strip().strip('"')
    if len(text) > _LONGEST_VALUE:
        return ""
    found = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    return text if found is None else found[1]
