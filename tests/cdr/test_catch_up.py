"""What a node owed when it died is written by its next start, or by `mmsc cdr catch-up` where its folder is."""

import asyncio
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mmsc.cdr.writer import Writer
from mmsc.cli import cdr
from mmsc.cli.group import main
from mmsc.clock import Clock
from mmsc.store import nodes
from mmsc.store.postgres import PostgresStore
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from tests import postgres
from tests.cdr.world import World, files, policy, records


async def _die(folder: Path, node: str, *, open_file: bool, lives: int = 1) -> None:
    """A node that owes records, perhaps with an open file, and is gone."""
    store = SqliteStore(str(folder / "mmsc.db"), SqliteOptions(synchronous="OFF"))
    await store.open()
    clock = Clock()
    world = World(store, clock, node)
    if open_file:
        await world.life()
        writer = Writer(store, clock, policy(folder, node))
        await writer.write()
        await writer._do(writer._files.let_go)
        writer._thread.shutdown()
    for _ in range(lives):
        await world.life()
    unpaid = await store.fetch("SELECT DISTINCT event.mm_id FROM cdr JOIN event ON event.id = cdr.event_id")
    assert len(unpaid) == lives
    await store.close()


def catch_up(folder: Path, *arguments: str, **more: str) -> Result:
    config = folder / "mmsc.toml"
    place = more.get("cdr", str(folder / "cdr"))
    config.write_text(f'[store]\npath = "{folder}/mmsc.db"\n[node]\nname = "a"\n[cdr]\nfolder = "{place}"\n')
    return CliRunner().invoke(main, ["cdr", "catch-up", "--config", str(config), *arguments])


@pytest.mark.parametrize("open_file", [False, True])
def test_what_a_dead_node_owes_is_written_beside_its_own(tmp_path: Path, open_file: bool) -> None:
    asyncio.run(_die(tmp_path, "old", open_file=open_file))
    done = catch_up(tmp_path, "--node", "old")
    assert done.output == "6 records of node old written\n"
    assert len(records(files(tmp_path, "old"))) == (12 if open_file else 6)
    assert catch_up(tmp_path, "--node", "old").output == "0 records of node old written\n"


def test_who_else_owes_is_told(tmp_path: Path) -> None:
    asyncio.run(_die(tmp_path, "old", open_file=False))
    done = catch_up(tmp_path)
    assert done.exit_code == 1
    assert "no node a ever wrote CDRs of this store, and it owes none; records are owed by old" in done.output


def test_another_folder_is_refused_unless_the_own_one_is_lost(tmp_path: Path) -> None:
    asyncio.run(_die(tmp_path, "old", open_file=True))
    done = catch_up(tmp_path, "--node", "old", cdr=str(tmp_path / "elsewhere"))
    assert done.exit_code == 1
    assert "which node old was writing: set cdr.folder to that node's folder, or say --lost" in done.output
    done = catch_up(tmp_path, "--node", "old", "--lost", cdr=str(tmp_path / "elsewhere"))
    assert done.output == "6 records of node old written\n"


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = catch_up(tmp_path)
    assert "mmsc.db: no such store" in done.output
    assert not (tmp_path / "mmsc.db").exists()


def test_a_folder_that_is_no_folder_is_told(tmp_path: Path) -> None:
    asyncio.run(_die(tmp_path, "a", open_file=False))
    (tmp_path / "file").write_text("")
    done = catch_up(tmp_path, cdr=str(tmp_path / "file"))
    assert done.exit_code == 1
    assert "File exists" in done.output


async def _alive(schema: str) -> None:
    store = PostgresStore(postgres.server(), schema=schema)
    await store.open()
    assert await nodes.enter_new(store, "a", nodes.ANY_NUMBER, "") is not None
    await World(store, Clock(), "a").life()
    await store.close()


def test_a_node_that_is_alive_is_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = f"alive{os.getpid()}"
    asyncio.run(_alive(schema))
    monkeypatch.setenv("MMSC_STORE__POSTGRES", postgres.server())
    monkeypatch.setenv("MMSC_STORE__SCHEMA", schema)
    done = catch_up(tmp_path)
    assert done.exit_code == 1
    assert "node a is alive, and writes its records itself" in done.output
    monkeypatch.setattr(cdr, "_DEAD_MICROS", -3_600_000_000)  # an hour without a sign of life later
    assert catch_up(tmp_path).output == "6 records of node a written\n"
