"""MM1 words to domain words and back (OMA-TS-MMS_ENC 6 and 7)."""

import hashlib
from typing import Final

from mmsc.domain.address import Address
from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import (
    Content,
    Interface,
    Mm,
    Origin,
    Priority,
    RecipientSpec,
    Relative,
    Role,
    Submission,
    When,
)
from mmsc.domain.refusal import RefusalReason
from mmsc.domain.states import Happening
from mmsc.engine.ports import GoneBecause
from mmsc.gateways.addresses import spelled
from mmsc.gateways.content import from_wsp, plausible, single
from protocols import mm1
from protocols.content_type import ContentType
from protocols.mm1 import MessageClass, Moment, MRetrieveConf, MSendReq, ResponseStatus, RetrieveStatus, Status
from protocols.wsp.multipart import Part, encode_multipart

R = ResponseStatus
_TO: Final = Role.TO  # taken once: an enumeration searches for its member each time that it is named
_CC: Final = Role.CC
_CLASSES: Final = {
    MessageClass.PERSONAL: "Personal",
    MessageClass.ADVERTISEMENT: "Advertisement",
    MessageClass.INFORMATIONAL: "Informational",
    MessageClass.AUTO: "Auto",
}
_CLASS_OF: Final = {name.lower(): value for value, name in _CLASSES.items()}
_PRIORITIES: Final = {
    mm1.Priority.LOW: Priority.LOW,
    mm1.Priority.NORMAL: Priority.NORMAL,
    mm1.Priority.HIGH: Priority.HIGH,
}
_PRIORITY_OF: Final = {value: key for key, value in _PRIORITIES.items()}

HAPPENINGS: Final = {
    Status.RETRIEVED: Happening.RETRIEVED,
    Status.REJECTED: Happening.REJECTED,
    Status.DEFERRED: Happening.DEFERRED,
    Status.UNRECOGNISED: Happening.UNRECOGNISED,
}
STATUS_OF: Final = {
    RefusalReason.NO_RECIPIENTS: R.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT,
    RefusalReason.ADDRESS_MALFORMED: R.ERROR_PERMANENT_SENDING_ADDRESS_UNRESOLVED,
    RefusalReason.RECIPIENT_UNKNOWN: R.ERROR_PERMANENT_SENDING_ADDRESS_UNRESOLVED,
    RefusalReason.TOO_MANY_RECIPIENTS: R.ERROR_PERMANENT_FAILURE,
    RefusalReason.SENDER_NOT_ALLOWED: R.ERROR_PERMANENT_SERVICE_DENIED,
    RefusalReason.SENDER_UNRESOLVED: R.ERROR_PERMANENT_SERVICE_DENIED,
    RefusalReason.TOO_LARGE: R.ERROR_PERMANENT_CONTENT_NOT_ACCEPTED,
    RefusalReason.CONTENT_REFUSED: R.ERROR_PERMANENT_CONTENT_NOT_ACCEPTED,
    RefusalReason.CONTENT_CORRUPT: R.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT,
    RefusalReason.EXPIRY_PAST: R.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT,
    RefusalReason.FORWARDED_TOO_OFTEN: R.ERROR_PERMANENT_FAILURE,
    RefusalReason.NOT_IDENTIFIED: R.ERROR_PERMANENT_SERVICE_DENIED,
    RefusalReason.NO_CREDIT: R.ERROR_PERMANENT_SERVICE_DENIED,
    RefusalReason.TOO_FAST: R.ERROR_TRANSIENT_FAILURE,
    RefusalReason.BUSY: R.ERROR_TRANSIENT_FAILURE,
    RefusalReason.STORE_UNAVAILABLE: R.ERROR_TRANSIENT_FAILURE,
}
_LEGACY: Final = {  # what version 1.0 knows (7.3.48)
    R.ERROR_PERMANENT_SERVICE_DENIED: R.ERROR_SERVICE_DENIED,
    R.ERROR_PERMANENT_MESSAGE_FORMAT_CORRUPT: R.ERROR_MESSAGE_FORMAT_CORRUPT,
    R.ERROR_PERMANENT_SENDING_ADDRESS_UNRESOLVED: R.ERROR_SENDING_ADDRESS_UNRESOLVED,
    R.ERROR_PERMANENT_CONTENT_NOT_ACCEPTED: R.ERROR_CONTENT_NOT_ACCEPTED,
    R.ERROR_PERMANENT_FAILURE: R.ERROR_UNSPECIFIED,
    R.ERROR_TRANSIENT_FAILURE: R.ERROR_UNSPECIFIED,
    R.ERROR_TRANSIENT_PARTIAL_SUCCESS: R.OK,
    R.ERROR_UNSUPPORTED_MESSAGE: R.ERROR_UNSUPPORTED_MESSAGE,
    R.OK: R.OK,
}
_GONE_TEXT: Final = {
    GoneBecause.UNKNOWN: "Message not found",
    GoneBecause.EXPIRED: "Message expired",
    GoneBecause.CANCELLED: "Message withdrawn by its sender",
    GoneBecause.ENDED: "Message not found",
    GoneBecause.NO_CONTENT: "Message not found",
}


