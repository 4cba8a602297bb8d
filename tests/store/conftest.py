"""The same contract on every store; and PostgreSQL behind a relay that sees and cuts."""

import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mmsc.store.core import Store
from mmsc.store.postgres import PostgresStore
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from tests import postgres
from tests.relay import Relay

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


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    address = urlsplit(postgres.server())
    assert address.hostname is not None
    assert address.port is not None
    async with Relay(address.hostname, address.port) as one:
        yield one
