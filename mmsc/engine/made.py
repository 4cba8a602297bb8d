"""The neighbours that people make while the server runs: kept in the store beside those of the settings, in force on
all nodes. Who may make which, and what stands against it, is decided by who asks.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from mmsc.clock import Clock
from mmsc.domain.neighbours import Subscriber
from mmsc.engine.directory import Neighbour, Neighbours, key_of
from mmsc.store import setup as sql
from mmsc.store.core import Store

COUNTED_AT_MOST: Final = 10_000
SUBSCRIBER: Final = "subscriber"
_ABOUT_ONE: Final = f"{sql.SETUP}{SUBSCRIBER}:"


class Made:
    """Reads and writes them. Everything raises StoreUnavailable and StoreBusy, and then nothing changed."""

    def __init__(self, store: Store, clock: Clock, neighbours: Callable[[], Neighbours]) -> None:
        """`neighbours` are the engine's, once it has begun."""
        self._store = store
        self._clock = clock
        self._neighbours = neighbours

    async def given(self) -> dict[tuple[str, str], str]:
        """(kind, name) -> the table as it was given (JSON), of VASPs, peers and SMSCs."""
        return {
            (str(kind).removeprefix(sql.GIVEN), str(name)): str(data)
            for kind, name, data in await sql.given(self._store)
        }

    async def put(self, neighbour: Neighbour, given: str) -> bool:
        """Make a VASP, a peer or an SMSC of this table, or change it; False when a settings file has that name."""
        kind, name = key_of(neighbour)
        now = self._clock.real_now()
        data = msgspec.json.encode(neighbour).decode()
        rows = (sql.put(kind, name, data, now), sql.put(sql.GIVEN + kind, name, given, now))
        return await self._neighbours().change(rows, neighbour)

    async def take(self, kind: str, name: str, *, in_force: bool) -> bool:
        """One goes; False when it is not one of these. `in_force`: it is known here under its name."""
        rows = (sql.take(sql.GIVEN + kind, name), sql.take(kind, name))
        return await self._neighbours().change(rows, None, (kind, name) if in_force else None)

    async def put_subscriber(self, subscriber: Subscriber) -> bool:
        """Make a subscriber, or change him; False when a settings file has his number."""
        name = subscriber.address.value
        data = msgspec.json.encode(subscriber).decode()
        row = sql.put(SUBSCRIBER, name, data, self._clock.real_now(), _ABOUT_ONE + name)
        return await self._neighbours().change((row,), subscriber)

    async def take_subscriber(self, number: str) -> bool:
        """He goes, False when he is not one of these. What his handset has shown stays known."""
        row = sql.take(SUBSCRIBER, number, _ABOUT_ONE + number)
        return await self._neighbours().change((row,), None, (SUBSCRIBER, number))

    async def waiting(self, lane: str) -> int:
        """Tasks of a lane that are not done, as far as they are counted."""
        return await sql.waiting(self._store, lane, COUNTED_AT_MOST)

    async def changed_elsewhere(self, wake: str) -> bool:
        """Another node changed one: a subscriber is read anew; True when it was, or may have been, something else."""
        if not wake.startswith(_ABOUT_ONE):
            return True
        number = wake.removeprefix(_ABOUT_ONE)
        row = await sql.one(self._store, SUBSCRIBER, number)
        own = None if row is None else msgspec.json.decode(str(row[1]), type=Subscriber)
        self._neighbours().adopt(own, (SUBSCRIBER, number))
        return False
