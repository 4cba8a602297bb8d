"""Clients beyond a listener's limit of connections: told 503, and let go when they have read it."""

import asyncio
import contextlib
from typing import Final, cast

_LATER: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
_LINGER_SECONDS: Final = 1.0
_MOST: Final = 100  # that linger; further ones are only cut


class TurnedAway:
    """Makes a protocol for each client that is one too many. What it sends is passed over until it closes, for a moment
    (RFC 9112 9.6): a socket that is closed before it was read is reset, and the answer is lost with it."""

    def __init__(self) -> None:
        self._lingering: set[_Client] = set()

    def client(self) -> asyncio.Protocol:
        """The next one."""
        return _Client(self._lingering)

    def drop(self) -> None:
        """Cut them all."""
        for client in tuple(self._lingering):
            client.cut()


class _Client(asyncio.Protocol):
    def __init__(self, lingering: "set[_Client]") -> None:
        self._lingering = lingering
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast(asyncio.Transport, transport)
        if len(self._lingering) >= _MOST:
            transport.abort()
            return
        self._lingering.add(self)
        self._timer = asyncio.get_running_loop().call_later(_LINGER_SECONDS, self.cut)
        with contextlib.suppress(OSError):  # it is gone already
            transport.write(_LATER)
            transport.write_eof()

    def cut(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lingering.discard(self)
        if self._timer is not None:
            self._timer.cancel()
