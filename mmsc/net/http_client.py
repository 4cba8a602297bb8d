"""An HTTP client for one target: kept connections, bounded in size and time, seen by the wire tap octet for octet.

What a neighbour does is a value or `HttpUnavailable`; redirects are not followed, cookies not kept, proxies of the
environment not used. Whether to try again is for the caller to say, with one exception below.
"""

import asyncio
import base64
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from multidict import CIMultiDictProxy

from mmsc.net.bodies import CODINGS, BodyRefused, inflate
from mmsc.net.http_exchange import Cut, Exchange, Reply
from mmsc.trace.captures import Direction, WireTap, new_exchange
from protocols.records import record

_PORTS: Final = {"http": 80, "https": 443}


@record(frozen=True, slots=True, kw_only=True)
class ClientLimits:
    """What one target may cost. Times in seconds."""

    connections: int = 4
    connect_seconds: float = 10.0
    total_seconds: float = 30.0
    keep_alive_seconds: float = 60.0
    maximum_body_octets: int = 1024 * 1024
    maximum_header_octets: int = 64 * 1024


class HttpReply(NamedTuple):
    """The target's answer, whole."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def content_type(self) -> str:
        """The Content-Type as sent, "" when there is none."""
        return self.headers.get("Content-Type", "")


class HttpUnavailable(Exception):
    """No usable answer. `connected` tells a request that may have been read from one that was never sent."""

    def __init__(self, why: str, *, connected: bool) -> None:
        super().__init__(why)
        self.why = why
        self.connected = connected


class _Target(NamedTuple):
    """A URL taken apart."""

    host: str
    port: int
    tls: bool
    place: str  # the Host header
    path: str
    authorization: str


class HttpClient:
    """The connections to one target. Made inside the event loop; `close` once."""

    def __init__(self, limits: ClientLimits, tap: WireTap) -> None:
        self._limits = limits
        self._tap = tap
        self._free: dict[tuple[str, int, bool], list[Exchange]] = {}
        self._seats = asyncio.Semaphore(limits.connections)
        self._sweeping: asyncio.TimerHandle | None = None
        self._tls: ssl.SSLContext | None = None
        self._closed = False

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        neighbour: str = "",
        transaction_id: str = "",
        mm_id: int | None = None,
    ) -> HttpReply:
        """Send one request and read its answer. HttpUnavailable when there is none, or it is cut or too large.

        A kept-alive connection that the target closes in the same moment is its right (RFC 9112 9.3.1): the request
        is sent once more on a new one. So what is sent here must bear repetition.
        """
        number = new_exchange()
        try:
            target = _target(url)
            head = _request_head(method, target, headers, len(body))
        except ValueError as error:
            raise HttpUnavailable(str(error), connected=False) from error

        def saw(direction: Direction, octets: bytes, rest: bytes) -> None:
            self._tap.saw(
                direction,
                octets,
                rest,
                local="",
                remote=target.place,
                exchange=number,
                neighbour=neighbour,
                transaction_id=transaction_id,
                mm_id=mm_id,
            )

        if self._tap.is_on:
            saw(Direction.OUT, head, body)
        reply = await self._reply(target, head, body)
        if self._tap.is_on:
            saw(Direction.IN, reply.head or _reply_head(reply), reply.body)
        return HttpReply(reply.status, reply.headers, reply.body)

    async def close(self) -> None:
        """Close all connections; what is under way is finished, and its connection closed then."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        closing = [one for free in self._free.values() for one in free]
        self._free.clear()
        for one in closing:
            one.drop()
        await asyncio.gather(*(one.gone for one in closing))

    async def _reply(self, target: _Target, head: bytes, body: bytes) -> Reply:
        async with self._seats:
            deadline = asyncio.get_running_loop().time() + self._limits.total_seconds
            try:
                try:
                    reply = await self._once(target, head, body, deadline)
                except ConnectionError:
                    reply = await self._once(target, head, body, deadline)
                coding = reply.headers.get("Content-Encoding", "").strip().lower()
                if coding in CODINGS:
                    reply.body = inflate(reply.body, coding, self._limits.maximum_body_octets)
            except TimeoutError as error:
                raise HttpUnavailable("no answer in time", connected=True) from error
            except (Cut, BodyRefused, OSError) as error:
                raise HttpUnavailable(str(error) or type(error).__name__, connected=True) from error
        return reply

    async def _once(self, target: _Target, head: bytes, body: bytes, deadline: float) -> Reply:
        key = target[:3]
        exchange = self._kept(key) or await self._connect(target, deadline)
        try:
            reply = await exchange.ask(head, body, deadline)
        except BaseException:
            exchange.drop()
            raise
        if exchange.kept and not self._closed:
            exchange.idle_since = asyncio.get_running_loop().time()
            self._free.setdefault(key, []).append(exchange)
            if self._sweeping is None:
                self._sweep()
        else:
            exchange.drop()
        return reply

    def _kept(self, key: tuple[str, int, bool]) -> Exchange | None:
        free = self._free.get(key)
        while free:
            exchange = free.pop()
            if exchange.kept:
                return exchange
        return None

    async def _connect(self, target: _Target, deadline: float) -> Exchange:
        limits = self._limits
        loop = asyncio.get_running_loop()
        # less than the whole, so that it is known what ran out
        soon = loop.time() + min(limits.connect_seconds, 0.9 * limits.total_seconds)
        try:
            async with asyncio.timeout_at(min(soon, deadline)):
                _, exchange = await loop.create_connection(
                    lambda: Exchange(limits.maximum_header_octets, limits.maximum_body_octets),
                    target.host,
                    target.port,
                    ssl=self._tls_context() if target.tls else None,
                )
        except TimeoutError as error:
            if deadline < soon:  # the second attempt: what the first one sent may have been read
                raise
            raise HttpUnavailable("cannot connect in time", connected=False) from error
        except (OSError, ValueError) as error:
            raise HttpUnavailable(f"cannot connect: {error}", connected=False) from error
        return exchange

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _sweep(self) -> None:
        """Close what was not used for a while, and look again later."""
        loop = asyncio.get_running_loop()
        last = loop.time() - self._limits.keep_alive_seconds
        for key, free in tuple(self._free.items()):
            for exchange in free:
                if exchange.idle_since <= last:
                    exchange.drop()
            self._free[key] = [exchange for exchange in free if exchange.kept]
        waiting = any(self._free.values())
        self._sweeping = loop.call_later(self._limits.keep_alive_seconds, self._sweep) if waiting else None


