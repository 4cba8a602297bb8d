"""An HTTP client for one target: kept connections, bounded in size and time, seen by the wire tap octet for octet.

What a neighbour does is a value or `HttpUnavailable`; redirects are not followed, cookies not kept, proxies of the
environment not used. Whether to try again is for the caller to say, with one exception below.
"""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.net.bodies import CODINGS, BodyRefused, inflate
from mmsc.net.http_calling import Caller, Saw, Unreachable, Way
from mmsc.net.http_exchange import Cut, Exchange, Reply
from mmsc.net.http_target import Target, reply_head, request_head, target_of
from mmsc.net.tls import why_it_failed
from mmsc.trace.captures import Direction, WireTap, new_exchange
from protocols.records import record

_DIRECT = Way()


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


def made_up(status: int, content_type: str = "", body: bytes = b"") -> HttpReply:
    """An answer that no target gave."""
    headers = CIMultiDict({"Content-Type": content_type} if content_type else {})
    return HttpReply(status, CIMultiDictProxy(headers), body)


class HttpUnavailable(Exception):
    """No usable answer. `connected` tells a request that may have been read from one that was never sent."""

    def __init__(self, why: str, *, connected: bool) -> None:
        super().__init__(why)
        self.why = why
        self.connected = connected


class _Request(NamedTuple):
    """What is asked, by when (the loop's time), and who watches."""

    target: Target
    head: bytes
    body: bytes
    deadline: float
    saw: Saw
    cut_after: int | None = None


class HttpClient:
    """The connections to one target, all by one way. Made inside the event loop; `close` once."""

    def __init__(self, limits: ClientLimits, tap: WireTap, way: Way = _DIRECT) -> None:
        self._limits = limits
        self._tap = tap
        self._way = way
        self._caller = Caller(way, limits.maximum_header_octets, limits.maximum_body_octets)
        self._free: dict[tuple[str, int, bool], list[Exchange]] = {}
        self._seats = asyncio.Semaphore(limits.connections)
        self._sweeping: asyncio.TimerHandle | None = None
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
        fault: str = "",
        cut_after: int | None = None,
    ) -> HttpReply:
        """Send one request and read its answer. HttpUnavailable when there is none, or it is cut or too large.

        A kept-alive connection that the target closes in the same moment is its right (RFC 9112 9.3.1): the request
        is sent once more on a new one. So what is sent here must bear repetition. `fault`: what is wrong on purpose;
        `cut_after`: how many octets of the body are sent, before the connection is closed.
        """
        number = new_exchange()
        try:
            target = target_of(url)
            head = request_head(method, target, headers, len(body))
        except ValueError as error:
            raise HttpUnavailable(str(error), connected=False) from error

        def saw(direction: Direction, octets: bytes, remote: str, rest: bytes = b"", local: str = "") -> None:
            self._tap.saw(
                direction,
                octets,
                rest,
                local=local,
                remote=remote,
                exchange=number,
                neighbour=neighbour,
                transaction_id=transaction_id,
                mm_id=mm_id,
                fault=fault,
            )

        async with self._seats:
            deadline = asyncio.get_running_loop().time() + self._limits.total_seconds
            reply = await self._reply(_Request(target, head, body, deadline, saw, cut_after))
        if self._tap.is_on:
            saw(Direction.IN, reply.head or reply_head(reply), target.place, reply.body, reply.local)
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

    async def _reply(self, request: _Request) -> Reply:
        try:
            reply = await self._ask(request)
            coding = reply.headers.get("Content-Encoding", "").strip().lower()
            if coding in CODINGS:
                reply.body = inflate(reply.body, coding, self._limits.maximum_body_octets)
        except TimeoutError as error:
            raise HttpUnavailable("no answer in time", connected=True) from error
        except ssl.SSLError as error:  # it refuses our certificate
            self._caller.renew()
            why = why_it_failed(error, self._way.tls, request.target.host)
            raise HttpUnavailable(why, connected=False) from error  # it has read nothing (RFC 8446 4.4.2.4)
        except (Cut, BodyRefused, OSError) as error:
            raise HttpUnavailable(str(error) or type(error).__name__, connected=True) from error
        return reply

    async def _ask(self, request: _Request) -> Reply:
        """On a kept connection; when that was closed before anything of an answer came, once more on a new one."""
        kept = self._kept(request.target[:3])
        if kept is not None:
            with suppress(ConnectionError):
                return await self._once(kept, request)
        return await self._once(await self._connect(request), request)

    async def _once(self, exchange: Exchange, request: _Request) -> Reply:
        head, body = request.head, request.body
        try:
            if request.cut_after is not None:
                body = body[: request.cut_after]
                request.saw(Direction.OUT, head, request.target.place, body)
                await exchange.say(head, body)
                raise Cut("the request was cut on purpose")
            if self._tap.is_on:
                request.saw(Direction.OUT, head, request.target.place, body, exchange.local)
            reply = await exchange.ask(head, body, request.deadline)
            reply.local = exchange.local
        except BaseException:
            exchange.drop()
            raise
        if exchange.kept and not self._closed:
            exchange.idle_since = asyncio.get_running_loop().time()
            self._free.setdefault(request.target[:3], []).append(exchange)
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

    async def _connect(self, request: _Request) -> Exchange:
        limits, deadline = self._limits, request.deadline
        # less than the whole, so that it is known what ran out
        soon = asyncio.get_running_loop().time() + min(limits.connect_seconds, 0.9 * limits.total_seconds)
        try:
            return await self._caller.connect(request.target, min(soon, deadline), request.saw)
        except Unreachable as error:
            if error.late and deadline < soon:  # the second attempt: what the first one sent may have been read
                raise TimeoutError from error
            raise HttpUnavailable(error.why, connected=False) from error

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
