"""The floor's own store: group commit on SQLite, as little as makes a step durable."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

# The tables and indexes that the life of an MM touches, as the product's schema had them on 2026-11-24 (without its
# events: they are trace). A copy, so that a slower product cannot lower its own yardstick.
SCHEMA: Final = """
CREATE TABLE content (id INTEGER PRIMARY KEY, content_type TEXT, body BLOB, size INTEGER, parts TEXT);
CREATE TABLE mm (
  id INTEGER PRIMARY KEY, origin TEXT, neighbour TEXT, sender TEXT, repeat_key BLOB, foreign_id TEXT,
  content_id INTEGER, submitted_at INTEGER, deliver_at INTEGER, expires_at INTEGER, priority INTEGER, details TEXT,
  answer TEXT);
CREATE UNIQUE INDEX mm_repeat ON mm (repeat_key);
CREATE TABLE recipient (
  id INTEGER PRIMARY KEY, mm_id INTEGER, address TEXT, role TEXT, route TEXT, target TEXT, state TEXT,
  state_at INTEGER, transaction_id TEXT, token TEXT, link_token TEXT, fetched_at INTEGER, pushes INTEGER, cause TEXT);
CREATE INDEX recipient_mm ON recipient (mm_id);
CREATE UNIQUE INDEX recipient_token ON recipient (token) WHERE token IS NOT NULL;
CREATE UNIQUE INDEX recipient_transaction ON recipient (transaction_id) WHERE transaction_id IS NOT NULL;
CREATE UNIQUE INDEX recipient_link ON recipient (link_token) WHERE link_token IS NOT NULL;
CREATE TABLE task (
  id INTEGER PRIMARY KEY, mm_id INTEGER, recipient_id INTEGER, kind TEXT, lane TEXT, state TEXT, due_at INTEGER,
  expires_at INTEGER, priority INTEGER, attempt INTEGER, node TEXT, start_no INTEGER, lease_until INTEGER,
  payload TEXT);
CREATE INDEX task_ready ON task (lane, priority, due_at) WHERE state = 'ready';
CREATE INDEX task_leased ON task (lane, lease_until) WHERE state = 'leased';
CREATE INDEX task_recipient ON task (recipient_id) WHERE recipient_id IS NOT NULL;
"""

Statement = tuple[str, tuple[Any, ...]]


class GroupCommitter:
    """One thread and one connection: whatever queued while the last commit ran goes into the next."""

    def __init__(self, file: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self._units: queue.SimpleQueue[tuple[Sequence[Statement], asyncio.Future[None]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, args=(file,))
        self._thread.start()

    def commit(self, *statements: Statement) -> asyncio.Future[None]:
        """Done when the statements are on disk."""
        done = self._loop.create_future()
        self._units.put((statements, done))
        return done

    def close(self) -> None:
        """Write what is queued and end."""
        self._units.put(None)
        self._thread.join()

    def _work(self, file: Path) -> None:
        connection = sqlite3.connect(file, isolation_level=None)
        for pragma in ("page_size=4096", "journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(SCHEMA)
        while (unit := self._units.get()) is not None:
            batch = [unit]
            while not self._units.empty() and (more := self._units.get()) is not None:
                batch.append(more)
            self._write(connection, [statement for statements, _ in batch for statement in statements])
            self._loop.call_soon_threadsafe(_finish, [done for _, done in batch])
        connection.close()

    def _write(self, connection: sqlite3.Connection, statements: Sequence[Statement]) -> None:
        by_kind: dict[str, list[tuple[Any, ...]]] = {}
        for sql, params in statements:
            by_kind.setdefault(sql, []).append(params)
        connection.execute("BEGIN IMMEDIATE")
        for sql, rows in by_kind.items():
            connection.executemany(sql, rows)
        connection.execute("COMMIT")


def _finish(futures: Sequence["asyncio.Future[None]"]) -> None:
    for done in futures:
        if not done.done():
            done.set_result(None)
