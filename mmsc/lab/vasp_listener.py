"""The half of a VASP that listens, on our own codec: it takes DeliverReq, DeliveryReportReq and ReadReplyReq
(TS 23.140 8.7.2, 8.7.4, 8.7.5) from any MMSC, hands them on, and answers as it is told.

What cannot be read is answered with a Fault and VASPErrorRsp, as is an operation that no VASP serves.
"""

import asyncio
import hashlib
import hmac
import ssl
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from mmsc.clock import Clock
from mmsc.lab.vasp_answers import Kind, Script, Told
from mmsc.net.http import HttpAnswer, HttpLimits, HttpListener, HttpRequest
from mmsc.net.http_digest import basic
from mmsc.trace.captures import WireTap
from protocols import mm7
from protocols.errors import Finding
from protocols.mm7 import Envelope, Message, Mm7Error, Status, StatusCode
from protocols.records import record

MAXIMUM_BODY_OCTETS: Final = 64 * 1024 * 1024
MAXIMUM_REMEMBERED: Final = 10_000  # requests by which repeats are known
_LIMITS: Final = HttpLimits(maximum_body_octets=MAXIMUM_BODY_OCTETS, stop_seconds=1.0)
_RSP_OF: Final[Mapping[type, type[mm7.DeliveryReportRsp | mm7.ReadReplyRsp]]] = MappingProxyType(
    {mm7.DeliveryReportReq: mm7.DeliveryReportRsp, mm7.ReadReplyReq: mm7.ReadReplyRsp}
)
_REALM: Final = ("WWW-Authenticate", 'Basic realm="VASP", charset="UTF-8"')


