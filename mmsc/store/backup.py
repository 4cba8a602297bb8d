"""A copy of a SQLite store beside its running server: whole, compact, and as of one moment."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from mmsc.store.core import StoreRefused, StoreUnavailable
from mmsc.store.reading import SqliteReader


async def back_up(reader: SqliteReader, target: Path) -> int:
    """Write `target` (VACUUM INTO), check it, and make it durable; its octets. What was begun and did not end well is
    removed. Raises `StoreRefused` when something is there already, `StoreUnavailable` when the copy failed.

    The server goes on. Its log grows until the copy is done, at most to `reading.LONGEST_LOG`."""
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # VACUUM INTO takes an empty file
    except FileExistsError as error:
        raise StoreRefused(f"{target} exists: a backup overwrites nothing") from error

    def copy() -> int:
        try:
            reader.connection.execute("VACUUM INTO ?", (str(target),))
            _check(target)
        except sqlite3.Error as error:
            raise reader.unavailable(error) from error
        _sync(target)
        return target.stat().st_size

    try:
        return await reader.interruptible(copy)
    except BaseException:
        for name in (target, Path(f"{target}-journal")):
            with suppress(FileNotFoundError):
                name.unlink()
        raise


def _check(target: Path) -> None:
    copied = SqliteReader(target)
    try:
        found = copied.connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    finally:
        copied.connection.close()
    if found != "ok":
        raise StoreUnavailable(f"the backup is damaged: {found}")


def _sync(target: Path) -> None:
    for name in (target, target.absolute().parent):
        descriptor = os.open(name, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
