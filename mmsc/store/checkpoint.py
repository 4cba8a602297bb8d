"""Moves the write-ahead log into the SQLite file without a pause that grows with the log.

A thread of its own copies in the background what commits have added; commits go on meanwhile (a PASSIVE checkpoint
waits for nobody). SQLite begins its log anew only when all of it was copied at a moment without a commit. So when the
log has grown long, the writer copies the short rest itself, between two transactions.

A reader that stays on one snapshot (a copy under way, somebody's sqlite3 shell) keeps the log from beginning anew: it
grows until the reader leaves, and nobody here can end a stranger's transaction. It is told from 512 MB on, and every
time the log has doubled; our own commands give up at `reading.LONGEST_LOG`. When the reader has left, the next copy
lets the log begin anew, and SQLite cuts its file to `sqlite.LOG_OCTETS`.
"""

import logging
import os
import sqlite3
import struct
import threading
from collections.abc import Callable
from typing import Final

PAGES: Final = 8000  # the log begins anew when it holds so many (32 MB)
_IN_BACKGROUND: Final = 1000  # pages a background run is worth
_TOO_LONG: Final = 4  # times `PAGES`: the disk does not keep up, so the writer waits for it
_MUCH_TOO_LONG: Final = 16  # times `PAGES`: a reader stays
_log: Final = logging.getLogger(__name__)
_MX_FRAME: Final = struct.Struct(
    "=16xI"
)  # WAL-index header: the number of valid frames (sqlite.org/walformat.html 2.1)


class Checkpointer:
    """For one file. `connect` makes a connection that commits nothing; nothing here raises for a full disk."""

    def __init__(self, path: str, connect: Callable[[], sqlite3.Connection], pages: int = PAGES) -> None:
        self._index_path = f"{path}-shm"
        self._pages = pages
        self._connect = connect
        self._wanted = threading.Event()
        self._copying = threading.Lock()
        self._ended = False
        self._copied = 0
        self._told_at = _MUCH_TOO_LONG * pages
        self._again_at = 0  # frames; after a failure the log grows a bit before it is tried again
        self._index = -1
        self._thread = threading.Thread(target=self._work, name="store-checkpoint", daemon=True)
        self.finished = 0  # times the log could begin anew

    def start(self) -> None:
        """Begin; the file is open and in WAL mode."""
        self._index = os.open(self._index_path, os.O_RDONLY)
        self._connection = self._connect()
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a run under way is finished."""
        self._ended = True
        self._wanted.set()
        self._thread.join()
        self._connection.close()
        os.close(self._index)

    def committed(self) -> None:
        """The writer's thread, between two transactions."""
        frames = self._frames()
        if frames < self._copied:  # the log began anew
            self._copied = self._again_at = 0
            self._told_at = _MUCH_TOO_LONG * self._pages
        if frames >= self._told_at:
            self._told_at = 2 * frames
            _log.warning(
                "the log of the store holds %d pages and cannot begin anew: some reader stays on an old snapshot",
                frames,
            )
        if frames < self._again_at:
            return
        if frames >= self._pages:
            if self._copying.acquire(blocking=frames >= _TOO_LONG * self._pages):
                try:
                    self.finished += self._copy()
                finally:
                    self._copying.release()
        elif frames - self._copied >= _IN_BACKGROUND:
            self._wanted.set()

    def _frames(self) -> int:
        """How many pages the log holds."""
        header = os.pread(self._index, _MX_FRAME.size, 0)
        return int(_MX_FRAME.unpack(header)[0]) if len(header) == _MX_FRAME.size else 0

    def _work(self) -> None:
        while self._wanted.wait() and not self._ended:
            self._wanted.clear()
            with self._copying:
                self._copy()

    def _copy(self) -> bool:
        """Whether it went well. A sync that failed leaves the log as it is, and all of it is written again."""
        try:
            row = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            if not self._again_at:
                _log.error("the log cannot be moved into the database file: %s; it keeps everything and grows", error)
            self._again_at = self._frames() + _IN_BACKGROUND
            return False
        if self._again_at:
            _log.warning("the log is moved into the database file again")
        self._copied, self._again_at = int(row[2]), 0
        return True
