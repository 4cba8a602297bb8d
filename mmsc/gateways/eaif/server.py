"""EAIF in: an application's m-send-req over HTTP with X-NOKIA-MMSC headers, and its asynchronous answers.

It stands behind the door of MM7 and takes what is EAIF. What was taken is told by 200 with an m-send-conf or by 204,
after the commit, and named in X-NOKIA-MMSC-Message-Id; what is wrong by 400 "Message Validation Failed"; later by 503.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from mmsc.clock import Clock
from mmsc.domain.message import Submission
from mmsc.domain.neighbours import Vasp, VaspInterface
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.engine.ports import Accepted, Directory, Gone, Submit
from mmsc.engine.vasp_ports import ApplicationAnswers
from mmsc.gateways.content import remarked
from mmsc.gateways.eaif.translate import submission_of
from mmsc.gateways.pdus import STATUS_OF, send_conf
from mmsc.gateways.runs import tagged
from mmsc.gateways.turns import Turns
from mmsc.net.http import HttpAnswer, HttpRequest
from mmsc.trace.captures import BodyReference
from protocols import eaif, mm1
from protocols.eaif import Headers, MessageType
from protocols.errors import Decoded, Finding, ProtocolError
from protocols.mm1 import MessageType as PduType
from protocols.mm1 import Mm1Error, MSendReq, Pdu, ResponseStatus
from protocols.wsp.push import MMS_MESSAGE

_MEDIA: Final = (MMS_MESSAGE, "application/vnd.wap.mms.message")  # as one manual spells it
_PATH: Final = "/eaif"
_FIRST_OCTET: Final = b"\x8c"
_PREFIX: Final = eaif.PREFIX.lower()
_INVALID: Final = "Message Validation Failed"
_TEXT: Final = "text/plain; charset=utf-8"
_LATER: Final = (("Retry-After", "10"),)
_OWN_MAJOR: Final = 1
_LONGEST_WHY: Final = 200  # characters of an X-Mms-Response-Text


class Credentials(Protocol):
    """Who has a login."""

    async def by_credentials(self, authorization: str) -> Vasp | None:
        """The VASP whose HTTP Basic credentials these are (RFC 7617), None when they are wrong."""
        ...

    def objection(self, vasp: Vasp, request: HttpRequest | None) -> str:
        """Why the VASP may not ask like this, "" when it may: its certificate, the address that it asks from."""
        ...


class Permission(Protocol):
    """What a VASP may submit."""

    async def refused(self, vasp: Vasp, submission: Submission, *, sender_given: bool) -> Refused | None:
        """Why it may not submit this, None when it may."""
        ...

    def record(self, neighbour: str, refused: Refused) -> Callable[[bool], Awaitable[None]] | None:
        """What writes a refusal into the trace, after the answer; None where many like it were written just now."""
        ...


def is_eaif(request: HttpRequest) -> bool:
    """Whether a request is for this interface: by its content, its headers or its path."""
    media = request.content_type.partition(";")[0].strip().lower()
    return (
        media in _MEDIA
        or request.body.startswith(_FIRST_OCTET)
        or request.path == _PATH
        or request.path.startswith(f"{_PATH}/")
        or any(name.lower().startswith(_PREFIX) for name in request.headers)
    )


class EaifServer:
    """What the MM7 listener hands to EAIF."""

    def __init__(
        self,
        submit: Submit,
        answers: ApplicationAnswers,
        directory: Directory,
        credentials: Credentials,
        clock: Clock,
        *,
        realm: str = "MM7",
        permission: Permission | None = None,
        turns: Turns | None = None,
    ) -> None:
        self._turns = turns or Turns()
        self._submit = submit
        self._answers = answers
        self._directory = directory
        self._credentials = credentials
        self._clock = clock
        self._realm = realm
        self._permission = permission

    async def handle(self, request: HttpRequest) -> HttpAnswer | None:
        """A POST to its answer; None when it is not EAIF."""
        if not is_eaif(request):
            return None
        vasp = await self._vasp(request)
        if vasp is None:
            challenge = f'Basic realm="{self._realm}", charset="UTF-8"'
            answer = HttpAnswer(status=401, headers=(("WWW-Authenticate", challenge),))
            return self._unidentified(answer, f"{request.remote}: no credentials of an application on EAIF")
        is_ours = vasp.interface is VaspInterface.EAIF
        why = (
            self._credentials.objection(vasp, request) if is_ours else f"{vasp.name} speaks {vasp.interface}, not EAIF"
        )
        if why:
            headers = _own(vasp) if is_ours else ()
            answer = HttpAnswer(
                status=403, content_type=_TEXT, body=f"{why}\n".encode(), headers=headers, neighbour=vasp.name
            )
            return self._unidentified(answer, why)
        try:
            read = eaif.read(request.headers.items())
        except ProtocolError as error:
            return _refused(vasp, None, ResponseStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT, str(error))
        if read.message.is_answer:
            return await self._answered(request, read.message, vasp)
        octets = len(request.body)
        if not await self._turns.enter(vasp.name, octets, request.gone):
            return _later(vasp)
        try:
            return await self._message(request, read, vasp)
        finally:
            self._turns.leave(vasp.name, octets)

    async def _vasp(self, request: HttpRequest) -> Vasp | None:
        """Whose credentials they are; without any, the application that needs none and may ask from there."""
        authorization = request.headers.get("Authorization", "")
        if authorization:
            return await self._credentials.by_credentials(authorization)
        vasps = self._directory.vasps.values()
        open_ones = [one for one in vasps if one.interface is VaspInterface.EAIF and not one.username]
        admitted = (one for one in open_ones if not self._credentials.objection(one, request))
        return next(admitted, next(iter(open_ones), None))

    def _unidentified(self, answer: HttpAnswer, why: str) -> HttpAnswer:
        if self._permission is not None:
            answer.after = self._permission.record(answer.neighbour, Refused(RefusalReason.NOT_IDENTIFIED, why))
        return answer

    async def _answered(self, request: HttpRequest, headers: Headers, vasp: Vasp) -> HttpAnswer:
        """An asynchronous answer: 204 once it is durable, also when nothing waited for it any more."""
        if request.body:
            corrupt = ResponseStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT
            return _refused(vasp, None, corrupt, "an answer with a message (of a filtering application) is not offered")
        if headers.status is None or not headers.message_id:
            corrupt = ResponseStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT
            return _refused(vasp, None, corrupt, f"an answer without {eaif.PREFIX}Message-Id")
        known = await self._answers.application_answered(vasp.name, headers.message_id, status=headers.status)
        if isinstance(known, Gone):
            return _later(vasp)
        if not known:
            why = f"no message {headers.message_id} went to {vasp.name}\n"
            return HttpAnswer(
                status=404, content_type=_TEXT, body=why.encode(), headers=_own(vasp), neighbour=vasp.name
            )
        return HttpAnswer(status=204, headers=_own(vasp), neighbour=vasp.name)

    async def _message(self, request: HttpRequest, read: Decoded[Headers], vasp: Vasp) -> HttpAnswer:
        body = request.body
        if vasp.maximum_octets and len(body) > vasp.maximum_octets:
            why = f"a request of {len(body)} octets, the limit of this VASP is {vasp.maximum_octets}"
            return _refused(vasp, None, ResponseStatus.ERROR_PERMANENT_CONTENT_NOT_ACCEPTED, why)
        try:
            decoded = mm1.decode(body)
        except Mm1Error as error:
            return _unreadable(vasp, error)
        pdu = decoded.message
        if not isinstance(pdu, MSendReq) or pdu.mms_version >> 4 != _OWN_MAJOR:
            unsupported = ResponseStatus.ERROR_UNSUPPORTED_MESSAGE
            return _refused(vasp, _asked(pdu), unsupported, f"{_named(pdu)} is not offered")
        findings = (*read.findings, *_mismatch(read.message), *decoded.findings)
        try:
            said = remarked(submission_of(pdu, read.message, vasp, body, self._clock.now()), findings)
        except ProtocolError as error:
            corrupt = ResponseStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT
            return _refused(vasp, _asked(pdu), corrupt, str(error))
        sender_given = bool(read.message.sender) or isinstance(pdu.from_, str)
        submission = tagged(said, request.headers, vasp.run)
        outcome = await self._outcome(vasp, submission, sender_given=sender_given)
        if isinstance(outcome, Refused):
            return _refused(
                vasp, _asked(pdu), STATUS_OF[outcome.reason], outcome.because, later=outcome.reason.is_transient
            )
        answer = _accepted(vasp, pdu, outcome)
        stored = submission.content
        if stored is not None and outcome.content_id is not None and stored.body is pdu.body:
            answer.stored = BodyReference(outcome.content_id, 0, len(pdu.body), len(body) - len(pdu.body))
        return answer

    async def _outcome(self, vasp: Vasp, submission: Submission, *, sender_given: bool) -> Accepted | Refused:
        if self._permission is not None:
            denied = await self._permission.refused(vasp, submission, sender_given=sender_given)
            if denied is not None:
                return denied
        return await self._submit.accept(submission)


_Asked = tuple[str, int]  # the transaction that an m-send-conf answers, and the version of its client


def _asked(pdu: Pdu) -> _Asked | None:
    transaction_id = getattr(pdu, "transaction_id", None)
    if not transaction_id:
        return None
    version = pdu.mms_version if pdu.mms_version >> 4 == _OWN_MAJOR else mm1.VERSION_1_2
    return str(transaction_id), min(version, mm1.VERSION_1_3)


def _named(pdu: Pdu) -> str:
    """What kind of PDU it is, as the specification names it."""
    version = pdu.mms_version
    named = pdu.message_type.name.lower().replace("_", "-")
    return named if version >> 4 == _OWN_MAJOR else f"{named} of version {version >> 4}.{version & 0x0F}"


def _mismatch(headers: Headers) -> tuple[Finding, ...]:
    kind = headers.message_type
    if kind in (None, MessageType.MULTI_MEDIA_MESSAGE):
        return ()
    remark = f"{eaif.PREFIX}Message-Type {kind} stands before an m-send-req: the PDU counts"
    return (Finding("EAIF-H006", "Nokia EAIF, X-NOKIA-MMSC headers", -1, remark),)


def _own(vasp: Vasp, message_id: str = "") -> tuple[tuple[str, str], ...]:
    return eaif.write(Headers(version=vasp.eaif_version, message_id=message_id))


def _later(vasp: Vasp) -> HttpAnswer:
    return HttpAnswer(status=503, headers=(*_own(vasp), *_LATER), neighbour=vasp.name)


def _accepted(vasp: Vasp, pdu: MSendReq, accepted: Accepted) -> HttpAnswer:
    """200 with an m-send-conf, or 204. 204 cannot say that some recipients were refused."""
    answer = HttpAnswer(
        status=204,
        headers=_own(vasp, accepted.message_id),
        neighbour=vasp.name,
        transaction_id=pdu.transaction_id,
        mm_id=accepted.mm_id,
    )
    if vasp.eaif_answer == "conf" or accepted.refused:
        version = min(pdu.mms_version, mm1.VERSION_1_3)
        status, text = ResponseStatus.OK, None
        if accepted.refused and version >= mm1.VERSION_1_2:
            status = ResponseStatus.ERROR_TRANSIENT_PARTIAL_SUCCESS
            text = "; ".join(f"{one.text}: {one.because}" for one in accepted.refused)
        conf = send_conf(pdu.transaction_id, version, status, text, accepted.message_id)
        answer.status, answer.content_type, answer.body = 200, MMS_MESSAGE, mm1.encode(conf)

    async def after(_: bool) -> None:
        accepted.answered()

    answer.after = after
    return answer


def _unreadable(vasp: Vasp, error: Mm1Error) -> HttpAnswer:
    asked = None
    if error.message_type is PduType.M_SEND_REQ and error.transaction_id:
        asked = (error.transaction_id, min(error.mms_version or mm1.VERSION_1_0, mm1.VERSION_1_3))
    return _refused(vasp, asked, ResponseStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT, str(error))


def _refused(vasp: Vasp, asked: _Asked | None, status: ResponseStatus, why: str, *, later: bool = False) -> HttpAnswer:
    """400 or 503: with an m-send-conf where the application wants one and the PDU can be answered, else with a line of
    text. The status is HTTP's in any case: some applications read nothing else."""
    answer = HttpAnswer(
        status=503 if later else 400,
        reason="" if later else _INVALID,
        headers=(*_own(vasp), *(_LATER if later else ())),
        neighbour=vasp.name,
        content_type=_TEXT,
        body=f"{why[:_LONGEST_WHY]}\n".encode(),
    )
    if asked is not None and vasp.eaif_answer == "conf":
        transaction_id, version = asked
        conf = send_conf(transaction_id, version, status, why[:_LONGEST_WHY])
        answer.content_type, answer.body, answer.transaction_id = MMS_MESSAGE, mm1.encode(conf), transaction_id
    return answer
