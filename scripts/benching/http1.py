"""HTTP/1.1 as far as the driver needs it: one request at a time on a keep-alive connection, Content-Length bodies."""

import asyncio
from collections.abc import Callable
from typing import cast

Answered = Callable[[int, bytes], None]
"""Called with (status, body)."""


class WireError(Exception):
    """The server said something that the driver does not understand; the run is void."""


class _Inbox:
    """Octets of one side of a connection, cut into (start and headers, body)."""

    __slots__ = ("_body_at", "_buffer", "_whole")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._body_at = 0
        self._whole = 0  # where the message ends, once its head is known

    def feed(self, octets: bytes) -> None:
        self._buffer += octets

    def take(self) -> tuple[bytes, bytes] | None:
        """The next message; None when octets are missing."""
        buffer = self._buffer
        if not self._whole:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return None
            self._body_at = end + 4
            self._whole = self._body_at + _content_length(bytes(buffer[: end + 2]))
        if len(buffer) < self._whole:
            return None
        head, body = bytes(buffer[: self._body_at]), bytes(buffer[self._body_at : self._whole])
        del buffer[: self._whole]
        self._whole = 0
        return head, body


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    if at >= 0:
        return int(lower[at + 17 : lower.index(b"\r\n", at + 17)])
    if b"\r\ntransfer-encoding:" in lower:
        raise WireError("chunked transfer: the driver reads bodies with Content-Length only")
    return 0


class ClientConnection(asyncio.Protocol):
    """One keep-alive connection to the server."""

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        self._inbox = _Inbox()
        self._answered: Answered | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, host: str, port: int, failed: Callable[[Exception], None]) -> "ClientConnection":
        """Connect; `failed` is told when the connection breaks while an answer is due."""
        _, connection = await asyncio.get_running_loop().create_connection(lambda: cls(failed), host, port)
        return connection

    def request(self, octets: bytes, answered: Answered) -> None:
        """Send a whole request; `answered` is called from the event loop."""
        assert self._transport is not None, "not connected"
        assert self._answered is None, "one request at a time"
        self._answered = answered
        self._transport.write(octets)

    def close(self) -> None:
        """Drop the connection, quietly."""
        self._answered = None
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._inbox.feed(data)
        try:
            message = self._inbox.take()
        except WireError as error:
            self._failed(error)
            return
        if message is not None and self._answered is not None:
            answered, self._answered = self._answered, None
            answered(int(message[0][9:12]), message[1])

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered is not None:
            self._failed(WireError(f"the server closed a connection while an answer was due ({exc})"))


class ServerConnection(asyncio.Protocol):
    """One connection of the server under test to a listener of ours; `answer` makes the whole HTTP answer."""

    def __init__(self, answer: Callable[[bytes, bytes], bytes]) -> None:
        self._answer = answer
        self._inbox = _Inbox()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._inbox.feed(data)
        while (message := self._inbox.take()) is not None:
            self._transport.write(self._answer(*message))
