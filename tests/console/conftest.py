"""Labs whose console is looked at."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mmsc.settings.model import Console
from tests.console.world import World, fill, world
from tests.scenarios.conftest import Lab, open_lab


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A small one, with its console."""
    async with open_lab(tmp_path, console=Console(enabled=True, port=0)) as made:
        yield made


@pytest.fixture
async def empty_world(tmp_path: Path) -> AsyncIterator[World]:
    """The large one, in which nothing has happened yet."""
    async with world(tmp_path) as made:
        yield made


@pytest.fixture
async def full_world(empty_world: World) -> World:
    """The large one with its messages."""
    await fill(empty_world)
    return empty_world
