"""What says no to a user agent: which conf answers which request, and with which status (OMA-TS-MMS_ENC 6, 7.3.48,
7.3.58). Indications have no conf: HTTP alone can refuse them."""

from collections.abc import Callable
from typing import Final

from mmsc.gateways.mm1.asked import pdu_answer
from mmsc.gateways.pdus import sayable, send_conf
from mmsc.net.http import HttpAnswer
from protocols import mm1
from protocols.content_type import ContentType
from protocols.mm1 import Indexed, MessageType, Pdu, ResponseStatus, StoreStatus

R = ResponseStatus
T = MessageType
_OWN_MAJOR: Final = 1
_FIRST_INDEX: Final = 0  # of an indexed status: the request as a whole
_NO_PARTS: Final = b"\0"
_MIXED: Final = ContentType("application/vnd.wap.multipart.mixed")

INDICATIONS: Final = frozenset({T.M_NOTIFYRESP_IND, T.M_ACKNOWLEDGE_IND, T.M_READ_REC_IND, T.M_CANCEL_CONF})
# What a handset says of itself, not in answer to a push: nobody can say it for an unknown sender.
OF_A_SENDER: Final = frozenset(
    {
        *(T.M_SEND_REQ, T.M_FORWARD_REQ, T.M_READ_REC_IND, T.M_DELETE_REQ),
        *(T.M_MBOX_STORE_REQ, T.M_MBOX_VIEW_REQ, T.M_MBOX_UPLOAD_REQ, T.M_MBOX_DELETE_REQ),
    }
)
OF_A_HANDSET: Final = OF_A_SENDER | INDICATIONS
_STORE_STATUS: Final = {  # 7.3.58; everything else is a permanent failure
    R.ERROR_UNSUPPORTED_MESSAGE: StoreStatus.ERROR_PERMANENT_SERVICE_DENIED,
    R.ERROR_PERMANENT_SERVICE_DENIED: StoreStatus.ERROR_PERMANENT_SERVICE_DENIED,
    R.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT: StoreStatus.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT,
    R.ERROR_PERMANENT_MESSAGE_NOT_FOUND: StoreStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND,
    R.ERROR_TRANSIENT_FAILURE: StoreStatus.ERROR_TRANSIENT_FAILURE,
    R.ERROR_TRANSIENT_NETWORK_PROBLEM: StoreStatus.ERROR_TRANSIENT_NETWORK_PROBLEM,
}
_Made = Callable[[str, int, ResponseStatus, str], Pdu]


def store_status_of(status: ResponseStatus) -> StoreStatus:
    """X-Mms-Store-Status for what X-Mms-Response-Status would say: the MMBox's confs have no other word."""
    return _STORE_STATUS.get(status, StoreStatus.ERROR_PERMANENT_FAILURE)


def version_for(version: int) -> int:
    """The version to answer in: the sender's own, or our highest if that is lower; 1.0 when it named none (0), and
    what everybody reads when it speaks another major version (OMA-TS-MMS_ENC 7)."""
    if not version:
        return mm1.VERSION_1_0
    return min(version, mm1.VERSION_1_3) if version >> 4 == _OWN_MAJOR else mm1.VERSION_1_2


def refusal(
    message_type: MessageType | None, transaction_id: str, version: int, status: ResponseStatus, why: str
) -> Pdu | None:
    """The conf that refuses a request with this status, in what a client of `version` (as its PDU said, 0 for none)
    can read. None where no PDU can: for indications, and without a transaction to answer. What is no request of a
    user agent is answered like an m-send-req: every client knows that conf."""
    if message_type is None or not transaction_id or message_type in INDICATIONS:
        return None
    make, since = _MADE.get(message_type, _OTHERWISE)
    spoken = max(version_for(version), since)  # who sends a newer request than it says reads the conf of that one
    return mm1.for_version(make(transaction_id, spoken, status, sayable(why)), spoken)


def refused(
    message_type: MessageType | None,
    transaction_id: str,
    version: int,
    status: ResponseStatus,
    why: str,
    *,
    http: int = 400,
) -> HttpAnswer:
    """HTTP 200 with that conf; `http` with a line of text where there is none."""
    conf = refusal(message_type, transaction_id, version, status, why)
    if conf is not None:
        return pdu_answer(conf, transaction_id=transaction_id)
    return HttpAnswer(
        status=http,
        content_type="text/plain; charset=utf-8",
        body=f"{sayable(why)}\n".encode(),
        transaction_id=transaction_id,
    )


def _forward_conf(transaction_id: str, version: int, status: ResponseStatus, why: str) -> Pdu:
    return mm1.MForwardConf(
        mms_version=version,
        transaction_id=transaction_id,
        response_status=status,
        response_text=why,
    )


def _stored(conf: type[mm1.MMboxStoreConf] | type[mm1.MMboxUploadConf]) -> _Made:
    """A conf that tells a Store-Status."""

    def make(transaction_id: str, version: int, status: ResponseStatus, why: str) -> Pdu:
        return conf(
            mms_version=version,
            transaction_id=transaction_id,
            store_status=store_status_of(status),
            store_status_text=why,
        )

    return make


def _indexed(conf: type[mm1.MMboxDeleteConf] | type[mm1.MDeleteConf]) -> _Made:
    """A conf that tells a status for each MM: here one, of the first."""

    def make(transaction_id: str, version: int, status: ResponseStatus, why: str) -> Pdu:
        return conf(
            mms_version=version,
            transaction_id=transaction_id,
            response_statuses=(Indexed(_FIRST_INDEX, status),),
            response_texts=(Indexed(_FIRST_INDEX, why),),
        )

    return make


def _view_conf(transaction_id: str, version: int, status: ResponseStatus, why: str) -> Pdu:
    """It must have a body: a multipart without parts."""
    return mm1.MMboxViewConf(
        mms_version=version,
        transaction_id=transaction_id,
        response_status=status,
        response_text=why,
        content_type=_MIXED,
        body=_NO_PARTS,
    )


_OTHERWISE: Final[tuple[_Made, int]] = (send_conf, mm1.MSendConf.since)
_MADE: Final[dict[MessageType, tuple[_Made, int]]] = {
    T.M_FORWARD_REQ: (_forward_conf, mm1.MForwardConf.since),
    T.M_MBOX_STORE_REQ: (_stored(mm1.MMboxStoreConf), mm1.MMboxStoreConf.since),
    T.M_MBOX_VIEW_REQ: (_view_conf, mm1.MMboxViewConf.since),
    T.M_MBOX_UPLOAD_REQ: (_stored(mm1.MMboxUploadConf), mm1.MMboxUploadConf.since),
    T.M_MBOX_DELETE_REQ: (_indexed(mm1.MMboxDeleteConf), mm1.MMboxDeleteConf.since),
    T.M_DELETE_REQ: (_indexed(mm1.MDeleteConf), mm1.MDeleteConf.since),
}
