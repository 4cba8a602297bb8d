"""Which subscriber has which IP address, as somebody from outside says while the server runs: for labs without a
gateway that adds the number to each request.

It is stored before it counts; the other nodes of a database are told, and read it anew.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from mmsc.clock import Clock
from mmsc.domain.address import Address
from mmsc.domain.networks import NetworkTable, address_of, network_of
from mmsc.engine.address_ports import Assigning
from mmsc.engine.pause import real_pause
from mmsc.store import neighbours as sql
from mmsc.store.core import Lost, Statement, Store, StoreBusy, StoreUnavailable, Unit

MAXIMUM_ASSIGNED: Final = 100_000  # addresses and networks: some 30 MB of memory
_KIND: Final = "identity"  # in the table of neighbours
_PATIENCE_SECONDS: Final = 1.0


class Assigned:
    """Implements `address_ports.AddressBook`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._numbers: dict[str, Address] = {}
        self._table: NetworkTable[Address] = NetworkTable()
        self._changes = 0  # of this node: what was read before one of them is old
        self._stale = asyncio.Event()

    async def load(self) -> None:
        """Read what is stored. Raises StoreUnavailable and StoreBusy, and then nothing changed here."""
        changes, rows = -1, []
        while changes != self._changes:
            changes = self._changes
            rows = [
                (str(name), _address(str(data)))
                for kind, name, _, data in await sql.all_of(self._store)
                if kind == _KIND
            ]
        self._refill(rows)

    def changed_elsewhere(self) -> None:
        """Another node changed something, or perhaps did: `run` reads it anew."""
        self._stale.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self.load()
            except (StoreBusy, StoreUnavailable):
                self._stale.set()
                await real_pause(_PATIENCE_SECONDS)

    def find(self, ip: str) -> tuple[int, Address] | None:
        """(length of its network, number) of an address, None when it is nobody's."""
        if not self._numbers:
            return None
        address = address_of(ip)
        return None if address is None else self._table.find(address)

    def number_of(self, network: str) -> Address | None:
        """Whose exactly this network is, as it was assigned."""
        return self._numbers.get(network)

    def listed(self, after: str, limit: int) -> list[tuple[str, Address]]:
        """(network, number), sorted, at most `limit`, those that come after `after`."""
        names = sorted(name for name in self._numbers if name > after)[:limit]
        return [(name, self._numbers[name]) for name in names]

    async def assign(self, network: str, number: Address) -> Assigning:
        """From now on requests from there are this subscriber's; returns after the commit. `network` in its one
        spelling (`domain.networks.spelled`)."""
        known = network in self._numbers
        if not known and len(self._numbers) >= MAXIMUM_ASSIGNED:
            return Assigning.FULL
        data = msgspec.json.encode({"number": number.value}).decode()
        statement = sql.assign(_KIND, network, data, self._clock.real_now())

        def then() -> None:
            self._changes += 1
            self._numbers[network] = number
            self._table.put(network_of(network), number)

        return await self._commit(statement, then, Assigning.CHANGED if known else Assigning.NEW)

    async def release(self, network: str) -> Assigning:
        """From now on they are nobody's; returns after the commit."""

        def then() -> None:
            self._changes += 1
            self._numbers.pop(network, None)
            self._table.drop(network_of(network))

        return await self._commit(sql.release(_KIND, network), then, Assigning.RELEASED)

    async def _commit(self, statement: Statement, then: Callable[[], None], done: Assigning) -> Assigning:
        try:
            outcome = await self._store.commit(Unit(statement, (), then))
        except (StoreBusy, StoreUnavailable):
            return Assigning.STORE_AWAY
        return Assigning.UNKNOWN if isinstance(outcome, Lost) else done

    def _refill(self, rows: Iterable[tuple[str, Address]]) -> None:
        self._numbers = dict(rows)
        self._table.clear()
        for network, number in self._numbers.items():
            self._table.put(network_of(network), number)


def _address(data: str) -> Address:
    return Address.of(msgspec.json.decode(data, type=dict[str, str])["number"])
