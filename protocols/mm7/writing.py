"""MM7 messages to XML (TS 23.140 8.7, schema order): small replies are escaped text, which costs a microsecond.

Replies begin with the XML declaration and use the prefix `env`: some clients look for these letters. What a release
does not have is left out.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from protocols.errors import EncodeError
from protocols.mm7 import pieces
from protocols.mm7.messages import DeliveryReportReq, Fault, Message, SubmitReq, SubmitRsp
from protocols.mm7.namespaces import ENVELOPE, Dialect
from protocols.mm7.operations import OPERATIONS, Operation
from protocols.mm7.pieces import boolean, clean, element, quoted


def envelope(transaction_id: str, spoken: Dialect, message: Message) -> bytes:
    """The whole SOAP part. Raises EncodeError for a message that the namespace has no words for."""
    body = _BODIES[type(message)](message, spoken)
    header = ""
    if transaction_id:
        header = (
            f'<env:Header><mm7:TransactionID xmlns:mm7={quoted(spoken.namespace)} env:mustUnderstand="1">'
            f"{clean(transaction_id)}</mm7:TransactionID></env:Header>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<env:Envelope xmlns:env="{ENVELOPE}">{header}<env:Body>{body}</env:Body></env:Envelope>'
    ).encode()


def _submit_req(message: SubmitReq, spoken: Dialect) -> str:
    if not (message.to or message.cc or message.bcc):
        raise EncodeError("a SubmitReq without recipients", clause="TS 23.140 8.7.1")
    later = "" if spoken.is_rel5 else "".join(_submit_children_of_rel6(message))
    children = "".join(_submit_children(message, spoken))
    content = pieces.content(message.content_href, message.allow_adaptations)
    return f"<SubmitReq xmlns={quoted(spoken.namespace)}>{children}{later}{content}</SubmitReq>"


def _submit_children(message: SubmitReq, spoken: Dialect) -> Iterator[str]:
    yield element("MM7Version", message.mm7_version)
    yield pieces.sender(message.vasp_id, message.vas_id, message.sender_address, spoken)
    yield pieces.recipients(message.to, message.cc, message.bcc, spoken)
    yield element("ServiceCode", message.service_code)
    yield element("LinkedID", message.linked_id)
    yield element("MessageClass", message.message_class)
    yield element("TimeStamp", message.time_stamp)
    if message.reply_charging:
        yield pieces.reply_charging(message.reply_charging_size, message.reply_deadline)
    yield element("EarliestDeliveryTime", message.earliest_delivery_time)
    yield element("ExpiryDate", message.expiry_date)
    yield boolean("DeliveryReport", message.delivery_report)
    yield boolean("ReadReply", message.read_reply)
    yield element("Priority", message.priority)
    yield element("Subject", message.subject)
    if not (spoken.is_rel5 and message.charged_party == "ThirdParty"):
        yield element("ChargedParty", message.charged_party)
    if not spoken.is_rel5:
        yield element("ChargedPartyID", message.charged_party_id)
    yield pieces.distribution(message.distribution_indicator, spoken)


def _submit_children_of_rel6(message: SubmitReq) -> Iterator[str]:
    if message.delivery_conditions:
        inner = "".join(element("DC", one) for one in message.delivery_conditions)
        yield f"<DeliveryCondition>{inner}</DeliveryCondition>"
    yield element("ApplicID", message.applic_id)
    yield element("ReplyApplicID", message.reply_applic_id)
    yield element("AuxApplicInfo", message.aux_applic_info)
    yield element("ContentClass", message.content_class)
    yield boolean("DRMContent", message.drm_content)


def _submit_rsp(message: SubmitRsp, spoken: Dialect) -> str:
    inner = element("MM7Version", message.mm7_version) + pieces.status(message.status)
    return f"<SubmitRsp xmlns={quoted(spoken.namespace)}>{inner}{element('MessageID', message.message_id)}</SubmitRsp>"


def _delivery_report_req(message: DeliveryReportReq, spoken: Dialect) -> str:
    children = (
        element("MM7Version", message.mm7_version),
        element("MMSRelayServerID", message.mms_relay_server_id),
        element("MessageID", message.message_id),
        f"<Recipient>{pieces.address(message.recipient, spoken)}</Recipient>",
        f"<Sender>{pieces.address(message.sender, spoken)}</Sender>",
        element(spoken.report_date_element, message.date),
        element("MMStatus", message.mm_status),
        "" if spoken.is_rel5 else element("MMStatusExtension", message.mm_status_extension),
        element("StatusText", message.status_text),
        "" if spoken.is_rel5 else element("ApplicID", message.applic_id),
        "" if spoken.is_rel5 else element("ReplyApplicID", message.reply_applic_id),
        "" if spoken.is_rel5 else element("AuxApplicInfo", message.aux_applic_info),
        "" if spoken.is_rel5 else pieces.capabilities(message.ua_prof, message.ua_time_stamp),
    )
    return f"<DeliveryReportReq xmlns={quoted(spoken.namespace)}>{''.join(children)}</DeliveryReportReq>"


def _fault(message: Fault, spoken: Dialect) -> str:
    """faultcode, faultstring and detail are unqualified (SOAP 1.1 4.4)."""
    name = message.element.value
    text = message.fault_string or message.status.text or message.status.code.text
    inner = element("MM7Version", message.mm7_version) + pieces.status(message.status)
    return (
        f"<env:Fault><faultcode>env:{clean(message.fault_code)}</faultcode><faultstring>{clean(text)}</faultstring>"
        f"<detail><{name} xmlns={quoted(spoken.namespace)}>{inner}</{name}></detail></env:Fault>"
    )


def _operation(operation: Operation, message: Message, spoken: Dialect) -> str:
    """Any other message, by its rows."""
    name = operation.name
    if not operation.is_in(spoken):
        raise EncodeError(f"{spoken.tag} has no {name}", clause=operation.clause)
    inner = "".join(
        row.form.write(row.element, tuple([getattr(message, one) for one in row.attributes]), spoken)
        for row in operation.rows
        if row.is_in(spoken)
    )
    return f"<{name} xmlns={quoted(spoken.namespace)}>{element('MM7Version', message.mm7_version)}{inner}</{name}>"


_BODIES: Final[dict[Any, Callable[[Any, Dialect], str]]] = {
    **{operation.message: partial(_operation, operation) for operation in OPERATIONS},
    SubmitReq: _submit_req,
    SubmitRsp: _submit_rsp,
    DeliveryReportReq: _delivery_report_req,
    Fault: _fault,
}
