"""The space of a SQLite file: how much there is, and how free pages go back to the file system.

What is removed leaves free pages inside the file; they are filled again first, so a file that keeps some grows and
shrinks seldom. Only what is far beyond that is given back, a few pages at a time: each page that is moved is written
twice, and its parent once.
"""

import asyncio
import os
from pathlib import Path
from typing import Final

from mmsc.store.core import Gauges, Room, Statement, Store, Unit

PAGES: Final = (
    "SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)
# One page a statement: the PRAGMA makes a row without columns for each page, and sqlite3 ends it after the first.
_SHORTER: Final = Statement("PRAGMA incremental_vacuum(1)")


async def room(store: Store, path: str) -> Room:
    """How many octets are used, free inside the file, in the log, and free on the disk."""
    rows = await store.fetch(PAGES)
    pages, free, page_size = (value for value in rows[0] if isinstance(value, int))
    used, free = (pages - free) * page_size, free * page_size
    if path == ":memory:":
        return Room(used=used, free=free)
    log, disk = await asyncio.to_thread(_looked_at, path)
    left, size = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    return Room(used=used, free=free, log=log, disk_free=left, disk_size=size)


def gauges(path: str, waiting_units: int) -> Gauges:
    """What the file system says at once, for the metrics; nothing about a file that is not there."""
    try:
        file = Path(path).stat().st_size
        log, disk = _looked_at(path)
    except OSError:  # none yet, or in memory
        return Gauges(waiting_units=waiting_units)
    left = disk.f_bavail * disk.f_frsize
    return Gauges(waiting_units=waiting_units, file_octets=file, log_octets=log, disk_free=left)


def shorter(pages: int) -> Unit:
    """A unit that moves so many pages from the file's end into its holes."""
    return Unit(None, (_SHORTER,) * max(1, pages))


def _looked_at(path: str) -> tuple[int, os.statvfs_result]:
    log = Path(f"{path}-wal")
    return (log.stat().st_size if log.exists() else 0), os.statvfs(Path(path).parent)