@record(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A request, and what it is answered. `envelope` is None for one that could not be read, or was not let in:
    `problem` says why. `is_repeat`: the same TransactionID with the same octets came before."""

    at: int  # microseconds UTC since 1970
    remote: str
    envelope: Envelope | None
    answer: Told
    problem: str = ""
    is_repeat: bool = False
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """What it answers, after how long, and whom it lets in. `service_code` goes into each DeliverRsp."""

    script: Script = field(default_factory=Script)
    delay_seconds: float = 0.0
    service_code: str = ""
    username: str = ""  # "": everybody
    password: str = ""


async def _nothing() -> None:
    """Nobody waits."""


class VaspListener:
    """One listener. `start` and `stop` once each; `heard` is called with each request before it is answered, `done`
    after its answer was handed over."""

    def __init__(
        self,
        behaviour: Behaviour,
        heard: Callable[[Arrived], None],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        done: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self.behaviour = behaviour
        self._heard = heard
        self._done = done
        self._clock = Clock()
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._http = HttpListener(self._take, host, port, _LIMITS, WireTap("mm7", None, self._clock), tls=tls)

    @property
    def port(self) -> int:
        """The one that was taken."""
        return self._http.port

    async def start(self) -> None:
        """Listen. OSError when the address cannot be had."""
        await self._http.start()

    async def stop(self) -> None:
        """No new requests; answers under way have a second."""
        await self._http.stop()

    async def _take(self, request: HttpRequest) -> HttpAnswer:
        answer = await self._answer(request)

        async def after(_: bool) -> None:
            await self._done()

        answer.after = after
        return answer

    async def _answer(self, request: HttpRequest) -> HttpAnswer:
        if request.method != "POST":
            return self._refuse(request, 405, f"{request.method} is no POST", ("Allow", "POST"))
        if not self._lets_in(request):
            given = "wrong credentials" if "Authorization" in request.headers else "no credentials"
            return self._refuse(request, 401, given, _REALM)
        try:
            decoded = mm7.decode(request.content_type, request.body)
        except Mm7Error as error:
            return self._unreadable(request, error)
        told = self.behaviour.script.next()
        envelope = decoded.message
        if not isinstance(envelope.message, mm7.DeliverReq | mm7.DeliveryReportReq | mm7.ReadReplyReq):
            told = Told(Kind.FAULT, StatusCode.UNSUPPORTED_OPERATION)
        self._tell(request, told, envelope, decoded.findings)
        if self.behaviour.delay_seconds:
            await asyncio.sleep(self.behaviour.delay_seconds)
        return await self._as_told(told, envelope)

    def _lets_in(self, request: HttpRequest) -> bool:
        told = self.behaviour
        if not told.username:
            return True
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        wanted = basic(told.username, told.password).partition(" ")[2]
        right = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), wanted.encode())
        return right and scheme.lower() == "basic"  # in any letters (RFC 9110 11.1)

    def _refuse(self, request: HttpRequest, status: int, why: str, header: tuple[str, str]) -> HttpAnswer:
        told = Told(Kind.HTTP, status)
        self._tell(request, told, None, (), why)
        return HttpAnswer(status=status, headers=(header,))

    def _unreadable(self, request: HttpRequest, error: Mm7Error) -> HttpAnswer:
        told = Told(Kind.FAULT, error.status)
        self._tell(request, told, None, (), str(error))
        status = Status(error.status, error.status.text, f"{error.where}: {error.reason}")
        fault = _fault(status, error.mm7_version, error.fault_code)
        return _http(Envelope(error.transaction_id, error.dialect, fault), 500)

    def _tell(
        self,
        request: HttpRequest,
        told: Told,
        envelope: Envelope | None,
        findings: tuple[Finding, ...],
        problem: str = "",
    ) -> None:
        self._heard(
            Arrived(
                at=self._clock.real_now(),
                remote=request.remote,
                envelope=envelope,
                answer=told,
                problem=problem,
                is_repeat=envelope is not None and self._is_repeat(envelope, request.body),
                findings=findings,
            )
        )

    def _is_repeat(self, envelope: Envelope, body: bytes) -> bool:
        key = hashlib.sha256(envelope.transaction_id.encode() + b"\0" + body).digest()
        known = key in self._seen
        self._seen[key] = None
        if len(self._seen) > MAXIMUM_REMEMBERED:
            self._seen.popitem(last=False)
        return known

    async def _as_told(self, told: Told, envelope: Envelope) -> HttpAnswer:
        match told.kind:
            case Kind.HTTP:
                return HttpAnswer(status=told.code)
            case Kind.EMPTY:
                return HttpAnswer()
            case Kind.HTML:
                return HttpAnswer(content_type="text/html", body=b"<html><body>It works!</body></html>")
            case Kind.SILENT:
                await asyncio.get_running_loop().create_future()  # until the client goes, or the listener stops
        code = StatusCode(told.code)
        status = Status(code, code.text)
        version = envelope.message.mm7_version
        message: Message = _fault(status, version, code.fault_code)
        if told.kind is Kind.RSP:
            message = self._rsp(envelope.message, status)
        answer = Envelope(envelope.transaction_id, envelope.dialect, message)
        return _http(answer, 500 if told.kind is Kind.FAULT else 200)

    def _rsp(self, request: Message, status: Status) -> Message:
        version = request.mm7_version
        if isinstance(request, mm7.DeliverReq):
            return mm7.DeliverRsp(mm7_version=version, status=status, service_code=self.behaviour.service_code)
        return _RSP_OF[type(request)](mm7_version=version, status=status)


def _fault(status: Status, version: str, fault_code: str) -> mm7.Fault:
    """Client and Server are as seen from SOAP: the MMSC is the client here."""
    return mm7.Fault(
        fault_code=fault_code,
        fault_string=status.text,
        mm7_version=version,
        status=status,
        element=mm7.ErrorElement.VASP_ERROR_RSP,
    )


def _http(answer: Envelope, status: int) -> HttpAnswer:
    content_type, body = mm7.encode(answer)
    return HttpAnswer(status=status, content_type=content_type, body=body)
