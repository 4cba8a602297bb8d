"""Where octets may be sent again. Whoever has the console's token may write any octets; they go to what this server
knows, not to whatever else listens on its machine: its own listeners, the VASPs, peers and SMSCs of the settings file,
`console.replay_targets`, and the hosts of `console.replay_hosts`. Neighbours that people made over the console or REST
are not asked: with the token one could be made at any address.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final, Protocol, TypeVar
from urllib.parse import urlsplit

from mmsc.control.replaying.model import NotAllowed
from mmsc.domain.neighbours import Peer, Smsc, Vasp
from mmsc.domain.networks import address_of
from mmsc.trace.pcapng.addresses import Wire, wire

T = TypeVar("T")
_PORTS: Final = {"http": 80, "https": 443}
_PORT: Final = re.compile(r"(?:^[^:]*|\]):(\d+)\Z")
_MOST: Final = 65535
_LOCALHOST: Final = ("127.0.0.1", "::1")


class Known(Protocol):
    """The neighbours that are set up now."""

    vasps: dict[str, Vasp]
    peers: dict[str, Peer]
    smscs: dict[str, Smsc]


class Targets:
    """Knows them. `places` says where this server listens, `is_of_file` whether the settings name a neighbour (kind,
    name), `more` names `host:port`, `may_call` hosts with all their ports."""

    def __init__(
        self,
        places: Callable[[], Mapping[str, str]],
        known: Known,
        is_of_file: Callable[[str, str], bool],
        more: Sequence[str],
        may_call: Callable[[str], bool],
    ) -> None:
        self._places = places
        self._known = known
        self._is_of_file = is_of_file
        self._more = tuple(map(wire, more))
        self._may_call = may_call

    def check(self, host: str, port: int) -> None:
        """Raises NotAllowed for what is none of them."""
        if self._may_call(host):
            return
        asked = {(name, port) for name in _names(host)}
        if not any((name, place.port) in asked for place in self._all() for name in _names(place.host)):
            raise NotAllowed(
                f"{host}:{port} is no listener of this server, no VASP, peer or SMSC of its settings file, and in "
                "neither console.replay_targets nor console.replay_hosts"
            )

    def _all(self) -> Iterator[Wire]:
        for place in self._places().values():
            yield wire(place.rpartition("//")[2].partition("/")[0])
        for vasp in self._fixed("vasp", self._known.vasps):
            for url in filter(None, (vasp.report_url, vasp.deliver_url)):
                parts = urlsplit(url)
                with suppress(ValueError):  # a port that is none: nobody is reached there
                    yield Wire(parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0))
        yield from (Wire(peer.host, peer.port) for peer in self._fixed("peer", self._known.peers))
        yield from (Wire(smsc.host, smsc.port) for smsc in self._fixed("smsc", self._known.smscs))
        yield from self._more

    def _fixed(self, kind: str, known: Mapping[str, T]) -> Iterator[T]:
        return (one for name, one in known.items() if self._is_of_file(kind, name))


def target_of(target: str, port: int) -> Wire:
    """A target as a person writes it, `host:port` or a host alone, which is asked at `port`. Raises ValueError."""
    asked = target.strip()
    named = _PORT.search(asked)
    if named is not None and not 0 < int(named[1]) <= _MOST:
        raise ValueError(f"{asked[:300]}: a port is a number from 1 to {_MOST}")
    found = wire(asked)
    return found if found.port else Wire(found.host, port)


def _names(host: str) -> tuple[str, ...]:
    """A host as it is compared: `localhost` is both its addresses, and so is who listens at all addresses."""
    address = address_of(host)
    if host.lower() == "localhost" or (address is not None and address.is_unspecified):
        return _LOCALHOST
    return (host.lower() if address is None else str(address),)
