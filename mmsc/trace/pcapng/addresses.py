"""Who is where in a capture file.

Addresses and ports are those that were captured, with exceptions that a comment tells. On loopback all neighbours
share an address, so that no analyser could tell them apart: each gets one of 127/8 for itself. A neighbour of whom only
the host name is known gets one of 198.18/15, which is nobody's (RFC 2544 C.2.2). Servers are shown at ports by which
analysers know their protocol.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

from mmsc.trace.captures import CaptureRecord
from mmsc.trace.pcapng.packets import Place

US: Final = "mmsc"
_OURS: Final = IPv4Address("127.0.0.1")
_OURS_ELSEWHERE: Final = IPv4Address("198.18.0.1")
_FIRST_ON_LOOPBACK: Final = int(IPv4Address("127.0.1.1"))
_FIRST_BY_NAME: Final = int(IPv4Address("198.18.1.1"))
_MOST_INVENTED: Final = 60_000  # beyond it neighbours share one: the networks are not endless
_HTTP: Final = frozenset({80, 3128, 8080, 8088, 11371})  # what Wireshark reads as HTTP without being told to
_SHOWN: Final = {"mm7": 80, "mm1": 8080, "weblink": 8088, "mm4": 25, "mm3": 25, "smpp": 2775}
_OTHER: Final = 80
_FIRST_CLIENT_PORT: Final = 49_152  # RFC 6335 6: dynamic ports


class Wire(NamedTuple):
    """`host:port` taken apart; port 0: unknown."""

    host: str
    port: int


class Who(NamedTuple):
    """Both ends of one capture as they are shown, and what there is to say about them."""

    client: Place
    server: Place
    remarks: tuple[str, ...]


def wire(text: str) -> Wire:
    """Take `host:port`, `[v6]:port`, or a bare host apart."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or (":" in host and not host.startswith("[")):
        host, port = text, "0"
    return Wire(host.strip("[]"), int(port) & 0xFFFF)


class Addresses:
    """Gives everybody an address, the same one again for the same neighbour; `new_names` hands out the names since it
    was last asked."""

    def __init__(self) -> None:
        self._on_loopback: dict[str, IPv4Address] = {}
        self._by_name: dict[str, IPv4Address] = {}
        self._names: dict[IPv4Address | IPv6Address, list[str]] = {}
        self._told: set[tuple[IPv4Address | IPv6Address, str]] = set()

    def who(self, record: CaptureRecord, neighbour: str, *, we_serve: bool) -> Who:
        """The ends of a capture; `neighbour` is the name of the remote one, as far as it is known."""
        local, remote = wire(record.local), wire(record.remote)
        theirs = self._theirs(remote.host, neighbour or _nameless(record, we_serve=we_serve))
        ours = self._ours(local.host, theirs)
        server, client = (local, remote) if we_serve else (remote, local)
        shown = _shown_port(record.interface, server.port)
        client_port = client.port or _FIRST_CLIENT_PORT + record.exchange % 16_384
        pair = _one_family(ours, theirs)
        at_server, at_client = pair if we_serve else (pair[1], pair[0])
        self._note(pair[0], US)
        self._note(pair[1], neighbour)
        remarks = []
        if str(theirs) != remote.host or (server.port and server.port != shown):
            remarks.append(f"on the wire: {record.remote or 'unknown'} and {record.local or 'our own address'}")
        return Who(Place(at_client, client_port), Place(at_server, shown), tuple(remarks))

    def new_names(self) -> dict[IPv4Address | IPv6Address, list[str]]:
        """What was not told yet."""
        new, self._names = self._names, {}
        return new

    def _theirs(self, host: str, name: str) -> IPv4Address | IPv6Address:
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            found = _invented(self._by_name, host, _FIRST_BY_NAME)
            self._note(found, host)
            return found
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return _invented(self._on_loopback, name, _FIRST_ON_LOOPBACK) if address.is_loopback else address

    @staticmethod
    def _ours(host: str, theirs: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return _OURS if theirs.is_loopback else _OURS_ELSEWHERE
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if address.is_unspecified:
            return _OURS if theirs.is_loopback else _OURS_ELSEWHERE
        return _OURS if address.is_loopback else address

    def _note(self, address: IPv4Address | IPv6Address, name: str) -> None:
        if name and (address, name) not in self._told:
            self._told.add((address, name))
            self._names.setdefault(address, []).append(name)


def _nameless(record: CaptureRecord, *, we_serve: bool) -> str:
    return f"{record.interface} {'client' if we_serve else 'server'}"


def _invented(known: dict[str, IPv4Address], name: str, first: int) -> IPv4Address:
    if name not in known and len(known) < _MOST_INVENTED:
        known[name] = IPv4Address(first + len(known))
    return known.get(name) or IPv4Address(first + _MOST_INVENTED)


def _shown_port(interface: str, port: int) -> int:
    usual = _SHOWN.get(interface, _OTHER)
    return port if port in _HTTP and usual in _HTTP else usual


def _one_family(
    ours: IPv4Address | IPv6Address, theirs: IPv4Address | IPv6Address
) -> tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]:
    """One of them is made up where the families differ: it goes with the other."""
    if ours.version == theirs.version:
        return ours, theirs
    return _as_six(ours), _as_six(theirs)


def _as_six(address: IPv4Address | IPv6Address) -> IPv6Address:
    return address if isinstance(address, IPv6Address) else IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)
