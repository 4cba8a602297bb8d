"""The engine's port for IP addresses that are a subscriber's: what REST may ask."""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Protocol

from mmsc.domain.address import Address


class Assigning(Enum):
    """What came of an address that was to be a subscriber's."""

    NEW = auto()
    CHANGED = auto()
    RELEASED = auto()
    UNKNOWN = auto()  # it was nobody's
    FULL = auto()  # as many are there as are kept
    STORE_AWAY = auto()  # nothing was done


class AddressBook(Protocol):
    """Whose requests come from which IP address or network, as it was assigned while the server runs. Networks are in
    their one spelling (`domain.networks`)."""

    def number_of(self, network: str) -> Address | None:
        """Whose it is; None when it was not assigned."""
        ...

    def listed(self, after: str, limit: int) -> Sequence[tuple[str, Address]]:
        """(network, number), sorted, at most `limit`, those behind `after`."""
        ...

    async def assign(self, network: str, number: Address) -> Assigning:
        """It is this subscriber's from now on: NEW, CHANGED (after the commit), FULL or STORE_AWAY."""
        ...

    async def release(self, network: str) -> Assigning:
        """It is nobody's from now on: RELEASED (after the commit), UNKNOWN or STORE_AWAY."""
        ...
