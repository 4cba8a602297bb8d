"""HTTP/1.1 as lean as a load tool needs it: one request at a time on a kept connection (RFC 9112).

An answer that is whole in one piece with a Content-Length (nearly every one under load) is cut out of that piece
without a copy of the rest; everything else that a server may do (chunks, pieces, a body that ends with the connection,
1xx before the answer) takes the slower road. What is no HTTP, or larger than the limits, is told as a reason, never
raised.
"""

import asyncio
from collections.abc import Callable
from ssl import SSLContext
from typing import Final, cast

MAXIMUM_HEAD_OCTETS: Final = 64 * 1024
MAXIMUM_BODY_OCTETS: Final = 64 * 1024 * 1024
_CONTENT_LENGTH: Final = b"\r\ncontent-length:"
_TO_THE_END: Final = -1  # a body without a length: it ends with the connection
_CHUNKED: Final = -2
_LENGTH_DIGITS: Final = 12
_CHUNK_LINE_OCTETS: Final = 4096  # a chunk's size with its extensions, or the trailer fields

CUT: Final = "connection closed before the answer"


class NotHttp(Exception):
    """What came is no HTTP message that can be read; the text says why."""


class Inbox:
    """Octets of one side of a connection, cut into (start line and fields, body)."""

    __slots__ = ("_body", "_body_octets", "_buffer", "_head", "_is_answer", "_length", "_missing", "_pieces")

    def __init__(self, *, is_answer: bool) -> None:
        self._is_answer = is_answer
        self._buffer = b""
        self._pieces: list[bytes] = []  # what came since, while it cannot be enough
        self._missing = 0
        self._head = b""  # of the message whose body is awaited
        self._length = 0
        self._body: list[bytes] = []  # of chunks
        self._body_octets = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be cut."""
        return not self._buffer and not self._pieces

    def feed(self, octets: bytes) -> None:
        """Take what came from the socket."""
        if self._missing > 0:
            self._pieces.append(octets)
            self._missing -= len(octets)
            if self._missing > 0:
                return
            octets = b"".join(self._pieces)
            self._pieces.clear()
        self._buffer = self._buffer + octets if self._buffer else octets

    def expects_continue(self) -> bool:
        """Whether the sender waits for a word before it sends its body (RFC 9110 10.1.1)."""
        return b"\r\nexpect:" in self._head.lower()

    def take(self, *, ended: bool = False) -> tuple[bytes, bytes] | None:
        """The next message; None when octets are missing. `ended`: no more will come. Raises NotHttp."""
        if self._missing > 0 and not ended:
            return None
        if not self._head and not self._take_head():
            return None
        length = self._length
        if length >= 0:
            buffer = self._buffer
            if len(buffer) < length:
                self._missing = length - len(buffer)
                return None
            body = buffer[:length]
            self._buffer = buffer[length:]
        elif length == _CHUNKED:
            if not self._take_chunks():
                return None
            body = b"".join(self._body)
            self._body, self._body_octets = [], 0
        else:
            body = b"".join((self._buffer, *self._pieces))
            if len(body) > MAXIMUM_BODY_OCTETS:
                raise NotHttp(f"a body of more than {MAXIMUM_BODY_OCTETS} octets")
            if not ended:
                self._missing = MAXIMUM_BODY_OCTETS + 1 - len(body)
                return None
            self._buffer = b""
            self._pieces.clear()
        head, self._head = self._head, b""
        return head, body

    def _take_head(self) -> bool:
        buffer = self._buffer
        while (end := buffer.find(b"\r\n\r\n", 0, MAXIMUM_HEAD_OCTETS) + 4) > 3 and self._is_interim(buffer):
            buffer = self._buffer = buffer[end:]
        if end < 4:
            if len(buffer) >= MAXIMUM_HEAD_OCTETS:
                raise NotHttp(f"a head of more than {MAXIMUM_HEAD_OCTETS} octets")
            return False
        self._head = buffer[:end]
        self._length = self._length_of(self._head)
        self._buffer = buffer[end:]
        return True

    def _is_interim(self, buffer: bytes) -> bool:
        """100 Continue and its like stand before the answer (RFC 9110 15.2)."""
        return self._is_answer and buffer[9:10] == b"1"

    def _length_of(self, head: bytes) -> int:
        if self._is_answer and (head[:7] != b"HTTP/1." or not head[9:12].isdigit()):
            raise NotHttp(f"it begins with {head[:20]!r}")
        lower = head.lower()
        if b"\r\ntransfer-encoding:" in lower:
            return _CHUNKED
        at = lower.find(_CONTENT_LENGTH)
        if at >= 0:
            digits = lower[at + 17 : lower.index(b"\r\n", at + 17)].strip()
            if not digits.isdigit() or len(digits) > _LENGTH_DIGITS or int(digits) > MAXIMUM_BODY_OCTETS:
                raise NotHttp(f"Content-Length {digits[:20]!r}")
            return int(digits)
        if not self._is_answer or head[9:12] in (b"204", b"304"):
            return 0
        return _TO_THE_END

    def _take_chunks(self) -> bool:
        """Move whole chunks into the body (RFC 9112 7.1); True when the last one was there."""
        buffer, at = self._buffer, 0
        while (end := buffer.find(b"\r\n", at, at + _CHUNK_LINE_OCTETS)) >= 0:
            length = _chunk_size(buffer[at:end])
            if not length:
                after = _end_of_trailer(buffer, end + 2)
                if after:
                    self._buffer = buffer[after:]
                    return True
                break
            self._body_octets += length
            if self._body_octets > MAXIMUM_BODY_OCTETS:
                raise NotHttp(f"a body of more than {MAXIMUM_BODY_OCTETS} octets")
            if len(buffer) < end + 2 + length + 2:
                self._body_octets -= length  # it is looked at again
                self._missing = end + 2 + length + 2 - len(buffer)
                break
            self._body.append(buffer[end + 2 : end + 2 + length])
            at = end + 2 + length + 2
        self._buffer = buffer[at:]
        if len(self._buffer) >= _CHUNK_LINE_OCTETS and not self._missing > 0:
            raise NotHttp("chunks without an end of line")
        return False


def _chunk_size(line: bytes) -> int:
    size = line.partition(b";")[0].strip()
    try:
        length = int(size, 16)
    except ValueError:
        length = -1
    if length < 0 or length > MAXIMUM_BODY_OCTETS:
        raise NotHttp(f"a chunk of size {size[:20]!r}")
    return length


def _end_of_trailer(buffer: bytes, at: int) -> int:
    """Where the empty line after the last chunk and its trailer fields ends; 0 when it has not come."""
    if buffer[at : at + 2] == b"\r\n":
        return at + 2
    return buffer.find(b"\r\n\r\n", at) + 4 if buffer.find(b"\r\n\r\n", at) >= 0 else 0


class ClientConnection(asyncio.Protocol):
    """One kept connection to a server.

    `answered(connection, status, body)` gets each answer; `broken(connection, why)` is called once when the connection
    can serve no more, whether or not an answer was due. `job` belongs to the caller."""

    __slots__ = ("_answered", "_broken", "_due", "_inbox", "_transport", "closed", "deadline", "job", "served")

    def __init__(
        self,
        answered: "Callable[[ClientConnection, int, bytes], None]",
        broken: "Callable[[ClientConnection, str], None]",
    ) -> None:
        self._answered = answered
        self._broken = broken
        self._inbox = Inbox(is_answer=True)
        self._due = False
        self._transport: asyncio.Transport | None = None
        self.closed = False
        self.deadline = 0.0
        self.job: object = None
        self.served = False  # whether it ever brought an answer

    def request(self, octets: bytes) -> None:
        """Send a whole request. One at a time."""
        assert self._transport is not None, "not connected"
        assert not self._due, "one request at a time"
        self._due = True
        self._transport.write(octets)

    def close(self) -> None:
        """Drop the connection and tell nobody."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def drop(self, why: str) -> None:
        """Drop the connection and tell its owner."""
        if not self.closed:
            self.close()
            self._broken(self, why)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """asyncio: octets came."""
        self._inbox.feed(data)
        self._cut(ended=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        if self._due and not self.closed:
            self._cut(ended=True)
        self.drop(CUT)

    def _cut(self, *, ended: bool) -> None:
        try:
            message = self._inbox.take(ended=ended)
        except NotHttp as error:
            self.drop(f"no HTTP answer: {error}")
            return
        if message is None:
            return
        if not self._due or not self._inbox.is_empty:
            self.drop("an answer that nobody asked for")
            return
        self._due = False
        self.served = True
        head, body = message
        if b"close" in head or b"Close" in head or head[5:8] == b"1.0":
            self._answer_that_may_be_the_last(head, body)
        else:
            self._answered(self, int(head[9:12]), body)

    def _answer_that_may_be_the_last(self, head: bytes, body: bytes) -> None:
        """RFC 9112 9.3: who says close, and who speaks 1.0 without keep-alive, ends the connection."""
        lower = head.lower()
        if b"\r\nconnection: close" in lower or (head[5:8] == b"1.0" and b"keep-alive" not in lower):
            self._close_after(int(head[9:12]), body)
        else:
            self._answered(self, int(head[9:12]), body)

    def _close_after(self, status: int, body: bytes) -> None:
        """The server ends the connection with this answer: nobody may send another request on it."""
        self.closed = True
        self._answered(self, status, body)
        self.close()
        self._broken(self, "")


class Pool:
    """Where connections of one target come from. Counts what failed; the caller opens as many as it wants."""

    def __init__(self, host: str, port: int, tls: SSLContext | None = None, *, connect_seconds: float = 10.0) -> None:
        self.host, self.port, self.tls = host, port, tls
        self._connect_seconds = connect_seconds

    async def open(self, make: Callable[[], ClientConnection]) -> ClientConnection:
        """Connect. Raises OSError (also TimeoutError) when nobody takes the connection in time."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._connect_seconds):
            _, connection = await loop.create_connection(make, self.host, self.port, ssl=self.tls)
        return connection


class ServerConnection(asyncio.Protocol):
    """One connection of the MMSC to a listener of ours; `answer(head, body)` makes the whole HTTP answer, `written` is
    called when it was handed to the socket."""

    __slots__ = ("__weakref__", "_answer", "_inbox", "_told", "_transport", "_written")

    def __init__(self, answer: Callable[[bytes, bytes], bytes], written: Callable[[], None]) -> None:
        self._answer = answer
        self._written = written
        self._inbox = Inbox(is_answer=False)
        self._transport: asyncio.Transport | None = None
        self._told = False

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """asyncio: octets came."""
        assert self._transport is not None
        self._inbox.feed(data)
        try:
            while (message := self._inbox.take()) is not None:
                self._told = False
                self._transport.write(self._answer(*message))
                self._written()
        except NotHttp:
            self._transport.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self._transport.close()
            return
        if not self._told and self._inbox.expects_continue():
            self._told = True
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
