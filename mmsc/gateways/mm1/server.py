"""MM1 in: submissions, retrievals and answers of user agents over HTTP (OMA-TS-MMS_CTR; OMA-TS-MMS_ENC 6, 7).

POST takes any client PDU at any path; GET `/m/TOKEN` serves the MM. A PDU that was understood is answered by a PDU with
HTTP 200; HTTP errors are for what is no PDU.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from mmsc.clock import Clock
from mmsc.domain.address import Address
from mmsc.domain.refusal import Refused
from mmsc.domain.states import Happening
from mmsc.engine.ports import Evidence, Gone, GoneBecause, Retrievable, Retrieval, Submit
from mmsc.gateways.content import remarked
from mmsc.gateways.mm1.identity import Identities
from mmsc.gateways.mm1.translate import HAPPENINGS, gone_conf, submission_of
from mmsc.gateways.pdus import STATUS_OF, retrieve_conf, send_conf
from mmsc.net.http import HttpAnswer, HttpRequest
from mmsc.trace.captures import BodyReference
from protocols import mm1
from protocols.errors import Finding, ProtocolError
from protocols.mm1 import (
    CancelStatus,
    MAcknowledgeInd,
    MCancelConf,
    MessageType,
    Mm1Error,
    MNotifyRespInd,
    MReadRecInd,
    MSendReq,
    ReadStatus,
    ResponseStatus,
)

MMS_MESSAGE: Final = "application/vnd.wap.mms-message"
_PATH: Final = "/m/"
_FIRST_OCTET: Final = 0x8C
_OWN_MAJOR: Final = 1
_PROFILE_HEADERS: Final = ("x-wap-profile", "Profile", "Wap-Profile")
_TELLING: Final = (MSendReq, MReadRecInd)  # what a handset sends of itself, not as an answer
_NO_CACHE: Final = (("Cache-Control", "no-cache"), ("Pragma", "no-cache"))


class Mm1Server:
    """The handler of the MM1 listener."""

    def __init__(self, submit: Submit, retrieval: Retrieval, identities: Identities, clock: Clock) -> None:
        self._submit = submit
        self._retrieval = retrieval
        self._identities = identities
        self._clock = clock

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        """One request to one answer."""
        identity = self._identities.of(request.headers, request.remote)
        if request.method in ("GET", "HEAD"):
            return await self._get(request, identity)
        if request.method != "POST":
            return HttpAnswer(status=405, headers=(("Allow", "GET, HEAD, POST"),))
        media = request.content_type.partition(";")[0].strip().lower()
        if media not in (MMS_MESSAGE, "") and request.body[:1] != bytes((_FIRST_OCTET,)):
            return HttpAnswer(status=415)
        try:
            decoded = mm1.decode(request.body)
            pdu = decoded.message
        except Mm1Error as error:
            return self._corrupt(error)
        if pdu.mms_version >> 4 != _OWN_MAJOR:
            return self._unsupported(getattr(pdu, "transaction_id", "") or "")
        evidence = _evidence(request, pdu.mms_version)
        if identity is not None and isinstance(pdu, _TELLING):
            await self._retrieval.seen(identity, evidence)
        match pdu:
            case MSendReq():
                return await self._send_req(pdu, identity, decoded.findings, len(request.body))
            case MNotifyRespInd():
                happening = HAPPENINGS.get(pdu.status) if pdu.status is not None else None
                return await self._answered(pdu, happening, identity, evidence)
            case MAcknowledgeInd():
                return await self._answered(pdu, Happening.RETRIEVED, identity, evidence)
            case MReadRecInd():
                return await self._read(pdu, identity)
            case MCancelConf():
                return await self._cancelled(pdu, identity)
            case _:
                return self._unsupported(getattr(pdu, "transaction_id", "") or "")

    # --- retrieval ---

    async def _get(self, request: HttpRequest, identity: Address | None) -> HttpAnswer:
        if not request.path.startswith(_PATH):
            return HttpAnswer(status=404)
        token = request.path[len(_PATH) :].partition("/")[0]
        evidence = _evidence(request, 0)
        found = await self._retrieval.open(token, identity, evidence)
        if isinstance(found, Gone):
            return self._gone(found)
        head = mm1.encode_head(retrieve_conf(found.mm, found.transaction_id, _spoken(found.mms_version)))
        body = found.content.body
        answer = HttpAnswer(
            content_type=MMS_MESSAGE,
            body=head + body,
            headers=_NO_CACHE,
            neighbour=found.recipient.address.value,
            transaction_id=found.transaction_id,
            mm_id=found.mm.id,
            reference=BodyReference(found.mm.content_id, 0, len(body), len(head)),
        )
        if request.method == "GET":
            self._retrieval.begun(found)
            answer.after = self._after(found)
        return answer

    def _after(self, found: Retrievable) -> Callable[[bool], Awaitable[None]]:
        async def after(whole: bool) -> None:
            if whole:
                await self._retrieval.fetched(found)
            else:
                self._retrieval.broken_off(found)

        return after

    def _gone(self, found: Gone) -> HttpAnswer:
        """404 where nothing is known, 503 where nobody can look, else an m-retrieve-conf that says why."""
        if found.because is GoneBecause.STORE_AWAY:
            return HttpAnswer(status=503, headers=(*_NO_CACHE, ("Retry-After", "10")))
        if found.because is GoneBecause.UNKNOWN:
            return HttpAnswer(status=404, content_type="text/plain; charset=utf-8", body=b"Message not found\n")
        conf = gone_conf(found.because, self._clock.now(), _spoken(found.mms_version))
        return HttpAnswer(content_type=MMS_MESSAGE, body=mm1.encode(conf), headers=_NO_CACHE)

    async def _answered(
        self,
        pdu: MNotifyRespInd | MAcknowledgeInd,
        happening: Happening | None,
        identity: Address | None,
        evidence: Evidence,
    ) -> HttpAnswer:
        """200 with an empty body, also when nothing waited for it; 503 when it could not be kept."""
        if happening is not None:
            allowed = pdu.report_allowed is not False
            outcome = await self._retrieval.answer(
                pdu.transaction_id,
                happening,
                report_allowed=allowed,
                evidence=evidence,
                identity=identity,
                acknowledged=isinstance(pdu, MAcknowledgeInd),
            )
            if isinstance(outcome, Gone):
                return self._gone(outcome)
        return HttpAnswer(status=200, transaction_id=pdu.transaction_id)

    async def _cancelled(self, pdu: MCancelConf, identity: Address | None) -> HttpAnswer:
        """An m-cancel-conf: recorded where it answers an m-cancel-req of ours, 200 in any case but an outage."""
        understood = pdu.cancel_status is CancelStatus.SUCCESSFULLY_RECEIVED
        outcome = await self._retrieval.cancel_confirmed(pdu.transaction_id, understood=understood, identity=identity)
        if isinstance(outcome, Gone):
            return self._gone(outcome)
        return HttpAnswer(status=200, transaction_id=pdu.transaction_id)

    async def _read(self, pdu: MReadRecInd, identity: Address | None) -> HttpAnswer:
        """A read report: recorded where its sender is known to have the MM, 200 in any case but an outage."""
        if identity is not None and pdu.message_id is not None:
            read = pdu.read_status is not ReadStatus.DELETED_WITHOUT_BEING_READ
            outcome = await self._retrieval.read_by(pdu.message_id, identity, read=read)
            if isinstance(outcome, Gone):
                return self._gone(outcome)
        return HttpAnswer(status=200)

    # --- submission ---

    async def _send_req(
        self, pdu: MSendReq, identity: Address | None, findings: Sequence[Finding], octets: int
    ) -> HttpAnswer:
        version = min(pdu.mms_version, mm1.VERSION_1_3)
        if identity is None:
            return self._conf(
                pdu.transaction_id, version, ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED, "no subscriber identity"
            )
        try:
            submission = remarked(submission_of(pdu, identity, self._clock.now()), findings)
        except ProtocolError as error:  # what could be read and cannot be written again is no better
            corrupt = ResponseStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT
            return self._conf(pdu.transaction_id, version, corrupt, error.why)
        outcome = await self._submit.accept(submission)
        if isinstance(outcome, Refused):
            return self._conf(pdu.transaction_id, version, STATUS_OF[outcome.reason], outcome.because)
        status, text = ResponseStatus.OK, None
        if outcome.refused and version >= mm1.VERSION_1_2:
            status = ResponseStatus.ERROR_TRANSIENT_PARTIAL_SUCCESS
            text = "; ".join(f"{one.text}: {one.because}" for one in outcome.refused)
        answer = self._conf(pdu.transaction_id, version, status, text, outcome.message_id)
        answer.mm_id = outcome.mm_id
        answer.neighbour = identity.value
        stored = submission.content
        if stored is not None and outcome.content_id is not None and stored.body is pdu.body:
            answer.stored = BodyReference(outcome.content_id, 0, len(pdu.body), octets - len(pdu.body))

        async def after(_: bool) -> None:
            outcome.answered()

        answer.after = after
        return answer

    @staticmethod
    def _conf(
        transaction_id: str, version: int, status: ResponseStatus, text: str | None, message_id: str | None = None
    ) -> HttpAnswer:
        conf = send_conf(transaction_id, version, status, text, message_id)
        return HttpAnswer(content_type=MMS_MESSAGE, body=mm1.encode(conf), transaction_id=transaction_id)

    def _unsupported(self, transaction_id: str) -> HttpAnswer:
        """Another major version, or a PDU we do not offer (OMA-TS-MMS_ENC 7, 7.3.48)."""
        if not transaction_id:
            return HttpAnswer(status=400, content_type="text/plain", body=b"unsupported PDU\n")
        unsupported = ResponseStatus.ERROR_UNSUPPORTED_MESSAGE
        return self._conf(transaction_id, mm1.VERSION_1_2, unsupported, "not supported")

    def _corrupt(self, error: Mm1Error) -> HttpAnswer:
        """An m-send-conf where the transaction can be answered, else HTTP 400."""
        transaction_id = error.transaction_id
        if error.message_type is MessageType.M_SEND_REQ and transaction_id:
            version = min(error.mms_version or mm1.VERSION_1_0, mm1.VERSION_1_3)
            corrupt = ResponseStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT
            return self._conf(transaction_id, version, corrupt, str(error)[:200])
        if error.message_type is not None and transaction_id and "not offered" in error.why:
            return self._unsupported(transaction_id)
        return HttpAnswer(status=400, content_type="text/plain; charset=utf-8", body=f"{error}\n".encode())


def _spoken(version: int) -> int:
    """The version to speak to a handset that spoke `version` last (0: not known)."""
    return min(version, mm1.VERSION_1_2) if version else mm1.VERSION_1_2


def _evidence(request: HttpRequest, version: int) -> Evidence:
    headers = request.headers
    return Evidence(user_agent=headers.get("User-Agent", "")[:200], profile_url=_profile(headers), mms_version=version)


def _profile(headers: Mapping[str, str]) -> str:
    for name in _PROFILE_HEADERS:
        text = headers.get(name)
        if text is not None:
            return text.split(",")[0].strip().strip('"')[:300]
    return ""
