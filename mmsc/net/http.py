"""An HTTP listener for protocol gateways: octets to `HttpRequest`, `HttpAnswer` to octets, bounded in size and time.

It leaves meaning to its handler. It answers 400, 408, 411, 413, 415, 503 itself when a request cannot be had, and 500
when the handler raises (which is our bug, and logged). Each request and answer goes to the wire tap.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Final, NamedTuple, cast

from multidict import CIMultiDictProxy

from mmsc.domain.durations import Durations
from mmsc.domain.instant import Instant
from mmsc.net.accepting import Acceptor
from mmsc.net.bodies import CODINGS, BodyRefused, inflate
from mmsc.net.http_connection import Connection
from mmsc.net.http_received import HttpLimits, Received
from mmsc.net.http_turned_away import TurnedAway
from mmsc.net.listening import port_of
from mmsc.net.manner import Manner, mistreat
from mmsc.net.octets import OctetBudget
from mmsc.net.tls_server import ClientCertificate, TlsServer, certificate_of
from mmsc.net.turns import settle
from mmsc.trace.captures import BodyReference, Direction, Subject, WireTap, new_exchange, new_subject

__all__ = ["Handler", "HttpAnswer", "HttpLimits", "HttpListener", "HttpRequest"]
_log: Final = logging.getLogger(__name__)
LATER: Final = (("Retry-After", "1"),)  # headers of a 503 (RFC 9110 10.2.3)
_LARGE_ANSWER_OCTETS: Final = 16 * 1024  # from here on an answer counts against the budget until it was sent
_LONGEST_REFUSED: Final = 512 * 1024  # octets of a body that is about no MM of ours: of larger ones the trace keeps
_SHOWN_OCTETS: Final = 64 * 1024  # so many, or a few dozen of them would push everybody's out of its ring
_BODILESS: Final = (204, 304)  # RFC 9110 8.6: and no Content-Length either


class HttpRequest(NamedTuple):
    """A request, whole. `path` is as sent (not decoded), `query` without `?`."""

    method: str
    path: str
    query: str
    headers: CIMultiDictProxy[str]
    body: bytes
    remote: str  # IP address
    exchange: int
    certificate: ClientCertificate | None = None  # that the client showed, over TLS
    gone: "asyncio.Future[None] | None" = None  # done when the client has hung up

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
    reason: str = ""  # "": what RFC 9110 15 calls the status
    content_type: str = ""
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    after: Callable[[bool], Awaitable[None]] | None = None
    close: bool = False
    neighbour: str = ""
    transaction_id: str = ""
    mm_id: int | None = None
    reference: BodyReference | None = None  # what of `body` is stored; `at` counted from its start
    stored: BodyReference | None = None  # the same of the request's body
    fault: str = ""  # what is wrong with it on purpose
    manner: Manner | None = None  # how it is written, where that is wrong on purpose


Handler = Callable[[HttpRequest], Awaitable[HttpAnswer]]


class HttpListener:
    """One listening socket. `start` and `stop` once each; `port` is the one that was taken."""

    def __init__(
        self,
        handler: Handler,
        host: str,
        port: int,
        limits: HttpLimits,
        tap: WireTap,
        budget: OctetBudget | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        handshake_refused: Callable[[str, str], Awaitable[None]] | None = None,
    ) -> None:
        """`budget` is shared by the listeners of a server. With `tls` nothing else is spoken; `handshake_refused` is
        told the client's address and why."""
        self._budget = budget or OctetBudget()
        self._handler = handler
        self._host = host
        self._wanted_port = port
        self._limits = limits
        self._tap = tap
        self._tls = tls
        self._handshake_refused = handshake_refused or _ignored
        self._sockets: Acceptor | None = None
        self._turned_away = TurnedAway()
        self._connections: set[Connection] = set()
        self.port = port
        self.statuses: dict[int, int] = {}  # answers by status
        self.times = Durations()  # from a request's arrival to its answer handed over

    @property
    def connections(self) -> int:
        """Clients that are connected."""
        return len(self._connections)

    def answer_with(self, handler: Handler) -> None:
        """Requests from now on are this one's."""
        self._handler = handler

    async def start(self) -> None:
        """Listen. OSError when the address cannot be had."""
        if self._tls is None:
            server = Acceptor(self._take)
        else:
            server = TlsServer(
                self._tls,
                lambda: self._new(_Secured),
                is_full=lambda: len(self._connections) + server.under_way >= self._limits.maximum_connections,
                refused=self._handshake_refused,
            )
        await server.start(self._host, self._wanted_port)
        self._sockets, self.port = server, port_of(server)

    async def stop(self) -> None:
        """No new connections, idle ones closed, answers under way finished within `stop_seconds`."""
        if self._sockets is None:
            return
        self._sockets.close()
        await self._sockets.wait_closed()  # what was accepted becomes a connection, and is then closed like the others
        for connection in tuple(self._connections):
            connection.finish()
        tasks = [one.task for one in self._connections if one.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._limits.stop_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for connection in tuple(self._connections):
            connection.drop()
        self._turned_away.drop()
        await settle()
        self._sockets = None

    async def _take(self, client: socket.socket) -> None:
        """A client counts from here on, so that hundreds in one turn of the loop are not too many."""
        is_full = len(self._connections) >= self._limits.maximum_connections
        connection = self._turned_away.client() if is_full else self._new(Connection)
        if isinstance(connection, Connection):
            self._connections.add(connection)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: connection, client)
        finally:
            if isinstance(connection, Connection) and connection.task is None:  # it never stood
                self._connections.discard(connection)

    def _new(self, kind: type[Connection]) -> Connection:
        return kind(self._limits, self._serve, self._connections.add, self._connections.discard, self._budget)

    async def _serve(self, connection: Connection, received: Received) -> None:
        exchange = new_exchange()
        arrived = self._tap.now()
        subject = new_subject()
        coding = received.headers.get("Content-Encoding")
        if coding is not None and not received.status:
            self._undo(received, coding.strip().lower())
        stored: BodyReference | None = None
        is_taken = False
        try:
            if received.status:
                answer = HttpAnswer(status=received.status, close=True, headers=LATER if received.status == 503 else ())
            else:
                answer = await self._answer(received, connection, exchange)
                stored, is_taken = answer.stored, answer.mm_id is not None or answer.stored is not None
        finally:  # only the handler knows what of the body was stored
            if self._tap.is_on:
                self._saw_request(connection, received, stored, exchange, arrived, is_taken=is_taken)
        await self._send(connection, received, answer, exchange, subject)
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        self.times.note(self._tap.now() - arrived)

    def _saw_request(
        self,
        connection: Connection,
        received: Received,
        stored: BodyReference | None,
        exchange: int,
        arrived: Instant,
        *,
        is_taken: bool,
    ) -> None:
        head = received.head or _head_of(received)
        body, note = received.body, received.why
        if not is_taken and len(body) > _LONGEST_REFUSED:
            note = f"{note}; {len(body) - _SHOWN_OCTETS} octets more were not kept".removeprefix("; ")
            body = body[:_SHOWN_OCTETS]
        rest, stored = _without(body, stored, len(head))
        self._tap.saw(
            Direction.IN,
            head,
            *rest,
            local=connection.local,
            remote=connection.remote,
            exchange=exchange,
            reference=stored,
            note=note,
            at_real=arrived,
        )

    def _undo(self, received: Received, coding: str) -> None:
        if coding not in CODINGS:
            return
        try:
            received.body = inflate(received.body, coding, self._limits.maximum_body_octets)
        except BodyRefused as refused:
            received.status, received.why = refused.status, refused.why
            return
        if self._budget.take(len(received.body)):
            received.held += len(received.body)
        else:
            received.status, received.why = 503, f"more than {self._budget.maximum} octets are under way"
            received.body = b""

    async def _answer(self, received: Received, connection: Connection, exchange: int) -> HttpAnswer:
        path, query = _split(received.target)
        wanted = HttpRequest(
            received.method,
            path,
            query,
            received.headers,
            received.body,
            connection.address,
            exchange,
            connection.certificate,
            connection.gone,
        )
        try:
            return await self._handler(wanted)
        except Exception:
            _log.exception("%s %s: the handler failed", received.method, path, extra={"exchange": exchange})
            return HttpAnswer(status=500, close=True)

    async def _send(
        self, connection: Connection, received: Received, answer: HttpAnswer, exchange: int, subject: Subject
    ) -> None:
        body = answer.body if received.method != "HEAD" and answer.status not in _BODILESS else b""
        held = len(body) if received.method == "GET" and len(body) >= _LARGE_ANSWER_OCTETS else 0
        if not self._budget.take(held):  # a client that reads slowly keeps its answer in memory
            if answer.after is not None:
                await answer.after(False)
            answer, body, held = HttpAnswer(status=503, headers=LATER), b"", 0
        if answer.close or connection.is_closing:
            received.keep_alive = False
        whole = False
        try:
            head = _answer_head(answer, received)
            if answer.manner is not None:
                head, body, whole = await mistreat(answer.manner, answer, connection, received, head, body)
            else:
                connection.send(head, body)
                if connection.is_behind:  # nothing waits in our own buffer when an answer counts as sent
                    await connection.drain()
                whole = connection.is_open
            if self._tap.is_on:
                answer.mm_id = subject.mm_id if answer.mm_id is None else answer.mm_id
                answer.neighbour = answer.neighbour or subject.neighbour
                self._saw_answer(connection, head, body, answer, exchange, whole=whole)
        finally:
            self._budget.give(held)
            if answer.after is not None:
                await answer.after(whole)

    def _saw_answer(
        self, connection: Connection, head: bytes, body: bytes, answer: HttpAnswer, exchange: int, *, whole: bool
    ) -> None:
        rest, reference = _without(body, answer.reference if body else None, len(head))
        self._tap.saw(
            Direction.OUT,
            head,
            *rest,
            local=connection.local,
            remote=connection.remote,
            exchange=exchange,
            neighbour=answer.neighbour,
            transaction_id=answer.transaction_id,
            mm_id=answer.mm_id,
            reference=reference,
            note="" if whole else answer.fault or "the client was gone before the end",
            fault=answer.fault,
        )


