"""A store whose thread ended by itself ends the server, with a sentence and an exit status."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner

from mmsc.cli.group import main
from mmsc.store.core import StoreEnded
from mmsc.store.sqlite import SqliteStore
from protocols import mm7
from tests.scenarios.conftest import PHONE, open_lab, picture

CONFIG = "[mm1]\nport = 0\n[mm4]\nenabled = false\n[mm7]\nport = 0\n[weblink]\nport = 0\n"


def kill_writer(store: SqliteStore) -> None:
    """The thread gets what is no batch."""
    store._batches.put("no batch")  # type: ignore[arg-type]


async def test_the_server_ends_and_who_submits_meanwhile_is_told_later(tmp_path: Path) -> None:
    async with open_lab(tmp_path) as lab:
        waiting = asyncio.ensure_future(lab.app.wait())
        store = lab.app.store
        assert isinstance(store, SqliteStore)
        kill_writer(store)
        async with asyncio.timeout(10):
            with pytest.raises(StoreEnded, match="the writer of the store ended: ValueError"):
                await waiting
            rsp = await lab.vasp.submit(PHONE, content=picture())
            assert rsp.status is not None
            assert rsp.status.code == mm7.StatusCode.SERVICE_UNAVAILABLE
            await lab.app.__aexit__(None, None, None)


def test_serve_says_why_and_exits_with_a_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "mmsc.toml"
    config.write_text(f'{CONFIG}[store]\npath = "{tmp_path}/mmsc.db"\n')
    stores: list[SqliteStore] = []
    original = SqliteStore.open

    async def noticed(store: SqliteStore) -> None:
        stores.append(store)
        await original(store)

    monkeypatch.setattr(SqliteStore, "open", noticed)
    monkeypatch.setattr("mmsc.cli.serve._settle", lambda: kill_writer(stores[0]))  # it is ready
    done = CliRunner().invoke(main, ["serve", "--config", str(config)])
    assert done.exit_code == 1
    assert "ready; interrupt to stop" in done.output
    assert "cannot run: the writer of the store ended: ValueError" in done.output
