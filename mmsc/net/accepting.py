"""Takes the clients of a listener: those that wait, in one turn of the loop.

uvloop's own server takes one client a turn. Where a turn serves hundreds of requests, whoever connects meanwhile waits
for minutes: of 900 clients that came at once two hundred were not served within half a minute.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any, Final

from mmsc.net.listening import BACKLOG

_log: Final = logging.getLogger(__name__)
_AT_ONCE: Final = 64  # in one turn: each gets a socket before any limit is looked at
_PAUSE_SECONDS: Final = 1.0
_NOTHING_LEFT: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)  # other errors are the client's own

Take = Callable[[socket.socket], Awaitable[None]]
"""Makes a connection of a client's socket. Its OSError is the client's doing."""


class Acceptor:
    """Listens, and hands each client to `take` in a task of its own, which ends when the connection stands. `is_full`
    lets the next client be cut, because there is nothing yet that it could be told in."""

    def __init__(self, take: Take, *, is_full: Callable[[], bool] = lambda: False) -> None:
        self._take = take
        self._is_full = is_full
        self._loop = asyncio.get_running_loop()
        self._pauses: dict[socket.socket, asyncio.TimerHandle] = {}
        self._taking: set[asyncio.Task[None]] = set()
        self.sockets: tuple[socket.socket, ...] = ()

    @property
    def under_way(self) -> int:
        """Clients that are being taken."""
        return len(self._taking)

    async def start(self, host: str, port: int) -> None:
        """Listen. OSError when the address cannot be had."""
        found = await self._loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.sockets = _listening([(one[0], one[4]) for one in dict.fromkeys(found)])
        for one in self.sockets:
            self._loop.add_reader(one, self._accept, one)

    def close(self) -> None:
        """No new clients; those that are being taken go on."""
        for one in self.sockets:
            pause = self._pauses.pop(one, None)
            if pause is not None:
                pause.cancel()
            else:
                self._loop.remove_reader(one)
            one.close()
        self.sockets = ()

    async def wait_closed(self) -> None:
        """Until the last one is taken."""
        await asyncio.gather(*self._taking, return_exceptions=True)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_AT_ONCE):  # if more are there, the loop says so again
            try:
                client, _ = listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _NOTHING_LEFT:
                    self._pause(listening, error)
                    return
                continue  # it went away while it waited
            client.setblocking(False)
            if self._is_full():
                client.close()
                continue
            task = self._loop.create_task(self._taken(client), name="new client")
            self._taking.add(task)
            task.add_done_callback(self._taking.discard)

    def _pause(self, listening: socket.socket, why: OSError) -> None:
        _log.error("no client can be taken for a second: %s", why)
        self._loop.remove_reader(listening)
        self._pauses[listening] = self._loop.call_later(_PAUSE_SECONDS, self._go_on, listening)

    def _go_on(self, listening: socket.socket) -> None:
        del self._pauses[listening]
        self._loop.add_reader(listening, self._accept, listening)

    async def _taken(self, client: socket.socket) -> None:
        try:
            await self._take(client)
        except OSError as error:  # too late, or gone
            client.close()
            _log.debug("a client was gone before it was taken: %s", error)
        except BaseException:
            client.close()
            raise


def _listening(addresses: list[tuple[int, Any]]) -> tuple[socket.socket, ...]:
    """Sockets that listen, as `loop.create_server` would make them: a kind of address that the system does not have is
    passed over, unless there is no other."""
    made: list[socket.socket] = []
    missing: OSError | None = None
    with ExitStack() as opened:
        for family, address in addresses:
            try:
                one = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
            except OSError as error:
                missing = error
                continue
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
            one.listen(BACKLOG)
            one.setblocking(False)
            made.append(one)
        if missing is not None and not made:
            raise missing
        opened.pop_all()
    return tuple(made)