async def _ignored(remote: str, why: str) -> None:
    """Nobody wants to know."""


class _Secured(Connection):
    """A client that is through its handshake."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.certificate = certificate_of(transport)
        super().connection_made(transport)
        # TLS that pauses at 0 octets never goes on; beneath its buffer lies another, of 64 KB, that counts as sent
        cast("asyncio.Transport", transport).set_write_buffer_limits(high=1)


def _without(
    body: bytes, reference: BodyReference | None, head_octets: int
) -> tuple[tuple[bytes, ...], BodyReference | None]:
    """The body without what is stored already, and the reference counted from the start of the head."""
    if reference is None:
        return ((body,) if body else ()), None
    at = reference.at
    rest = (body[:at], body[at + reference.length :])
    return rest, BodyReference(reference.content_id, reference.start, reference.length, head_octets + at)


def _split(target: str) -> tuple[str, str]:
    """(path, query) as sent; a client that takes us for a proxy sends the whole URL (RFC 9112 3.2.2)."""
    if not target.startswith("/"):
        _, scheme, rest = target.partition("://")
        target = "/" + rest.partition("/")[2] if scheme else target
    path, _, query = target.partition("?")
    return path, query


def _answer_head(answer: HttpAnswer, received: Received) -> bytes:
    """Status line and headers. ValueError for a line break in a value: that is our bug, and nobody's second answer."""
    lines = [_status_line(answer.status, answer.reason), "Server: mmsc", _date(int(time.time()))]
    if answer.content_type:
        lines.append(f"Content-Type: {answer.content_type}")
    if answer.status not in _BODILESS:
        lines.append(f"Content-Length: {len(answer.body)}")
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if not received.keep_alive:
        lines.append("Connection: close")
    elif received.version == "1.0":
        lines.append("Connection: keep-alive")
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise ValueError("a line break in a header")
    return text.encode("utf-8", "surrogateescape") + b"\r\n\r\n"


@lru_cache(maxsize=64)
def _status_line(status: int, reason: str) -> str:
    try:
        return f"HTTP/1.1 {status} {reason or HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP/1.1 {status} "


@lru_cache(maxsize=2)
def _date(seconds: int) -> str:
    """RFC 9110 6.6.1: a server with a clock says when."""
    return f"Date: {formatdate(seconds, usegmt=True)}"


def _head_of(received: Received) -> bytes:
    """The head written anew for a body whose chunks and compression are undone."""
    lines = [f"{received.method} {received.target} HTTP/{received.version}".encode("utf-8", "surrogateescape")]
    for name, value in received.raw_headers:
        if name.lower() not in (b"transfer-encoding", b"content-length", b"content-encoding"):
            lines.append(name + b": " + value)
    if received.body:
        lines.append(b"Content-Length: %d" % len(received.body))
    return b"\r\n".join(lines) + b"\r\n\r\n"
