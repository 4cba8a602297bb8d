"""One connection of the HTTP client (RFC 9112): a request out, its answer in, and perhaps another one after that."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import httptools
from multidict import CIMultiDict, CIMultiDictProxy


class Cut(Exception):
    """What came is no whole answer, or a larger one than is read."""


def _no_headers() -> CIMultiDictProxy[str]:
    return CIMultiDictProxy(CIMultiDict())


@dataclass(slots=True)
class Reply:
    """An answer as it came. `head` are its own octets, b"" where the body was framed or compressed."""

    status: int = 0
    reason: str = ""
    headers: CIMultiDictProxy[str] = field(default_factory=_no_headers)
    head: bytes = b""
    body: bytes = b""


class Exchange(asyncio.Protocol):
    """`ask` as often as `kept` is true, then `drop`."""

    def __init__(self, maximum_header_octets: int, maximum_body_octets: int) -> None:
        self._maximum_header_octets = maximum_header_octets
        self._maximum_body_octets = maximum_body_octets
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Reply] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._loop = asyncio.get_running_loop()
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._heard = False
        self._begin()
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self.kept = False
        self.idle_since = 0.0

    async def ask(self, head: bytes, body: bytes, deadline: float) -> Reply:
        """Send a request. Raises Cut, TimeoutError at `deadline` (the loop's time), or ConnectionError when the target
        went without a word."""
        self._begin()
        self._heard = False
        self.kept = False
        if self._transport is None:
            raise ConnectionResetError("the connection was closed")
        self._answer = self._loop.create_future()
        self._transport.writelines((head, body))
        self._deadline = deadline
        if self._timer is None or self._timer.when() > deadline:
            self._watch()
        return await self._answer

    def _watch(self) -> None:
        """One timer a connection: it looks again at the deadline when it goes off, so moving that costs nothing."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._answer is None or self._answer.done():
            return
        if self._loop.time() < self._deadline:
            self._watch()
        else:
            self._fail(TimeoutError())

    def drop(self) -> None:
        """Close at once."""
        self.kept = False
        if self._transport is not None:
            self._transport.abort()

    def _begin(self) -> None:
        self._raw = b""
        self._headers: CIMultiDict[str] = CIMultiDict()
        self._reply: Reply | None = None
        self._reason = b""
        self._body: list[bytes] = []
        self._octets = 0

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
        """httptools: a header line."""
        self._headers.add(name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape"))

    def on_headers_complete(self) -> None:
        """httptools: the end of the head."""
        headers = self._headers
        framed = "Transfer-Encoding" in headers or "Content-Encoding" in headers
        end = self._raw.find(b"\r\n\r\n") + 4
        self._reply = Reply(
            self._parser.get_status_code(),
            self._reason.decode("utf-8", "replace"),
            CIMultiDictProxy(headers),
            b"" if framed or end < 4 else self._raw[:end],
        )

    def on_body(self, octets: bytes) -> None:
        """httptools: a piece of the body, chunks undone."""
        self._octets += len(octets)
        if self._octets > self._maximum_body_octets:
            self._body.clear()
            self._fail(Cut(f"the answer is larger than {self._maximum_body_octets} octets"))
            self.drop()
        else:
            self._body.append(octets)

    def on_message_complete(self) -> None:
        """httptools: the last octet of an answer. An interim one (1xx) is none."""
        reply = self._reply
        if reply is None:
            return
        if reply.status < 200:
            self._begin()
        else:
            self._succeed(reply, kept=self._parser.should_keep_alive() and self._transport is not None)

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = cast("asyncio.Transport", transport)  # other loops have transports of their own

    def data_received(self, data: bytes) -> None:
        """Octets from the target; what nobody asked for ends the connection."""
        if self._answer is None or self._answer.done():
            self.drop()
            return
        self._heard = True
        if self._reply is None:
            self._raw = self._raw + data if self._raw else data
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(Cut(f"no HTTP answer: {error}"))
            self.drop()
            return
        if self._reply is None and len(self._raw) > self._maximum_header_octets:
            self._fail(Cut(f"the head of the answer is larger than {self._maximum_header_octets} octets"))
            self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed: the end of an answer that said no length, else a cut one (RFC 9112 8)."""
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        self.kept = False
        reply = self._reply
        if reply is not None and exc is None and not {"Content-Length", "Transfer-Encoding"} & set(reply.headers):
            self._succeed(reply, kept=False)
        elif self._heard:
            self._fail(Cut(f"the answer was cut: {exc or 'the connection was closed'}"))
        else:
            self._fail(ConnectionResetError(str(exc or "closed without an answer")))
        if not self.gone.done():
            self.gone.set_result(None)