@lru_cache(maxsize=1024)
def _target(url: str) -> _Target:
    """Raises ValueError for what is no http or https URL."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{url!r} is no http or https URL")
    authorization = ""
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(login.encode()).decode()
    return _Target(
        parts.hostname,
        parts.port or _PORTS[parts.scheme],
        parts.scheme == "https",
        parts.netloc.rpartition("@")[2],
        (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        authorization,
    )


def _request_head(method: str, target: _Target, headers: Mapping[str, str], octets: int) -> bytes:
    """Raises ValueError for a line break in a value."""
    lines = [f"{method} {target.path} HTTP/1.1", f"Host: {target.place}", "User-Agent: mmsc"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if target.authorization and "Authorization" not in headers:
        lines.append(f"Authorization: {target.authorization}")
    lines.append(f"Content-Length: {octets}")
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise ValueError("a line break in a header")
    return text.encode() + b"\r\n\r\n"


def _reply_head(reply: Reply) -> bytes:
    """The head written anew for a body whose chunks and compression are undone."""
    lines = [f"HTTP/1.1 {reply.status} {reply.reason}".rstrip()]
    framing = ("transfer-encoding", "content-length", "content-encoding")
    lines += [f"{name}: {value}" for name, value in reply.headers.items() if name.lower() not in framing]
    lines.append(f"Content-Length: {len(reply.body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"
