"""Right MM1 PDUs made wrong (OMA-TS-MMS_ENC)."""

from dataclasses import replace
from typing import Final

from protocols import mm1
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.mm1 import MNotificationInd, MRetrieveConf, RetrieveStatus
from protocols.wsp.multipart import Part, encode_multipart

_MIXED: Final = ContentType("application/vnd.wap.multipart.mixed")
_PLAIN: Final = ContentType("text/plain", (("charset", "utf-8"),))


def with_size(octets: bytes, size: int) -> bytes:
    """The same m-notification-ind with another X-Mms-Message-Size (7.3.29)."""
    pdu = _notification(octets)
    return octets if pdu is None else mm1.encode(replace(pdu, message_size=size))


def with_url(octets: bytes, url: str) -> bytes:
    """The same m-notification-ind with another X-Mms-Content-Location (7.3.10)."""
    pdu = _notification(octets)
    return octets if pdu is None else mm1.encode(replace(pdu, content_location=url))


def retrieve_conf(octets: bytes, status: int, text: str) -> bytes | None:
    """An m-retrieve-conf with this X-Mms-Retrieve-Status and nothing of the content of the right one; None for what is
    none (6.3). Version and Transaction-ID stay."""
    try:
        pdu = mm1.decode(octets).message
    except DecodeError:
        return None
    if not isinstance(pdu, MRetrieveConf):
        return None
    bare = replace(
        pdu,
        retrieve_status=RetrieveStatus(status),
        retrieve_text=text or None,
        content_type=_MIXED,
        body=encode_multipart([Part(_PLAIN, text.encode(), "text", "text.txt")]),
    )
    return mm1.encode(bare)


def _notification(octets: bytes) -> MNotificationInd | None:
    try:
        pdu = mm1.decode(octets).message
    except DecodeError:
        return None
    return pdu if isinstance(pdu, MNotificationInd) else None
