"""MM7 in: a VASP's request over HTTP to an answer in its own namespace (TS 23.140 8.7.8).

Refuses with the StatusCode of the table, as Rsp or Fault by the VASP's `errors` setting; answers positively only after
the commit, and lets delivery begin when the answer was handed over.
"""

import math
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from mmsc.clock import host_now
from mmsc.domain.instant import Instant
from mmsc.domain.neighbours import Vasp
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.engine.ports import Accepted, Directory, Numbers, Submit
from mmsc.gateways.content import kept_octets, remarked
from mmsc.gateways.mm7.permission import Refusals, refusal_of, status_of
from mmsc.gateways.mm7.rate import Buckets
from mmsc.gateways.mm7.translate import STATUS_OF, submission_of
from mmsc.gateways.mm7.vasp import AdmissionPolicy, Unidentified, Vasps
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
        numbers: Numbers | None = None,
        policy: AdmissionPolicy | None = None,
        real_now: Callable[[], Instant] = host_now,
    ) -> None:
        """Without `numbers` a VASP's `senders` are compared with what its SubmitReq says, letter by letter."""
        self._submit = submit
        self._vasps = Vasps(directory, policy, real_now)
        self._numbers = numbers
        self._rates = Buckets(real_now)
        self._refusals = Refusals(submit, Buckets(real_now))
        self.public_url = ""  # told in the WSDL; set when the port is known

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        """One request to one answer."""
        if request.method in ("GET", "HEAD"):
            return self._describe(request)
        if request.method != "POST":
            return HttpAnswer(status=405, headers=(("Allow", "GET, HEAD, POST"),))
        media = request.content_type.partition(";")[0].strip().lower()
        if media and media not in _XML:
            return HttpAnswer(status=415)
        vasp = await self._vasps.identify(request)
        if isinstance(vasp, Unidentified):
            return self._unidentified(vasp, request)
        try:
            decoded = mm7.decode(request.content_type, request.body)
        except Mm7Error as error:
            return self._failed(error, vasp)
        return await self._dispatch(decoded, vasp, request)

    async def handshake_refused(self, address: str, why: str) -> None:
        """Somebody's certificate or version was not taken: there was no request that could be answered."""
        record = self._refusals.record("", Refused(RefusalReason.NOT_IDENTIFIED, f"{address}: TLS: {why}"))
        if record is not None:
            await record(False)

    def _unidentified(self, unknown: Unidentified, request: HttpRequest) -> HttpAnswer:
        """401 with challenges (RFC 9110 11.6.1), in the trace unless this is only how a login begins."""
        headers = tuple([("WWW-Authenticate", challenge) for challenge in unknown.challenges])
        answer = HttpAnswer(status=unknown.status, headers=headers)
        if not unknown.is_new:
            why = f"{self._vasps.address_of(request)}: {unknown.why}"
            answer.after = self._refusals.record("", Refused(RefusalReason.NOT_IDENTIFIED, why))
        return answer

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

    async def _dispatch(self, decoded: Decoded[Envelope], vasp: Vasp | None, request: HttpRequest) -> HttpAnswer:
        envelope = decoded.message
        message = envelope.message
        if not isinstance(message, SubmitReq):
            why = f"{type(message).__name__} is not offered"
            return self._failed(
                _error(StatusCode.UNSUPPORTED_OPERATION, "Body", why, envelope, message.mm7_version), vasp
            )
        known = vasp or self._vasps.open_one(message.vasp_id, request)
        try:
            return await self._submit_req(decoded, message, self._identified(message, known, request), request)
        except Mm7Error as error:
            echoed = _error(error.status, error.where, error.reason, envelope, message.mm7_version)
            answer = self._failed(echoed, known)
            if error.status is StatusCode.IMPROPER_IDENTIFICATION:
                refused = Refused(RefusalReason.NOT_IDENTIFIED, f"{self._vasps.address_of(request)}: {error.reason}")
                answer.after = self._refusals.record("" if known is None else known.name, refused)
            return answer

    def _identified(self, message: SubmitReq, vasp: Vasp | None, request: HttpRequest) -> Vasp:
        """The VASP, when SenderIdentification is its own and it may ask from there. Raises Mm7Error 4001."""
        why = self._vasps.why_none(message.vasp_id, request) if vasp is None else self._vasps.objection(vasp, request)
        if vasp is not None and vasp.vasp_id and vasp.vasp_id != message.vasp_id:
            why = f"VASPID {message.vasp_id[:100]!r} is not that of this login"
        elif vasp is not None and vasp.vas_ids and message.vas_id not in vasp.vas_ids:
            why = f"VASID {message.vas_id[:100]!r} is none of this VASP"
        if vasp is None or why:
            where = f"{type(message).__name__}/SenderIdentification"
            raise Mm7Error(StatusCode.IMPROPER_IDENTIFICATION, where=where, why=why)
        return vasp

    async def _submit_req(
        self, decoded: Decoded[Envelope], message: SubmitReq, vasp: Vasp, request: HttpRequest
    ) -> HttpAnswer:
        envelope, octets = decoded.message, len(request.body)
        context = _Context(envelope.transaction_id, envelope.dialect, message.mm7_version, vasp)
        if vasp.messages_per_second:
            wait = self._rates.wait(vasp.name, vasp.messages_per_second, vasp.burst)
            if wait:
                return self._too_fast(context, vasp, wait)
        if vasp.maximum_octets and octets > vasp.maximum_octets:
            why = f"a request of {octets} octets, the limit of this VASP is {vasp.maximum_octets}"
            return self._denied(context, vasp, Refused(RefusalReason.TOO_LARGE, why))
        submission = submission_of(envelope, message, vasp)
        denied = refusal_of(vasp, submission, sender_given=message.sender_address is not None, numbers=self._numbers)
        if denied is not None:
            return self._denied(context, vasp, denied)
        outcome = await self._submit.accept(remarked(submission, decoded.findings))
        if isinstance(outcome, Refused):
            return self._refused(context, STATUS_OF[outcome.reason], outcome.because)
        answer = self._accepted(context, outcome)
        if envelope.content is not None and submission.content is not None and outcome.content_id is not None:
            answer.stored = kept_octets(envelope.content, submission.content, outcome.content_id)
        return answer

    def _denied(self, context: _Context, vasp: Vasp, refused: Refused) -> HttpAnswer:
        """What this VASP may not: its status, and an event."""
        code = status_of(refused, vasp, STATUS_OF[refused.reason])
        answer = self._refused(context, code, refused.because)
        answer.after = self._refusals.record(vasp.name, refused)
        return answer

    def _too_fast(self, context: _Context, vasp: Vasp, wait: float) -> HttpAnswer:
        """4006, or HTTP 503, and when to come again (RFC 9110 10.2.3)."""
        why = f"more than {vasp.messages_per_second:g} messages a second; the next one in {wait:.3g} s"
        refused = Refused(RefusalReason.TOO_FAST, why)
        if vasp.over_rate == "503":
            answer = HttpAnswer(status=503, neighbour=vasp.name, transaction_id=context.transaction_id)
            answer.after = self._refusals.record(vasp.name, refused)
        else:
            answer = self._denied(context, vasp, refused)
        answer.headers = (("Retry-After", str(math.ceil(wait))),)
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
