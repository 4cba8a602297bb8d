"""Which errors of SQLite are about the file and not about what was asked."""

import sqlite3
from typing import Final

_DISK_ERRORS: Final = frozenset(  # what says nothing about the unit, only about the file
    (
        sqlite3.SQLITE_BUSY,  # somebody else's program writes to our file
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_READONLY,
    )
)


def is_disk(error: Exception) -> bool:
    """Whether the file is to blame; an extended error code has the plain one in its low octet."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _DISK_ERRORS
