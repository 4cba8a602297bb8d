"""IP addresses and networks as keys: one spelling of each, and the narrowest network in which an address lies."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Generic, TypeVar

T = TypeVar("T")
Network = IPv4Network | IPv6Network
_REMEMBERED: Final = 1024
_MAPPED_BITS: Final = 96  # RFC 4291 2.5.5.2: ::ffff:0:0/96 holds the IPv4 addresses


@lru_cache(maxsize=_REMEMBERED)
def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """An address in any of its spellings, with or without brackets and zone; an IPv4 address that came over an IPv6
    socket is that IPv4 address (RFC 4291 2.5.5.2). None for what is no address."""
    bare = text.strip().removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        found = ip_address(bare)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def network_of(text: str) -> Network:
    """A network (`2001:db8::/64`), or an address as one that holds it alone. Raises ValueError for what is neither."""
    found = ip_network(text.strip(), strict=False)
    if isinstance(found, IPv6Network) and found.prefixlen >= _MAPPED_BITS:
        inner = found.network_address.ipv4_mapped
        if inner is not None:
            return IPv4Network((inner, found.prefixlen - _MAPPED_BITS))
    return found


def spelled(network: Network) -> str:
    """Its one spelling (RFC 5952): an address stands without its length."""
    alone = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if alone else str(network)


class NetworkTable(Generic[T]):
    """Values by network. Finding one looks once for each length of a network that is there."""

    def __init__(self) -> None:
        self._by_length: dict[tuple[int, int], dict[int, T]] = {}
        self._lengths: dict[int, tuple[int, ...]] = {4: (), 6: ()}

    def put(self, network: Network, value: T) -> None:
        """From now on the addresses of this network have this value, but for narrower ones."""
        self._by_length.setdefault((network.version, network.prefixlen), {})[_bits(network)] = value
        self._sort(network.version)

    def drop(self, network: Network) -> None:
        """From now on they have none of their own."""
        key = (network.version, network.prefixlen)
        values = self._by_length.get(key, {})
        values.pop(_bits(network), None)
        if not values:
            self._by_length.pop(key, None)
            self._sort(network.version)

    def get(self, network: Network) -> T | None:
        """The value of exactly this network, None where it has none."""
        return self._by_length.get((network.version, network.prefixlen), {}).get(_bits(network))

    def clear(self) -> None:
        """Nothing is in it."""
        self._by_length.clear()
        self._lengths = {4: (), 6: ()}

    def find(self, address: IPv4Address | IPv6Address) -> tuple[int, T] | None:
        """(length, value) of the narrowest network with this address."""
        width, number = address.max_prefixlen, int(address)
        for length in self._lengths[address.version]:
            key = number >> (width - length) << (width - length)
            values = self._by_length[address.version, length]
            if key in values:
                return length, values[key]
        return None

    def _sort(self, version: int) -> None:
        lengths = (length for other, length in self._by_length if other == version)
        self._lengths[version] = tuple(sorted(lengths, reverse=True))


def _bits(network: Network) -> int:
    return int(network.network_address)
