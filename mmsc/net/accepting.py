"""Takes the clients of a listener: all that wait, in one turn of the loop.

uvloop's own server takes one client a turn. Where a turn serves hundreds of requests, whoever connects meanwhile waits
for minutes: of 900 clients that came at once two hundred were not served within half a minute.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, Final

from mmsc.net.listening import BACKLOG

_log: Final = logging.getLogger(__name__)
_PAUSE_SECONDS: Final = 1.0  # when the system gives no socket

Take = Callable[[socket.socket, str], Awaitable[None]]
"""Makes a connection of a client's socket and IP address. Its OSError is the client's doing."""


class Acceptor:
    """Listens, and hands each client to `take` in a task of its own, which ends when the connection stands. `is_full`
    lets the next client be cut, because there is nothing yet that it could be told in."""

    def __init__(self, take: Take, *, is_full: Callable[[], bool] = lambda: False) -> None:
        self._take = take
        self._is_full = is_full
        self._accepting: list[asyncio.Task[None]] = []
        self._taking: set[asyncio.Task[None]] = set()
        self.sockets: tuple[socket.socket, ...] = ()

    @property
    def under_way(self) -> int:
        """Clients that are being taken."""
        return len(self._taking)

    async def start(self, host: str, port: int) -> None:
        """Listen. OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        with ExitStack() as opened:
            made = [opened.enter_context(_listening(one[0], one[4])) for one in dict.fromkeys(found)]
            opened.pop_all()
        self.sockets = tuple(made)
        self._accepting = [loop.create_task(self._accept(one), name="listener") for one in made]

    def close(self) -> None:
        """No new clients; those that are being taken are cut."""
        for task in (*self._accepting, *self._taking):
            task.cancel()

    async def wait_closed(self) -> None:
        """Until the last of them is gone."""
        await asyncio.gather(*self._accepting, *self._taking, return_exceptions=True)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    self._begin(*await loop.sock_accept(listening))  # uvloop's waits for a turn, even if one is there
                    self._begin_all_that_wait(listening)
                except ConnectionError:  # it went away while it waited
                    pass
                except OSError as error:
                    _log.error("no client can be taken for a second: %s", error)
                    await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            listening.close()

    def _begin_all_that_wait(self, listening: socket.socket) -> None:
        for _ in range(BACKLOG):
            try:
                client, place = listening.accept()
            except BlockingIOError:
                return
            client.setblocking(False)
            self._begin(client, place)

    def _begin(self, client: socket.socket, place: Any) -> None:
        if self._is_full():
            client.close()
            return
        task = asyncio.get_running_loop().create_task(self._taken(client, str(place[0])), name="new client")
        self._taking.add(task)
        task.add_done_callback(partial(self._ended, client))

    def _ended(self, client: socket.socket, task: asyncio.Task[None]) -> None:
        self._taking.discard(task)
        if task.cancelled():  # perhaps before it began
            client.close()

    async def _taken(self, client: socket.socket, address: str) -> None:
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._take(client, address)
        except OSError as error:  # too late, or gone
            _log.debug("a client at %s was gone before it was taken: %s", address, error)


def _listening(family: int, address: Any) -> socket.socket:
    """A socket that listens at an address, as `loop.create_server` would make it."""
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
