"""Labs whose console is looked at."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from mmsc.settings.model import Console
from tests.console.browsing import chromium
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One for all tests of a module, which share a loop: `pytest.mark.asyncio(loop_scope="module")`."""
    async with chromium() as made:
        yield made
