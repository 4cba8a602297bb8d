"""How the HTTP client reaches a target: TCP, perhaps a proxy in between (CONNECT, RFC 9110 9.3.6), perhaps TLS.

Each step knows who it waits for, so that a failure tells which of them it was. Nothing of a request was sent before
all of them are through.
"""

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from mmsc.net.connecting import not_connected
from mmsc.net.http_exchange import Exchange
from mmsc.net.http_received import place_of
from mmsc.net.http_target import Target, connect_head, target_of
from mmsc.net.tls import TlsOptions, TlsUnusable, context_of, why_it_failed
from mmsc.trace.captures import Direction
from protocols.records import record

MAXIMUM_PROXY_HEAD_OCTETS: Final = 16 * 1024  # of a proxy's answer to CONNECT
_LONGEST_REASON: Final = 200  # characters of what a proxy says
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: ([^\r\n]*))?\r?\n")


class Saw(Protocol):
    """Somebody who watches the wire."""

    def __call__(self, direction: Direction, octets: bytes, remote: str, rest: bytes = b"", local: str = "") -> None:
        """The octets of a head, who was at the other end, the body, and our own end."""


class Unreachable(Exception):
    """There is no connection; `why` tells who did what, `late` that the time ran out."""

    def __init__(self, why: str, *, late: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.late = late


@record(frozen=True, slots=True, kw_only=True)
class Way:
    """How one target is reached. `proxy_url` is `http://[USER:PASSWORD@]HOST[:PORT]` (port 80 unless named), "" for
    none; every connection goes through it, those to http addresses, too."""

    tls: TlsOptions = TlsOptions()
    proxy_url: str = ""


class _Limits(NamedTuple):
    """Of an answer's head and body, in octets."""

    header: int
    body: int


class Caller:
    """Makes connections by one way."""

    def __init__(self, way: Way, maximum_header_octets: int, maximum_body_octets: int) -> None:
        self._way = way
        self._limits = _Limits(maximum_header_octets, maximum_body_octets)
        self._context: ssl.SSLContext | None = None

    async def connect(self, target: Target, until: float, saw: Saw) -> Exchange:
        """A connection that is ready for a request, by the loop's time `until`. Raises Unreachable."""
        calling = _Call(target, self._way, self._limits, saw)
        try:
            async with asyncio.timeout_at(until):
                context = await self._ready(target) if target.tls else None
                return await calling.through(context)
        except TimeoutError as error:
            calling.hang_up()
            raise Unreachable(f"cannot connect in time: {calling.step}", late=True) from error
        except TlsUnusable as error:
            raise Unreachable(error.why) from error
        except (OSError, ValueError) as error:
            calling.hang_up()
            self._context = None  # who repairs a certificate need not restart the server
            raise Unreachable(calling.why(error)) from error
        except BaseException:
            calling.hang_up()
            raise

    async def _ready(self, target: Target) -> ssl.SSLContext:
        if self._context is None:
            self._context = await asyncio.to_thread(context_of, self._way.tls)
        return self._context

    def renew(self) -> None:
        """Read the files of TLS again before the next connection."""
        self._context = None


class _Call:
    """One attempt to connect, and how far it is."""

    def __init__(self, target: Target, way: Way, limits: _Limits, saw: Saw) -> None:
        self._target = target
        self._way = way
        self._limits = limits
        self._saw = saw
        self._transport: asyncio.Transport | None = None
        self._in_tls = False
        self.step = f"no connection to {target.place}"

    async def through(self, context: ssl.SSLContext | None) -> Exchange:
        """All steps. Raises OSError, ValueError, Unreachable."""
        exchange = Exchange(self._limits.header, self._limits.body)
        if self._way.proxy_url:
            await self._by_proxy(exchange)
        else:
            await self._open(lambda: exchange, self._target.host, self._target.port)
        if context is not None:
            await self._secure(exchange, context)
        return exchange

    def hang_up(self) -> None:
        """Nothing will come of it."""
        if self._transport is not None:
            self._transport.abort()

    def why(self, error: Exception) -> str:
        """A sentence."""
        if self._in_tls and isinstance(error, OSError):
            return why_it_failed(error, self._way.tls, self._target.host)
        return not_connected(self._target.place, error)

    async def _open(self, protocol: Callable[[], asyncio.Protocol], host: str, port: int) -> None:
        self._transport, _ = await asyncio.get_running_loop().create_connection(protocol, host, port)

    async def _by_proxy(self, exchange: Exchange) -> None:
        proxy = target_of(self._way.proxy_url)
        self.step = f"no connection to the proxy {proxy.place}"
        asking = _Asking(proxy.place)
        try:
            await self._open(lambda: asking, proxy.host, proxy.port)
        except OSError as error:
            raise Unreachable(f"the proxy: {not_connected(proxy.place, error)}") from error
        assert self._transport is not None
        self.step = f"the proxy {proxy.place} does not answer CONNECT"
        head = connect_head(self._target, proxy.authorization)
        local = place_of(self._transport.get_extra_info("sockname"))
        self._saw(Direction.OUT, head, proxy.place, local=local)
        self._transport.write(head)
        await asking.answered
        self._saw(Direction.IN, asking.octets, proxy.place, local=local)
        asking.judge(self._target.authority)
        self._transport.set_protocol(exchange)
        exchange.connection_made(self._transport)

    async def _secure(self, exchange: Exchange, context: ssl.SSLContext) -> None:
        assert self._transport is not None
        self.step = f"the TLS handshake with {self._target.place} does not end"
        self._in_tls = True
        transport = await asyncio.get_running_loop().start_tls(
            self._transport, exchange, context, server_hostname=self._way.tls.server_name or self._target.host
        )
        if transport is None:  # it was closed in the same moment
            raise exchange.lost or ConnectionResetError
        exchange.connection_made(transport)


class _Asking(asyncio.Protocol):
    """Waits for a proxy's answer to CONNECT."""

    def __init__(self, place: str) -> None:
        self._place = place
        self.octets = b""
        self._gone = False
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """Octets of its head, and of nothing behind it: the target speaks only when spoken to."""
        self.octets += data
        if b"\r\n\r\n" in self.octets or len(self.octets) > MAXIMUM_PROXY_HEAD_OCTETS:
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        """It went: what it said before may tell why."""
        self._gone = True
        self._end()

    def _end(self) -> None:
        if not self.answered.done():
            self.answered.set_result(None)

    def judge(self, authority: str) -> None:
        """Raises Unreachable unless the way to `authority` is open."""
        proxy = f"the proxy {self._place}"
        if not self.octets:
            raise Unreachable(f"{proxy} closed the connection without an answer to CONNECT")
        found = _STATUS.match(self.octets)
        head, end, behind = self.octets.partition(b"\r\n\r\n")
        if found is None or not end or len(head) > MAXIMUM_PROXY_HEAD_OCTETS:
            raise Unreachable(f"{proxy} gives no HTTP answer to CONNECT")
        status = int(found[1])
        if not 200 <= status < 300:
            reason = ascii((found[2] or b"").decode("ascii", "replace"))[1:-1][:_LONGEST_REASON]
            told = f"HTTP {status} {reason}".rstrip()
            wants = "; it wants credentials in proxy_url" if status == 407 else ""  # RFC 9110 15.5.8
            raise Unreachable(f"{proxy} does not connect to {authority}: {told}{wants}")
        if self._gone:
            raise Unreachable(f"{proxy} closed the connection behind its answer to CONNECT")
        if behind:
            raise Unreachable(f"{proxy} says more than an answer to CONNECT")
