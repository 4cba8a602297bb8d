"""The floor's own store: group commit on SQLite, as little as makes a step durable."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

SCHEMA: Final = """
CREATE TABLE content (id INTEGER PRIMARY KEY, content_type TEXT, body BLOB);
CREATE TABLE mm (id INTEGER PRIMARY KEY, sender TEXT, content_id INTEGER, submitted_at INTEGER, details TEXT);
CREATE TABLE recipient (
  id INTEGER PRIMARY KEY, mm_id INTEGER, address TEXT, state TEXT, token TEXT UNIQUE, transaction_id TEXT UNIQUE);
CREATE TABLE task (id INTEGER PRIMARY KEY, recipient_id INTEGER, kind TEXT, due_at INTEGER);
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
