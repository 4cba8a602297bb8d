"""The messages of MM7 (TS 23.140 8.7), fields in schema order."""

from enum import StrEnum

from protocols.mm7.status import StatusCode
from protocols.records import record


class AddressForm(StrEnum):
    """The element that holds an address."""

    NUMBER = "Number"
    RFC2822_ADDRESS = "RFC2822Address"
    SHORT_CODE = "ShortCode"


@record(frozen=True, slots=True)
class Address:
    """An address as it stands in the XML."""

    value: str
    form: AddressForm = AddressForm.NUMBER
    display_only: bool = False
    coding: str = ""  # addressCoding: encrypted or obfuscated
    id: str = ""  # which key of the VASP it is encrypted with


@record(frozen=True, slots=True)
class Status:
    """Status: code, text, details."""

    code: StatusCode
    text: str = ""
    details: str = ""


@record(frozen=True, slots=True, kw_only=True)
class SubmitReq:
    """SubmitReq. Times are xs:dateTime or xs:duration as they came; `content_href` is the Content's href."""

    mm7_version: str = "6.8.0"
    vasp_id: str = ""
    vas_id: str = ""
    sender_address: Address | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    service_code: str = ""
    linked_id: str = ""
    message_class: str = ""
    time_stamp: str = ""
    reply_charging: bool = False
    reply_charging_size: str = ""
    reply_deadline: str = ""
    earliest_delivery_time: str = ""
    expiry_date: str = ""
    delivery_report: bool | None = None
    read_reply: bool | None = None
    priority: str = ""
    subject: str = ""
    charged_party: str = ""
    charged_party_id: str = ""
    distribution_indicator: bool | None = None
    delivery_conditions: tuple[str, ...] = ()
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""
    content_class: str = ""
    drm_content: bool | None = None
    content_href: str = ""
    allow_adaptations: bool | None = None


@record(frozen=True, slots=True, kw_only=True)
class SubmitRsp:
    """SubmitRsp; MessageID on 1000 and 1100."""

    mm7_version: str = "6.8.0"
    status: Status
    message_id: str = ""


@record(frozen=True, slots=True, kw_only=True)
class DeliveryReportReq:
    """DeliveryReportReq: what became of one recipient. `date` is an xs:dateTime."""

    mm7_version: str = "6.8.0"
    mms_relay_server_id: str = ""
    message_id: str = ""
    recipient: Address
    sender: Address
    date: str = ""
    mm_status: str = ""
    mm_status_extension: str = ""
    status_text: str = ""
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""
    ua_prof: str = ""
    ua_time_stamp: str = ""


@record(frozen=True, slots=True, kw_only=True)
class DeliveryReportRsp:
    """DeliveryReportRsp."""

    mm7_version: str = "6.8.0"
    status: Status


@record(frozen=True, slots=True, kw_only=True)
class SentBy:
    """A UserAgent of Previouslysentby: who passed the MM on. `sequence` counts from the first, 1."""

    address: Address
    sequence: str = ""


@record(frozen=True, slots=True, kw_only=True)
class SentAt:
    """A DateTime of Previouslysentdateandtime, with the `sequence` of its UserAgent."""

    date: str
    sequence: str = ""


@record(frozen=True, slots=True, kw_only=True)
class DeliverReq:
    """DeliverReq: an MM for the VASP. `linked_id` is what its SubmitReq names to answer it; the sender is mandatory,
    and missing in what some MMSCs send."""

    mm7_version: str = "6.8.0"
    mms_relay_server_id: str = ""
    vasp_id: str = ""
    vas_id: str = ""
    linked_id: str = ""
    sender: Address | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    previously_sent_by: tuple[SentBy, ...] = ()
    previously_sent_at: tuple[SentAt, ...] = ()
    sender_spi: str = ""
    recipient_spi: str = ""
    time_stamp: str = ""
    reply_charging_id: str = ""
    priority: str = ""
    subject: str = ""
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""
    ua_prof: str = ""
    ua_time_stamp: str = ""
    content_href: str = ""
    allow_adaptations: bool | None = None


@record(frozen=True, slots=True, kw_only=True)
class DeliverRsp:
    """DeliverRsp; its ServiceCode is what the MM is charged by."""

    mm7_version: str = "6.8.0"
    status: Status
    service_code: str = ""


