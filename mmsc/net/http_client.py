"""An HTTP client for one target: one session with keep-alive, bounded in size and time, seen by the wire tap.

What a neighbour does is a value or `HttpUnavailable`; redirects are not followed, cookies not kept, proxies of the
environment not used. Whether to try again is for the caller to say, with one exception below.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDictProxy

from mmsc.trace.captures import Direction, WireTap, new_exchange

_READ_OCTETS: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLimits:
    """What one target may cost. Times in seconds."""

    connections: int = 4
    connect_seconds: float = 10.0
    total_seconds: float = 30.0
    keep_alive_seconds: float = 60.0
    maximum_body_octets: int = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
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


class HttpClient:
    """The connections to one target. Made inside the event loop; `close` once."""

    def __init__(self, limits: ClientLimits, tap: WireTap) -> None:
        self._limits = limits
        self._tap = tap
        self._session: aiohttp.ClientSession | None = None

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
        exchange = new_exchange()

        def saw(direction: Direction, head: bytes, body: bytes) -> None:
            self._tap.saw(
                direction,
                head,
                body,
                local="",
                remote=urlsplit(url).netloc,
                exchange=exchange,
                neighbour=neighbour,
                transaction_id=transaction_id,
                mm_id=mm_id,
            )

        if self._tap.is_on:
            saw(Direction.OUT, _request_head(method, url, headers, body), body)
        reply = await self._reply(method, url, headers, body)
        if self._tap.is_on:
            saw(Direction.IN, _reply_head(reply), reply.body)
        return reply

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _reply(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> HttpReply:
        try:
            try:
                return await self._once(method, url, headers, body)
            except aiohttp.ServerDisconnectedError:
                return await self._once(method, url, headers, body)
        except aiohttp.ClientConnectorError as error:
            raise HttpUnavailable(f"cannot connect: {error}", connected=False) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise HttpUnavailable("cannot connect in time", connected=False) from error
        except TimeoutError as error:
            raise HttpUnavailable("no answer in time", connected=True) from error
        except (aiohttp.ClientError, ValueError, OSError) as error:
            raise HttpUnavailable(f"{type(error).__name__}: {error}", connected=True) from error

    async def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> HttpReply:
        async with self._open().request(method, url, data=body, headers=headers, allow_redirects=False) as response:
            pieces: list[bytes] = []
            size = 0
            async for piece in response.content.iter_chunked(_READ_OCTETS):
                size += len(piece)
                if size > self._limits.maximum_body_octets:
                    response.close()
                    why = f"the answer is larger than {self._limits.maximum_body_octets} octets"
                    raise HttpUnavailable(why, connected=True)
                pieces.append(piece)
            return HttpReply(status=response.status, headers=response.headers, body=b"".join(pieces))

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            limits = self._limits
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=limits.connections, keepalive_timeout=limits.keep_alive_seconds),
                timeout=aiohttp.ClientTimeout(total=limits.total_seconds, sock_connect=limits.connect_seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                skip_auto_headers=("Content-Type", "User-Agent"),
                headers={"User-Agent": "mmsc"},
            )
        return self._session


@asynccontextmanager
async def http_client(limits: ClientLimits, tap: WireTap) -> AsyncIterator[HttpClient]:
    """An `HttpClient` that is closed at the end of the block."""
    client = HttpClient(limits, tap)
    try:
        yield client
    finally:
        await client.close()


def _request_head(method: str, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _reply_head(reply: HttpReply) -> bytes:
    lines = [f"HTTP/1.1 {reply.status}"]
    framing = ("transfer-encoding", "content-length", "content-encoding")
    lines += [f"{name}: {value}" for name, value in reply.headers.items() if name.lower() not in framing]
    lines.append(f"Content-Length: {len(reply.body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"
