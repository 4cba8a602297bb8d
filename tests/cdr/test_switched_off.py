"""What was charged for while `cdr.enabled` was on is written after it was turned off, and then its MMs may go."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from mmsc.app import App
from mmsc.settings import Settings
from mmsc.settings.model import Cdr, Mm7, Node
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from mmsc.trace.events import StoreTidied
from tests.cdr.test_catch_up import _die
from tests.cdr.world import files, records
from tests.scenarios.conftest import settings

_DAY = 86400.0


async def _dead(folder: Path, *, open_file: bool) -> None:
    """A node that charged and was killed; its MMs have ended."""
    await _die(folder, "a", open_file=open_file)
    store = SqliteStore(str(folder / "mmsc.db"), SqliteOptions(synchronous="OFF"))
    await store.open()
    assert store._writer is not None
    store._writer.execute("UPDATE recipient SET state = 'retrieved'")
    await store.close()


def _off(folder: Path, cdr_folder: str = "") -> Settings:
    given = settings(folder, 9, "")
    cdr = Cdr(write_seconds=0.01, folder=cdr_folder)
    return msgspec.structs.replace(given, node=Node(name="a"), cdr=cdr, mm7=Mm7(enabled=False))


async def _years_pass(app: App) -> StoreTidied:
    """What the next round of housekeeping does."""
    async with asyncio.timeout(15):
        while app.engine.housekeeper._turned.set not in app.clock._watchers:
            await app.store.fetch("SELECT 1")
    with app.bus.watch() as watcher:
        app.clock.step(400 * _DAY)
        async with asyncio.timeout(15):
            data = (await watcher.until(lambda event: isinstance(event.data, StoreTidied))).data
    assert isinstance(data, StoreTidied)
    return data


@pytest.mark.parametrize("open_file", [False, True])
async def test_what_is_owed_is_written_and_its_mms_go(
    tmp_path: Path, open_file: bool, caplog: pytest.LogCaptureFixture
) -> None:
    await _dead(tmp_path, open_file=open_file)
    lives = 2 if open_file else 1
    async with App(_off(tmp_path), synchronous="OFF") as app:
        async with asyncio.timeout(15):
            while await app.store.fetch("SELECT 1 FROM cdr"):
                await app.store.fetch("SELECT 1")
        assert (await _years_pass(app)).messages == lives
        assert await app.store.fetch("SELECT 1 FROM cdr") == [], "with charging off nothing new is owed"
    assert "cdr.enabled is off; the records of 5 events from before are still written" in caplog.text
    assert len(records(files(tmp_path))) == 6 * lives
    assert not list((tmp_path / "cdr").glob("*.open"))
    caplog.clear()
    async with App(_off(tmp_path), synchronous="OFF") as app:
        assert app.charging is None
    assert "CDR" not in caplog.text.upper(), "nothing is owed any more"


async def test_where_the_files_are_elsewhere_everything_stays_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await _dead(tmp_path, open_file=True)
    async with App(_off(tmp_path, str(tmp_path / "elsewhere")), synchronous="OFF") as app:
        assert (await _years_pass(app)).messages == 1, "that of which nothing is owed"
        assert await app.store.fetch("SELECT count(*) FROM cdr") == [(5,)]
    assert "node a owes the records of 5 events from before" in caplog.text
    assert "set cdr.folder to its folder, or say `mmsc cdr catch-up --lost`" in caplog.text
    assert not (tmp_path / "elsewhere").exists()


async def test_a_file_that_is_gone_is_not_missed_where_nothing_is_owed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await _die(tmp_path, "a", open_file=True, lives=0)
    async with App(_off(tmp_path, str(tmp_path / "elsewhere")), synchronous="OFF") as app:
        assert app.charging is None
    assert "cdr.enabled" not in caplog.text
