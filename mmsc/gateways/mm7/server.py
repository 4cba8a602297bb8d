"""MM7 in: a VASP's request over HTTP to an answer in its own namespace (TS 23.140 8.7.8).

Refuses with the StatusCode of the table, as Rsp or Fault by the VASP's `errors` setting; answers positively only after
the commit, and lets delivery begin when the answer was handed over.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qs

from mmsc.clock import Clock
from mmsc.domain.neighbours import Vasp, VaspInterface
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.vasp_policy import VaspPolicy
from mmsc.engine.ports import Directory, Submit
from mmsc.engine.vasp_ports import Changes, Dialects
from mmsc.gateways.content import kept_octets, remarked
from mmsc.gateways.mm7.answers import OPERATION_OF, Context, accepted, context_of, error_about, failed, refused
from mmsc.gateways.mm7.changes import Request, change
from mmsc.gateways.mm7.failures import Failures
from mmsc.gateways.mm7.meaning import House, check_application, understood
from mmsc.gateways.mm7.permission import Permission, status_of, too_fast
from mmsc.gateways.mm7.translate import STATUS_OF, submission_of
from mmsc.gateways.mm7.vasp import Unidentified, Vasps
from mmsc.gateways.runs import asked_for, with_tag
from mmsc.gateways.turns import Turns
from mmsc.net.http import LATER, HttpAnswer, HttpRequest
from protocols import mm7
from protocols.errors import Decoded, Finding
from protocols.mm7 import CancelReq, Envelope, ExtendedReplaceReq, Mm7Error, ReplaceReq, StatusCode, SubmitReq, rules
from protocols.mm7.wsdl import wsdl

_NO_SUCH_WSDL: Final = f"?wsdl=TAG describes a published namespace: {', '.join(mm7.TAGS)}\n".encode()
_XML: Final = ("text/xml", "multipart/related", "application/xml", "application/soap+xml", "multipart/mixed")
Served = SubmitReq | Request
_MM7: Final = VaspInterface.MM7  # taken once: an enumeration searches for its member each time that it is named

_RECORDED: Final = {
    StatusCode.IMPROPER_IDENTIFICATION: RefusalReason.NOT_IDENTIFIED,
    StatusCode.MULTIMEDIA_CONTENT_REFUSED: RefusalReason.CONTENT_REFUSED,
    StatusCode.APPLICATION_ID_NOT_FOUND: RefusalReason.NOT_OFFERED,
    StatusCode.REPLY_APPLICATION_ID_NOT_FOUND: RefusalReason.NOT_OFFERED,
    StatusCode.MULTIPLE_ADDRESSES_NOT_SUPPORTED: RefusalReason.NOT_OFFERED,
    StatusCode.APPLICATION_ADDRESSING_NOT_SUPPORTED: RefusalReason.NOT_OFFERED,
    StatusCode.APPLICATION_DENIED: RefusalReason.NOT_OFFERED,
}

Other = Callable[[HttpRequest], Awaitable[HttpAnswer | None]]  # another interface by the same door; None: not its own


class Mm7Server:
    """The handler of the MM7 listener."""

    def __init__(
        self,
        submit: Submit,
        changes: Changes,
        directory: Directory,
        *,
        vasps: Vasps | None = None,
        permission: Permission | None = None,
        other: Other | None = None,
        dialects: Dialects | None = None,
        policy: VaspPolicy | None = None,
        clock: Clock | None = None,
        turns: Turns | None = None,
    ) -> None:
        """`other` is asked about what is no XML, None where there is nobody; `dialects` is told what VASPs speak."""
        self._submit = submit
        self._changes = changes
        self._other = other
        self._vasps = vasps or Vasps(directory)
        self._permission = permission or Permission(submit)
        self._dialects = dialects
        self._failures = Failures(self._permission)
        self._turns = turns or Turns()
        self.house = House(policy or VaspPolicy(), directory, clock or Clock())
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
        vasp = await self._vasps.identify(request)
        if isinstance(vasp, Unidentified):
            return self._unidentified(vasp, request)
        owner = self._vasps.address_of(request) if vasp is None else vasp.name
        octets = len(request.body)
        if not await self._turns.enter(owner, octets, request.gone):
            return HttpAnswer(status=503, headers=LATER, neighbour="" if vasp is None else vasp.name)
        try:
            return await self._read(vasp, request)
        finally:
            self._turns.leave(owner, octets)

    async def _read(self, vasp: Vasp | None, request: HttpRequest) -> HttpAnswer:
        try:
            decoded = mm7.decode(request.content_type, request.body)
        except Mm7Error as error:
            return failed(error, vasp)
        except Exception:
            return self._failures.unreadable(vasp, request.exchange)
        return await self._dispatch(decoded, vasp, request)

    async def handshake_refused(self, address: str, why: str) -> None:
        """Somebody's certificate or version was not taken: there was no request that could be answered."""
        record = self._permission.record("", Refused(RefusalReason.NOT_IDENTIFIED, f"{address}: TLS: {why}"))
        if record is not None:
            await record(False)

    def _unidentified(self, unknown: Unidentified, request: HttpRequest) -> HttpAnswer:
        """401 with challenges (RFC 9110 11.6.1), in the trace unless this is only how a login begins."""
        headers = tuple([("WWW-Authenticate", challenge) for challenge in unknown.challenges])
        answer = HttpAnswer(status=unknown.status, headers=headers)
        if not unknown.is_new:
            why = f"{self._vasps.address_of(request)}: {unknown.why}"
            answer.after = self._permission.record("", Refused(RefusalReason.NOT_IDENTIFIED, why))
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
        if not isinstance(message, Served):
            return failed(_not_served(envelope), vasp)
        known = vasp or self._vasps.open_one(message.vasp_id, request)
        try:
            sender = self._identified(message, known, request)
            decoded = _with_action(decoded, request)
            if decoded.findings and sender.violations == "refuse":
                raise _violated(OPERATION_OF[type(message)], decoded.findings)
            if self._dialects is not None:
                await self._dialects.heard(sender.name, envelope.dialect.namespace, message.mm7_version)
            if isinstance(message, SubmitReq):
                return await self._submit_req(decoded, message, sender, request)
            if isinstance(message, CancelReq | ReplaceReq):
                check_application(message, OPERATION_OF[type(message)], sender, self.house)
            return await self._change(decoded, message, sender, request)
        except Mm7Error as error:
            return self._unserved(envelope, error, known, request)
        except Exception:
            return self._failures.unserved(envelope, known, request.exchange)

    def _unserved(self, envelope: Envelope, error: Mm7Error, vasp: Vasp | None, request: HttpRequest) -> HttpAnswer:
        """A request that could be read: its status, and an event where somebody or something is not allowed."""
        answer = failed(error_about(envelope, error.status, error.where, error.reason), vasp)
        reason = _RECORDED.get(error.status)
        if reason is not None:
            place = self._vasps.address_of(request) if reason is RefusalReason.NOT_IDENTIFIED else error.where
            name = "" if vasp is None else vasp.name
            run = asked_for(request.headers, "" if vasp is None else vasp.run)
            answer.after = self._permission.record(name, Refused(reason, f"{place}: {error.reason}"), run)
        return answer

    def _identified(self, message: Served, vasp: Vasp | None, request: HttpRequest) -> Vasp:
        """The VASP, when SenderIdentification is its own and it may ask from there. Raises Mm7Error 4001."""
        if vasp is None:
            why = self._vasps.why_none(message.vasp_id, request)
        elif vasp.interface is not _MM7:
            why = f"{vasp.name} speaks {vasp.interface}, not MM7"
        elif vasp.vasp_id and vasp.vasp_id != message.vasp_id:
            why = f"VASPID {message.vasp_id[:100]!r} is not that of this login"
        elif vasp.vas_ids and message.vas_id not in vasp.vas_ids:
            why = f"VASID {message.vas_id[:100]!r} is none of this VASP"
        else:
            why = self._vasps.objection(vasp, request)
        if vasp is None or why:
            where = f"{OPERATION_OF[type(message)]}/SenderIdentification"
            raise Mm7Error(StatusCode.IMPROPER_IDENTIFICATION, where=where, why=why)
        return vasp

    async def _submit_req(
        self, decoded: Decoded[Envelope], request: SubmitReq, vasp: Vasp, asked: HttpRequest
    ) -> HttpAnswer:
        envelope = decoded.message
        run = asked_for(asked.headers, vasp.run)
        context = replace(context_of(envelope, vasp), run=run)
        if vasp.messages_per_second:
            wait = self._permission.wait(vasp)
            if wait:
                return self._too_fast(context, vasp, wait)
        too_large = self._too_large(context, vasp, len(asked.body))
        if too_large is not None:
            return too_large
        said = submission_of(envelope, request, vasp)
        denied = self._permission.refusal(vasp, said, sender_given=request.sender_address is not None)
        if denied is not None:
            return self._denied(context, vasp, denied)
        submission, findings = understood(said, request, envelope.dialect, vasp, self.house)
        submission = with_tag(remarked(submission, (*decoded.findings, *findings)), run)
        outcome = await self._submit.accept(submission)
        if isinstance(outcome, Refused):
            return refused(context, status_of(outcome, vasp, STATUS_OF[outcome.reason]), outcome.because)
        answer = accepted(context, outcome)
        if envelope.content is not None and submission.content is not None and outcome.content_id is not None:
            answer.stored = kept_octets(envelope.content, submission.content, outcome.content_id)
        return answer

    async def _change(self, decoded: Decoded[Envelope], request: Request, vasp: Vasp, asked: HttpRequest) -> HttpAnswer:
        run = asked_for(asked.headers, vasp.run)
        context = replace(context_of(decoded.message, vasp), run=run)
        if isinstance(request, ExtendedReplaceReq) and vasp.messages_per_second:  # a new MM
            wait = self._permission.wait(vasp)
            if wait:
                return self._too_fast(context, vasp, wait)
        too_large = self._too_large(context, vasp, len(asked.body))
        if too_large is not None:
            return too_large
        answer = await change(self._changes, decoded, request, vasp, run)
        return self._denied(context, vasp, answer) if isinstance(answer, Refused) else answer

    def _too_large(self, context: Context, vasp: Vasp, octets: int) -> HttpAnswer | None:
        if not vasp.maximum_octets or octets <= vasp.maximum_octets:
            return None
        why = f"a request of {octets} octets, the limit of this VASP is {vasp.maximum_octets}"
        return self._denied(context, vasp, Refused(RefusalReason.TOO_LARGE, why))

    def _denied(self, context: Context, vasp: Vasp, denied: Refused) -> HttpAnswer:
        """What this VASP may not: its status, and an event."""
        answer = refused(context, status_of(denied, vasp, STATUS_OF[denied.reason]), denied.because)
        answer.after = self._permission.record(vasp.name, denied, context.run)
        return answer

    def _too_fast(self, context: Context, vasp: Vasp, wait: float) -> HttpAnswer:
        """4006, or HTTP 503, and when to come again (RFC 9110 10.2.3)."""
        denied = too_fast(vasp, wait)
        if vasp.over_rate == "503":
            answer = HttpAnswer(status=503, neighbour=vasp.name, transaction_id=context.transaction_id)
            answer.after = self._permission.record(vasp.name, denied, context.run)
        else:
            answer = self._denied(context, vasp, denied)
        answer.headers = (
            *answer.headers,
            ("Retry-After", str(math.ceil(wait))),
        )
        return answer


def _not_served(envelope: Envelope) -> Mm7Error:
    """4003 about an operation that goes the other way, 2000 about what is no request at all."""
    name = type(envelope.message).__name__
    if name.endswith("Req"):
        return error_about(envelope, StatusCode.UNSUPPORTED_OPERATION, "Body", f"{name} is not offered")
    return error_about(envelope, StatusCode.CLIENT_ERROR, "Body", f"{name} is an answer, and a request is wanted here")


def _with_action(decoded: Decoded[Envelope], request: HttpRequest) -> Decoded[Envelope]:
    """The codec does not see the SOAPAction."""
    remarked_on = rules.soap_action(request.headers.get("SOAPAction"))
    return replace(decoded, findings=(*decoded.findings, *remarked_on)) if remarked_on else decoded


def _violated(operation: str, findings: Sequence[Finding]) -> Mm7Error:
    """4004 for a VASP that is held to the letter: every rule that it broke, with element and line."""
    told = "; ".join(f"{one.rule} {one.remark}" for one in findings)
    return Mm7Error(StatusCode.VALIDATION_ERROR, where=operation, why=told)
