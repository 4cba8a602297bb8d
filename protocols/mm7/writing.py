"""MM7 messages to XML (TS 23.140 8.7, schema order): small replies are escaped text, which costs a microsecond.

Replies begin with the XML declaration and use the prefix `env`: some clients look for these letters.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from protocols.errors import EncodeError
from protocols.mm7.messages import (
    Address,
    DeliveryReportReq,
    DeliveryReportRsp,
    Fault,
    Message,
    Status,
    SubmitReq,
    SubmitRsp,
)
from protocols.mm7.namespaces import ENVELOPE, Dialect

_quoted: Final = lru_cache(maxsize=64)(quoteattr)  # of a namespace, whose tag may be anybody's
_FORBIDDEN: Final = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), "�")


def envelope(transaction_id: str, spoken: Dialect, message: Message) -> bytes:
    """The whole SOAP part."""
    body = _BODIES[type(message)](message, spoken)
    header = ""
    if transaction_id:
        header = (
            f'<env:Header><mm7:TransactionID xmlns:mm7={_quoted(spoken.namespace)} env:mustUnderstand="1">'
            f"{_clean(transaction_id)}</mm7:TransactionID></env:Header>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<env:Envelope xmlns:env="{ENVELOPE}">{header}<env:Body>{body}</env:Body></env:Envelope>'
    ).encode()


def _clean(text: str) -> str:
    """Escaped, without characters that XML 1.0 has no place for."""
    if text.isascii() and text.isprintable() and "&" not in text and "<" not in text and ">" not in text:
        return text  # as nearly every value is
    return escape(text.translate(_FORBIDDEN))


def _element(name: str, text: str) -> str:
    return f"<{name}>{_clean(text)}</{name}>" if text else ""


def _boolean(name: str, value: bool | None) -> str:
    return "" if value is None else f"<{name}>{'true' if value else 'false'}</{name}>"


def _address(address: Address) -> str:
    attribute = ' displayOnly="true"' if address.display_only else ""
    return f"<{address.form.value}{attribute}>{_clean(address.value)}</{address.form.value}>"


def _list(name: str, addresses: Sequence[Address]) -> str:
    return f"<{name}>{''.join(map(_address, addresses))}</{name}>" if addresses else ""


def _status(status: Status) -> str:
    text = status.text or status.code.text
    return (
        f"<Status><StatusCode>{int(status.code)}</StatusCode><StatusText>{_clean(text)}</StatusText>"
        f"{_element('Details', status.details)}</Status>"
    )


def _submit_req(message: SubmitReq, spoken: Dialect) -> str:
    if not (message.to or message.cc or message.bcc):
        raise EncodeError("a SubmitReq without recipients", clause="TS 23.140 8.7.1")
    return f"<SubmitReq xmlns={_quoted(spoken.namespace)}>{''.join(_submit_children(message, spoken))}</SubmitReq>"


def _submit_children(message: SubmitReq, spoken: Dialect) -> Iterator[str]:
    yield _element("MM7Version", message.mm7_version)
    yield f"<SenderIdentification>{_sender(message, spoken)}</SenderIdentification>"
    lists = _list("To", message.to), _list("Cc", message.cc), _list("Bcc", message.bcc)
    yield f"<Recipients>{''.join(lists)}</Recipients>"
    yield _element("ServiceCode", message.service_code)
    yield _element("LinkedID", message.linked_id)
    yield _element("MessageClass", message.message_class)
    yield _element("TimeStamp", message.time_stamp)
    if message.reply_charging:
        size = f" replyChargingSize={quoteattr(message.reply_charging_size)}" if message.reply_charging_size else ""
        deadline = f" replyDeadline={quoteattr(message.reply_deadline)}" if message.reply_deadline else ""
        yield f"<ReplyCharging{size}{deadline}/>"
    yield _element("EarliestDeliveryTime", message.earliest_delivery_time)
    yield _element("ExpiryDate", message.expiry_date)
    yield _boolean("DeliveryReport", message.delivery_report)
    yield _boolean("ReadReply", message.read_reply)
    yield _element("Priority", message.priority)
    yield _element("Subject", message.subject)
    yield _element("ChargedParty", message.charged_party)
    yield _element("ChargedPartyID", message.charged_party_id)
    if spoken.protects_distribution and message.distribution_indicator is not None:
        yield _boolean("DistributionProtection", not message.distribution_indicator)
    else:
        yield _boolean("DistributionIndicator", message.distribution_indicator)
    if message.delivery_conditions:
        inner = "".join(_element("DC", one) for one in message.delivery_conditions)
        yield f"<DeliveryCondition>{inner}</DeliveryCondition>"
    yield _element("ApplicID", message.applic_id)
    yield _element("ReplyApplicID", message.reply_applic_id)
    yield _element("AuxApplicInfo", message.aux_applic_info)
    yield _element("ContentClass", message.content_class)
    yield _boolean("DRMContent", message.drm_content)
    if message.content_href:
        allow = message.allow_adaptations
        attribute = "" if allow is None else f' allowAdaptations="{"true" if allow else "false"}"'
        yield f"<Content href={quoteattr(message.content_href)}{attribute}/>"


def _sender(message: SubmitReq, spoken: Dialect) -> str:
    address = ""
    if message.sender_address is not None:
        plain = spoken.plain_sender_address
        inner = _clean(message.sender_address.value) if plain else _address(message.sender_address)
        address = f"<SenderAddress>{inner}</SenderAddress>"
    return _element("VASPID", message.vasp_id) + _element("VASID", message.vas_id) + address


def _submit_rsp(message: SubmitRsp, spoken: Dialect) -> str:
    inner = _element("MM7Version", message.mm7_version) + _status(message.status)
    return (
        f"<SubmitRsp xmlns={_quoted(spoken.namespace)}>{inner}{_element('MessageID', message.message_id)}</SubmitRsp>"
    )


def _delivery_report_req(message: DeliveryReportReq, spoken: Dialect) -> str:
    children = (
        _element("MM7Version", message.mm7_version),
        _element("MMSRelayServerID", message.mms_relay_server_id),
        _element("MessageID", message.message_id),
        f"<Recipient>{_address(message.recipient)}</Recipient>",
        f"<Sender>{_address(message.sender)}</Sender>",
        _element(spoken.report_date_element, message.date),
        _element("MMStatus", message.mm_status),
        "" if spoken.is_rel5 else _element("MMStatusExtension", message.mm_status_extension),
        _element("StatusText", message.status_text),
        "" if spoken.is_rel5 else _element("ApplicID", message.applic_id),
        "" if spoken.is_rel5 else _element("ReplyApplicID", message.reply_applic_id),
        "" if spoken.is_rel5 else _element("AuxApplicInfo", message.aux_applic_info),
    )
    return f"<DeliveryReportReq xmlns={_quoted(spoken.namespace)}>{''.join(children)}</DeliveryReportReq>"


def _delivery_report_rsp(message: DeliveryReportRsp, spoken: Dialect) -> str:
    inner = _element("MM7Version", message.mm7_version) + _status(message.status)
    return f"<DeliveryReportRsp xmlns={_quoted(spoken.namespace)}>{inner}</DeliveryReportRsp>"


def _fault(message: Fault, spoken: Dialect) -> str:
    """faultcode, faultstring and detail are unqualified (SOAP 1.1 4.4)."""
    name = message.element.value
    text = message.fault_string or message.status.text or message.status.code.text
    inner = _element("MM7Version", message.mm7_version) + _status(message.status)
    return (
        f"<env:Fault><faultcode>env:{_clean(message.fault_code)}</faultcode><faultstring>{_clean(text)}</faultstring>"
        f"<detail><{name} xmlns={_quoted(spoken.namespace)}>{inner}</{name}></detail></env:Fault>"
    )


_BODIES: Final[dict[type, Callable[[Any, Dialect], str]]] = {
    SubmitReq: _submit_req,
    SubmitRsp: _submit_rsp,
    DeliveryReportReq: _delivery_report_req,
    DeliveryReportRsp: _delivery_report_rsp,
    Fault: _fault,
}
