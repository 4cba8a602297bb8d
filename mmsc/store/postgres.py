"""The shared store: PostgreSQL, many nodes on one database. The same units, the same SQL text.

One connection commits batches (`postgres_writer.py`), one listens, a pool reads; each is made anew when it is lost.
While the connection is away units fail with `StoreUnavailable`. A batch whose COMMIT was not answered is told to
nobody until the database is back and says what became of it: it is neither lost nor done twice.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import asyncpg

from mmsc.store import postgres_schema
from mmsc.store import postgres_text as text
from mmsc.store.committer import MAXIMUM_BATCH, MAXIMUM_QUEUE, Committer, Result, Waiting, count
from mmsc.store.core import (
    NO_TURNS,
    Counters,
    Gauges,
    Lost,
    Room,
    Row,
    SqlValue,
    StoreBusy,
    StoreEnded,
    StoreRefused,
    StoreUnavailable,
    Turn,
    Unit,
    claim_order,
)
from mmsc.store.postgres_place import place_of
from mmsc.store.postgres_writer import DISK, GONE, IN_THE_WAY, OutcomeUnknown, Writer
from mmsc.store.vitals import Vitals
from protocols.records import record

_log: Final = logging.getLogger(__name__)
_READERS: Final = 4
_CONNECT_SECONDS: Final = 10.0
_COMMAND_SECONDS: Final = 15.0  # longer than any statement of ours; a peer that vanished is noticed after it
_PING_SECONDS: Final = 5.0  # how often the listener, which has nothing to say, asks whether it is still heard
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 10.0
_TRIES: Final = 5  # of a batch that another node is in the way of
_STATEMENTS: Final = 512  # prepared statements kept on a connection
# The server ends what a node left open that vanished (10 + 3 x 5 s) or was stopped in the middle of a batch, and frees
# its locks: others wait for them.
_NOBODY_HOLDS_LOCKS: Final = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "5000",
}
_AWAY: Final = (*GONE, asyncpg.InterfaceError, asyncpg.PostgresError)


@record(frozen=True, slots=True)
class _Doubt:
    """A batch whose COMMIT was not answered: what its units are told in either case, and who waits."""

    unknown: OutcomeUnknown
    units: Sequence[Unit]
    if_committed: list[Result]
    if_not: list[Result]
    waiting: Sequence[Waiting] = ()


class PostgresStore:
    """Implements `core.Store`. `schema` is where the tables are; several starters make it safely."""

    def __init__(self, dsn: str, *, schema: str = "mmsc", commit_delay: float = 0.0) -> None:
        """`dsn` may name several hosts (`postgresql://one,two/mmsc`): the one that takes writes is used.
        `commit_delay`: seconds before each COMMIT is answered, to see how a slow disk behaves."""
        if not re.fullmatch(r"[a-z_][a-z0-9_]*", schema):
            raise StoreRefused(f"{schema!r} is no schema name")
        self._dsn = dsn
        self._commit_delay = commit_delay
        self._schema = schema
        self._channel = f"{schema}_wake"
        self.counters = Counters()
        self.name = schema
        self.shared = True
        self._committer = Committer(self._start_batch, self.counters, time.monotonic_ns)
        self._writer = Writer(lambda: self._connect(), self._channel)
        self._listener: asyncpg.Connection[Any] | None = None
        self._readers: asyncpg.Pool[Any] | None = None
        self._batches: asyncio.Queue[Sequence[Unit]] = asyncio.Queue()
        self._doubt: _Doubt | None = None
        self._working: list[asyncio.Task[None]] = []
        self._vitals = Vitals()
        self.ended = self._vitals.ended
        self._on_wake: list[Callable[[str], None]] = []

    @property
    def available(self) -> bool:
        """Whether commits are taken at the moment."""
        return self._committer.available

    def gauges(self) -> Gauges:
        """How it stands now."""
        pool = self._readers
        return Gauges(
            waiting_units=self._committer.waiting,
            connections=pool.get_size() if pool is not None else 0,
            idle_connections=pool.get_idle_size() if pool is not None else 0,
        )

    async def open(self) -> None:
        """Connect; make the schema or check it. Raises `StoreRefused`."""
        try:
            connection = await self._writer.open()
            await postgres_schema.check(connection, self._schema)
            await self._writer.enter()
            await postgres_schema.warn(connection)
            # Whoever reads connects: a pool that keeps one up logs a traceback for each try while the server is away.
            self._readers = await asyncpg.create_pool(self._dsn, min_size=0, max_size=_READERS, **self._options())
            await self._listen()
        except _AWAY as error:
            await self._let_go()
            raise StoreRefused(f"PostgreSQL at {place_of(self._dsn)}: {error}") from error
        except StoreRefused:
            await self._let_go()
            raise
        self._working = [
            asyncio.create_task(self._work(), name="store"),
            asyncio.create_task(self._keep_listening(), name="store listener"),
        ]
        self._vitals.watch(self._working[0], "the writer", self._writer_ended)
        self._vitals.watch(self._working[1], "the listener")  # commits go on: leases can be handed back

    async def close(self) -> None:
        """Finish what is queued, then let go."""
        await self._committer.drain()
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        self._settle(committed=False)  # during an outage: nobody can say what became of it
        await self._let_go()

    async def commit(self, unit: Unit) -> list[Row] | Lost:
        """The guard's rows once the unit is durable ([] without a guard), or `LOST`."""
        return await self._committer.commit(unit)

    def obstruct(self, obstacle: Callable[[], float | None] | None) -> None:
        """The lab is asked before each batch of commits."""
        self._committer.obstacle = obstacle

    async def fetch(self, sql: str, *params: SqlValue) -> list[Row]:
        """Rows of a query."""
        self.counters.reads += 1
        return await self._read(sql, *params)

    async def fetch_one(self, sql: str, *params: SqlValue) -> Row | None:
        """The first row of a query, None when there is none."""
        rows = await self.fetch(sql, *params)
        return rows[0] if rows else None

    async def claim(
        self,
        lanes: Sequence[tuple[str, int]],
        *,
        node: str,
        start: int,
        now: int,
        lease_seconds: float,
        turns: Mapping[str, Turn] = NO_TURNS,
    ) -> list[Row]:
        """Lease due tasks, at most n per lane, owners in turn. Leases run on the database's clock."""
        names, seats = [lane for lane, _ in lanes], [number for _, number in lanes]
        begin = [turns.get(lane) or Turn() for lane in names]
        after, signs = [turn.after for turn in begin], [-1 if turn.lowest_first else 1 for turn in begin]
        lease = round(lease_seconds * 1_000_000)
        rows = await self._read(text.CLAIM, names, seats, node, start, now, lease, after, signs)
        return sorted(rows, key=claim_order)

    async def room(self) -> Room:
        """How many octets the bodies take; the disk is the database's."""
        rows = await self._read("SELECT coalesce(sum(length(body)), 0)::bigint FROM content")
        used = rows[0][0]
        assert isinstance(used, int)
        return Room(used=used)

    async def give_back(self, octets: int) -> bool:
        """Autovacuum does it."""
        return False

    def on_wake(self, callback: Callable[[str], None]) -> None:
        """Call `callback` when another node made work, or may have while we were cut off."""
        self._on_wake.append(callback)

    async def _read(self, sql: str, *params: object) -> list[Row]:
        readers = self._readers
        if readers is None:
            raise StoreUnavailable("the store is closed")
        try:
            reader = await readers.acquire()
        except _AWAY as error:  # whatever a server says to one who wants to connect is about the server
            raise StoreUnavailable(f"PostgreSQL: {error}") from error
        try:
            try:
                return [tuple(row) for row in await reader.fetch(text.native(sql), *params)]
            finally:
                await readers.release(reader)
        except (*GONE, *DISK) as error:
            raise StoreUnavailable(f"PostgreSQL: {error}") from error
        except IN_THE_WAY as error:
            raise StoreBusy(f"PostgreSQL: {error}") from error

    # --- connections ---

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "timeout": _CONNECT_SECONDS,
            "command_timeout": _COMMAND_SECONDS,
            "statement_cache_size": _STATEMENTS,
            # Without jit: where nothing is known of a table yet, compiling a query for a few rows takes a second.
            "server_settings": {"search_path": self._schema, "application_name": "mmsc", "jit": "off"}
            | _NOBODY_HOLDS_LOCKS,
        }
        if "target_session_attrs" not in self._dsn:
            options["target_session_attrs"] = "primary"
        return options

    async def _connect(self) -> "asyncpg.Connection[Any]":
        connection: asyncpg.Connection[Any] = await asyncpg.connect(self._dsn, **self._options())
        return connection

    async def _let_go(self) -> None:
        await self._writer.close()
        listener, self._listener = self._listener, None
        if listener is not None and not listener.is_closed():
            listener.terminate()
        readers, self._readers = self._readers, None
        if readers is not None:
            try:
                async with asyncio.timeout(_PING_SECONDS):
                    await readers.close()
            except (*_AWAY, TimeoutError):
                readers.terminate()

    async def _listen(self) -> None:
        listener = await self._connect()
        try:
            await listener.add_listener(self._channel, self._woken)
        except BaseException:
            listener.terminate()
            raise
        self._listener = listener

    async def _keep_listening(self) -> None:
        """Until cancelled. Who was cut off may have missed a notice: then any lane may have work."""
        while True:
            listener = self._listener
            try:
                if listener is None or listener.is_closed():
                    await self._listen()
                    if not self._writer.is_cut:
                        self._wake([""])
                elif not await _ends_within(listener, _PING_SECONDS):
                    await listener.execute("SELECT 1", timeout=_PING_SECONDS)
            except _AWAY:
                if listener is not None:
                    listener.terminate()
                await asyncio.sleep(_FIRST_PAUSE)

    def _woken(self, connection: object, process: int, channel: str, payload: object) -> None:
        mine = self._writer.connection
        if mine is not None and not mine.is_closed() and process == mine.get_server_pid():
            return  # our own units tell our own engine
        self._wake(str(payload).split("\n"))

    def _wake(self, lanes: Sequence[str]) -> None:
        for callback in self._on_wake:
            for lane in lanes:
                callback(lane)

    # --- the writer ---

    def _writer_ended(self, why: StoreEnded) -> None:
        self._settle(committed=False)
        self._committer.end(why)

    def _start_batch(self, units: Sequence[Unit]) -> None:
        self._batches.put_nowait(units)

    async def _work(self) -> None:
        while True:
            units = await self._batches.get()
            outcome = await self._write(units)
            if self._commit_delay:
                await asyncio.sleep(self._commit_delay)
            if isinstance(outcome, _Doubt):
                self._doubt = replace(outcome, waiting=self._committer.set_aside())
            else:
                count(self.counters, units, outcome)
                self._committer.finish(outcome)
            if self._writer.is_cut:
                await self._reconnect()

    async def _reconnect(self) -> None:
        """Until the database is back. Each attempt that fails is the answer to what queued before it: nobody waits
        for the whole of an outage, and the server can stop during one."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._writer.open()
                if self._doubt is not None:
                    self._settle(committed=await self._writer.was_committed(self._doubt.unknown))
                await self._writer.enter()
                if self._readers is not None:
                    await self._readers.expire_connections()  # a fail-over leaves some that nobody will ever answer
            except _AWAY as error:
                self._writer.drop()
                _log.warning("PostgreSQL at %s is away: %s", place_of(self._dsn), error)
                await self._refuse_waiting(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            self._committer.recovered()
            self._wake([""])
            return

    def _settle(self, *, committed: bool) -> None:
        """Tell the units of a doubtful batch what became of them."""
        doubt, self._doubt = self._doubt, None
        if doubt is not None:
            results = doubt.if_committed if committed else doubt.if_not
            count(self.counters, doubt.units, results)
            self._committer.settle(doubt.waiting, results)

    async def _refuse_waiting(self, error: BaseException) -> None:
        """Batch after batch, as many as a full queue makes: who asks again at once has to wait."""
        for _ in range(MAXIMUM_QUEUE // MAXIMUM_BATCH + 1):
            await asyncio.sleep(0)  # the committer begins the next one
            if self._batches.empty():
                return
            units = self._batches.get_nowait()
            self._committer.finish(_unavailable(error, len(units)))

    async def _write(self, units: Sequence[Unit]) -> "list[Result] | _Doubt":
        """A batch; unit by unit when one of them cannot be carried out."""
        found = await self._attempt(units)
        if found is not None:
            return found
        results: list[Result] = []
        for number, unit in enumerate(units, 1):
            one = await self._attempt((unit,))
            assert one is not None, "a unit alone has its own outcome"
            if isinstance(one, _Doubt):
                rest = _unavailable(one.unknown, len(units) - number)
                return _Doubt(one.unknown, units, [*results, *one.if_committed, *rest], [*results, *one.if_not, *rest])
            results += one
        return results

    async def _attempt(self, units: Sequence[Unit]) -> "list[Result] | _Doubt | None":
        """One transaction, again when another node was in the way; None when a unit spoils it for the others."""
        for _ in range(_TRIES):
            try:
                return await self._writer.transaction(units)
            except OutcomeUnknown as unknown:
                return _Doubt(unknown, units, unknown.results, _unavailable(unknown, len(units)))
            except IN_THE_WAY as error:
                busy = error
            except Exception as error:  # not PostgreSQL's alone: asyncpg refuses a value before it sends it
                if isinstance(error, GONE) or self._writer.is_cut:
                    self._writer.drop()
                    return _unavailable(error, len(units))
                if isinstance(error, DISK):
                    return _unavailable(error, len(units))
                return [error] if len(units) == 1 else None
        return [StoreBusy(f"other nodes were in the way {_TRIES} times: {busy}") for _ in units]


def _unavailable(error: BaseException, units: int) -> list[Result]:
    return [StoreUnavailable(f"PostgreSQL: {error}") for _ in range(units)]


async def _ends_within(connection: "asyncpg.Connection[Any]", seconds: float) -> bool:
    """Whether a connection is closed before that many seconds are over."""
    ended = asyncio.Event()

    def end(_: object) -> None:
        ended.set()

    connection.add_termination_listener(end)
    try:
        if not connection.is_closed():
            async with asyncio.timeout(seconds):
                await ended.wait()
    except TimeoutError:
        return False
    finally:
        connection.remove_termination_listener(end)
    return True
