"""Torn and foreign database files: refused in one sentence, and every octet stays as it is."""

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmsc.store.core import Statement, StoreRefused, Unit
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from mmsc.store.sqlite_file import _FirstPage, _whole, inspect
from mmsc.store.sqlite_log import Log

OFF = SqliteOptions(synchronous="OFF")

_CHILD = """
import asyncio, os, signal, sys
from mmsc.store.core import Statement, Unit
from mmsc.store.sqlite import SqliteStore
async def main():
    store = SqliteStore(sys.argv[1])
    await store.open()
    sql = "INSERT INTO meta (key, value) VALUES ($1, $2)"
    for number in range(20):
        await store.commit(Unit(None, (Statement(sql, (f"k{number}", "v" * 4000)),)))
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


def killed(path: Path) -> None:
    """A file of ours whose process was killed: what was committed is in its log."""
    ran = subprocess.run([sys.executable, "-c", _CHILD, str(path)], check=False)
    assert ran.returncode == -signal.SIGKILL


async def closed(path: Path) -> None:
    """A file of ours that was closed in order."""
    store = SqliteStore(str(path), OFF)
    await store.open()
    insert = Statement("INSERT INTO meta (key, value) VALUES ($1, $2)", ("big", "v" * 100_000))
    await store.commit(Unit(None, (insert,)))
    await store.close()


def everything(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}


async def refused(path: Path, match: str) -> None:
    """Nothing changes but that a lock file of ours may be there again."""
    before = everything(path.parent)
    with pytest.raises(StoreRefused, match=match):
        await SqliteStore(str(path), OFF).open()
    assert everything(path.parent) == before


def theirs(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for one in ("CREATE TABLE theirs (x)", *statements):
        connection.execute(one)
    connection.close()


def remove(name: str) -> None:
    Path(name).unlink()


def write(name: str, octets: bytes) -> None:
    Path(name).write_bytes(octets)


def read(name: str) -> bytes:
    return Path(name).read_bytes()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5000])


def garbage(path: Path) -> None:
    path.write_bytes(b"\xff" * 4096 + path.read_bytes()[4096:])


def zeros(path: Path) -> None:
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])


def stump(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:300])


@pytest.mark.parametrize(
    ("tear", "match"),
    [(cut, "pages are missing"), (garbage, "no SQLite"), (zeros, "no SQLite"), (stump, "is torn")],
    ids=["cut", "garbage", "zeros", "stump"],
)
async def test_a_torn_file_is_refused(tmp_path: Path, tear: Callable[[Path], None], match: str) -> None:
    path = tmp_path / "mmsc.db"
    await closed(path)
    tear(path)
    await refused(path, match)


_GROWING = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.executescript("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0; BEGIN")
for number in range(2):
    connection.execute("INSERT INTO meta (key, value) VALUES (?, zeroblob(550000000))", (f"large {number}",))
connection.execute("COMMIT")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_killed_process_whose_log_leads_over_the_first_gigabyte_leaves_a_whole_file(tmp_path: Path) -> None:
    """Nothing is ever written to the page at that place: it is in neither, and nobody misses it."""
    path = tmp_path / "mmsc.db"
    asyncio.run(closed(path))
    ran = subprocess.run([sys.executable, "-c", _GROWING, str(path)], check=False)
    assert ran.returncode == -signal.SIGKILL
    assert path.stat().st_size < 2**30 < Path(f"{path}-wal").stat().st_size
    inspect(str(path))
    Path(f"{path}-wal").write_bytes(b"")  # so much of a disk is not kept for the others


@pytest.mark.parametrize("page_size", [4096, 16_384, 65_536])
def test_only_the_page_that_nobody_writes_may_be_missing(page_size: int) -> None:
    there = 2**30 // page_size
    first = _FirstPage(page_size=page_size, pages=there, application_id=0, identity=0, empty=False)
    behind = frozenset((there + 2, there + 3))
    _whole("file", there * page_size, first, Log(behind, there + 3, b""))
    for pages, octets in ((behind - {there + 2}, there * page_size), (behind, (there - 1) * page_size)):
        with pytest.raises(StoreRefused, match=r"1 pages are missing"):
            _whole("file", octets, first, Log(pages, there + 3, b""))


async def test_a_text_file_is_refused_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "mmsc.db"
    path.write_text("[store]\n" * 100)
    await refused(path, "no SQLite database; it was left as it is: name another file")


async def test_another_programs_file_is_refused_with_its_log(tmp_path: Path) -> None:
    """Its program was killed, too: to open it would move its log."""
    path, work = tmp_path / "mmsc.db", tmp_path / "work.db"
    connection = sqlite3.connect(work, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE theirs (x)")
    for name in ("", "-wal"):
        shutil.copy(f"{work}{name}", f"{path}{name}")
    connection.close()
    await refused(path, "another program")


async def test_another_versions_file_is_refused_with_its_log(tmp_path: Path) -> None:
    path, work = tmp_path / "mmsc.db", tmp_path / "work.db"
    await closed(work)
    connection = sqlite3.connect(work, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("UPDATE meta SET value = 'old' WHERE key = 'schema'")
    for name in ("", "-wal", ".lock"):
        shutil.copy(f"{work}{name}", f"{path}{name}")
    connection.close()
    await refused(path, "has schema old")


async def test_a_missing_log_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "mmsc.db"
    killed(path)
    remove(f"{path}-wal")
    await refused(path, "its log .* is missing")
    remove(f"{path}.lock")
    store = SqliteStore(str(path), OFF)
    await store.open()  # as the sentence said
    await store.close()


async def test_a_missing_file_beside_its_log_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "mmsc.db"
    killed(path)
    path.unlink()
    await refused(path, "is missing or empty, and its log")


async def test_the_log_of_another_file_is_refused(tmp_path: Path) -> None:
    path, other = tmp_path / "mmsc.db", tmp_path / "other.db"
    await closed(path)
    killed(other)
    store = SqliteStore(str(other))
    await store.open()
    await store.commit(Unit(None, (Statement("INSERT INTO meta (key, value) VALUES ('x', $1)", ("v" * 9000,)),)))
    shutil.copy(f"{other}-wal", f"{path}-wal")
    await store.close()
    await refused(path, "the log of another database")


async def test_a_torn_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mmsc.db"
    killed(path)
    log = f"{path}-wal"
    whole = read(log)
    write(log, bytes(24) + whole[24:])
    await refused(path, "is torn at its beginning")
    write(log, whole)
    store = SqliteStore(str(path), OFF)
    await store.open()
    assert await store.fetch("SELECT count(*) FROM meta WHERE key LIKE 'k%'") == [(20,)]
    await store.close()


async def test_a_stale_index_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "mmsc.db"
    killed(path)
    write(f"{path}-shm", b"\x55" * 32_768)
    store = SqliteStore(str(path), OFF)
    await store.open()
    assert await store.fetch("SELECT count(*) FROM meta WHERE key LIKE 'k%'") == [(20,)]
    await store.close()


async def test_what_was_killed_while_it_was_made_is_made(tmp_path: Path) -> None:
    """The first page stands there and nothing else was committed."""
    path = tmp_path / "mmsc.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA page_size = 4096")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    store = SqliteStore(str(path), OFF)
    await store.open()
    await store.close()
    empty = tmp_path / "empty.db"
    empty.touch()
    store = SqliteStore(str(empty), OFF)
    await store.open()
    await store.close()


async def test_a_new_file_and_its_log_are_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    store = SqliteStore(str(path), options=OFF)
    await store.open()
    try:
        await store.commit(Unit(None, (Statement("INSERT INTO meta (key, value) VALUES ($1, $2)", ("k", "v")),)))
        assert _modes(tmp_path) == dict.fromkeys(("m.db", "m.db-wal", "m.db-shm", "m.db.lock"), "0o600")
    finally:
        await store.close()


def _modes(folder: Path) -> dict[str, str]:
    return {one.name: oct(one.stat().st_mode & 0o777) for one in folder.iterdir()}
