"""What only the embedded store does: the file, its lock, refusals, a full disk, a process that dies."""

import asyncio
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from mmsc.store import sqlite as sqlite_module
from mmsc.store.committer import MAXIMUM_BATCH_ROWS
from mmsc.store.core import TASK_PRIORITIES, Statement, StoreBusy, StoreRefused, StoreUnavailable, Unit
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from mmsc.store.sqlite_text import CLAIM

OFF = SqliteOptions(synchronous="OFF")


def put(key: str) -> Unit:
    return Unit(Statement("INSERT INTO meta (key, value) VALUES ($1, 'v') RETURNING key", (key,)), ())


async def test_what_was_committed_is_there_after_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "mmsc.db")
    first = SqliteStore(path)
    await first.open()
    await first.commit(put("kept"))
    await first.close()
    second = SqliteStore(path)
    await second.open()
    assert await second.fetch_one("SELECT value FROM meta WHERE key = $1", "kept") == ("v",)
    await second.close()


async def test_a_batch_is_bounded_by_its_rows(tmp_path: Path) -> None:
    """An MM for a thousand recipients is thousands of them, and the event loop waits for a batch."""
    store = SqliteStore(str(tmp_path / "mmsc.db"), OFF)
    await store.open()
    text = "INSERT INTO meta (key, value) VALUES ($1, 'v')"
    before = store.counters.commits
    units = [
        Unit(None, tuple([Statement(text, (f"{unit}-{row}",)) for row in range(MAXIMUM_BATCH_ROWS // 2)]))
        for unit in range(6)
    ]
    one = Unit(None, tuple([Statement(text, (f"large-{row}",)) for row in range(MAXIMUM_BATCH_ROWS + 1)]))
    await asyncio.gather(*map(store.commit, [*units, one, put("last")]))
    assert store.counters.commits - before == 3 + 1 + 1, "two at a time; one that is larger is alone"
    found = await store.fetch("SELECT count(*) FROM meta WHERE value = 'v'")
    assert found == [(3 * MAXIMUM_BATCH_ROWS + MAXIMUM_BATCH_ROWS + 1 + 1,)]
    await store.close()


async def test_a_second_process_is_told_who_holds_the_file(tmp_path: Path) -> None:
    first = SqliteStore(str(tmp_path / "mmsc.db"), OFF)
    await first.open()
    with pytest.raises(StoreRefused, match=str(os.getpid())):
        await SqliteStore(str(tmp_path / "mmsc.db"), OFF).open()
    await first.close()


@pytest.mark.parametrize("kind", ["foreign", "other schema", "torn", "foreign and empty"])
async def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "mmsc.db"
    if kind == "torn":
        path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    else:
        store = SqliteStore(str(path), OFF)
        if kind == "other schema":
            await store.open()
            await store.close()
        connection = sqlite3.connect(path)
        if kind == "foreign":
            connection.execute("CREATE TABLE theirs (x)")
        elif kind == "foreign and empty":
            connection.execute("PRAGMA application_id = 77")
        else:
            connection.execute("UPDATE meta SET value = 'old' WHERE key = 'schema'")
        connection.commit()
        connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreRefused):
        await SqliteStore(str(path), OFF).open()
    assert path.read_bytes() == before


async def test_a_full_disk_closes_the_door_and_opens_it_again(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "mmsc.db"), OFF)
    await store.open()
    assert store._writer is not None
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages + 2}")
    big = Unit(None, (Statement("INSERT INTO meta (key, value) VALUES ($1, $2)", ("big", "x" * 1_000_000)),))
    with pytest.raises(StoreUnavailable):
        await store.commit(big)
    door = [store.available]
    store._writer.execute("PRAGMA max_page_count = 1000000")
    await store.commit(put("small"))
    assert [*door, store.available] == [False, True]
    await store.close()


async def test_the_log_begins_anew_however_long_commits_go_on(tmp_path: Path) -> None:
    path = tmp_path / "mmsc.db"
    store = SqliteStore(str(path), SqliteOptions(synchronous="OFF", checkpoint_pages=200))
    await store.open()
    insert = Statement("INSERT INTO content (id, content_type, body, size, parts) VALUES ($1, '', $2, 0, '')")
    for number in range(300):
        params = (number, bytes(20_000))
        await store.commit(Unit(None, (replace(insert, params=params),)))
    log = path.with_name("mmsc.db-wal").stat().st_size
    assert await store.fetch("SELECT count(*), sum(length(body)) FROM content") == [(300, 6_000_000)]
    assert log < 2_500_000, "6 MB were written, and the log holds what 200 pages and a run in the background leave"
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_stranger_who_writes_delays_commits_and_not_the_event_loop(tmp_path: Path) -> None:
    path = tmp_path / "mmsc.db"
    store = SqliteStore(str(path), OFF)
    await store.open()
    stranger = sqlite3.connect(path, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(store.commit(put("patient")))
    assert await store.fetch("SELECT 1") == [(1,)]  # the loop turns, and readers read
    assert not waiting.done()
    stranger.execute("ROLLBACK")
    assert await waiting == [("patient",)]
    stranger.close()
    await store.close()


async def test_a_reader_that_stays_keeps_the_log_and_harms_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "mmsc.db"
    store = SqliteStore(str(path), SqliteOptions(synchronous="OFF", checkpoint_pages=20))
    await store.open()
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM meta WHERE key LIKE 'k%'").fetchone() == (0,)
    for number in range(200):
        await store.commit(put(f"k{number}"))
    assert reader.execute("SELECT count(*) FROM meta WHERE key LIKE 'k%'").fetchone() == (0,)
    assert await store.fetch_one("SELECT count(*) FROM meta WHERE key LIKE 'k%'") == (200,)
    reader.close()
    await store.close()


async def test_a_log_that_failed_stays_distrusted_while_a_reader_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "mmsc.db"
    store = SqliteStore(str(path), SqliteOptions(synchronous="OFF"))
    await store.open()
    await store.commit(put("before"))
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM meta").fetchone()
    await store.commit(put("behind what the reader sees"))
    distrusted: list[bool] = []
    store._distrusted = True
    assert await store.commit(put("meanwhile")) == [("meanwhile",)]
    distrusted.append(store._distrusted)
    reader.close()
    assert await store.commit(put("after")) == [("after",)]
    distrusted.append(store._distrusted)
    assert distrusted == [True, False]
    assert await store.fetch_one("SELECT count(*) FROM meta WHERE value = 'v'") == (4,)
    await store.close()


async def test_when_a_reader_that_stayed_has_left_the_log_begins_anew_and_its_file_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite_module, "LOG_OCTETS", 100_000)
    path = tmp_path / "mmsc.db"
    store = SqliteStore(str(path), SqliteOptions(synchronous="OFF", checkpoint_pages=20))
    await store.open()
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM meta").fetchone()
    log = path.with_name("mmsc.db-wal")
    for number in range(200):
        await store.commit(put(f"k{number}"))
    assert log.stat().st_size > 16 * 20 * 4096
    assert "some reader stays on an old snapshot" in caplog.text
    reader.close()
    for number in range(5):
        await store.commit(put(f"n{number}"))
    assert log.stat().st_size <= 100_000
    await store.close()


async def until_available(store: SqliteStore) -> None:
    """Nobody commits meanwhile: the store itself asks its disk."""
    async with asyncio.timeout(10):
        while not store.available:
            await store.fetch("SELECT 1")


async def test_a_disk_that_takes_no_more_fails_the_batch_and_the_door_opens_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel refuses to let the log grow, as a quota does."""
    monkeypatch.setattr("mmsc.store.committer.PROBE_SECONDS", 0.01)
    path = tmp_path / "mmsc.db"
    store = SqliteStore(str(path))
    await store.open()
    await store.commit(put("before"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        outcomes = await asyncio.gather(*(store.commit(put(f"k{n}")) for n in range(20)), return_exceptions=True)
        shut = [store.available]
        with pytest.raises(StoreUnavailable):
            await store.commit(put("meanwhile"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert all(isinstance(one, StoreUnavailable) for one in outcomes)
    assert shut == [False]
    await until_available(store)
    await store.commit(put("after"))
    keys = await store.fetch("SELECT key FROM meta WHERE key NOT IN ('schema', 'probe') ORDER BY key")
    assert keys == [("after",), ("before",)], "what failed left nothing behind"
    await store.close()


async def test_another_programs_lock_is_no_fault_of_the_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmsc.store.committer.PROBE_SECONDS", 0.01)
    monkeypatch.setattr("mmsc.store.sqlite._BUSY_MILLISECONDS", 50)
    store = SqliteStore(str(tmp_path / "mmsc.db"), OFF)
    await store.open()
    intruder = sqlite3.connect(tmp_path / "mmsc.db", isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(store.commit(put("a")), store.commit(put("b")), return_exceptions=True)
    intruder.execute("ROLLBACK")
    intruder.close()
    assert all(isinstance(one, StoreUnavailable) for one in outcomes)
    await until_available(store)
    assert await store.commit(put("a")) == [("a",)]
    await store.close()


async def test_a_query_that_takes_too_long_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmsc.store.sqlite_readers.QUERY_SECONDS", 0.0)
    store = SqliteStore(str(tmp_path / "mmsc.db"), OFF)
    await store.open()
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await store.fetch(endless)
    assert await store.fetch("SELECT 1") == [(1,)]
    await store.close()


def test_a_query_under_way_does_not_hold_up_a_stop_that_is_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop's end would join a thread that joins the reader's."""
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"

    async def work() -> None:
        store = SqliteStore(str(tmp_path / "mmsc.db"), OFF)
        await store.open()
        reading = asyncio.ensure_future(store.fetch(endless))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await store.close()
        reading.cancel()

    monkeypatch.setattr("mmsc.store.sqlite_readers.QUERY_SECONDS", 5.0)
    began = time.monotonic()
    asyncio.run(work())
    assert time.monotonic() - began < 3.0


async def test_a_claim_reads_the_index_and_sorts_nothing_that_waits(tmp_path: Path) -> None:
    """With many tasks in a lane its throughput must not sink."""
    store = SqliteStore(str(tmp_path / "mmsc.db"), OFF)
    await store.open()
    plan = " ".join(
        str(row[3]) for row in await store.fetch(f"EXPLAIN QUERY PLAN {CLAIM}", "l", 5, "n", 1, 9, 0, 0, "", 1)
    )
    for terms in ("", " AND owner>?", " AND owner=?", " AND owner=? AND due_at<?"):
        assert plan.count(f"INDEX task_ready (lane=? AND priority=?{terms})") == len(TASK_PRIORITIES)
    assert "SCAN task" not in plan
    assert "SCAN first" not in plan
    await store.close()


async def test_the_queue_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmsc.store.committer.MAXIMUM_QUEUE", 5)
    store = SqliteStore(str(tmp_path / "mmsc.db"), OFF)
    await store.open()
    outcomes = await asyncio.gather(*(store.commit(put(f"k{number}")) for number in range(50)), return_exceptions=True)
    assert any(isinstance(one, StoreBusy) for one in outcomes)
    assert not all(isinstance(one, StoreBusy) for one in outcomes)
    await store.close()


_CHILD = """
import asyncio, sys
from mmsc.store import sqlite as sqlite_module
from mmsc.store.core import TASK_PRIORITIES, Statement, Unit
from mmsc.store.sqlite import SqliteStore
async def main():
    store = SqliteStore(sys.argv[1])
    await store.open()
    async def load(lane):
        for number in range(100000):
            key = f"{lane}-{number}"
            insert = Statement("INSERT INTO meta (key, value) VALUES ($1, 'v') RETURNING key", (key,))
            await store.commit(Unit(insert, ()))
            print(key, flush=True)
    await asyncio.gather(*(load(lane) for lane in range(8)))
asyncio.run(main())
"""


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    path = str(tmp_path / "mmsc.db")
    child = subprocess.Popen([sys.executable, "-c", _CHILD, path], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    answered = [child.stdout.readline().strip() for _ in range(300)]
    child.send_signal(signal.SIGKILL)
    answered += [line.strip() for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    child.stdout.close()
    child.wait()
    connection = sqlite3.connect(path)
    there = {row[0] for row in connection.execute("SELECT key FROM meta")}
    connection.close()
    assert set(answered) <= there


async def test_a_path_that_is_no_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match=r"is a folder; name a file in it"):
        await SqliteStore(str(tmp_path)).open()
