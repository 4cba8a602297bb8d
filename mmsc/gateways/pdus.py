"""What MM1 and EAIF share: an M-Send.req in domain words, a stored MM in MMS words, and the m-send-conf's statuses
(OMA-TS-MMS_ENC 6.1, 7.3)."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.message import (
    Content,
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
from mmsc.gateways.addresses import spelled
from mmsc.gateways.content import LONGEST_DETAIL, from_wsp, plausible, single
from mmsc.gateways.vasp_fields import with_vasp_fields
from protocols import mm1
from protocols.content_type import ContentType
from protocols.errors import Finding
from protocols.mm1 import MessageClass, Moment, MRetrieveConf, MSendConf, MSendReq, ResponseStatus, for_version
from protocols.mm1.values import bare_id

R = ResponseStatus
_LONGEST_TEXT: Final = 300  # characters of X-Mms-Response-Text: no display shows more
_TO: Final = Role.TO  # taken once: an enumeration searches for its member each time that it is named
_CC: Final = Role.CC
_AUTO: Final = MessageClass.AUTO
_CLASSES: Final = {
    MessageClass.PERSONAL: "Personal",
    MessageClass.ADVERTISEMENT: "Advertisement",
    MessageClass.INFORMATIONAL: "Informational",
    MessageClass.AUTO: "Auto",
}
_NO_TOKEN: Final = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CLASS_OF: Final = {name.lower(): value for value, name in _CLASSES.items()}
_PRIORITIES: Final = {
    mm1.Priority.LOW: Priority.LOW,
    mm1.Priority.NORMAL: Priority.NORMAL,
    mm1.Priority.HIGH: Priority.HIGH,
}
PRIORITY_OF: Final = {value: key for key, value in _PRIORITIES.items()}

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
    RefusalReason.LINKED_ID_UNKNOWN: R.ERROR_PERMANENT_FAILURE,  # only MM7 has one
    RefusalReason.MM_UNKNOWN: R.ERROR_PERMANENT_MESSAGE_NOT_FOUND,
    RefusalReason.REPLY_LIMITS: R.ERROR_PERMANENT_REPLY_CHARGING_LIMITATIONS_NOT_MET,
    RefusalReason.REPLY_OFFER_REFUSED: R.ERROR_PERMANENT_REPLY_CHARGING_REQUEST_NOT_ACCEPTED,
    RefusalReason.REPLY_OFFER_FORWARDED: R.ERROR_PERMANENT_REPLY_CHARGING_FORWARDING_DENIED,
    RefusalReason.REPLY_CHARGING_OFF: R.ERROR_PERMANENT_REPLY_CHARGING_NOT_SUPPORTED,
    RefusalReason.FORWARDED_TOO_OFTEN: R.ERROR_PERMANENT_FAILURE,
    RefusalReason.NOT_IDENTIFIED: R.ERROR_PERMANENT_SERVICE_DENIED,
    RefusalReason.NOT_OFFERED: R.ERROR_PERMANENT_SERVICE_DENIED,
    RefusalReason.REPORT_IMPOSSIBLE: R.ERROR_PERMANENT_FAILURE,  # only VASPs need an address
    RefusalReason.NO_CREDIT: R.ERROR_PERMANENT_LACK_OF_PREPAID,
    RefusalReason.TOO_FAST: R.ERROR_TRANSIENT_FAILURE,
    RefusalReason.BUSY: R.ERROR_TRANSIENT_FAILURE,
    RefusalReason.STORE_UNAVAILABLE: R.ERROR_TRANSIENT_FAILURE,
    RefusalReason.SERVER_FAILED: R.ERROR_TRANSIENT_FAILURE,
}


def content_of(pdu: MSendReq, remarks: list[Finding] | None = None) -> Content:
    """What it carries; what there is to remark about its parts goes to `remarks`. Raises DecodeError for a body that is
    no multipart when it says it is one."""
    return content_in(pdu.content_type, pdu.body, remarks)


def content_in(content_type: ContentType | None, body: bytes, remarks: list[Finding] | None = None) -> Content:
    """The content of any PDU, as `content_of`."""
    content_type = content_type or ContentType("application/vnd.wap.multipart.mixed")
    if content_type.media_type.startswith(("application/vnd.wap.multipart", "multipart/")):
        return from_wsp(content_type, body, remarks)
    return single(content_type, body)


def class_name(value: MessageClass | str | None) -> str:
    """X-Mms-Message-Class in words, "" for none; a number that nobody knows means nothing, and is passed on to nobody.
    Of a text what a Token-text may hold: it becomes a line of a mail, an element, and a Token-text again (7.3.27; RFC
    2616 2.2)."""
    if isinstance(value, str):
        return _NO_TOKEN.sub("", value)
    return "" if value is None else _CLASSES.get(value, "")


def class_of(name: str) -> MessageClass | str:
    """X-Mms-Message-Class; Personal when the originator named none."""
    return _CLASS_OF.get(name.lower(), name) if name else MessageClass.PERSONAL


def when_of(moment: Moment | None) -> When | None:
    """Expiry, delivery time or deadline in domain words."""
    if moment is None:
        return None
    return Relative(moment.seconds) if moment.relative else Instant(moment.seconds * SECOND)


def submission_from(
    pdu: MSendReq,
    now: Instant,
    *,
    origin: Origin,
    sender: str,
    recipients: tuple[RecipientSpec, ...],
    content: Content,
    repeat_key: bytes | None,
    identifier: str,
    details: Mapping[str, str] = MappingProxyType({}),
) -> Submission:
    """The request in domain words, sent by and to whom the interface says."""
    return Submission(
        origin=origin,
        sender=sender,
        recipients=recipients,
        content=content,
        repeat_key=repeat_key,
        identifier=identifier,
        subject=pdu.subject or "",
        message_class=class_name(pdu.message_class),
        priority=_PRIORITIES.get(pdu.priority or mm1.Priority.NORMAL, Priority.NORMAL),
        delivery_report=bool(pdu.delivery_report),
        read_report=bool(pdu.read_report),
        sender_hidden=pdu.sender_visibility is mm1.SenderVisibility.HIDE,
        adaptation_allowed=pdu.adaptation_allowed is not False,
        date=plausible(None if pdu.date is None else Instant(pdu.date * SECOND), now),
        deliver_at=when_of(pdu.delivery_time),
        expires=when_of(pdu.expiry),
        refuses_late=pdu.mms_version < mm1.VERSION_1_2,  # it has no Error-transient-partial-success (7.3.48)
        details={
            "mm1_transaction_id": pdu.transaction_id,
            "mms_version": str(pdu.mms_version),
            **_for_vasps(pdu),
            **details,
        },
    )


def _for_vasps(pdu: MSendReq) -> dict[str, str]:
    """What a DeliverReq has, too, by the names of MM7 (TS 23.140 8.7.2)."""
    known = {
        "reply_charging_id": bare_id(pdu.reply_charging_id or ""),
        "applic_id": pdu.applic_id,
        "reply_applic_id": pdu.reply_applic_id,
        "aux_applic_info": pdu.aux_applic_info,
    }
    return {name: value for name, value in known.items() if value and len(value) <= LONGEST_DETAIL}


def sayable(text: str) -> str:
    """Text for a display: short, and without what no Text-string may hold (WAP-230-WSP 8.4.2.1)."""
    return "".join([one if one.isprintable() else "?" for one in text[:_LONGEST_TEXT]])


def send_conf(
    transaction_id: str, version: int, status: ResponseStatus, text: str | None, message_id: str | None = None
) -> MSendConf:
    """The m-send-conf that a client of this version can read."""
    conf = MSendConf(
        mms_version=version,
        transaction_id=transaction_id,
        response_status=status,
        response_text=None if text is None else sayable(text),
        message_id=message_id,
    )
    return for_version(conf, version)


def retrieve_conf(mm: Mm, transaction_id: str, version: int, now: Callable[[], Instant] | None = None) -> MRetrieveConf:
    """The head of the m-retrieve-conf that a client of this version can read; the stored body follows it (encode_head).
    Bcc never, Hide leaves From out. `now` as in `with_vasp_fields`."""
    message_class = class_of(mm.message_class)
    asks = message_class is not _AUTO  # nothing is reported about class Auto (7.3.27)
    conf = MRetrieveConf(
        mms_version=version,
        transaction_id=transaction_id or None,
        message_id=mm.message_id,
        date=mm.date // SECOND,
        from_=None if mm.sender_hidden else spelled(mm.sender),
        to=shown(mm, _TO),
        cc=shown(mm, _CC),
        subject=mm.subject or None,
        message_class=message_class,
        priority=PRIORITY_OF[mm.priority],
        delivery_report=mm.delivery_report and asks,
        read_report=mm.read_report and asks,
        content_type=ContentType.parse(mm.content_type),
    )
    return for_version(with_vasp_fields(conf, mm.details, now), version)


def shown(mm: Mm, wanted: Role) -> tuple[str, ...]:
    """The recipients of a role that may be shown, as they were written."""
    return tuple([text for role, text in mm.shown_to if role is wanted])
