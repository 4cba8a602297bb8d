"""One database in memory for all nodes of a story, and the store that a node has of it.

A crash is a copy of what is committed at that moment (`Connection.serialize`) and a new connection on the copy.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

from mmsc.store.committer import Result, count
from mmsc.store.core import Lost, Row, SqlValue, StoreBusy, StoreUnavailable, Unit
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from tests.simulation.chance import Chance
from tests.simulation.watch import Watch

_OUTAGE_SECONDS: Final = 8.0  # the longest: leases and heartbeats outlive it


class Database:
    """What outlives every process."""

    def __init__(self, watch: Watch, wall: Callable[[], int]) -> None:
        self.watch = watch
        self._wall = wall
        self.stores: list[SharedStore] = []
        self._watched = False
        self.connection = self._connected(None)

    def _connected(self, image: bytes | None) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512)
        connection.create_function("real_now", 0, self._wall)
        if image is not None:
            connection.deserialize(image)
            self.watch.over(connection)
        return connection

    def opened(self) -> None:
        """The schema is there."""
        if not self._watched:
            self._watched = True
            self.watch.over(self.connection)

    def reload(self) -> None:
        """Only what is committed is left."""
        before = self.connection
        self.connection = self._connected(before.serialize())
        before.close()
        for store in self.stores:
            store.moved()


class SharedStore(SqliteStore):
    """A node's store on the database of all; it fails as the story wants. `on_commit` is called after each commit,
    before anybody hears of it: who dies there leaves a durable unit that nobody was told about."""

    def __init__(
        self,
        database: Database,
        chance: Chance,
        real: Callable[[], int],
        on_commit: Callable[[], None],
        *,
        faulty: bool,
        shared: bool,
    ) -> None:
        super().__init__(":memory:", SqliteOptions(synchronous="OFF", inline=True), real)
        self._database = database
        self._chance = chance
        self._on_commit = on_commit
        self._faulty = faulty
        self.shared = shared
        self._away_until = -1.0
        self.dead = False

    async def open(self) -> None:
        """As a process that starts on the file."""
        await super().open()
        self._database.opened()
        self._database.stores.append(self)

    def moved(self) -> None:
        """The database is a copy now."""
        if self._writer is not None:
            self._writer = self._database.connection

    def _connect(self, *, reader: bool = False) -> sqlite3.Connection:
        return self._database.connection

    def _let_go(self) -> None:
        self._writer = None  # others go on with it
        if self in self._database.stores:
            self._database.stores.remove(self)

    async def commit(self, unit: Unit) -> list[Row] | Lost:
        """As ever, or busy; of a dead process nothing comes back."""
        if self.dead:
            await _never()
        if self._faulty and self._chance.fault(0.01):
            if unit.otherwise is not None:
                unit.otherwise()
            raise StoreBusy("so many units wait for the store")
        return await super().commit(unit)

    async def fetch(self, sql: str, *params: SqlValue) -> list[Row]:
        """As ever; late, and then what it was before or what it is by then; or not at all."""
        if self.dead:
            await _never()
        if self._faulty and (self._is_away() or self._chance.fault(0.01)):
            raise StoreUnavailable("I/O error")
        if not self._chance.fault(0.1):
            return await super().fetch(sql, *params)
        seconds = self._chance.between(0, 0.5)
        if self._chance.happens(0.5):
            rows = await super().fetch(sql, *params)
            await asyncio.sleep(seconds)
            return rows
        await asyncio.sleep(seconds)
        return await super().fetch(sql, *params)

    def _roll_back(self) -> None:
        super()._roll_back()
        self._database.watch.rolled_back()

    def _is_away(self) -> bool:
        if self._chance.calm:
            self._away_until = -1.0
        assert self._loop is not None
        return self._loop.time() < self._away_until

    def _start_batch(self, units: Sequence[Unit]) -> None:
        if self.dead:
            return
        assert self._loop is not None
        if self._faulty and self._chance.fault(0.01):
            self._away_until = self._loop.time() + self._chance.between(0, _OUTAGE_SECONDS)
        results: list[Result]
        if self._faulty and (self._is_away() or self._chance.fault(0.02)):
            results = [StoreUnavailable("database or disk is full") for _ in units]
        else:
            results = self._write(units)
            count(self.counters, units, results)
            self._on_commit()
        late = self._faulty and self._chance.fault(0.02)  # durable, and nobody hears of it for a while
        self._loop.call_later(self._chance.between(0, 5 if late else 0.02), self._told, results)

    def _told(self, results: Sequence[Result]) -> None:
        if not self.dead:
            self._committer.finish(results)


async def _never() -> None:
    await asyncio.get_running_loop().create_future()
