"""MM1 in: submissions, retrievals and answers of user agents over HTTP (OMA-TS-MMS_CTR; OMA-TS-MMS_ENC 6, 7).

POST takes any client PDU at any path; GET `/m/TOKEN` serves the MM. A PDU that was understood is answered by a PDU with
HTTP 200; HTTP errors are for what is no PDU. What a PDU means is its handler's.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from mmsc.clock import Clock
from mmsc.engine.box_ports import Boxes
from mmsc.engine.ports import Evidence, Retrieval, Submit
from mmsc.gateways.mm1.answers import Answers
from mmsc.gateways.mm1.asked import MMS_MESSAGE, Asked
from mmsc.gateways.mm1.box_fetching import BoxFetches
from mmsc.gateways.mm1.fetching import Fetches
from mmsc.gateways.mm1.identity import Identities
from mmsc.gateways.mm1.mmbox import MmboxRequests
from mmsc.gateways.mm1.submission import Submissions, conf_answer
from mmsc.net.http import HttpAnswer, HttpRequest
from protocols import mm1
from protocols.mm1 import MessageType, Mm1Error, MReadRecInd, MSendReq, Pdu, ResponseStatus

_FIRST_OCTET: Final = 0x8C
_OWN_MAJOR: Final = 1
_PROFILE_HEADERS: Final = ("x-wap-profile", "Profile", "Wap-Profile")
_TELLING: Final = (
    MSendReq,
    MReadRecInd,
    mm1.MMboxViewReq,
    mm1.MMboxUploadReq,
)  # what a handset sends of itself, not as an answer


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
    ) -> None:
        """`url` is where MM1 is reached. `more` are handlers (`asked.Handler`) of PDUs beyond sending and fetching."""
        self._retrieval = retrieval
        self._identities = identities
        self._fetches = Fetches(retrieval, clock, BoxFetches(boxes))
        answers = Answers(retrieval, clock)
        self._handlers: dict[type[Pdu], Any] = {
            MSendReq: Submissions(submit, clock, url).send_req,
            mm1.MNotifyRespInd: answers.notifyresp_ind,
            mm1.MAcknowledgeInd: answers.acknowledge_ind,
            MReadRecInd: answers.read_rec_ind,
            mm1.MCancelConf: answers.cancel_conf,
            **MmboxRequests(boxes, clock, url).handlers,
            **more,
        }

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        """One request to one answer."""
        identity = self._identities.of(request.headers, request.remote)
        if request.method in ("GET", "HEAD"):
            return await self._fetches.get(request, identity, _evidence(request, 0))
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
        handler = self._handlers.get(type(pdu))
        if handler is None or pdu.mms_version >> 4 != _OWN_MAJOR:
            return self._unsupported(getattr(pdu, "transaction_id", "") or "")
        evidence = _evidence(request, pdu.mms_version)
        if identity is not None and isinstance(pdu, _TELLING):
            await self._retrieval.seen(identity, evidence)
        answer: HttpAnswer = await handler(Asked(pdu, identity, evidence, decoded.findings, len(request.body)))
        return answer

    def _unsupported(self, transaction_id: str) -> HttpAnswer:
        """Another major version, or a PDU we do not offer (OMA-TS-MMS_ENC 7, 7.3.48)."""
        if not transaction_id:
            return HttpAnswer(status=400, content_type="text/plain", body=b"unsupported PDU\n")
        unsupported = ResponseStatus.ERROR_UNSUPPORTED_MESSAGE
        return conf_answer(transaction_id, mm1.VERSION_1_2, unsupported, "not supported")

    def _corrupt(self, error: Mm1Error) -> HttpAnswer:
        """An m-send-conf where the transaction can be answered, else HTTP 400."""
        transaction_id = error.transaction_id
        if error.message_type is MessageType.M_SEND_REQ and transaction_id:
            version = min(error.mms_version or mm1.VERSION_1_0, mm1.VERSION_1_3)
            corrupt = ResponseStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT
            return conf_answer(transaction_id, version, corrupt, str(error)[:200])
        if error.message_type is not None and transaction_id and "not offered" in error.why:
            return self._unsupported(transaction_id)
        return HttpAnswer(status=400, content_type="text/plain; charset=utf-8", body=f"{error}\n".encode())


def _evidence(request: HttpRequest, version: int) -> Evidence:
    headers = request.headers
    return Evidence(user_agent=headers.get("User-Agent", "")[:200], profile_url=_profile(headers), mms_version=version)


def _profile(headers: Mapping[str, str]) -> str:
    for name in _PROFILE_HEADERS:
        text = headers.get(name)
        if text is not None:
            return text.split(",")[0].strip().strip('"')[:300]
    return ""