@record(frozen=True, slots=True, kw_only=True)
class CancelReq:
    """CancelReq: an MM that the MMSC still holds shall not be delivered."""

    mm7_version: str = "6.8.0"
    vasp_id: str = ""
    vas_id: str = ""
    sender_address: Address | None = None
    message_id: str = ""
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""


@record(frozen=True, slots=True, kw_only=True)
class CancelRsp:
    """CancelRsp."""

    mm7_version: str = "6.8.0"
    status: Status


@record(frozen=True, slots=True, kw_only=True)
class ReplaceReq:
    """ReplaceReq: an MM that the MMSC still holds is changed in what is given here."""

    mm7_version: str = "6.8.0"
    vasp_id: str = ""
    vas_id: str = ""
    sender_address: Address | None = None
    message_id: str = ""
    service_code: str = ""
    time_stamp: str = ""
    read_reply: bool | None = None
    earliest_delivery_time: str = ""
    distribution_indicator: bool | None = None
    content_class: str = ""
    drm_content: bool | None = None
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""
    content_href: str = ""
    allow_adaptations: bool | None = None


@record(frozen=True, slots=True, kw_only=True)
class ReplaceRsp:
    """ReplaceRsp."""

    mm7_version: str = "6.8.0"
    status: Status


@record(frozen=True, slots=True, kw_only=True)
class ExtendedCancelReq:
    """extendedCancelReq: an MM that was delivered shall be removed from the terminal."""

    mm7_version: str = "6.8.0"
    vasp_id: str = ""
    vas_id: str = ""
    sender_address: Address | None = None
    cancel_id: str = ""


@record(frozen=True, slots=True, kw_only=True)
class ExtendedCancelRsp:
    """extendedCancelRsp."""

    mm7_version: str = "6.8.0"
    status: Status


@record(frozen=True, slots=True, kw_only=True)
class ExtendedReplaceReq:
    """extendedReplaceReq: an MM that was delivered shall be replaced on the terminal."""

    mm7_version: str = "6.8.0"
    vasp_id: str = ""
    vas_id: str = ""
    service_code: str = ""
    replace_id: str = ""
    time_stamp: str = ""
    earliest_delivery_time: str = ""
    expiry_date: str = ""
    read_reply: bool | None = None
    delivery_report: bool | None = None
    content_href: str = ""
    allow_adaptations: bool | None = None


@record(frozen=True, slots=True, kw_only=True)
class ExtendedReplaceRsp:
    """extendedReplaceRsp; MessageID on 1000 and 1100."""

    mm7_version: str = "6.8.0"
    message_id: str = ""
    status: Status


@record(frozen=True, slots=True, kw_only=True)
class ReadReplyReq:
    """ReadReplyReq: what one recipient did with the MM (Read, Deleted). `time_stamp` is an xs:dateTime."""

    mm7_version: str = "6.8.0"
    mms_relay_server_id: str = ""
    message_id: str = ""
    recipient: Address
    sender: Address
    time_stamp: str = ""
    mm_status: str = ""
    status_text: str = ""
    applic_id: str = ""
    reply_applic_id: str = ""
    aux_applic_info: str = ""


@record(frozen=True, slots=True, kw_only=True)
class ReadReplyRsp:
    """ReadReplyRsp."""

    mm7_version: str = "6.8.0"
    status: Status


class ErrorElement(StrEnum):
    """Who answers with a fault."""

    RS_ERROR_RSP = "RSErrorRsp"
    VASP_ERROR_RSP = "VASPErrorRsp"


@record(frozen=True, slots=True, kw_only=True)
class Fault:
    """A SOAP Fault with RSErrorRsp or VASPErrorRsp in its detail."""

    fault_code: str = "Client"
    fault_string: str = ""
    mm7_version: str = "6.8.0"
    status: Status
    element: ErrorElement = ErrorElement.RS_ERROR_RSP


Message = (
    SubmitReq
    | SubmitRsp
    | DeliverReq
    | DeliverRsp
    | CancelReq
    | CancelRsp
    | ReplaceReq
    | ReplaceRsp
    | ExtendedCancelReq
    | ExtendedCancelRsp
    | ExtendedReplaceReq
    | ExtendedReplaceRsp
    | DeliveryReportReq
    | DeliveryReportRsp
    | ReadReplyReq
    | ReadReplyRsp
    | Fault
)