def for_version(status: ResponseStatus, version: int) -> ResponseStatus:
    """The status that a client of this version can read."""
    return _LEGACY.get(status, R.ERROR_UNSPECIFIED) if version < mm1.VERSION_1_1 else status


def submission_of(pdu: MSendReq, sender: Address, now: Instant) -> Submission:
    """The request in domain words. Raises DecodeError for a body that is no multipart when it says it is one."""
    content = _content(pdu)
    recipients = [
        RecipientSpec(text, role)
        for role, texts in ((Role.TO, pdu.to), (Role.CC, pdu.cc), (Role.BCC, pdu.bcc))
        for text in texts
    ]
    return Submission(
        origin=Origin(Interface.MM1, sender.value),
        sender=sender.value,
        recipients=tuple(recipients),
        content=content,
        repeat_key=_repeat_key(pdu, sender),
        identifier=f"X-Mms-Transaction-Id {pdu.transaction_id}",
        subject=pdu.subject or "",
        message_class=_class_name(pdu.message_class),
        priority=_PRIORITIES.get(pdu.priority or mm1.Priority.NORMAL, Priority.NORMAL),
        delivery_report=bool(pdu.delivery_report),
        read_report=bool(pdu.read_report),
        sender_hidden=pdu.sender_visibility is mm1.SenderVisibility.HIDE,
        adaptation_allowed=pdu.adaptation_allowed is not False,
        date=plausible(None if pdu.date is None else Instant(pdu.date * SECOND), now),
        deliver_at=_when(pdu.delivery_time),
        expires=_when(pdu.expiry),
        details={"mm1_transaction_id": pdu.transaction_id, "mms_version": str(pdu.mms_version)},
    )


def _content(pdu: MSendReq) -> Content:
    content_type = pdu.content_type or ContentType("application/vnd.wap.multipart.mixed")
    if content_type.media_type.startswith(("application/vnd.wap.multipart", "multipart/")):
        return from_wsp(content_type, pdu.body)
    return single(content_type, pdu.body)


def _repeat_key(pdu: MSendReq, sender: Address) -> bytes:
    digest = hashlib.sha256(f"mm1\0{sender}\0m-send-req\0{pdu.transaction_id}\0".encode())
    digest.update(mm1.encode(pdu))
    return digest.digest()


def _class_name(value: MessageClass | str | None) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else _CLASSES.get(value, value.name)


def class_of(name: str) -> MessageClass | str:
    """X-Mms-Message-Class; Personal when the originator named none."""
    return _CLASS_OF.get(name.lower(), name) if name else MessageClass.PERSONAL


def _when(moment: Moment | None) -> When | None:
    if moment is None:
        return None
    return Relative(moment.seconds) if moment.relative else Instant(moment.seconds * SECOND)


def retrieve_conf(mm: Mm, transaction_id: str, version: int) -> MRetrieveConf:
    """The head of the m-retrieve-conf; the stored body follows it (encode_head). Bcc never, Hide leaves From out."""
    return MRetrieveConf(
        mms_version=version,
        transaction_id=transaction_id or None,
        message_id=mm.message_id,
        date=mm.date // SECOND,
        from_=None if mm.sender_hidden else spelled(mm.sender),
        to=_shown(mm, _TO),
        cc=_shown(mm, _CC),
        subject=mm.subject or None,
        message_class=class_of(mm.message_class),
        priority=_PRIORITY_OF[mm.priority],
        delivery_report=mm.delivery_report,
        read_report=mm.read_report,
        content_type=ContentType.parse(mm.content_type),
    )


def _shown(mm: Mm, wanted: Role) -> tuple[str, ...]:
    return tuple([text for role, text in mm.shown_to if role is wanted])


def gone_conf(because: GoneBecause, now: Instant, version: int) -> MRetrieveConf:
    """An m-retrieve-conf that says why there is nothing: as a multipart, for readers that insist on one."""
    text = _GONE_TEXT[because]
    part = Part(ContentType("text/plain", (("charset", "utf-8"),)), text.encode(), "text", "text.txt")
    new = version >= mm1.VERSION_1_1  # X-Mms-Retrieve-Status is of 1.1 (OMA-TS-MMS_ENC 7.3.50)
    return MRetrieveConf(
        mms_version=version,
        date=now // SECOND,
        retrieve_status=RetrieveStatus.ERROR_PERMANENT_MESSAGE_NOT_FOUND if new else None,
        retrieve_text=text if new else None,
        content_type=ContentType("application/vnd.wap.multipart.mixed"),
        body=encode_multipart([part]),
    )
