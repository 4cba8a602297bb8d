"""A disk that is full, read-only or fails: commits are refused, what was committed stays, service resumes by itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import disks

_CHILD = """
import asyncio, json, logging, os, sys
from pathlib import Path
from mmsc.store import committer
from mmsc.store.core import Statement, StoreUnavailable, Unit
from mmsc.store.sqlite import SqliteStore
committer.PROBE_SECONDS = 0.05
logging.basicConfig(level="WARNING")
path, control, fault = sys.argv[1:]
SQL = "INSERT INTO meta (key, value) VALUES ($1, $2) RETURNING key"
async def main():
    store = SqliteStore(path)
    await store.open()
    answered, refused = [], []
    async def some(name):
        for number in range(10):
            key = f"{name}{number}"
            try:
                await store.commit(Unit(Statement(SQL, (key, "v" * 20000)), ()))
                answered.append(key)
            except StoreUnavailable:
                refused.append(key)
    await some("before")
    Path(control).write_text(fault)
    await some("meanwhile")
    shut = not store.available
    Path(control).write_text("")
    async with asyncio.timeout(20):
        while not store.available:
            await store.fetch("SELECT 1")
    await some("after")
    keys = [row[0] for row in await store.fetch("SELECT key FROM meta")]
    print(json.dumps([answered, refused, shut, keys]), flush=True)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""
_CHECK = """
import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
print(c.execute('PRAGMA integrity_check').fetchone()[0], *(r[0] for r in c.execute('SELECT key FROM meta')))
"""


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return disks.build(tmp_path_factory.mktemp("shim"))


@pytest.mark.parametrize("fault", disks.FAULTS)
def test_what_was_answered_stays_and_service_resumes(tmp_path: Path, shim: Path, fault: str) -> None:
    path, control = tmp_path / "mmsc.db", tmp_path / "control"
    faulty = disks.environment(shim, path, control)
    command = [sys.executable, "-c", _CHILD, str(path), str(control), fault]
    ran = subprocess.run(command, env={**os.environ, **faulty}, capture_output=True, text=True, timeout=60)
    assert ran.returncode == -9, ran.stderr
    answered, refused, shut, keys = json.loads(ran.stdout)
    assert shut
    assert {one for one in answered if one.startswith("meanwhile")} == set(), "the disk took nothing"
    assert len([one for one in answered if one.startswith("after")]) == 10
    assert set(answered) <= set(keys)
    assert set(refused) & set(keys) == set()
    assert ran.stderr.count("takes nothing for the moment") == 1
    after = subprocess.run([sys.executable, "-c", _CHECK, str(path)], capture_output=True, text=True).stdout.split()
    assert after[0] == "ok"
    assert set(after[1:]) == set(keys), "after SIGKILL, too"
