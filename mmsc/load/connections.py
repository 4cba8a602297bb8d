"""The connections that submissions take turns on: so many, opened again when they break, with growing pauses where
nobody takes them or where they break before their first answer."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from mmsc.load.http1 import ClientConnection
from mmsc.load.tally import Tally, count

_OPENING_AT_ONCE: Final = 100
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0

Answered = Callable[[ClientConnection, int, bytes], None]
Broken = Callable[[ClientConnection, str], None]
Open = Callable[[Answered, Broken], Awaitable[ClientConnection]]
"""Opens a connection with these two callbacks; raises OSError."""


class Connections:
    """`wanted` connections. `free` are those that a request may be sent on, the longest idle first: the last one to be
    free would go to the quickest of several nodes again and again, and leave others idle until the server closes them.
    `freed` is called when there is a new one; `lost` gets a connection that broke with a job on it, and why."""

    def __init__(
        self, opening: Open, tally: Tally, *, answered: Answered, lost: Broken, freed: Callable[[], None]
    ) -> None:
        self._open, self._tally = opening, tally
        self._answered, self._lost, self._freed = answered, lost, freed
        self._loop = asyncio.get_running_loop()
        self.free: deque[ClientConnection] = deque()
        self.all: set[ClientConnection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._lacking = 0  # to be opened when others are
        self._retries: set[asyncio.TimerHandle] = set()
        self._pause = _FIRST_PAUSE_SECONDS
        self._closed = False

    async def start(self, wanted: int) -> None:
        """Open the first one, then the others by and by. Raises OSError when nobody takes the first."""
        self._take(await self._open(self._answered, self._broken))
        for _ in range(wanted - 1):
            self._connect()

    def drop_late(self, now: float, why: str) -> None:
        """Drop the connections whose answer should have come."""
        for connection in [one for one in self.all if one.job is not None and one.deadline < now]:
            connection.drop(why)

    async def close(self) -> None:
        """Drop all and open none."""
        self._closed = True
        for timer in self._retries:
            timer.cancel()
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for connection in self.all:
            connection.close()

    def _take(self, connection: ClientConnection) -> None:
        if connection.closed:
            return  # broken before it was handed over; `_broken` knows
        self.all.add(connection)
        self.free.append(connection)
        self._freed()

    def _connect(self) -> None:
        if len(self._opening) >= _OPENING_AT_ONCE:
            self._lacking += 1
            return
        task = self._loop.create_task(self._connect_one())
        self._opening.add(task)
        task.add_done_callback(self._opened)

    def _opened(self, task: "asyncio.Task[None]") -> None:
        self._opening.discard(task)
        if self._lacking and not self._closed:
            self._lacking -= 1
            self._connect()

    async def _connect_one(self) -> None:
        try:
            connection = await self._open(self._answered, self._broken)
        except OSError as error:
            count(self._tally.connects, error.strerror or type(error).__name__)
            self._connect_later()
        else:
            self._take(connection)

    def _connect_later(self) -> None:
        def again() -> None:
            self._retries.discard(timer)
            self._connect()

        if not self._closed:
            timer = self._loop.call_later(self._pause, again)
            self._retries.add(timer)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)

    def _broken(self, connection: ClientConnection, why: str) -> None:
        self.all.discard(connection)
        if connection.job is not None:
            self._lost(connection, why)
        elif connection in self.free:
            self.free.remove(connection)
        if self._closed:
            return
        if connection.served:
            self._pause = _FIRST_PAUSE_SECONDS
            self._connect()
        else:
            self._connect_later()
