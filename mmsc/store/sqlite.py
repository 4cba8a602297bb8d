"""The embedded store: one file, one process, one writer thread that commits whole batches.

WAL and `synchronous=FULL`: what `commit` answered survives a power cut. The writer owns its connection; readers have
their own, see only what is committed, and are cut off when a query takes too long.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from mmsc.store import checkpoint, schema, space
from mmsc.store.checkpoint import Checkpointer
from mmsc.store.committer import Committer, Result, count
from mmsc.store.core import (
    LOST,
    NO_TURNS,
    Counters,
    Gauges,
    Lost,
    Room,
    Row,
    SqlValue,
    Statement,
    StoreRefused,
    StoreUnavailable,
    Turn,
    Unit,
    claim_order,
)
from mmsc.store.sqlite_errors import is_disk
from mmsc.store.sqlite_file import APPLICATION_ID, FileLock, check_log, check_schema, inspect, make_private
from mmsc.store.sqlite_readers import Readers
from mmsc.store.sqlite_rows import apply
from mmsc.store.sqlite_text import CLAIM, numbered
from mmsc.store.vitals import Vitals
from protocols.records import record

PAGE_SIZE: Final = 4096  # a random index entry costs a page in the log: 52 KB a message, against 61 with 8192
LOG_OCTETS: Final = 64 << 20  # what the log's file keeps when it begins anew; a longer one is cut
_BUSY_MILLISECONDS: Final = 5000  # how long the writer's thread waits for a stranger who writes to our file
_TYPES: Final = {"id": "INTEGER", "blob": "BLOB", "bigint": "INTEGER", "then_id": ""}


@record(frozen=True, slots=True, kw_only=True)
class SqliteOptions:
    """`synchronous` OFF is for tests; `inline` runs everything on the caller's thread (simulation); with
    `checkpoint_pages` 0 the log only grows (to measure it)."""

    synchronous: str = "FULL"
    page_size: int = PAGE_SIZE
    inline: bool = False
    commit_delay: float = 0.0  # seconds before each COMMIT, to see how a slow disk behaves
    checkpoint_pages: int = checkpoint.PAGES


def _host_micros() -> int:
    return time.time_ns() // 1000


class SqliteStore:
    """Implements `core.Store` on a file (or `:memory:`, inline)."""

    def __init__(self, path: str, options: SqliteOptions | None = None, real: Callable[[], int] = _host_micros) -> None:
        """`real` is the clock of the leases: microseconds UTC."""
        self._path = path
        self._real = real
        self._options = options or SqliteOptions()
        self.counters = Counters()
        self.name = path
        self.shared = False
        self._committer = Committer(self._start_batch, self.counters, time.monotonic_ns)
        self._lock = FileLock(path)
        self._batches: queue.SimpleQueue[tuple[Sequence[Unit], list[Result] | None] | None] = queue.SimpleQueue()
        self._writing: threading.Thread | None = None
        self._written = asyncio.Event()  # the writer ended
        self._vitals = Vitals()
        self.ended = self._vitals.ended
        self._readers = Readers(lambda: self._connect(reader=True), self._vitals)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer: sqlite3.Connection | None = None
        self._distrusted = False  # the log: a write or a sync of it failed
        self._checkpointer: Checkpointer | None = None

    @property
    def available(self) -> bool:
        """Whether commits are taken at the moment."""
        return self._committer.available

    def gauges(self) -> Gauges:
        """How it stands now."""
        return space.gauges(self._path, self._committer.waiting)

    async def open(self) -> None:
        """Make the file or check it. Raises `StoreRefused`."""
        self._loop = asyncio.get_running_loop()
        in_memory = self._path == ":memory:"
        try:
            if not in_memory:
                Path(self._path).parent.mkdir(parents=True, exist_ok=True)
                if not self._lock.is_there:
                    inspect(self._path)  # beside what is not ours no lock file is left either
                self._lock.take()
                inspect(self._path)
                check_log(self._path, self._lock)
                check_schema(self._path)
                make_private(self._path)
            self._writer = self._connect()
            self._check_schema(self._writer)
            self._writer.execute("PRAGMA busy_timeout = 0")  # on the event loop nobody waits
            if not in_memory:
                self._lock.opened()
        except (OSError, sqlite3.Error) as error:
            self._let_go()
            raise StoreRefused(f"{self._path} cannot be opened: {error}") from error
        except BaseException:
            self._let_go()
            raise
        if not self._options.inline:
            if self._options.checkpoint_pages:
                self._checkpointer = Checkpointer(
                    self._path, lambda: self._settle(self._connect()), self._options.checkpoint_pages
                )
                self._checkpointer.start()
            self._writing = threading.Thread(target=self._write_loop, name="store-writer", daemon=True)
            self._writing.start()
            self._readers.start()

    async def close(self) -> None:
        """Finish what is queued, then let go."""
        await self._committer.drain()
        self._batches.put(None)
        if self._writing is not None:
            await self._written.wait()  # a stop that is late leaves the thread behind, and the process need not join it
            self._writing = None
        await self._readers.stop()
        if self._checkpointer is not None:
            await asyncio.to_thread(self._checkpointer.stop)
            self._checkpointer = None
        if self._path != ":memory:":
            self._lock.closing()
        self._let_go()

    def commit(self, unit: Unit) -> Coroutine[Any, Any, list[Row] | Lost]:
        """The guard's rows once the unit is durable ([] without a guard), or `LOST`."""
        return self._committer.commit(unit)

    def obstruct(self, obstacle: Callable[[], float | None] | None) -> None:
        """The lab is asked before each batch of commits."""
        self._committer.obstacle = obstacle

    async def fetch(self, sql: str, *params: SqlValue) -> list[Row]:
        """Rows of a query; at most `sqlite_readers.QUERY_SECONDS`."""
        self.counters.reads += 1
        if self._writer is None:
            raise StoreUnavailable("the store is closed")
        if self._options.inline:
            return self._writer.execute(numbered(sql), params).fetchall()
        return await self._readers.fetch(sql, params)

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
        """Lease due tasks, at most n per lane, owners in turn. All lanes go into one batch."""
        real_now = self._real()
        lease_until = real_now + round(lease_seconds * 1_000_000)
        guards: list[Statement] = []
        for lane, seats in lanes:
            turn = turns.get(lane) or Turn()
            sign = -1 if turn.lowest_first else 1
            params = (lane, seats, node, start, lease_until, now, real_now, turn.after, sign)
            guards.append(Statement(CLAIM, params))
        claimed = await asyncio.gather(*(self.commit(Unit(guard, ())) for guard in guards))
        return [row for rows in claimed if not isinstance(rows, Lost) for row in sorted(rows, key=claim_order)]

    async def room(self) -> Room:
        """How many octets are used, free inside the file, in the log, and free on the disk."""
        return await space.room(self, self._path)

    async def give_back(self, octets: int) -> bool:
        """Return free pages to the file system, in one small unit."""
        await self.commit(space.shorter(octets // self._options.page_size))
        return True

    def on_wake(self, callback: Callable[[str], None]) -> None:
        """One process owns the file: nobody else makes work."""

    # --- the file ---

    def _let_go(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._lock.let_go()

    def _connect(self, *, reader: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=512)
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        connection.execute("PRAGMA cell_size_check = ON")  # a damaged page is an error when it is read, never an answer
        connection.create_function("real_now", 0, self._real)
        if reader:
            connection.execute("PRAGMA query_only = ON")
        return connection

    def _settle(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        connection.execute(f"PRAGMA synchronous = {self._options.synchronous}")
        return connection

    def _check_schema(self, connection: sqlite3.Connection) -> None:
        """`sqlite_file` has judged what is there."""
        if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._make(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("SELECT 1 FROM meta").fetchone()  # a backup comes without a log: this makes it
        connection.execute(f"PRAGMA journal_size_limit = {LOG_OCTETS}")
        connection.execute("PRAGMA secure_delete = FAST")  # ON, as Debian has it, writes every page of a body again
        self._settle(connection)
        pages = self._options.checkpoint_pages if self._options.inline else 0  # else the checkpointer's work
        connection.execute(f"PRAGMA wal_autocheckpoint = {pages}")

    def _make(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA page_size = {self._options.page_size}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in schema.statements(**_TYPES):
            connection.execute(statement)
        connection.execute("INSERT INTO meta (key, value) VALUES ('schema', ?)", (schema.HASH,))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {self._real() & 0x7FFFFFFF}")  # which file this is, see sqlite_file
        connection.execute("COMMIT")

    # --- the writer ---

    def _start_batch(self, units: Sequence[Unit]) -> None:
        """Run the statements here and the COMMIT, which waits for the disk, on the writer's thread. Statements cost
        processor time only; run over there they fight the event loop for the interpreter's lock at every row."""
        assert self._loop is not None
        if self._options.inline:
            results = self._write(units)
            count(self.counters, units, results)
            self._loop.call_soon(self._committer.finish, results)
            return
        try:
            ran = None if self._distrusted else self._run(units)
        except Exception:  # once more over there, where it can be taken apart
            self._roll_back()
            ran = None
        self._batches.put((units, ran))

    def _write_loop(self) -> None:
        died: BaseException | None = None
        try:
            self._write_batches()
        except BaseException as error:  # whatever it is: nobody else would hear of it
            died = error
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._writer_ended, died)

    def _writer_ended(self, error: BaseException | None) -> None:
        self._written.set()
        if error is not None:
            self._committer.end(self._vitals.died("the writer", error))

    def _write_batches(self) -> None:
        assert self._loop is not None
        while (batch := self._batches.get()) is not None:
            units, ran = batch
            if self._options.commit_delay:
                time.sleep(self._options.commit_delay)
            results = self._write(units, ran)
            if self._checkpointer is not None:
                self._checkpointer.committed()
            count(self.counters, units, results)
            self._loop.call_soon_threadsafe(self._committer.finish, results)

    def _write(self, units: Sequence[Unit], ran: list[Result] | None = None) -> list[Result]:
        """Commit what ran, or run it first."""
        assert self._writer is not None
        try:
            if self._distrusted:
                self._begin_log_anew()
            results = self._run_patiently(units) if ran is None else ran
            self._writer.execute("COMMIT")
        except Exception as error:  # not SQLite's alone: a value may have no place in a column, or no encoding
            self._roll_back()
            if is_disk(error):
                self._distrusted = not self._options.inline
                return [StoreUnavailable(str(error)) for _ in units]
            if len(units) == 1:
                return [error]
        else:
            return results
        return [result for unit in units for result in self._write((unit,))]

    def _begin_log_anew(self) -> None:
        """After a failure nothing is written behind what the disk may have lost: what was durable is moved into the
        file and the log emptied, on the writer's thread. Raises what the disk says. A reader may keep the log as it
        is: then the next transaction writes over what failed, as SQLite does, and the one after it tries again."""
        assert self._writer is not None
        busy, *_ = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._distrusted = bool(busy)

    def _run_patiently(self, units: Sequence[Unit]) -> list[Result]:
        """Run the statements where waiting harms nobody: somebody else's program may be writing to our file."""
        assert self._writer is not None
        self._writer.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        try:
            return self._run(units)
        finally:
            self._writer.execute("PRAGMA busy_timeout = 0")

    def _run(self, units: Sequence[Unit]) -> list[Result]:
        writer = self._writer
        assert writer is not None
        results: list[Result] = []
        effects: defaultdict[str, list[tuple[SqlValue, ...]]] = defaultdict(list)
        writer.execute("BEGIN IMMEDIATE")
        for unit in units:
            rows: list[Row] = []
            if unit.guard is not None:
                rows = writer.execute(numbered(unit.guard.sql), unit.guard.params).fetchall()
                if not rows:
                    results.append(LOST)
                    continue
            for effect in unit.effects:
                effects[effect.sql].append(effect.params)
            results.append(rows)
        for sql, many in effects.items():
            apply(writer, numbered(sql), many)
        return results

    def _roll_back(self) -> None:
        assert self._writer is not None
        if self._writer.in_transaction:
            try:
                self._writer.execute("ROLLBACK")
            except sqlite3.Error:
                return  # SQLite rolled back by itself
