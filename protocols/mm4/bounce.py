"""Bounces (RFC 3464 in RFC 6522): what a mail relay between two MMSCs says of an MM that it could not deliver."""

from typing import Final

from protocols import header_fields, mime
from protocols.errors import DecodeError
from protocols.records import record

_CLAUSE: Final = "RFC 3464 2"
_FORWARD_REQ: Final = "mm4_forward.req"


@record(frozen=True, slots=True)
class Bounced:
    """One recipient that the relay gave up: its mailbox, the enhanced status code (RFC 3463) and the relay's words."""

    mailbox: str
    status: str
    text: str


@record(frozen=True, slots=True)
class Bounce:
    """`message_id` is the X-Mms-Message-ID of the mail that came back, "" when its head was not returned or it was no
    forward: a report or RES names the MM too, and what becomes of them says nothing about it. Recipients that only wait
    longer or were handed on are left out."""

    message_id: str
    recipients: tuple[Bounced, ...]


def read_bounce(octets: bytes) -> Bounce:
    """Read a delivery status notification. Raises DecodeError for any other mail."""
    whole = mime.parse_part(octets)
    kind = whole.content_type.get("report-type").lower()
    if whole.content_type.media_type != "multipart/report" or kind not in ("delivery-status", ""):
        raise DecodeError("no delivery status notification", clause="RFC 6522 3")
    status = _first(whole, "message/delivery-status", "message/global-delivery-status")
    if status is None:
        raise DecodeError("a report without a delivery status", clause=_CLAUSE)
    returned = _first(whole, "message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
    head = (
        dict(reversed(header_fields.parse_headers(mime.split_headers(returned.data)[0])))
        if returned is not None
        else {}
    )
    groups = status.data.replace(b"\r\n", b"\n").strip(b"\n").split(b"\n\n")[1:]  # the first is about the mail itself
    bounced = (_recipient(dict(reversed(header_fields.parse_headers(group)))) for group in groups)
    is_forward = head.get("x-mms-message-type", _FORWARD_REQ).strip().lower() == _FORWARD_REQ
    message_id = head.get("x-mms-message-id", "").strip().strip('"') if is_forward else ""
    return Bounce(message_id, tuple(one for one in bounced if one is not None))


def _first(whole: mime.MimePart, *types: str) -> mime.MimePart | None:
    return next((part for part in whole.parts if part.content_type.media_type in types), None)


def _recipient(fields: dict[str, str]) -> Bounced | None:
    mailbox = _behind_type(fields.get("original-recipient") or fields.get("final-recipient", ""))
    if fields.get("action", "").strip().lower() != "failed" or not mailbox:
        return None
    return Bounced(mailbox, fields.get("status", "").partition(" ")[0], _behind_type(fields.get("diagnostic-code", "")))


def _behind_type(text: str) -> str:
    """`rfc822; a@b.example` without the address type (RFC 3464 2.1.2), `smtp; 550 ...` without the diagnostic's."""
    kind, semicolon, value = text.partition(";")
    return (value if semicolon else kind).strip().removeprefix("<").removesuffix(">")
