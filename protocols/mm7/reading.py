"""MM7 elements to messages (TS 23.140 8.7): lenient about order, prefixes and namespaces of children, exact about what
must be there."""

from collections.abc import Callable, Iterator
from typing import Final

from lxml import etree

from protocols.header_fields import decode_words
from protocols.mm7.messages import (
    Address,
    AddressForm,
    DeliveryReportReq,
    DeliveryReportRsp,
    ErrorElement,
    Fault,
    Message,
    Status,
    SubmitReq,
    SubmitRsp,
)
from protocols.mm7.namespaces import Dialect
from protocols.mm7.soap import Mm7Error, local_name
from protocols.mm7.status import StatusCode

_FORMS: Final = {form.value: form for form in AddressForm}
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_MISSPELLED: Final = {  # by clients in the field; the schema's finding says so
    "EarlistDeliveryTime": "EarliestDeliveryTime",
    "EarlestDeliveryTime": "EarliestDeliveryTime",
    "AuxApplicId": "AuxApplicInfo",
    "AuxApplicID": "AuxApplicInfo",
}


def _children(element: etree._Element) -> dict[str, etree._Element]:
    """Children by local name; the first of each counts."""
    found: dict[str, etree._Element] = {}
    for one in element:
        tag: object = one.tag
        if isinstance(tag, str):
            name = tag.rpartition("}")[2]
            found.setdefault(_MISSPELLED.get(name, name), one)
    return found


def _texts(found: dict[str, etree._Element]) -> dict[str, str]:
    """What the children say."""
    return {name: (one.text or "").strip() for name, one in found.items()}


def _text(found: dict[str, etree._Element], name: str) -> str:
    element = found.get(name)
    return "" if element is None else (element.text or "").strip()


def _boolean(found: dict[str, etree._Element], name: str, where: str) -> bool | None:
    if name not in found:
        return None
    return _truth(_text(found, name), f"{where}/{name}")


def _truth(text: str, where: str) -> bool:
    truth = _BOOLEANS.get(text.strip().lower())
    if truth is None:
        raise Mm7Error(StatusCode.MESSAGE_FORMAT_CORRUPT, where=where, why=f"{text!r} is no boolean")
    return truth


def _addresses(element: etree._Element | None) -> Iterator[Address]:
    for one in () if element is None else element:
        form = _FORMS.get(local_name(one))
        value = (one.text or "").strip()
        if form is not None and value:
            display_only = one.get("displayOnly")
            yield Address(value, form, display_only is not None and _BOOLEANS.get(display_only.strip().lower()) is True)


def _one_address(element: etree._Element | None) -> Address | None:
    """One wrapped address, or REL-5's plain text."""
    if element is None:
        return None
    for address in _addresses(element):
        return address
    text = (element.text or "").strip()
    return Address(text) if text else None


def _required(found: dict[str, etree._Element], name: str, where: str) -> etree._Element:
    element = found.get(name)
    if element is None:
        raise Mm7Error(StatusCode.VALIDATION_ERROR, where=f"{where}/{name}", why="it is missing")
    return element


def _version(found: dict[str, etree._Element], where: str, spoken: Dialect) -> str:
    text = _text(found, "MM7Version")
    if not text:
        return spoken.version
    if len(text) > 20 or [part.isdecimal() for part in text.split(".")] != [True, True, True]:
        raise Mm7Error(StatusCode.UNSUPPORTED_VERSION, where=f"{where}/MM7Version", why=f"{text!r} is no version")
    return text


def read_submit_req(element: etree._Element, spoken: Dialect) -> SubmitReq:
    """SubmitReq (8.7.1)."""
    where = "SubmitReq"
    found = _children(element)
    text = _texts(found).get
    version = _version(found, where, spoken)
    sender = _children(found["SenderIdentification"]) if "SenderIdentification" in found else {}
    _required(found, "Recipients", where)
    to, cc, bcc = _recipients(element)
    charging = found.get("ReplyCharging")
    content = found.get("Content")
    conditions = () if "DeliveryCondition" not in found else tuple(found["DeliveryCondition"])
    allow = None if content is None else content.get("allowAdaptations")
    return SubmitReq(
        mm7_version=version,
        vasp_id=_text(sender, "VASPID"),
        vas_id=_text(sender, "VASID"),
        sender_address=_one_address(sender.get("SenderAddress")),
        to=to,
        cc=cc,
        bcc=bcc,
        service_code=text("ServiceCode", ""),
        linked_id=text("LinkedID", ""),
        message_class=text("MessageClass", ""),
        time_stamp=text("TimeStamp", ""),
        reply_charging=charging is not None,
        reply_charging_size="" if charging is None else charging.get("replyChargingSize", ""),
        reply_deadline="" if charging is None else charging.get("replyDeadline", ""),
        earliest_delivery_time=text("EarliestDeliveryTime", ""),
        expiry_date=text("ExpiryDate", ""),
        delivery_report=_boolean(found, "DeliveryReport", where),
        read_reply=_boolean(found, "ReadReply", where),
        priority=text("Priority", ""),
        subject=decode_words(text("Subject", "")),
        charged_party=text("ChargedParty", ""),
        charged_party_id=text("ChargedPartyID", ""),
        distribution_indicator=_distribution(found, where),
        delivery_conditions=tuple((one.text or "").strip() for one in conditions if local_name(one) == "DC"),
        applic_id=text("ApplicID", ""),
        reply_applic_id=text("ReplyApplicID", ""),
        aux_applic_info=text("AuxApplicInfo", ""),
        content_class=text("ContentClass", ""),
        drm_content=_boolean(found, "DRMContent", where),
        content_href="" if content is None else _href(content),
        allow_adaptations=None if allow is None else _truth(allow, f"{where}/Content/allowAdaptations"),
    )


