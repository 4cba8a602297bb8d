"""An HTTP listener for protocol gateways: octets to `HttpRequest`, `HttpAnswer` to octets, bounded in size and time.

It leaves meaning to its handler. It answers 400, 408, 411, 413, 415, 503 itself when a request cannot be had, and 500
when the handler raises (which is our bug, and logged). Each request and answer goes to the wire tap.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, cast

from aiohttp import web
from multidict import CIMultiDictProxy

from mmsc.net.bodies import BodyRefused, read_body
from mmsc.trace.captures import BodyReference, Direction, WireTap, new_exchange

_log: Final = logging.getLogger(__name__)
_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What a client may cost. Times in seconds."""

    maximum_connections: int = 1000
    maximum_body_octets: int = 4 * 1024 * 1024  # after decompression
    maximum_header_octets: int = 32 * 1024
    request_seconds: float = 60.0  # from the end of the head to the end of the body
    idle_seconds: float = 75.0  # from connection or last answer to the end of the next head
    stop_seconds: float = 5.0  # for answers under way when the listener stops


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request, whole. `path` is as sent (not decoded), `query` without `?`."""

    method: str
    path: str
    query: str
    headers: CIMultiDictProxy[str]
    body: bytes
    remote: str  # IP address
    exchange: int

    @property
    def content_type(self) -> str:
        """The Content-Type as sent, "" when there is none."""
        return self.headers.get("Content-Type", "")


@dataclass(slots=True, kw_only=True)
class HttpAnswer:
    """What to send back, and what the trace should know of it.

    `after` is called once: with True when all octets were handed to the socket, with False when they could not be.
    """

    status: int = 200
    content_type: str = ""
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    after: Callable[[bool], Awaitable[None]] | None = None
    close: bool = False
    neighbour: str = ""
    transaction_id: str = ""
    mm_id: int | None = None
    reference: BodyReference | None = field(default=None)  # `at` counted from the start of `body`


Handler = Callable[[HttpRequest], Awaitable[HttpAnswer]]


class HttpListener:
    """One listening socket. `start` and `stop` once each; `port` is the one that was taken."""

    def __init__(self, handler: Handler, host: str, port: int, limits: HttpLimits, tap: WireTap) -> None:
        self._handler = handler
        self._host = host
        self._wanted_port = port
        self._limits = limits
        self._tap = tap
        self._sockets: asyncio.Server | None = None
        self._server: web.Server | None = None
        self.port = port

    async def start(self) -> None:
        """Listen. OSError when the address cannot be had."""
        limits = self._limits
        self._server = web.Server(
            self._serve,
            access_log=None,
            keepalive_timeout=limits.idle_seconds,
            max_line_size=limits.maximum_header_octets,
            max_field_size=limits.maximum_header_octets,
            lingering_time=1.0,
            auto_decompress=False,
        )
        loop = asyncio.get_running_loop()
        self._sockets = await loop.create_server(self._accept, self._host, self._wanted_port, backlog=512)
        self.port = int(self._sockets.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """No new connections, idle ones closed, answers under way finished within `stop_seconds`."""
        if self._sockets is None or self._server is None:
            return
        self._sockets.close()
        for _ in range(
            2
        ):  # what the loop has accepted already becomes a connection, and is then closed like the others
            await asyncio.sleep(0)
        self._server.pre_shutdown()
        await self._server.shutdown(self._limits.stop_seconds)
        await self._sockets.wait_closed()
        self._sockets = None

    def _accept(self) -> asyncio.Protocol:
        assert self._server is not None
        if len(self._server.connections) >= self._limits.maximum_connections:
            return _Busy()
        return self._server()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        exchange = new_exchange()
        try:
            # A body that came with its head needs no timer.
            async with asyncio.timeout(None if request.content.is_eof() else self._limits.request_seconds):
                body = await read_body(request, self._limits.maximum_body_octets)
        except TimeoutError:
            return await self._send(request, HttpAnswer(status=408, close=True), exchange)
        except BodyRefused as refused:
            return await self._send(request, HttpAnswer(status=refused.status, close=True), exchange)
        if self._tap.is_on:
            self._saw(Direction.IN, _request_head(request, len(body)) + body, request, exchange, HttpAnswer())
        answer = await self._answer(request, body, exchange)
        return await self._send(request, answer, exchange)

    async def _answer(self, request: web.BaseRequest, body: bytes, exchange: int) -> HttpAnswer:
        path, query = _target(request)
        wanted = HttpRequest(
            method=request.method,
            path=path,
            query=query,
            headers=request.headers,
            body=body,
            remote=request.remote or "",
            exchange=exchange,
        )
        try:
            return await self._handler(wanted)
        except Exception:
            _log.exception("%s %s: the handler failed", request.method, path)
            return HttpAnswer(status=500, close=True)

    async def _send(self, request: web.BaseRequest, answer: HttpAnswer, exchange: int) -> web.StreamResponse:
        response = web.Response(status=answer.status, body=answer.body, headers={"Server": "mmsc"})
        if answer.content_type:
            response.headers["Content-Type"] = answer.content_type
        elif "Content-Type" in response.headers:
            del response.headers["Content-Type"]
        for name, value in answer.headers:
            response.headers.add(name, value)
        if answer.close:
            response.force_close()
        whole = False
        try:
            if request.transport is not None:
                # Nothing waits in our own buffer when an answer counts as sent.
                request.transport.set_write_buffer_limits(high=0)
            await response.prepare(request)
            await response.write_eof()
            whole = request.transport is not None and not request.transport.is_closing()
        finally:
            if self._tap.is_on:
                self._saw_answer(response, answer, request, exchange, whole=whole)
            if answer.after is not None:
                await answer.after(whole)
        return response

    def _saw_answer(
        self, response: web.Response, answer: HttpAnswer, request: web.BaseRequest, exchange: int, *, whole: bool
    ) -> None:
        lines = [f"HTTP/1.1 {response.status} {response.reason or ''}".rstrip()]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        head = "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"
        body, reference = answer.body, answer.reference
        if request.method == "HEAD":
            body, reference = b"", None
        if reference is not None:  # a stored body is named, and not even copied here
            rest = body[reference.at + reference.length :]
            body = body[: reference.at] + rest
            at = len(head) + reference.at
            reference = BodyReference(reference.content_id, reference.start, reference.length, at)
        note = "" if whole else "the client was gone before the end"
        self._saw(Direction.OUT, head + body, request, exchange, answer, reference, note)

    def _saw(
        self,
        direction: Direction,
        octets: bytes,
        request: web.BaseRequest,
        exchange: int,
        answer: HttpAnswer,
        reference: BodyReference | None = None,
        note: str = "",
    ) -> None:
        transport = request.transport
        self._tap.saw(
            direction,
            octets,
            local=_place(transport.get_extra_info("sockname")) if transport else f"{self._host}:{self.port}",
            remote=_place(transport.get_extra_info("peername")) if transport else request.remote or "",
            exchange=exchange,
            neighbour=answer.neighbour,
            transaction_id=answer.transaction_id,
            mm_id=answer.mm_id,
            reference=reference,
            note=note,
        )


class _Busy(asyncio.Protocol):
    """One connection too many: told so, and closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # other loops have transports of their own
        transport.write(_BUSY)
        transport.close()


def _target(request: web.BaseRequest) -> tuple[str, str]:
    """(path, query) as sent; a client that takes us for a proxy sends the whole URL (RFC 9112 3.2.2)."""
    target = request.raw_path
    if not target.startswith("/"):
        return request.rel_url.raw_path, request.rel_url.raw_query_string
    path, _, query = target.partition("?")
    return path, query


def _request_head(request: web.BaseRequest, body_octets: int) -> bytes:
    """The head as it was sent; the framing says what follows it here (chunks are undone, compression, too)."""
    version = request.version
    lines = [f"{request.method} {request.raw_path} HTTP/{version.major}.{version.minor}".encode()]
    for name, value in request.raw_headers:
        if name.lower() not in (b"transfer-encoding", b"content-length", b"content-encoding"):
            lines.append(name + b": " + value)
    if body_octets:
        lines.append(b"Content-Length: %d" % body_octets)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _place(address: object) -> str:
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address or "")
