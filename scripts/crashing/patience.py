"""What every neighbour does about a server that is down: the same again, until it answers or the run is over."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

import aiohttp
import aiosmtplib

from protocols.errors import ProtocolError

PAUSE_SECONDS: Final = 0.1
ANSWER_SECONDS: Final = 10.0  # a stopped or dying server answers nothing
AWAY: Final = (aiohttp.ClientError, OSError, asyncio.TimeoutError, aiosmtplib.SMTPException, ProtocolError)

Value = TypeVar("Value")


async def until_answered(attempt: Callable[[], Awaitable[Value | None]]) -> Value:
    """Repeat `attempt` while it returns None or finds nobody. A mail client may make an error of its own of a
    cancellation: it counts all the same."""
    myself = asyncio.current_task()
    while myself is None or not myself.cancelling():
        with suppress(*AWAY):
            async with asyncio.timeout(ANSWER_SECONDS):
                value = await attempt()
            if value is not None:
                return value
        await asyncio.sleep(PAUSE_SECONDS)
    raise asyncio.CancelledError


class Chores:
    """Work that neighbours began and nobody waits for; an error in one is an error of the run."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.errors: list[BaseException] = []

    def begin(self, work: Awaitable[None]) -> None:
        """Start something."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Future[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.errors.append(error)

    async def stop(self) -> None:
        """End what is left."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*tuple(self._tasks), return_exceptions=True)
