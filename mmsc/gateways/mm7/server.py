"""MM7 in: a VASP's request over HTTP to an answer in its own namespace (TS 23.140 8.7.8).

Refuses with the StatusCode of the table, as Rsp or Fault by the VASP's `errors` setting; answers positively only after
the commit, and lets delivery begin when the answer was handed over.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qs

from mmsc.domain.neighbours import Vasp, VaspInterface
from mmsc.domain.refusal import Refused
from mmsc.engine.ports import Accepted, Dialects, Directory, Submit
from mmsc.gateways.content import kept_octets, remarked
from mmsc.gateways.mm7.translate import STATUS_OF, submission_of
from mmsc.gateways.mm7.vasp import Vasps
from mmsc.net.http import HttpAnswer, HttpRequest
from protocols import mm7
from protocols.errors import Decoded
from protocols.mm7 import Dialect, Envelope, Fault, Mm7Error, Status, StatusCode, SubmitReq, SubmitRsp
from protocols.mm7.wsdl import wsdl
from protocols.records import record

_AS_FAULT: Final = (
    StatusCode.MESSAGE_FORMAT_CORRUPT,
    StatusCode.SERVER_ERROR,
    StatusCode.IMPROPER_IDENTIFICATION,
    StatusCode.UNSUPPORTED_VERSION,
    StatusCode.UNSUPPORTED_OPERATION,
    StatusCode.VALIDATION_ERROR,
)
_NO_SUCH_WSDL: Final = f"?wsdl=TAG describes a published namespace: {', '.join(mm7.TAGS)}\n".encode()
_XML: Final = ("text/xml", "multipart/related", "application/xml", "application/soap+xml", "multipart/mixed")
_MM7: Final = VaspInterface.MM7  # taken once: an enumeration searches for its member each time that it is named

Other = Callable[[HttpRequest], Awaitable[HttpAnswer | None]]  # another interface by the same door; None: not its own


@record(frozen=True, slots=True)
class _Context:
    """What an answer must echo."""

    transaction_id: str
    dialect: Dialect
    version: str
    vasp: Vasp | None


class Mm7Server:
    """The handler of the MM7 listener."""

    def __init__(
        self,
        submit: Submit,
        directory: Directory,
        *,
        realm: str = "MM7",
        dialects: Dialects | None = None,
        other: Other | None = None,
    ) -> None:
        """`dialects` is told what VASPs speak; `other` is asked about what is no XML; None where there is nobody."""
        self._submit = submit
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
            return self._failed(error, vasp)
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
        if not isinstance(message, SubmitReq):
            why = f"{type(message).__name__} is not offered"
            return self._failed(
                _error(StatusCode.UNSUPPORTED_OPERATION, "Body", why, envelope, message.mm7_version), vasp
            )
        known = vasp or self._vasps.open_one(message.vasp_id)
        try:
            return await self._submit_req(decoded, message, known, octets)
        except Mm7Error as error:
            echoed = _error(error.status, error.where, error.reason, envelope, message.mm7_version)
            return self._failed(echoed, known)

    async def _submit_req(
        self, decoded: Decoded[Envelope], request: SubmitReq, vasp: Vasp | None, octets: int
    ) -> HttpAnswer:
        envelope = decoded.message
        if vasp is None or (vasp.vasp_id and vasp.vasp_id != request.vasp_id):
            why = f"VASPID {request.vasp_id!r} is not that of this login"
            raise Mm7Error(StatusCode.IMPROPER_IDENTIFICATION, where="SubmitReq/SenderIdentification", why=why)
        if vasp.interface is not _MM7:
            why = f"{vasp.name} speaks {vasp.interface}, not MM7"
            raise Mm7Error(StatusCode.IMPROPER_IDENTIFICATION, where="SubmitReq/SenderIdentification", why=why)
        if vasp.vas_ids and request.vas_id not in vasp.vas_ids:
            why = f"VASID {request.vas_id!r} is none of this VASP"
            raise Mm7Error(StatusCode.IMPROPER_IDENTIFICATION, where="SubmitReq/SenderIdentification", why=why)
        context = _Context(envelope.transaction_id, envelope.dialect, request.mm7_version, vasp)
        if vasp.maximum_octets and octets > vasp.maximum_octets:
            why = f"a request of {octets} octets, the limit of this VASP is {vasp.maximum_octets}"
            return self._refused(context, StatusCode.MULTIMEDIA_CONTENT_REFUSED, why)
        if self._dialects is not None:
            await self._dialects.heard(vasp.name, envelope.dialect.namespace, request.mm7_version)
        submission = submission_of(envelope, request, vasp)
        outcome = await self._submit.accept(remarked(submission, decoded.findings))
        if isinstance(outcome, Refused):
            return self._refused(context, STATUS_OF[outcome.reason], outcome.because)
        answer = self._accepted(context, outcome)
        if envelope.content is not None and submission.content is not None and outcome.content_id is not None:
            answer.stored = kept_octets(envelope.content, submission.content, outcome.content_id)
        return answer

    def _accepted(self, context: _Context, accepted: Accepted) -> HttpAnswer:
        code = StatusCode.PARTIAL_SUCCESS if accepted.refused else StatusCode.SUCCESS
        details = "; ".join(f"{one.text}: {one.because}" for one in accepted.refused)
        rsp = SubmitRsp(
            mm7_version=context.version, status=Status(code, code.text, details), message_id=accepted.message_id
        )

        async def after(_: bool) -> None:
            accepted.answered()

        answer = self._answer(context, rsp, 200)
        answer.after = after
        answer.mm_id = accepted.mm_id
        return answer

    def _refused(self, context: _Context, code: StatusCode, why: str) -> HttpAnswer:
        """A refusal of a request that was understood."""
        if self._is_fault(context.vasp, code):
            return self._fault(context, code, why, code.fault_code)
        rsp = SubmitRsp(mm7_version=context.version, status=Status(code, code.text, why))
        return self._answer(context, rsp, 200)

    @staticmethod
    def _is_fault(vasp: Vasp | None, code: StatusCode) -> bool:
        errors = vasp.errors if vasp is not None else "auto"
        return errors == "fault" or (errors == "auto" and code in _AS_FAULT)

    def _failed(self, error: Mm7Error, vasp: Vasp | None) -> HttpAnswer:
        """A request that was not understood, or by somebody it does not become."""
        context = _Context(error.transaction_id, error.dialect, error.mm7_version, vasp)
        why = f"{error.where}: {error.reason}"
        if error.where.startswith("SubmitReq") and not self._is_fault(vasp, error.status):
            rsp = SubmitRsp(mm7_version=context.version, status=Status(error.status, error.status.text, why))
            return self._answer(context, rsp, 200)
        return self._fault(context, error.status, why, error.fault_code)

    def _fault(self, context: _Context, code: StatusCode, why: str, fault_code: str) -> HttpAnswer:
        fault = Fault(
            fault_code=fault_code,
            fault_string=code.text,
            mm7_version=context.version,
            status=Status(code, code.text, why),
        )
        http_status = context.vasp.fault_http_status if context.vasp is not None else 500
        return self._answer(context, fault, http_status)

    @staticmethod
    def _answer(context: _Context, message: SubmitRsp | Fault, status: int) -> HttpAnswer:
        content_type, body = mm7.encode(Envelope(context.transaction_id, context.dialect, message))
        return HttpAnswer(
            status=status,
            content_type=content_type,
            body=body,
            neighbour="" if context.vasp is None else context.vasp.name,
            transaction_id=context.transaction_id,
        )


def _error(code: StatusCode, where: str, why: str, envelope: Envelope, version: str) -> Mm7Error:
    return Mm7Error(
        code,
        where=where,
        why=why,
        transaction_id=envelope.transaction_id,
        spoken=envelope.dialect,
        mm7_version=version,
    )
