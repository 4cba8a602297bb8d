"""The file behind the embedded store, judged before SQLite may touch it: what is not ours, torn, or without its log is
refused in one sentence and stays as it is. SQLite itself would recover a log, or throw one away, as soon as it opens.

It also holds the lock beside the file, which remembers whether the last process closed the file in order.
"""

import fcntl
import os
import sqlite3
import struct
from contextlib import closing, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from mmsc.store import schema
from mmsc.store.core import StoreRefused
from mmsc.store.sqlite_log import Log, TornLog, read_log
from protocols.records import record

APPLICATION_ID: Final = 0x4D4D5343  # "MMSC"
_MAGIC: Final = b"SQLite format 3\0"
_LARGEST_PAGE: Final = 65_536
_LOCKED_OCTET: Final = 0x40000000  # nothing is ever written to the page that has it (fileformat.html 1.6)
_LEAF: Final = 0x0D  # a table's page without children
_OPEN: Final = "open"  # in the lock file: a log belongs to the database file


@record(frozen=True, slots=True)
class _FirstPage:
    """What the first page says (sqlite.org/fileformat.html 1.3). `identity` is the user version: each of our files
    has its own, so that its log can be told from another's."""

    page_size: int
    pages: int
    application_id: int
    identity: int
    empty: bool

    @classmethod
    def read(cls, octets: bytes) -> "_FirstPage":
        """From at least 108 octets."""
        size = struct.unpack_from(">H", octets, 16)[0]
        changed, pages = struct.unpack_from(">II", octets, 24)
        identity, application_id = struct.unpack_from(">I4xI", octets, 60)
        valid_for = struct.unpack_from(">I", octets, 92)[0]
        kind, cells = struct.unpack_from(">BxxH", octets, 100)
        known = pages if changed == valid_for else 0
        return cls(65_536 if size == 1 else size, known, application_id, identity, kind == _LEAF and cells == 0)


class FileLock:
    """`FILE.lock`: one process at a time, and what it last said about the file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1
        self.was_open = False  # the last process did not close the file: there must be a log

    @property
    def is_there(self) -> bool:
        """Whether any process ever locked the file; one may be at work on it now."""
        return Path(f"{self._path}.lock").exists()

    def take(self) -> None:
        """Hold the lock. Raises StoreRefused naming the holder."""
        descriptor = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        said = os.pread(descriptor, 100, 0).decode(errors="replace").split()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StoreRefused(f"{self._path} is in use by process {said[0] if said else 'unknown'}") from error
        self._descriptor = descriptor
        self.was_open = _OPEN in said

    def opened(self) -> None:
        """The file and its log are there."""
        self._say(f"{os.getpid()} {_OPEN}\n")

    def closing(self) -> None:
        """From now on the log may be gone. Durable first: SQLite removes the log when it is moved."""
        with suppress(OSError):  # a full disk: then the log stays, too
            self._say(f"{os.getpid()} closed\n")
            os.fsync(self._descriptor)

    def let_go(self) -> None:
        """Release it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _say(self, text: str) -> None:
        os.pwrite(self._descriptor, text.ljust(40).encode(), 0)


def inspect(path: str) -> None:
    """Refuse what is not ours, reading octets only. Raises StoreRefused."""
    file, log_file = Path(path), Path(f"{path}-wal")
    try:
        if file.is_dir():
            raise StoreRefused(f"{path} is a folder; name a file in it")
        octets = _beginning(file)
        log = read_log(log_file)
        if not octets:
            _nothing_there(path, log_file)
            return
        _ours(path, octets, log)
        _whole(path, file.stat().st_size, _FirstPage.read(octets), log)
    except TornLog as error:
        raise StoreRefused(
            f"{log_file}, the log of {path}, is torn at its beginning, and what was committed last is in it; both were"
            " left as they are: put the log back, or remove it to go on without what it held"
        ) from error
    except OSError as error:
        raise StoreRefused(f"{path} cannot be read: {error.strerror}") from error


