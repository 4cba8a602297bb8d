"""Both kinds of event loop: Python's own, and uvloop's where it is installed, which the server prefers."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

NewLoop = Callable[[], asyncio.AbstractEventLoop]


def loops() -> list[NewLoop]:
    """How each is made."""
    found: list[NewLoop] = [asyncio.new_event_loop]
    with contextlib.suppress(ImportError):
        import uvloop

        found.append(uvloop.new_event_loop)
    return found


def run(loop: NewLoop, work: Coroutine[Any, Any, None]) -> None:
    """Run the work on a loop of its own."""
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(work)


async def until(so: Callable[[], bool]) -> None:
    """Wait for something that comes by itself; tests have a time limit of their own."""
    while not so():  # noqa: ASYNC110
        await asyncio.sleep(0.005)
