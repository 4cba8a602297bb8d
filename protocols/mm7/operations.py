"""The table of operations (TS 23.140 8.7): of each message its elements in schema order, and what they fill.

Reader and writer walk the same rows. SubmitReq, SubmitRsp and DeliveryReportReq are not here: every submission passes
through them, so they are written out.
"""

from collections.abc import Callable
from typing import Any, Final

from protocols.errors import EncodeError
from protocols.header_fields import decode_words
from protocols.mm7 import elements, messages, pieces
from protocols.mm7.elements import Found
from protocols.mm7.messages import Address, Message
from protocols.mm7.namespaces import Dialect
from protocols.records import record

_CLAUSE: Final = "TS 23.140 8.7.8"


@record(frozen=True, slots=True)
class Form:
    """How an element is read (its name, the children by name, the operation's name) and written (its name, the values,
    the dialect). What is read or written are the values of a row's attributes, in their order."""

    read: Callable[[str, Found, str], tuple[object, ...]]
    write: Callable[[str, tuple[Any, ...], Dialect], str]


def _always(_: Dialect) -> bool:
    return True


def _rel6(spoken: Dialect) -> bool:
    return not spoken.is_rel5


def _charges(spoken: Dialect) -> bool:
    return spoken.answers_service_code


@record(frozen=True, slots=True)
class Row:
    """An element, the attributes it fills, its form, and the namespaces that have it."""

    element: str
    attributes: tuple[str, ...]
    form: Form
    is_in: Callable[[Dialect], bool] = _always


@record(frozen=True, slots=True)
class Operation:
    """A message: the name of its element, its class, its rows behind MM7Version, and the namespaces that have it."""

    name: str
    message: Callable[..., Message]
    clause: str
    rows: tuple[Row, ...]
    is_in: Callable[[Dialect], bool] = _always


def _must(name: str, text: str) -> str:
    if not text:
        raise EncodeError(f"{name} is mandatory, and empty", clause=_CLAUSE)
    return pieces.element(name, text)


def _wrapped(name: str, value: Address | None, spoken: Dialect) -> str:
    if value is None or not value.value:
        raise EncodeError(f"{name} is mandatory, and empty", clause=_CLAUSE)
    return f"<{name}>{pieces.address(value, spoken)}</{name}>"


TEXT: Final = Form(
    lambda name, found, where: (elements.text_of(found, name),), lambda name, values, _: pieces.element(name, values[0])
)
MUST: Final = Form(  # read without: a report says enough
    TEXT.read, lambda name, values, _: _must(name, values[0])
)
NAME: Final = Form(  # of an MM; nothing can be done without
    lambda name, found, where: (elements.needed_text(found, name, where),), MUST.write
)
SUBJECT: Final = Form(lambda name, found, where: (decode_words(elements.text_of(found, name)),), TEXT.write)
FLAG: Final = Form(
    lambda name, found, where: (elements.boolean(found, name, where),),
    lambda name, values, _: pieces.boolean(name, values[0]),
)
DISTRIBUTION: Final = Form(
    lambda name, found, where: (elements.distribution(found, where),),
    lambda name, values, spoken: pieces.distribution(values[0], spoken),
)
SENDER: Final = Form(  # some MMSCs leave it out
    lambda name, found, where: (elements.one_address(found.get(name)),),
    lambda name, values, spoken: _wrapped(name, values[0], spoken),
)
ADDRESS: Final = Form(lambda name, found, where: (elements.needed_address(found, name, where),), SENDER.write)
RECIPIENT: Final = Form(lambda name, found, where: (elements.recipient(found, where),), SENDER.write)
IDENTIFICATION: Final = Form(
    lambda name, found, where: elements.sender(found),
    lambda name, values, spoken: pieces.sender(values[0], values[1], values[2], spoken),
)
RECIPIENTS: Final = Form(
    lambda name, found, where: _recipients(name, found, where),
    lambda name, values, spoken: pieces.recipients(values[0], values[1], values[2], spoken),
)
SENT_BY: Final = Form(
    lambda name, found, where: (elements.sent_by(found),),
    lambda name, values, spoken: pieces.sent_by(values[0], spoken),
)
SENT_AT: Final = Form(
    lambda name, found, where: (elements.sent_at(found),), lambda name, values, _: pieces.sent_at(values[0])
)
CAPABILITIES: Final = Form(
    lambda name, found, where: elements.capabilities(found), lambda name, values, _: pieces.capabilities(*values)
)
CONTENT: Final = Form(
    lambda name, found, where: elements.content(found, where), lambda name, values, _: pieces.content(*values)
)
STATUS: Final = Form(
    lambda name, found, where: (elements.status(found, where),), lambda name, values, _: pieces.status(values[0])
)


def _recipients(name: str, found: Found, where: str) -> elements.Lists:
    """Of every Recipients that stands beside the first."""
    first = found.get(name)
    parent = None if first is None else first.getparent()
    return ((), (), ()) if parent is None else elements.recipients(parent, where, needed=False)


