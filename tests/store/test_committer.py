"""When the next batch begins."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from mmsc.store.committer import Committer
from mmsc.store.core import Counters, Unit


@pytest.mark.parametrize(
    ("elsewhere", "order"),
    [
        (True, ["batch of a", "batch of b, c", "a is told", "a goes on"]),
        (False, ["batch of a", "a is told", "a goes on", "batch of b, c"]),
    ],
)
async def test_a_database_in_another_process_begins_before_the_last_batch_was_answered(
    elsewhere: bool, order: list[str]
) -> None:
    """It works while this process deals with the answers; a thread of this process would only be in their way."""
    said: list[str] = []
    names: dict[int, str] = {}

    def begin(units: Sequence[Unit]) -> None:
        said.append(f"batch of {', '.join(names[id(unit)] for unit in units)}")

    committer = Committer(begin, Counters(), time.monotonic_ns, elsewhere=elsewhere)

    async def commit(name: str) -> None:
        unit = Unit(None, (), after=lambda: said.append(f"{name} is told"))
        names[id(unit)] = name
        await committer.commit(unit)
        said.append(f"{name} goes on")

    async with asyncio.TaskGroup() as group:
        group.create_task(commit("a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        group.create_task(commit("b"))
        group.create_task(commit("c"))
        await asyncio.sleep(0)
        committer.finish([[]])
        for _ in range(3):
            await asyncio.sleep(0)
        assert said == order
        committer.finish([[], []])
    assert said[4:] == ["b is told", "c is told", "b goes on", "c goes on"]
    assert committer.waiting == 0
