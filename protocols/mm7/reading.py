"""MM7 elements to messages (TS 23.140 8.7): what every submission and its report pass through is written out, the rest
is read by its row in the table of operations."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from lxml import etree

from protocols.header_fields import decode_words
from protocols.mm7 import elements
from protocols.mm7.elements import children, text_of
from protocols.mm7.messages import DeliveryReportReq, ErrorElement, Fault, Message, Status, SubmitReq, SubmitRsp
from protocols.mm7.namespaces import Dialect
from protocols.mm7.operations import OPERATIONS, Operation
from protocols.mm7.soap import local_name
from protocols.mm7.status import StatusCode

_TEXTS: Final = {  # of SubmitReq: element, attribute
    "ServiceCode": "service_code",
    "LinkedID": "linked_id",
    "MessageClass": "message_class",
    "TimeStamp": "time_stamp",
    "EarliestDeliveryTime": "earliest_delivery_time",
    "ExpiryDate": "expiry_date",
    "Priority": "priority",
    "Subject": "subject",
    "ChargedParty": "charged_party",
    "ChargedPartyID": "charged_party_id",
    "ApplicID": "applic_id",
    "ReplyApplicID": "reply_applic_id",
    "AuxApplicInfo": "aux_applic_info",
    "ContentClass": "content_class",
}
_FLAGS: Final = {"DeliveryReport": "delivery_report", "ReadReply": "read_reply", "DRMContent": "drm_content"}


def read_submit_req(element: etree._Element, spoken: Dialect) -> SubmitReq:
    """SubmitReq (TS 23.140 8.7.1). What is there is read, once; the record knows what the rest is."""
    where = "SubmitReq"
    found = children(element)
    version = elements.version(found, where, spoken)
    vasp_id, vas_id, sender_address = elements.sender(found)
    first = elements.required(found, "Recipients", where)
    one_of_each = len(found) == len(element)
    every = (first,) if one_of_each else element.iterchildren("{*}Recipients")
    to, cc, bcc = elements.recipients_in(every, where, needed=True)
    values: dict[str, Any] = {}
    for name, one in found.items():
        if name in _TEXTS:
            values[_TEXTS[name]] = (one.text or "").strip()
        elif name in _FLAGS:
            values[_FLAGS[name]] = elements.truth(one.text or "", f"{where}/{name}")
    subject = values.get("subject", "")
    if "=?" in subject:
        values["subject"] = decode_words(subject)
    if "ReplyCharging" in found:
        values["reply_charging"] = True
        values["reply_charging_size"], values["reply_deadline"] = elements.reply_charging(found)
    if "DeliveryCondition" in found:
        conditions = (one for one in found["DeliveryCondition"] if local_name(one) == "DC")
        values["delivery_conditions"] = tuple((one.text or "").strip() for one in conditions)
    content_href, allow_adaptations = elements.content(found, where)
    return SubmitReq(
        mm7_version=version,
        vasp_id=vasp_id,
        vas_id=vas_id,
        sender_address=sender_address,
        to=to,
        cc=cc,
        bcc=bcc,
        distribution_indicator=elements.distribution(found, where),
        content_href=content_href,
        allow_adaptations=allow_adaptations,
        **values,
    )


def read_submit_rsp(element: etree._Element, spoken: Dialect) -> SubmitRsp:
    """SubmitRsp (TS 23.140 8.7.1)."""
    found = children(element)
    return SubmitRsp(
        mm7_version=elements.version(found, "SubmitRsp", spoken),
        status=elements.status(found, "SubmitRsp"),
        message_id=text_of(found, "MessageID"),
    )


def read_delivery_report_req(element: etree._Element, spoken: Dialect) -> DeliveryReportReq:
    """DeliveryReportReq (TS 23.140 8.7.4)."""
    where = "DeliveryReportReq"
    found = children(element)
    ua_prof, ua_time_stamp = elements.capabilities(found)
    return DeliveryReportReq(
        mm7_version=elements.version(found, where, spoken),
        mms_relay_server_id=text_of(found, "MMSRelayServerID"),
        message_id=text_of(found, "MessageID"),
        recipient=elements.recipient(found, where),
        sender=elements.needed_address(found, "Sender", where),
        date=text_of(found, "Date") or text_of(found, "TimeStamp"),
        mm_status=text_of(found, "MMStatus"),
        mm_status_extension=text_of(found, "MMStatusExtension"),
        status_text=text_of(found, "StatusText"),
        applic_id=text_of(found, "ApplicID"),
        reply_applic_id=text_of(found, "ReplyApplicID"),
        aux_applic_info=text_of(found, "AuxApplicInfo"),
        ua_prof=ua_prof,
        ua_time_stamp=ua_time_stamp,
    )


def read_fault(element: etree._Element, spoken: Dialect) -> Fault:
    """A Fault with RSErrorRsp, VASPErrorRsp or a bare Status in its detail (SOAP 1.1 4.4; TS 23.140 8.7.6)."""
    found = children(element)
    detail = children(found["detail"]) if "detail" in found else {}
    code = text_of(found, "faultcode").rpartition(":")[2]
    for error in ErrorElement:
        if error.value in detail:
            inner = children(detail[error.value])
            return Fault(
                fault_code=code,
                fault_string=text_of(found, "faultstring"),
                mm7_version=elements.version(inner, error.value, spoken),
                status=elements.status(inner, error.value),
                element=error,
            )
    fallback = StatusCode.CLIENT_ERROR if code == "Client" else StatusCode.SERVER_ERROR
    told = text_of(found, "faultstring")
    status = elements.status(detail, "detail") if "Status" in detail else Status(fallback, told)
    return Fault(fault_code=code, fault_string=told, mm7_version=spoken.version, status=status)


def read_operation(operation: Operation, element: etree._Element, spoken: Dialect) -> Message:
    """Any other message, by its rows."""
    found = children(element)
    values: dict[str, object] = {"mm7_version": elements.version(found, operation.name, spoken)}
    for row in operation.rows:
        values.update(zip(row.attributes, row.form.read(row.element, found, operation.name), strict=True))
    return operation.message(**values)


READERS: Final[dict[str, Callable[[etree._Element, Dialect], Message]]] = {
    **{operation.name: partial(read_operation, operation) for operation in OPERATIONS},
    "SubmitReq": read_submit_req,
    "SubmitRsp": read_submit_rsp,
    "DeliveryReportReq": read_delivery_report_req,
    "Fault": read_fault,
}
