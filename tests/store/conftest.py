"""The same contract on every store."""

import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mmsc.store.core import Store
from mmsc.store.postgres import PostgresStore
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from tests import postgres

_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "inline", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made: Store
    match request.param:
        case "sqlite":
            made = SqliteStore(str(tmp_path / "mmsc.db"), SqliteOptions(synchronous="OFF"))
        case "inline":
            made = SqliteStore(":memory:", SqliteOptions(synchronous="OFF", inline=True))
        case _:
            made = PostgresStore(postgres.server(), schema=f"t{os.getpid()}_{next(_numbers)}")
    await made.open()
    yield made
    await made.close()