_SENDER_ROW: Final = Row("SenderIdentification", ("vasp_id", "vas_id", "sender_address"), IDENTIFICATION)
_SERVER_ROW: Final = Row("MMSRelayServerID", ("mms_relay_server_id",), TEXT)
_VASP_ROWS: Final = (Row("VASPID", ("vasp_id",), TEXT), Row("VASID", ("vas_id",), TEXT))
_STATUS_ROW: Final = Row("Status", ("status",), STATUS)
_CONTENT_ROW: Final = Row("Content", ("content_href", "allow_adaptations"), CONTENT)
_APPLICATION_ROWS: Final = (
    Row("ApplicID", ("applic_id",), TEXT, _rel6),
    Row("ReplyApplicID", ("reply_applic_id",), TEXT, _rel6),
    Row("AuxApplicInfo", ("aux_applic_info",), TEXT, _rel6),
)
_DELIVER_REQ: Final = (
    _SERVER_ROW,
    *_VASP_ROWS,
    Row("LinkedID", ("linked_id",), TEXT),
    Row("Sender", ("sender",), SENDER),
    Row("Recipients", ("to", "cc", "bcc"), RECIPIENTS),
    Row("Previouslysentby", ("previously_sent_by",), SENT_BY, _rel6),
    Row("Previouslysentdateandtime", ("previously_sent_at",), SENT_AT, _rel6),
    Row("SenderSPI", ("sender_spi",), TEXT, _rel6),
    Row("RecipientSPI", ("recipient_spi",), TEXT, _rel6),
    Row("TimeStamp", ("time_stamp",), TEXT),
    Row("ReplyChargingID", ("reply_charging_id",), TEXT),
    Row("Priority", ("priority",), TEXT),
    Row("Subject", ("subject",), SUBJECT),
    *_APPLICATION_ROWS,
    Row("UACapabilities", ("ua_prof", "ua_time_stamp"), CAPABILITIES, _rel6),
    _CONTENT_ROW,
)
_REPLACE_REQ: Final = (
    _SENDER_ROW,
    Row("MessageID", ("message_id",), NAME),
    Row("ServiceCode", ("service_code",), TEXT),
    Row("TimeStamp", ("time_stamp",), TEXT),
    Row("ReadReply", ("read_reply",), FLAG),
    Row("EarliestDeliveryTime", ("earliest_delivery_time",), TEXT),
    Row("DistributionIndicator", ("distribution_indicator",), DISTRIBUTION),
    Row("ContentClass", ("content_class",), TEXT, _rel6),
    Row("DRMContent", ("drm_content",), FLAG, _rel6),
    *_APPLICATION_ROWS,
    _CONTENT_ROW,
)
_EXTENDED_REPLACE_REQ: Final = (
    *_VASP_ROWS,
    Row("ServiceCode", ("service_code",), TEXT),
    Row("ReplaceID", ("replace_id",), TEXT),
    Row("TimeStamp", ("time_stamp",), TEXT),
    Row("EarliestDeliveryTime", ("earliest_delivery_time",), TEXT),
    Row("ExpiryDate", ("expiry_date",), TEXT),
    Row("ReadReply", ("read_reply",), FLAG),
    Row("DeliveryReport", ("delivery_report",), FLAG),
    _CONTENT_ROW,
)
_READ_REPLY_REQ: Final = (
    _SERVER_ROW,
    Row("MessageID", ("message_id",), MUST),
    Row("Recipient", ("recipient",), RECIPIENT),
    Row("Sender", ("sender",), ADDRESS),
    Row("TimeStamp", ("time_stamp",), MUST),
    Row("MMStatus", ("mm_status",), MUST),
    Row("StatusText", ("status_text",), TEXT),
    *_APPLICATION_ROWS,
)


def _extended(spoken: Dialect) -> bool:
    return spoken.has_extended


OPERATIONS: Final = (
    Operation("DeliverReq", messages.DeliverReq, "TS 23.140 8.7.2", _DELIVER_REQ),
    Operation(
        "DeliverRsp",
        messages.DeliverRsp,
        "TS 23.140 8.7.2",
        (_STATUS_ROW, Row("ServiceCode", ("service_code",), TEXT, _charges)),
    ),
    Operation(
        "CancelReq",
        messages.CancelReq,
        "TS 23.140 8.7.3",
        (_SENDER_ROW, Row("MessageID", ("message_id",), NAME), *_APPLICATION_ROWS),
    ),
    Operation("CancelRsp", messages.CancelRsp, "TS 23.140 8.7.3", (_STATUS_ROW,)),
    Operation("ReplaceReq", messages.ReplaceReq, "TS 23.140 8.7.3", _REPLACE_REQ),
    Operation("ReplaceRsp", messages.ReplaceRsp, "TS 23.140 8.7.3", (_STATUS_ROW,)),
    Operation(
        "extendedCancelReq",
        messages.ExtendedCancelReq,
        "TS 23.140 8.7.3",
        (_SENDER_ROW, Row("CancelID", ("cancel_id",), NAME)),
        _extended,
    ),
    Operation("extendedCancelRsp", messages.ExtendedCancelRsp, "TS 23.140 8.7.3", (_STATUS_ROW,), _extended),
    Operation("extendedReplaceReq", messages.ExtendedReplaceReq, "TS 23.140 8.7.3", _EXTENDED_REPLACE_REQ, _extended),
    Operation(
        "extendedReplaceRsp",
        messages.ExtendedReplaceRsp,
        "TS 23.140 8.7.3",
        (Row("MessageID", ("message_id",), TEXT), _STATUS_ROW),
        _extended,
    ),
    Operation("DeliveryReportRsp", messages.DeliveryReportRsp, "TS 23.140 8.7.4", (_STATUS_ROW,)),
    Operation("ReadReplyReq", messages.ReadReplyReq, "TS 23.140 8.7.5", _READ_REPLY_REQ),
    Operation("ReadReplyRsp", messages.ReadReplyRsp, "TS 23.140 8.7.5", (_STATUS_ROW,)),
)