def _recipients(request: etree._Element) -> tuple[tuple[Address, ...], tuple[Address, ...], tuple[Address, ...]]:
    """To, Cc and Bcc, of every Recipients there is. What stands there and is no address refuses the request: else
    somebody would get nothing, and his VASP would be told 1000."""
    lists: dict[str, list[Address]] = {"To": [], "Cc": [], "Bcc": []}
    unread = 0  # characters
    for recipients in request.iterchildren("{*}Recipients"):
        unread += sum(map(len, map(str.strip, map(str, recipients.itertext()))))
        for one in recipients:
            addresses = lists.get(local_name(one))
            if addresses is None:
                continue
            for address in _addresses(one):
                addresses.append(address)
                unread -= len(address.value)
    if unread or not any(lists.values()):
        why = "text that is no address in To, Cc or Bcc" if unread else "no To, Cc or Bcc"
        raise Mm7Error(StatusCode.VALIDATION_ERROR, where="SubmitReq/Recipients", why=why)
    return tuple(lists["To"]), tuple(lists["Cc"]), tuple(lists["Bcc"])


def _distribution(found: dict[str, etree._Element], where: str) -> bool | None:
    """DistributionIndicator, or the DistributionProtection of REL-5-MM7-1-0, by its name its opposite."""
    protected = _boolean(found, "DistributionProtection", where)
    return _boolean(found, "DistributionIndicator", where) if protected is None else not protected


def _href(content: etree._Element) -> str:
    """The href, also where a sender qualified the attribute."""
    for name in content.attrib:  # names alone: libxml2 walks all attributes for the value of each
        if str(name).rpartition("}")[2] == "href":
            return content.get(name, "").strip()
    return ""


def _status(found: dict[str, etree._Element], where: str) -> Status:
    inner = _children(_required(found, "Status", where))
    code = _text(inner, "StatusCode")
    if not code.isdecimal() or len(code) > 6:
        raise Mm7Error(StatusCode.MESSAGE_FORMAT_CORRUPT, where=f"{where}/Status", why=f"StatusCode {code!r}")
    details = inner.get("Details")
    text = "" if details is None else "".join(str(piece) for piece in details.itertext()).strip()
    return Status(StatusCode(int(code)), _text(inner, "StatusText"), text)


def read_submit_rsp(element: etree._Element, spoken: Dialect) -> SubmitRsp:
    """SubmitRsp (8.7.1)."""
    found = _children(element)
    return SubmitRsp(
        mm7_version=_version(found, "SubmitRsp", spoken),
        status=_status(found, "SubmitRsp"),
        message_id=_text(found, "MessageID"),
    )


def read_delivery_report_req(element: etree._Element, spoken: Dialect) -> DeliveryReportReq:
    """DeliveryReportReq (8.7.5)."""
    where = "DeliveryReportReq"
    found = _children(element)
    plural = "Recipients" in found and "Recipient" not in found  # Korean peers write it so
    recipient = _one_address(_required(found, "Recipients" if plural else "Recipient", where))
    sender = _one_address(_required(found, "Sender", where))
    if recipient is None or sender is None:
        raise Mm7Error(StatusCode.VALIDATION_ERROR, where=where, why="an empty address")
    return DeliveryReportReq(
        mm7_version=_version(found, where, spoken),
        mms_relay_server_id=_text(found, "MMSRelayServerID"),
        message_id=_text(found, "MessageID"),
        recipient=recipient,
        sender=sender,
        date=_text(found, "Date") or _text(found, "TimeStamp"),
        mm_status=_text(found, "MMStatus"),
        mm_status_extension=_text(found, "MMStatusExtension"),
        status_text=_text(found, "StatusText"),
        applic_id=_text(found, "ApplicID"),
        reply_applic_id=_text(found, "ReplyApplicID"),
        aux_applic_info=_text(found, "AuxApplicInfo"),
    )


def read_delivery_report_rsp(element: etree._Element, spoken: Dialect) -> DeliveryReportRsp:
    """DeliveryReportRsp (8.7.5)."""
    found = _children(element)
    version = _version(found, "DeliveryReportRsp", spoken)
    return DeliveryReportRsp(mm7_version=version, status=_status(found, "DeliveryReportRsp"))


def read_fault(element: etree._Element, spoken: Dialect) -> Fault:
    """A Fault with RSErrorRsp, VASPErrorRsp or a bare Status in its detail (SOAP 1.1 4.4; 8.7.8)."""
    found = _children(element)
    detail = _children(found["detail"]) if "detail" in found else {}
    for error in ErrorElement:
        if error.value in detail:
            inner = _children(detail[error.value])
            return Fault(
                fault_code=_text(found, "faultcode").rpartition(":")[2],
                fault_string=_text(found, "faultstring"),
                mm7_version=_version(inner, error.value, spoken),
                status=_status(inner, error.value),
                element=error,
            )
    code = _text(found, "faultcode").rpartition(":")[2]
    fallback = StatusCode.CLIENT_ERROR if code == "Client" else StatusCode.SERVER_ERROR
    status = _status(detail, "detail") if "Status" in detail else Status(fallback, _text(found, "faultstring"))
    return Fault(fault_code=code, fault_string=_text(found, "faultstring"), mm7_version=spoken.version, status=status)


READERS: Final[dict[str, Callable[[etree._Element, Dialect], Message]]] = {
    "SubmitReq": read_submit_req,
    "SubmitRsp": read_submit_rsp,
    "DeliveryReportReq": read_delivery_report_req,
    "DeliveryReportRsp": read_delivery_report_rsp,
    "Fault": read_fault,
}
