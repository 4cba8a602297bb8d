"""MM1 in: submissions, retrievals and answers of user agents over HTTP (OMA-TS-MMS_CTR; OMA-TS-MMS_ENC 6, 7).

POST takes any client PDU at any path; GET `/m/TOKEN` serves the MM. A PDU that was understood is answered by a PDU with
HTTP 200; HTTP errors are for what is no PDU. What a PDU means is its handler's.
"""

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from mmsc.clock import Clock
from mmsc.domain.address import Address
from mmsc.engine.box_ports import Boxes
from mmsc.engine.ports import Evidence, Retrieval, Submit
from mmsc.gateways.mm1.answers import Answers
from mmsc.gateways.mm1.asked import MMS_MESSAGE, Asked
from mmsc.gateways.mm1.box_fetching import BoxFetches
from mmsc.gateways.mm1.fetching import Fetches
from mmsc.gateways.mm1.identity import Identities
from mmsc.gateways.mm1.mmbox import MmboxRequests
from mmsc.gateways.mm1.refusing import INDICATIONS, OF_A_HANDSET, OF_A_SENDER, refused
from mmsc.gateways.mm1.senders import Senders
from mmsc.gateways.mm1.submission import Submissions
from mmsc.gateways.runs import HEADER
from mmsc.gateways.turns import SUBSCRIBERS, Turns
from mmsc.net.http import LATER, HttpAnswer, HttpRequest
from mmsc.trace.captures import about
from protocols import mm1
from protocols.errors import Decoded
from protocols.mm1 import Mm1Error, MReadRecInd, MSendReq, Pdu, ResponseStatus

_FIRST_OCTET: Final = 0x8C
_SEND_REQ: Final = b"\x8c\x80"  # X-Mms-Message-Type stands first (OMA-TS-MMS_ENC 7)
_LONGEST_TRANSACTION_ID: Final = 1024  # characters: it is kept with the MM, and told with each of its recipients
_OWN_MAJOR: Final = 1
_PROFILE_HEADERS: Final = ("x-wap-profile", "Profile", "Wap-Profile")
_NO_VERSION: Final = "MM1-H002"
_UNSUPPORTED: Final = ResponseStatus.ERROR_UNSUPPORTED_MESSAGE
_DENIED: Final = ResponseStatus.ERROR_PERMANENT_SERVICE_DENIED
_CORRUPT: Final = ResponseStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT
_LATER: Final = ResponseStatus.ERROR_TRANSIENT_FAILURE
_log: Final = logging.getLogger(__name__)


