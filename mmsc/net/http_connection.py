"""One connection of an HTTP listener (RFC 9112): octets in, whole requests out, one served at a time; answers back.

Framing is httptools' (the parser of Node.js); bounds, times and what is kept for the trace are ours. Whatever cannot be
had as a request comes out, too: as a refusal with its HTTP status and the octets that were there.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from math import inf
from typing import Final, cast

import httptools
from multidict import CIMultiDictProxy

from mmsc.net.bodies import TAKEN
from mmsc.net.deadlines import Alarm
from mmsc.net.http_received import HttpLimits, Phase, Received, decoded, place_of, text_of
from mmsc.net.octets import OctetBudget
from mmsc.net.tls_server import ClientCertificate
from mmsc.net.turns import write_both

_log: Final = logging.getLogger(__name__)
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_FRAMING_OF_AN_OCTET: Final = 8  # more than a chunk of one octet needs
_FRAMING_OF_A_HEADER: Final = 4  # colon, space, CRLF
_LINGER_SECONDS: Final = 1.0  # so that a client that still sends reads why it is refused, before the reset


class Connection(asyncio.Protocol):
    """Made by the listener for each client. `serve` gets one request after the other and answers with `send`."""

    def __init__(
        self,
        limits: HttpLimits,
        serve: Callable[["Connection", Received], Awaitable[None]],
        joined: Callable[["Connection"], None],
        left: Callable[["Connection"], None],
        budget: OctetBudget,
    ) -> None:
        self._limits = limits
        self._budget = budget
        self._serve = serve
        self._joined = joined
        self._left = left
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self.gone: asyncio.Future[None] = self._loop.create_future()  # done when the client has hung up
        self._parser = httptools.HttpRequestParser(self)
        self._ready: deque[Received] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._behind = b""  # what came while a request was served
        self._phase = Phase.HEAD
        self._alarm = Alarm(self._late)
        self.is_closing = False  # the answer that is written now is the last one
        self._goes_on = False  # a new parser reads the body of a request whose head the last one read
        self._deaf = False  # after a refusal nothing is understood any more
        self._begin(b"")
        self.task: asyncio.Task[None] | None = None
        self.is_behind = False  # octets wait in our own buffer
        self.local = ""  # address:port
        self.remote = ""
        self.address = ""  # the client's alone
        self.certificate: ClientCertificate | None = None

    # --- for the listener ---

    def send(self, head: bytes, body: bytes) -> None:
        """Write an answer, unless the client is gone."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        write_both(transport, head, body)

    async def drain(self) -> None:
        """When `is_behind`: until all that was written is handed to the socket, or the client is gone."""
        self._drained = self._loop.create_future()
        self._wait_for(Phase.SENDING, self._limits.answer_seconds)
        await self._drained

    @property
    def is_open(self) -> bool:
        """Whether the client can still be written to: after `drain`, whether it got everything."""
        return self._transport is not None and not self._transport.is_closing()

    def finish(self) -> None:
        """Close when what is under way was answered."""
        self.is_closing = True
        if self._phase is Phase.HEAD and not self._ready:
            self._close()

    def drop(self) -> None:
        """Close at once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    # --- requests, one at a time ---
    async def _work(self) -> None:
        try:
            while await self._some():
                received = self._ready.popleft()
                self._phase, self._alarm.at = Phase.SERVING, inf
                try:
                    await self._serve(self, received)
                finally:
                    self._give_back(received)
                if received.status:
                    self._linger()
                    return
                if self.is_closing or not received.keep_alive:
                    self._close()
                    return
                self._next()
        except Exception:
            _log.exception("HTTP connection from %s", self.remote)
            self._close()
        finally:
            for received in self._ready:
                self._give_back(received)

    def _give_back(self, received: Received) -> None:
        self._budget.give(received.held)
        received.held = 0

    async def _some(self) -> bool:
        """Wait for a request; False when none will come."""
        while not self._ready:
            if self._transport is None:
                return False
            self._waiter = self._loop.create_future()
            await self._waiter
        return True

    def _next(self) -> None:
        if self._ready or self._transport is None or self._transport.is_closing():
            return
        if self._under_way is None:
            self._wait_for(Phase.HEAD, self._limits.idle_seconds)
        else:  # its head came behind the last request, its body did not
            self._wait_for(Phase.BODY, self._limits.request_seconds)
        if self._behind:
            behind, self._behind = self._behind, b""
            self._transport.resume_reading()
            self._understand(behind)

    def _put(self, received: Received) -> None:
        self._ready.append(received)
        self._phase, self._alarm.at = Phase.SERVING, inf
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _linger(self) -> None:
        """The answer says no to something that may still be on its way (RFC 9112 9.6)."""
        if self._transport is None or self._transport.is_closing():
            return
        if not self._transport.can_write_eof():  # TLS
            self._transport.close()
            return
        self._transport.write_eof()
        self._transport.resume_reading()
        self._wait_for(Phase.LINGERING, _LINGER_SECONDS)

    # --- time ---

    def _wait_for(self, phase: Phase, seconds: float) -> None:
        self._phase = phase
        self._alarm.set(self._loop.time() + seconds)

    def _late(self) -> None:
        if self._transport is None:
            return
        if self._phase is Phase.BODY:
            self._refuse(408, f"the body did not come within {self._limits.request_seconds:g} s")
        else:
            self._transport.abort()

    # --- octets to requests ---

    def _begin(self, octets: bytes) -> None:
        self._raw: bytes | None = octets  # of the request under way, from its first octet; None: cannot be told
        self._target = b""
        self._seen = self._header_octets = 0  # octets that were looked at for its head, and those of its lines
        self._raw_headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._body_octets = self._framed_octets = 0  # and as it came, with chunk heads and trailers
        self._under_way: Received | None = None

    def _understand(self, octets: bytes) -> None:
        was_head = self._phase is Phase.HEAD
        if was_head:
            self._seen += len(octets)
            if self._raw is not None:
                self._raw = self._raw + octets if self._raw else octets
        while octets and not self._deaf:
            try:
                self._parser.feed_data(octets)
            except httptools.HttpParserUpgrade as upgrade:
                octets = self._pass_over_upgrade() + octets[upgrade.args[0] :]
            except httptools.HttpParserError as error:
                if not self._deaf:
                    self._refuse(400, f"no HTTP request: {error}")
            else:
                break
        if self._phase is Phase.HEAD and self._seen > self._limits.maximum_header_octets:
            self._refuse_head()
        elif self._phase is Phase.BODY:  # trailers and chunk extensions mean nothing; they end (RFC 9112 7.1)
            self._framed_octets += len(octets)
            most = self._limits.maximum_header_octets + _FRAMING_OF_AN_OCTET * self._body_octets
            if self._framed_octets - self._body_octets > most:
                self._refuse(431, "chunk extensions or trailers without end")
            elif was_head:  # most bodies came with their heads, and are not waited for
                self._wait_for(Phase.BODY, self._limits.request_seconds)

    def _pass_over_upgrade(self) -> bytes:
        """We speak nothing to upgrade to, so this is a request like any other (RFC 9110 7.8). The parser thinks it
        ends with its head: a new one goes on with its body, behind a head that only says how that is framed."""
        self._parser = httptools.HttpRequestParser(self)
        if self._under_way is None or self._deaf:
            return b""
        headers = self._under_way.headers
        framing = b"Transfer-Encoding: chunked"
        if "Transfer-Encoding" not in headers:
            framing = b"Content-Length: " + headers["Content-Length"].encode()
        return b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n"

    def on_message_begin(self) -> None:
        """httptools: the first octet of a request."""
        if self._goes_on:
            self._goes_on = False
            return
        if self._under_way is not None or self._ready:  # behind another one in the same octets
            self._begin(b"")
            self._raw = None

    def on_url(self, target: bytes) -> None:
        """httptools: a piece of the request target."""
        if self._under_way is None:
            self._target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        """httptools: a header line, or one of the trailers, which mean nothing here."""
        if self._under_way is None:
            self._raw_headers.append((name, value))
            self._header_octets += len(name) + len(value) + _FRAMING_OF_A_HEADER

    def on_headers_complete(self) -> None:
        """httptools: the end of the head."""
        if self._under_way is not None:
            return
        parser, raw = self._parser, (self._raw or b"").lstrip(b"\r\n")
        end = raw.find(b"\r\n\r\n") + 4
        headers = decoded(self._raw_headers)
        framed = "Transfer-Encoding" in headers or "Content-Encoding" in headers
        self._under_way = received = Received(
            method=parser.get_method().decode("ascii"),
            target=text_of(self._target),
            version=parser.get_http_version(),
            headers=CIMultiDictProxy(headers),
            raw_headers=self._raw_headers,
            head=b"" if framed or end < 4 else raw[:end],
            keep_alive=parser.should_keep_alive(),
        )
        self._raw = b""
        if self._header_octets > self._limits.maximum_header_octets:
            self._refuse_head()
        else:
            self._admit(received)
        if self._phase is Phase.HEAD:
            self._phase = Phase.BODY

    def _admit(self, received: Received) -> None:
        """What the head alone tells: refused before the body is sent, or asked for (RFC 9110 10.1.1)."""
        headers, most = received.headers, self._limits.maximum_body_octets
        declared = int(headers.get("Content-Length", 0))
        if declared > most:
            self._refuse(413, f"Content-Length is {declared}, the limit {most}")
        elif not self._budget.has_room(declared):
            self._refuse(503, f"{self._budget.held} octets are under way, the limit is {self._budget.maximum}")
        coding = headers.get("Content-Encoding")
        if coding is not None and coding.strip().lower() not in TAKEN:
            self._refuse(415, f"Content-Encoding {coding}")
        expected = headers.get("Expect") if received.version != "1.0" else None
        if expected is not None and expected.lower() != "100-continue":
            self._refuse(417, f"Expect: {expected}")
        elif expected is not None and not self._deaf and self._transport is not None:
            self._transport.write(_CONTINUE)

    def on_body(self, octets: bytes) -> None:
        """httptools: a piece of the body, chunks undone."""
        received = self._under_way
        if received is None or self._deaf:
            return
        if not self._budget.take(len(octets)):
            self._body.clear()
            self._refuse(503, f"more than {self._budget.maximum} octets are under way")
            return
        received.held += len(octets)
        self._body_octets += len(octets)
        self._body.append(octets)
        if self._body_octets > self._limits.maximum_body_octets and not self._deaf:
            self._body.clear()
            self._refuse(413, f"more than {self._limits.maximum_body_octets} octets")

    def on_message_complete(self) -> None:
        """httptools: the last octet of a request."""
        received = self._under_way
        if received is None or self._deaf:
            return
        if self._parser.should_upgrade():
            headers = received.headers
            self._goes_on = bool(headers.get("Content-Length", "0").strip("0") or "Transfer-Encoding" in headers)
            if self._goes_on:
                return
        received.body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._begin(b"")
        self._put(received)

    def _refuse_head(self) -> None:
        self._refuse(431, f"a head of more than {self._limits.maximum_header_octets} octets")

    def _refuse(self, status: int, why: str) -> None:
        if self._deaf:
            return
        self._deaf = True
        received = self._under_way or Received(head=(self._raw or b"")[: self._limits.maximum_header_octets])
        received.body = b"".join(self._body)
        received.status, received.why = status, why
        self._begin(b"")
        self._put(received)

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        transport = cast("asyncio.Transport", transport)  # other loops have transports of their own
        transport.set_write_buffer_limits(high=0)
        self._transport = transport
        remote = transport.get_extra_info("peername")
        self.local, self.remote = place_of(transport.get_extra_info("sockname")), place_of(remote)
        self.address = str(remote[0]) if isinstance(remote, tuple) else ""
        self._joined(self)
        self._wait_for(Phase.HEAD, self._limits.idle_seconds)
        self.task = self._loop.create_task(self._work(), name="http connection")

    def data_received(self, data: bytes) -> None:
        """Octets from the client. What comes while a request is served waits: one read, and no more are made."""
        if self._deaf:
            return
        if self._phase in (Phase.HEAD, Phase.BODY):
            self._understand(data)
        else:
            self._behind += data
            if self._transport is not None:
                self._transport.pause_reading()

    def eof_received(self) -> None:
        """The client will send no more: a request cut short is one to be shown."""
        if self._phase is Phase.BODY:
            self._refuse(400, "the client left before the end of the body")

    def pause_writing(self) -> None:
        """Octets wait in our buffer."""
        self.is_behind = True

    def resume_writing(self) -> None:
        """They were handed to the socket."""
        self.is_behind = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._transport = None
        self.gone.set_result(None)
        self.resume_writing()
        self._alarm.cancel()
        if self._under_way is not None:
            self._give_back(self._under_way)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self.task is None or self.task.done():
            self._left(self)
        else:  # a request is served to its end though its client is gone: until then it counts
            self.task.add_done_callback(lambda _: self._left(self))