def make_private(path: str) -> None:
    """Where there is no file yet: one that its owner alone reads, for it has passwords; SQLite gives its log the same
    mode. Raises OSError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def check_log(path: str, lock: FileLock) -> None:
    """Refuse a file whose process ended without closing it, and whose log is gone. Raises StoreRefused."""
    if lock.was_open and Path(path).exists() and not Path(f"{path}-wal").exists():
        raise StoreRefused(
            f"{path} was not closed in order, and its log {path}-wal is missing, with what was committed last; put it"
            f" back, or remove {path}.lock to go on with what is there (another program that opened the file since"
            " may have moved the log into it)"
        )


def check_schema(path: str) -> None:
    """Refuse another version's tables, through a connection that writes nothing. Raises StoreRefused."""
    file, log_file, index = Path(path), Path(f"{path}-wal"), Path(f"{path}-shm")
    if not file.exists() or not file.stat().st_size:
        return
    has_log = log_file.exists() and log_file.stat().st_size > 0
    had_index = index.exists()
    try:
        with closing(sqlite3.connect(_uri(path, "mode=ro" if has_log else "immutable=1"), uri=True)) as connection:
            found = _schema_of(connection)
    except sqlite3.Error as error:
        raise StoreRefused(f"{path} is torn or no readable SQLite database: {error}; it was left as it is") from error
    finally:
        if has_log and not had_index:
            index.unlink(missing_ok=True)
    if found != schema.HASH:
        raise StoreRefused(
            f"{path} has schema {found}, this version needs {schema.HASH}; name another file or remove it"
        )


def _schema_of(connection: sqlite3.Connection) -> str:
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return schema.HASH  # killed while it was made: it holds nothing, and is made anew
    row = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    return str(row[0]) if row else "none"


def _uri(path: str, how: str) -> str:
    return f"file:{quote(str(Path(path).absolute()))}?{how}"


def _beginning(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(_LARGEST_PAGE)
    except FileNotFoundError:
        return b""


def _nothing_there(path: str, log_file: Path) -> None:
    if log_file.exists() and log_file.stat().st_size:
        raise StoreRefused(
            f"{path} is missing or empty, and its log {log_file} is not; put the file back, or remove the log to begin"
            " with an empty store"
        )


def _ours(path: str, octets: bytes, log: Log) -> None:
    if not octets.startswith(_MAGIC):
        raise StoreRefused(f"{path} is no SQLite database; it was left as it is: name another file")
    if len(octets) < 512:
        raise StoreRefused(f"{path} is torn: it has {len(octets)} octets; it was left as it is")
    first = _FirstPage.read(octets)
    newest = _FirstPage.read(log.first_page) if log.first_page else first
    made = first.application_id == APPLICATION_ID
    half_made = first.application_id == 0 and first.empty
    if not made and not (half_made and (newest.application_id == APPLICATION_ID or newest.empty)):
        raise StoreRefused(f"{path} is a database of another program; it was left as it is: name another file")
    if made and (newest.application_id, newest.identity) != (APPLICATION_ID, first.identity):
        raise StoreRefused(f"{path}-wal is the log of another database than {path}; both were left as they are")


def _whole(path: str, octets: int, first: _FirstPage, log: Log) -> None:
    """A process that dies while the log is moved leaves a file whose end is still in the log, and nowhere else."""
    if not first.page_size:
        raise StoreRefused(f"{path} is torn: its first page names no page size; it was left as it is")
    there = octets // first.page_size
    missing = set(range(there + 1, (log.size or first.pages) + 1)) - log.pages
    missing.discard(_LOCKED_OCTET // first.page_size + 1)
    if missing:
        raise StoreRefused(
            f"{path} is torn: {len(missing)} pages are missing at its end; it was left as it is: put a whole file there"
        )
