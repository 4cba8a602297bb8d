"""SIGKILL of a process that tells events and writes their records: nothing is lost, nothing doubled."""

import asyncio
import random
import signal
import sys
from pathlib import Path

import pytest

from mmsc.clock import Clock
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from tests.cdr.world import assert_exactly_once, writer

TOP = Path(__file__).parents[2]
_KILLS = 6


async def _run_and_kill(folder: Path, seed: int, lives: int, chance: random.Random) -> None:
    command = (sys.executable, "-m", "tests.cdr.child", str(folder), str(seed))
    child = await asyncio.create_subprocess_exec(*command, cwd=TOP, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    async with asyncio.timeout(60):
        for _ in range(lives):
            assert await child.stdout.readline() == b"life\n"
        for _ in range(chance.randrange(2000)):  # a little later, wherever it is then
            pass
        child.send_signal(signal.SIGKILL)
        await child.communicate()
    assert child.returncode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
async def test_a_killed_writer_loses_and_doubles_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(_KILLS):
        await _run_and_kill(tmp_path, seed * 100 + number, chance.randrange(1, 120), chance)
    store = SqliteStore(str(tmp_path / "mmsc.db"), SqliteOptions(synchronous="OFF"))
    await store.open()
    last = writer(store, Clock(), tmp_path)
    await last.write()
    await last.close()
    count = await assert_exactly_once(store, tmp_path)
    assert count > 6 * _KILLS
    await store.close()
