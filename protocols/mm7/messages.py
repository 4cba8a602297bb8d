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


@record(frozen=True, slots=True, kw_only=True)
class DeliveryReportRsp:
    """DeliveryReportRsp."""

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


Message = SubmitReq | SubmitRsp | DeliveryReportReq | DeliveryReportRsp | Fault
