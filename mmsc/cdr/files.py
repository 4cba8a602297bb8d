"""The files of a node in one folder. An open one ends with `.open`; a whole one has its final name and never changes.

Everything here blocks: it runs on a thread. Raises OSError for what the disk refuses.
"""

import errno
import fcntl
import logging
import os
import re
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Final

from mmsc.cdr.position import Position
from mmsc.domain.instant import Instant, to_datetime

OPEN: Final = ".open"
_DAMAGED: Final = ".damaged"
_MODE: Final = 0o640  # who wrote to whom is nobody's business
_log: Final = logging.getLogger(__name__)


class FolderInUse(Exception):
    """Another process writes the files of this node."""


def stem_of(node: str, number: int, at: Instant) -> str:
    """The name of a file without its ending: node, number without gaps, time of its first record (UTC)."""
    return f"{node}-{number:08d}-{to_datetime(at).astimezone(UTC):%Y%m%dT%H%M%SZ}"


def missing(folder: Path, position: Position) -> str:
    """A file that was being written and is neither open nor whole in that folder; "" when there is none. Only who has
    the node's own folder can know what is in its files already."""
    for ending in position.octets:
        name = f"{position.stem}.{ending}"
        if not (folder / f"{name}{OPEN}").exists() and not (folder / name).exists():
            return f"{name}{OPEN}"
    return ""


class Files:
    """The folder, held by one process for each node (`flock` on NODE.lock)."""

    def __init__(self, folder: Path, node: str) -> None:
        self._folder = folder
        self._node = node
        self._lock: int | None = None

    def hold(self) -> None:
        """Make the folder if need be, and be the only one who writes there. Raises FolderInUse."""
        if self._lock is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / f"{self._node}.lock", os.O_RDWR | os.O_CREAT, _MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise FolderInUse(f"{self._folder}: another process writes the CDRs of node {self._node}") from error
        self._lock = descriptor

    def let_go(self) -> None:
        """Others may write."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def settle(self, position: Position) -> bool:
        """Make the folder what the position says, whatever a crash left: nothing stands behind the confirmed length,
        nothing unconfirmed is there at all. False: the open file is not there to go on with (it was renamed, or
        lost, or is shorter than what was confirmed), so that the next one begins."""
        mine = {f"{position.stem}.{ending}{OPEN}": octets for ending, octets in position.octets.items()}
        ours = re.compile(rf"{re.escape(self._node)}-(\d{{8,}})-\d{{8}}T\d{{6}}Z\.\w+{re.escape(OPEN)}")
        for path in self._folder.iterdir():
            found = ours.fullmatch(path.name)
            if found is None or path.name in mine:
                continue
            if int(found[1]) > position.number:
                path.unlink()  # no record in it was ever confirmed
            else:
                _log.error("%s is open and should not be: left as it is, nobody knows how far it was confirmed", path)
        whole = [self._cut(self._folder / name, octets) for name, octets in mine.items()]
        return bool(whole) and all(whole)

    def _cut(self, path: Path, octets: int) -> bool:
        final = path.with_suffix("")
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            if not final.exists():
                _log.warning("%s is neither open nor whole here: taken away already, or lost", final)
            return False
        if size < octets:
            _log.error("%s has %d octets of %d that were written: kept as %s", path, size, octets, _DAMAGED)
            path.rename(path.with_suffix(_DAMAGED))
            return False
        if size > octets:
            os.truncate(path, octets)
        return True

    def append(self, position: Position, texts: Mapping[str, bytes]) -> None:
        """Write behind the confirmed lengths, and wait for the disk."""
        for ending, octets in texts.items():
            path = self._folder / f"{position.stem}.{ending}{OPEN}"
            at = position.octets.get(ending, 0)
            descriptor = os.open(path, os.O_WRONLY | (0 if at else os.O_CREAT), _MODE)
            try:
                if os.fstat(descriptor).st_size < at:
                    raise OSError(errno.EIO, "shorter than what was written", str(path))
                os.ftruncate(descriptor, at)
                _write_all(descriptor, octets, at)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if at == 0:
                self._sync_folder()

    def finish(self, position: Position) -> None:
        """The open file is whole: it gets its final name. Done twice, it changes nothing."""
        for ending, octets in position.octets.items():
            path = self._folder / f"{position.stem}.{ending}{OPEN}"
            final = path.with_suffix("")
            if not path.exists():
                continue  # renamed before a crash
            if final.exists():
                raise FileExistsError(f"{final} is there already; move it away")
            os.truncate(path, octets)
            _sync(path, os.O_WRONLY)
            path.rename(final)
        self._sync_folder()

    def _sync_folder(self) -> None:
        _sync(self._folder, os.O_RDONLY)


def _write_all(descriptor: int, octets: bytes, at: int) -> None:
    view = memoryview(octets)
    while view:
        done = os.pwrite(descriptor, view, at)
        at += done
        view = view[done:]


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
