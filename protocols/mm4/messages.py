"""The messages of MM4 (TS 23.140 8.4.1, 8.4.2). `unknown` are X-Mms fields we have no row for, kept as they came."""

from datetime import datetime
from enum import StrEnum

from protocols.mime import MimePart
from protocols.records import record


class RequestStatusCode(StrEnum):
    """X-Mms-Request-Status-Code."""

    OK = "Ok"
    ERROR_UNSPECIFIED = "Error-unspecified"
    ERROR_SERVICE_DENIED = "Error-service-denied"
    ERROR_MESSAGE_FORMAT_CORRUPT = "Error-message-format-corrupt"
    ERROR_SENDING_ADDRESS_UNRESOLVED = "Error-sending-address-unresolved"
    ERROR_MESSAGE_NOT_FOUND = "Error-message-not-found"
    ERROR_NETWORK_PROBLEM = "Error-network-problem"
    ERROR_CONTENT_NOT_ACCEPTED = "Error-content-not-accepted"
    ERROR_UNSUPPORTED_MESSAGE = "Error-unsupported-message"


class MmStatusCode(StrEnum):
    """X-Mms-MM-Status-Code."""

    EXPIRED = "Expired"
    RETRIEVED = "Retrieved"
    REJECTED = "Rejected"
    DEFERRED = "Deferred"
    UNRECOGNISED = "Unrecognised"
    INDETERMINATE = "Indeterminate"
    FORWARDED = "Forwarded"


@record(frozen=True, slots=True, kw_only=True)
class Message:
    """What every message has. Addresses as written; `sender` is the system that sent it."""

    mms_version: str = "6.10.0"
    transaction_id: str = ""
    message_id: str = ""
    sender: str = ""
    from_: str = ""
    to: tuple[str, ...] = ()
    date: datetime | None = None
    unknown: tuple[tuple[str, str], ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class ForwardReq(Message):
    """MM4_forward.REQ: an MM. `expiry` is a datetime, or seconds from reception."""

    cc: tuple[str, ...] = ()
    subject: str = ""
    originator_system: str = ""
    message_class: str = ""
    expiry: datetime | int | None = None
    delivery_report: bool | None = None
    originator_rs_delivery_report: bool | None = None
    priority: str = ""
    sender_visibility: str = ""
    read_reply: bool | None = None
    ack_request: bool | None = None
    forward_counter: int | None = None
    adaptation_allowed: bool | None = None
    content_class: str = ""
    drm_content: bool | None = None
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""
    content: MimePart | None = None


@record(frozen=True, slots=True, kw_only=True)
class ForwardRes(Message):
    """MM4_forward.RES: the answer to a forward, a mail of its own."""

    request_status_code: RequestStatusCode = RequestStatusCode.OK
    status_text: str = ""
    request_recipients: tuple[str, ...] = ()


@record(frozen=True, slots=True, kw_only=True)
class DeliveryReportReq(Message):
    """MM4_delivery_report.REQ: From is the recipient it is about, To the MM's sender."""

    mm_status_code: MmStatusCode = MmStatusCode.INDETERMINATE
    mm_status_extension: str = ""
    status_text: str = ""
    forward_to_originator_ua: bool | None = None
    ack_request: bool | None = None
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""


@record(frozen=True, slots=True, kw_only=True)
class DeliveryReportRes(Message):
    """MM4_delivery_report.RES."""

    request_status_code: RequestStatusCode = RequestStatusCode.OK
    status_text: str = ""
