"""A thread or task of a store that ends by itself is told, and nobody waits for it for ever."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from mmsc.store.core import StoreBusy, StoreEnded, StoreUnavailable
from mmsc.store.postgres import PostgresStore
from mmsc.store.postgres_writer import Writer
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from mmsc.store.sqlite_readers import READERS
from tests.store.test_postgres import NewStore, new_store, put, schema

__all__ = ["new_store", "schema"]  # fixtures
OFF = SqliteOptions(synchronous="OFF")


class _Dead(BaseException):
    """What no `except Exception` catches."""


def dies(*_: object) -> None:
    """In place of something that the writer's thread does."""
    raise OSError("the index of the log is gone")


async def ends(store: SqliteStore | PostgresStore, why: str) -> None:
    """The store says so, as often as it is asked."""
    async with asyncio.timeout(10):
        for _ in range(2):
            with pytest.raises(StoreEnded, match=why):
                await store.ended()


async def test_a_writer_that_ends_fails_who_waits_and_who_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(str(tmp_path / "mmsc.db"), OFF)
    await store.open()
    assert store._checkpointer is not None
    store._checkpointer.committed = dies  # type: ignore[method-assign]
    monkeypatch.setattr("mmsc.store.committer.MAXIMUM_BATCH", 1)  # the second one is still queued
    told: list[str] = []
    unit = put("first")
    first = asyncio.ensure_future(store.commit(type(unit)(unit.guard, (), otherwise=lambda: told.append("otherwise"))))
    second = asyncio.ensure_future(store.commit(put("second")))
    async with asyncio.timeout(10):
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(one) for one in outcomes] == [StoreEnded, StoreEnded]
    assert told == ["otherwise"]
    assert not store.available
    with pytest.raises(StoreUnavailable, match="the writer of the store ended: OSError: the index"):
        await store.commit(put("third"))
    await ends(store, "the writer of the store ended: OSError: the index of the log is gone")
    assert await store.fetch("SELECT 1") == [(1,)], "readers go on"
    async with asyncio.timeout(10):
        await store.close()
    again = SqliteStore(str(tmp_path / "mmsc.db"), OFF)
    await again.open()
    assert await again.fetch("SELECT key FROM meta WHERE key IN ('first', 'second')") == [("first",)]
    await again.close()


async def test_readers_that_end_fail_who_waits_and_who_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(str(tmp_path / "mmsc.db"), OFF)
    await store.open()

    def dead(sql: str) -> str:
        raise _Dead(sql)

    with monkeypatch.context() as patch:
        patch.setattr("mmsc.store.sqlite_readers.numbered", dead)
        async with asyncio.timeout(10):
            reads = [store.fetch("SELECT 1") for _ in range(READERS + 3)]
            outcomes = await asyncio.gather(*reads, return_exceptions=True)
    assert all(isinstance(one, StoreUnavailable) for one in outcomes), outcomes
    with pytest.raises(StoreUnavailable, match="the readers of the store ended"):
        await store.fetch("SELECT 1")
    await ends(store, "a reader of the store ended: _Dead")
    assert await store.commit(put("kept")) == [("kept",)], "what is under way can be finished"
    async with asyncio.timeout(10):
        await store.close()


async def test_a_reader_that_cannot_open_the_file_is_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As without free file descriptors: the next read tries again."""
    store = SqliteStore(str(tmp_path / "mmsc.db"), OFF)
    await store.open()
    original: Callable[..., sqlite3.Connection] = sqlite3.connect
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda *_, **__: original(tmp_path / "no" / "such.db"))
        for _ in range(READERS + 1):
            with pytest.raises(StoreUnavailable, match="unable to open"):
                await store.fetch("SELECT 1")
    assert await store.fetch("SELECT 1") == [(1,)]
    await store.close()


async def test_a_writer_of_postgresql_that_ends_fails_who_waits(
    new_store: NewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_store()
    await store.open()

    async def dies_later(_: Writer, units: object) -> None:
        await asyncio.sleep(0)
        raise _Dead("in the middle")

    monkeypatch.setattr(Writer, "transaction", dies_later)
    async with asyncio.timeout(10):
        with pytest.raises(StoreEnded):
            await store.commit(put("a"))
        with pytest.raises(StoreEnded):
            await store.commit(put("b"))
    await ends(store, "the writer of the store ended: _Dead: in the middle")


async def test_a_listener_of_postgresql_that_ends_is_told_and_commits_go_on(
    new_store: NewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = new_store()

    async def dies_at_once(_: PostgresStore) -> None:
        raise StoreBusy("a bug")

    monkeypatch.setattr(PostgresStore, "_keep_listening", dies_at_once)
    await store.open()
    await ends(store, "the listener of the store ended: StoreBusy: a bug")
    assert await store.commit(put("a")) == [("a",)]
