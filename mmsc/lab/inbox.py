"""What a virtual VASP's listener gets beside delivery reports, as zeep read it: MMs (DeliverReq) and read reports
(ReadReplyReq)."""

from datetime import datetime
from typing import Any, Final

from protocols import mime
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.records import record

_FORMS: Final = ("Number", "RFC2822Address", "ShortCode")


@record(frozen=True, slots=True)
class Delivery:
    """A DeliverReq. `to` and `cc` are (address, whether it is only displayed); `ua_prof` tells the sender's handset;
    `content` is the part that Content names, None for none."""

    transaction_id: str
    linked_id: str
    sender: str
    to: tuple[tuple[str, bool], ...]
    cc: tuple[tuple[str, bool], ...]
    subject: str
    ua_prof: str
    reply_charging_id: str
    content: mime.MimePart | None


@record(frozen=True, slots=True)
class ReadReport:
    """A ReadReplyReq."""

    transaction_id: str
    message_id: str
    recipient: str
    mm_status: str
    date: datetime | None


def take_apart(content_type: str, octets: bytes) -> tuple[bytes, tuple[mime.MimePart, ...]]:
    """(SOAP octets, the other parts) of an HTTP body (TS 23.140 8.7.8). Raises DecodeError."""
    media = ContentType.parse(content_type or "text/xml")
    if not media.media_type.startswith("multipart/"):
        return octets, ()
    parts = mime.parts_of(octets, media.get("boundary"))
    root = mime.resolve(parts, media.get("start"))
    if root is None:
        raise DecodeError("a multipart without parts", clause="RFC 2387 3.2")
    return root.data, tuple(part for part in parts if part is not root)


def delivery_of(read: Any, transaction_id: str, parts: tuple[mime.MimePart, ...]) -> Delivery:
    """The DeliverReq that zeep read."""
    capabilities = getattr(read, "UACapabilities", None)
    href = getattr(getattr(read, "Content", None), "href", None) or ""
    wanted = href.removeprefix("cid:")
    return Delivery(
        transaction_id,
        str(read.LinkedID or ""),
        one_address(read.Sender),
        _recipients(read.Recipients, "To"),
        _recipients(read.Recipients, "Cc"),
        str(read.Subject or ""),
        str(getattr(capabilities, "UAProf", None) or ""),
        str(read.ReplyChargingID or ""),
        next((part for part in parts if wanted and part.content_id == wanted), None),
    )


def read_report_of(read: Any, transaction_id: str) -> ReadReport:
    """The ReadReplyReq that zeep read."""
    date = read.TimeStamp if isinstance(read.TimeStamp, datetime) else None
    return ReadReport(transaction_id, str(read.MessageID), one_address(read.Recipient), str(read.MMStatus), date)


def one_address(value: Any) -> str:
    """The address in an element that holds one, "" for none."""
    for form in _FORMS:
        found = getattr(value, form, None)
        if found is not None:
            return str(getattr(found, "_value_1", found))
    return ""


def _recipients(value: Any, role: str) -> tuple[tuple[str, bool], ...]:
    groups = getattr(value, "_value_1", None) or []
    listed = [one for group in groups for one in getattr(group.get(role), "_value_1", None) or []]
    found = [address for one in listed for address in one.values()]
    return tuple((str(one["_value_1"]), _is_true(one["displayOnly"])) for one in found)


def _is_true(value: object) -> bool:
    """zeep gives an attribute's default as text."""
    return value is True or str(value).lower() in ("true", "1")