class Mm1Server:
    """The handler of the MM1 listener."""

    def __init__(
        self,
        submit: Submit,
        retrieval: Retrieval,
        identities: Identities,
        clock: Clock,
        boxes: Boxes,
        url: Callable[[], str],
        more: Mapping[type[Pdu], Any] = MappingProxyType({}),
        senders: Senders | None = None,
        turns: Turns | None = None,
    ) -> None:
        """`url` is where MM1 is reached. `more` are handlers (`asked.Handler`) of PDUs beyond sending and fetching."""
        self.senders = senders or Senders(identities)
        self._turns = turns or Turns()
        self._retrieval = retrieval
        self._identities = identities
        self._fetches = Fetches(retrieval, clock, BoxFetches(boxes))
        answers = Answers(retrieval, clock)
        self._handlers: dict[type[Pdu], Any] = {
            MSendReq: Submissions(submit, clock, self.senders, url).send_req,
            mm1.MNotifyRespInd: answers.notifyresp_ind,
            mm1.MAcknowledgeInd: answers.acknowledge_ind,
            MReadRecInd: answers.read_rec_ind,
            mm1.MCancelConf: answers.cancel_conf,
            **MmboxRequests(boxes, clock, url).handlers,
            **more,
        }

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        """One request to one answer."""
        identity = self._identities.of(request)
        about(neighbour="" if identity is None else identity.value)
        if request.method in ("GET", "HEAD"):
            return await self._fetches.get(request, identity, _evidence(request, 0))
        if request.method != "POST":
            return HttpAnswer(status=405, headers=(("Allow", "GET, HEAD, POST"),))
        media = request.content_type.partition(";")[0].strip().lower()
        if media not in (MMS_MESSAGE, "") and request.body[:1] != bytes((_FIRST_OCTET,)):
            return HttpAnswer(status=415)
        if not request.body.startswith(_SEND_REQ):
            return await self._read(request, identity)
        octets = len(request.body)
        if not await self._turns.enter(SUBSCRIBERS, octets, request.gone):
            return HttpAnswer(status=503, headers=LATER)
        try:
            return await self._read(request, identity)
        finally:
            self._turns.leave(SUBSCRIBERS, octets)

    async def _read(self, request: HttpRequest, identity: Address | None) -> HttpAnswer:
        try:
            decoded = mm1.decode(request.body)
        except Mm1Error as error:
            return _unreadable(error)
        return await self._handle(request, decoded, identity)

    def subscriber_of(self, request: HttpRequest) -> str:
        """The number of whoever asks, "" for nobody that we know."""
        identity = self._identities.of(request)
        return "" if identity is None else identity.value

    async def _handle(self, request: HttpRequest, decoded: Decoded[Pdu], identity: Address | None) -> HttpAnswer:
        pdu = decoded.message
        kind, transaction_id = pdu.message_type, str(getattr(pdu, "transaction_id", "") or "")
        is_known = pdu.mms_version >> 4 == _OWN_MAJOR
        if is_known and identity is None and kind in OF_A_SENDER and kind not in INDICATIONS:
            return refused(kind, transaction_id, pdu.mms_version, _DENIED, "no subscriber identity", http=403)
        handler = self._handlers.get(type(pdu))
        if handler is None or not is_known:
            return refused(kind, transaction_id, pdu.mms_version, _UNSUPPORTED, _not_supported(pdu.mms_version))
        if len(transaction_id) > _LONGEST_TRANSACTION_ID:
            why = f"X-Mms-Transaction-ID: {len(transaction_id)} characters, the limit is {_LONGEST_TRANSACTION_ID}"
            return refused(kind, transaction_id, pdu.mms_version, _CORRUPT, why)
        evidence = _evidence(request, _told_version(decoded))
        try:
            if identity is not None and kind in OF_A_SENDER:
                await self._retrieval.seen(identity, evidence)
            run = request.headers.get(HEADER, "")
            asked = Asked(pdu, identity, evidence, decoded.findings, len(request.body), run)
            answer: HttpAnswer = await handler(asked)
        except Exception:  # our bug: the handset is told to come again, in its own words
            _log.exception("%s: its handler failed", kind.name, extra={"exchange": request.exchange})
            return refused(kind, transaction_id, pdu.mms_version, _LATER, "the server failed", http=500)
        return answer


def _unreadable(error: Mm1Error) -> HttpAnswer:
    """What cannot be read: a conf where the transaction can be answered, else HTTP 400. What we do not know, or another
    major version writes, is not corrupt (OMA-TS-MMS_ENC 7)."""
    kind, version = error.message_type, error.mms_version
    if kind is not None and (kind not in OF_A_HANDSET or (version and version >> 4 != _OWN_MAJOR)):
        return refused(kind, error.transaction_id, version, _UNSUPPORTED, _not_supported(version))
    return refused(kind, error.transaction_id, version, _CORRUPT, str(error))


def _not_supported(version: int) -> str:
    if version and version >> 4 != _OWN_MAJOR:
        return f"MMS {version >> 4}.{version & 0x0F} is not supported"
    return "this PDU is not supported"


def _told_version(decoded: Decoded[Pdu]) -> int:
    """X-Mms-MMS-Version as the PDU said it, 0 when it said none: that it is read as 1.0 shows nothing of a handset."""
    if decoded.findings and any(one.rule == _NO_VERSION for one in decoded.findings):
        return 0
    return decoded.message.mms_version


def _evidence(request: HttpRequest, version: int) -> Evidence:
    headers = request.headers
    user_agent = _readable(headers.get("User-Agent", ""))[:200]
    return Evidence(user_agent=user_agent, profile_url=_profile(headers), mms_version=version)


def _profile(headers: Mapping[str, str]) -> str:
    for name in _PROFILE_HEADERS:
        text = headers.get(name)
        if text is not None:
            return _readable(text).split(",")[0].strip().strip('"')[:300]
    return ""


def _readable(text: str) -> str:
    """Handsets write Latin-1 (RFC 9110 5.5): what is no UTF-8 is kept as a mark, because it could not be stored."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
