"""One connection of the HTTP client (RFC 9112): a request out, its answer in, and perhaps another one after that.

Whatever comes is bounded: a body by its own limit; the head, interim answers (RFC 9110 15.2), chunk extensions and
trailers by that of a head; all of it by the deadline of the request. What is beyond is not read, and the connection
ends.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final, cast

import httptools
from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.net.deadlines import Alarm
from mmsc.net.http_received import decoded, place_of
from mmsc.net.tls import is_alert_about_us
from mmsc.net.turns import write_both

_PIECE_OCTETS: Final = 16 * 1024  # parsed at once: a read brings more, and each line and chunk of it costs a call
_FRAMING_OF_AN_OCTET: Final = 8  # more than a chunk of one octet needs


class Cut(Exception):
    """What came is no whole answer, or a larger one than is read."""


def _no_headers() -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict())


@dataclass(slots=True)
class Reply:
    """An answer as it came. `head` are its own octets, b"" where the body was framed or compressed, or where an
    interim answer stood before it."""

    status: int = 0
    reason: str = ""
    headers: CIMultiDictProxy[str] = field(default_factory=_no_headers)
    head: bytes = b""
    body: bytes = b""
    local: str = ""  # our end of the connection, address:port


class Exchange(asyncio.Protocol):
    """`ask` as often as `kept` is true, then `drop`."""

    def __init__(self, maximum_header_octets: int, maximum_body_octets: int) -> None:
        self._maximum_header_octets = maximum_header_octets
        self._maximum_body_octets = maximum_body_octets
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Reply] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._loop = asyncio.get_running_loop()
        self._alarm = Alarm(self._late)
        self._heard = self._interim = False
        self._head_octets = self._framed_octets = 0
        self.lost: Exception | None = None  # why the connection ended, where it did with an error
        self._begin()
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self.kept = False
        self.idle_since = 0.0
        self.local = ""  # address:port

    async def ask(self, head: bytes, body: bytes, deadline: float) -> Reply:
        """Send a request. Raises Cut, TimeoutError at `deadline` (the loop's time), ConnectionError when the target
        went without a word, or ssl.SSLError when its last word was an alert of TLS about our certificate."""
        self._begin()
        self._heard = self._interim = False
        self._head_octets = self._framed_octets = 0
        self.kept = False
        if self._transport is None:
            raise self._ended()
        self._answer = self._loop.create_future()
        write_both(self._transport, head, body)
        self._alarm.set(deadline)
        return await self._answer

    async def say(self, head: bytes, body: bytes) -> None:
        """Send octets and hang up, without waiting for an answer."""
        if self._transport is not None:
            write_both(self._transport, head, body)
            self._transport.close()
        await self.gone

    def _ended(self) -> Exception:
        """Why nothing came."""
        if self.lost is not None and is_alert_about_us(self.lost):
            return self.lost
        return ConnectionResetError(str(self.lost or "closed without an answer"))

    def _late(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._fail(TimeoutError())

    def drop(self) -> None:
        """Close at once."""
        self.kept = False
        if self._transport is not None:
            self._transport.abort()

    def _begin(self) -> None:
        self._raw: list[bytes] = []
        self._raw_headers: list[tuple[bytes, bytes]] = []
        self._reply: Reply | None = None
        self._reason = b""
        self._body: list[bytes] = []
        self._octets = 0

    def _refuse(self, why: str) -> None:
        """Nothing more is read."""
        self._body.clear()
        self._fail(Cut(why))
        self.drop()

    def _fail(self, error: Exception) -> None:
        self.kept = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _succeed(self, reply: Reply, *, kept: bool) -> None:
        reply.body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self.kept = kept
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(reply)

    # --- httptools ---

    def on_message_begin(self) -> None:
        """httptools: the first octet of an answer; of one nobody asked for, perhaps."""
        if self._answer is None or self._answer.done():
            self.kept = False

    def on_status(self, reason: bytes) -> None:
        """httptools: a piece of the reason phrase."""
        self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """httptools: a header line, or one of the trailers, which mean nothing here (RFC 9110 6.5.1)."""
        if self._reply is None:
            self._raw_headers.append((name, value))

    def on_headers_complete(self) -> None:
        """httptools: the end of the head."""
        headers = decoded(self._raw_headers)
        framed = self._interim or "Transfer-Encoding" in headers or "Content-Encoding" in headers
        raw = self._raw[0] if len(self._raw) == 1 else b"".join(self._raw)
        self._raw.clear()
        end = raw.find(b"\r\n\r\n") + 4
        self._reply = Reply(
            self._parser.get_status_code(),
            self._reason.decode("utf-8", "replace"),
            CIMultiDictProxy(headers),
            b"" if framed or end < 4 else raw[:end],
        )

    def on_body(self, octets: bytes) -> None:
        """httptools: a piece of the body, chunks undone."""
        self._octets += len(octets)
        if self._octets > self._maximum_body_octets:
            self._refuse(f"the answer is larger than {self._maximum_body_octets} octets")
        else:
            self._body.append(octets)

    def on_message_complete(self) -> None:
        """httptools: the last octet of an answer. An interim one (1xx) is none."""
        reply = self._reply
        if reply is None:
            return
        if reply.status < 200:
            self._interim = True
            self._begin()
        else:
            self._succeed(reply, kept=self._parser.should_keep_alive() and self._transport is not None)

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = cast("asyncio.Transport", transport)  # other loops have transports of their own
        self.local = place_of(transport.get_extra_info("sockname"))

    def data_received(self, data: bytes) -> None:
        """Octets from the target; what nobody asked for ends the connection."""
        if self._answer is None or self._answer.done():
            self.drop()
            return
        self._heard = True
        if len(data) <= _PIECE_OCTETS:
            self._feed(data)
            return
        for start in range(0, len(data), _PIECE_OCTETS):
            if self._answer.done():  # refused, or whole and not the end
                self.drop()
                return
            self._feed(data[start : start + _PIECE_OCTETS])

    def _feed(self, data: bytes) -> None:
        inside = self._reply is not None
        if not inside:
            self._raw.append(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._refuse(f"no HTTP answer: {error}")
            return
        if self._reply is None:
            self._head_octets += len(data)
            if self._head_octets > self._maximum_header_octets:
                self._refuse(f"the head of the answer is larger than {self._maximum_header_octets} octets")
        elif inside:
            self._framed_octets += len(data)
            most = self._maximum_header_octets + _FRAMING_OF_AN_OCTET * self._octets
            if self._framed_octets - self._octets > most:
                self._refuse("the answer has chunk extensions or trailers without end")

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed: the end of an answer that said no length, else a cut one (RFC 9112 8)."""
        self._transport = None
        self.lost = exc
        self._alarm.cancel()
        self.kept = False
        reply = self._reply
        if reply is not None and exc is None and not {"Content-Length", "Transfer-Encoding"} & set(reply.headers):
            self._succeed(reply, kept=False)
        elif self._heard:
            self._fail(Cut(f"the answer was cut: {exc or 'the connection was closed'}"))
        else:
            self._fail(self._ended())
        if not self.gone.done():
            self.gone.set_result(None)
