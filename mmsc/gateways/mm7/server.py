"""MM7 in: a VASP's request over HTTP to an answer in its own namespace (TS 23.140 8.7.8).

Refuses with the StatusCode of the table, as Rsp or Fault by the VASP's `errors` setting; answers positively only after
the commit, and lets delivery begin when the answer was handed over.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qs

from mmsc.domain.neighbours import Vasp, VaspInterface
from mmsc.domain.refusal import Refused
from mmsc.engine.ports import Directory, Submit
from mmsc.engine.vasp_ports import Changes, Dialects
from mmsc.gateways.content import kept_octets, remarked
from mmsc.gateways.mm7.answers import OPERATION_OF, Context, accepted, context_of, error_about, failed, refused
from mmsc.gateways.mm7.changes import Request, change
from mmsc.gateways.mm7.translate import STATUS_OF, submission_of
from mmsc.gateways.mm7.vasp import Vasps
from mmsc.net.http import HttpAnswer, HttpRequest
from protocols import mm7
from protocols.errors import Decoded
from protocols.mm7 import Envelope, Mm7Error, StatusCode, SubmitReq
from protocols.mm7.wsdl import wsdl

_NO_SUCH_WSDL: Final = f"?wsdl=TAG describes a published namespace: {', '.join(mm7.TAGS)}\n".encode()
_XML: Final = ("text/xml", "multipart/related", "application/xml", "application/soap+xml", "multipart/mixed")
Served = SubmitReq | Request
_MM7: Final = VaspInterface.MM7  # taken once: an enumeration searches for its member each time that it is named

Other = Callable[[HttpRequest], Awaitable[HttpAnswer | None]]  # another interface by the same door; None: not its own


class Mm7Server:
    """The handler of the MM7 listener."""

    def __init__(
        self,
        submit: Submit,
        changes: Changes,
        directory: Directory,
        *,
        realm: str = "MM7",
        other: Other | None = None,
        dialects: Dialects | None = None,
    ) -> None:
        """`other` is asked about what is no XML, None where there is nobody; `dialects` is told what VASPs speak."""
        self._submit = submit
        self._changes = changes
        self._other = other
        self._vasps = Vasps(directory)
        self._directory = directory
        self._realm = realm
        self._dialects = dialects
        self.public_url = ""  # told in the WSDL; set when the port is known

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        """One request to one answer."""
        if request.method in ("GET", "HEAD"):
            return self._describe(request)
        if request.method != "POST":
            return HttpAnswer(status=405, headers=(("Allow", "GET, HEAD, POST"),))
        media = request.content_type.partition(";")[0].strip().lower()
        if media not in _XML:
            answer = await self._other(request) if self._other is not None else None
            if answer is not None:
                return answer
            if media:
                return HttpAnswer(status=415)
        authorization = request.headers.get("Authorization", "")
        vasp = await self._vasps.by_credentials(authorization) if authorization else None
        if vasp is None and (authorization or not self._has_open_vasp()):
            challenge = f'Basic realm="{self._realm}", charset="UTF-8"'
            return HttpAnswer(status=401, headers=(("WWW-Authenticate", challenge),))
        try:
            decoded = mm7.decode(request.content_type, request.body)
        except Mm7Error as error:
            return failed(error, vasp)
        return await self._dispatch(decoded, vasp, len(request.body))

    def _has_open_vasp(self) -> bool:
        vasps = self._directory.vasps.values()
        return any(not vasp.username and vasp.interface is _MM7 for vasp in vasps)

    def _describe(self, request: HttpRequest) -> HttpAnswer:
        """GET ?wsdl, or ?wsdl=TAG for another namespace."""
        query = parse_qs(request.query, keep_blank_values=True)
        names = {name.lower(): values for name, values in query.items()}
        if "wsdl" not in names:
            return HttpAnswer(status=404)
        spoken = mm7.dialect(mm7.BASE + (names["wsdl"][0] or mm7.LATEST))
        if spoken is None or spoken.tag not in mm7.TAGS:
            return HttpAnswer(status=404, content_type="text/plain; charset=utf-8", body=_NO_SUCH_WSDL)
        text = wsdl(spoken, f"{self.public_url}{request.path}")
        return HttpAnswer(content_type="text/xml; charset=utf-8", body=text.encode())

    async def _dispatch(self, decoded: Decoded[Envelope], vasp: Vasp | None, octets: int) -> HttpAnswer:
        envelope = decoded.message
        message = envelope.message
        if not isinstance(message, Served):
            why = f"{OPERATION_OF.get(type(message), type(message).__name__)} is not offered"
            return failed(error_about(envelope, StatusCode.UNSUPPORTED_OPERATION, "Body", why), vasp)
        known = vasp or self._vasps.open_one(message.vasp_id)
        try:
            sender = _identified(message, known)
            if self._dialects is not None:
                await self._dialects.heard(sender.name, envelope.dialect.namespace, message.mm7_version)
            if isinstance(message, SubmitReq):
                return await self._submit_req(decoded, message, sender, octets)
            too_large = _too_large(context_of(envelope, sender), sender, octets)
            return too_large or await change(self._changes, envelope, message, sender)
        except Mm7Error as error:
            return failed(error_about(envelope, error.status, error.where, error.reason), known)

    async def _submit_req(self, decoded: Decoded[Envelope], request: SubmitReq, vasp: Vasp, octets: int) -> HttpAnswer:
        envelope = decoded.message
        context = context_of(envelope, vasp)
        too_large = _too_large(context, vasp, octets)
        if too_large is not None:
            return too_large
        submission = submission_of(envelope, request, vasp)
        outcome = await self._submit.accept(remarked(submission, decoded.findings))
        if isinstance(outcome, Refused):
            return refused(context, STATUS_OF[outcome.reason], outcome.because)
        answer = accepted(context, outcome)
        if envelope.content is not None and submission.content is not None and outcome.content_id is not None:
            answer.stored = kept_octets(envelope.content, submission.content, outcome.content_id)
        return answer


def _identified(request: Served, vasp: Vasp | None) -> Vasp:
    """The VASP of this login, when it is who the request says. Raises Mm7Error 4001."""
    where = f"{OPERATION_OF[type(request)]}/SenderIdentification"
    if vasp is None or (vasp.vasp_id and vasp.vasp_id != request.vasp_id):
        why = f"VASPID {request.vasp_id!r} is not that of this login"
        raise Mm7Error(StatusCode.IMPROPER_IDENTIFICATION, where=where, why=why)
    if vasp.interface is not _MM7:
        why = f"{vasp.name} speaks {vasp.interface}, not MM7"
        raise Mm7Error(StatusCode.IMPROPER_IDENTIFICATION, where=where, why=why)
    if vasp.vas_ids and request.vas_id not in vasp.vas_ids:
        why = f"VASID {request.vas_id!r} is none of this VASP"
        raise Mm7Error(StatusCode.IMPROPER_IDENTIFICATION, where=where, why=why)
    return vasp


def _too_large(context: Context, vasp: Vasp, octets: int) -> HttpAnswer | None:
    if not vasp.maximum_octets or octets <= vasp.maximum_octets:
        return None
    why = f"a request of {octets} octets, the limit of this VASP is {vasp.maximum_octets}"
    return refused(context, StatusCode.MULTIMEDIA_CONTENT_REFUSED, why)
