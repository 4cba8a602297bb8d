"""Runs one statement with many values on SQLite, in as few calls as can be."""

import itertools
import sqlite3
from typing import Final

from mmsc.store.core import SqlValue
from mmsc.store.sqlite_text import rows_of, silent

_ROWS_AT_ONCE: Final = (64, 16, 4)  # each its own prepared statement


def apply(writer: sqlite3.Connection, sql: str, many: list[tuple[SqlValue, ...]]) -> None:
    """Each call gives up the interpreter's lock, and beside a busy event loop getting it back costs more than the
    row."""
    if not many[0]:  # a PRAGMA: executemany takes nothing but changes of rows
        for _ in many:
            writer.execute(sql)
        return
    sql = silent(sql)
    at = 0
    for size in _ROWS_AT_ONCE:
        rows = rows_of(sql, size) if len(many) - at >= size else ""
        while rows and len(many) - at >= size:
            writer.execute(rows, tuple(itertools.chain.from_iterable(many[at : at + size])))
            at += size
    if at < len(many):
        writer.executemany(sql, many[at:])
