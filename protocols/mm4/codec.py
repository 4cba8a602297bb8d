"""MM4 mails to messages and back (TS 23.140 8.4.4; RFC 5322). Readers forgive what peers do; writers are exact: no
header value ever carries a line break, every line has at most 998 octets, content goes as base64."""

import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final

from protocols import header_fields, mime
from protocols.content_type import ContentType
from protocols.errors import Decoded, DecodeError, EncodeError, Finding
from protocols.mail import MAXIMUM_HEADER_OCTETS, MAXIMUM_RECEIVED, read_content, read_date
from protocols.mailboxes import read_mailboxes
from protocols.mm4.headers import BY_ATTRIBUTE, BY_NAME
from protocols.mm4.messages import (
    DeliveryReportReq,
    DeliveryReportRes,
    ForwardReq,
    ForwardRes,
    Message,
    MmStatusCode,
    RequestStatusCode,
)

_CLAUSE: Final = "TS 23.140 8.4.4"
TYPES: Final[dict[str, type[Message]]] = {
    "MM4_forward.REQ": ForwardReq,
    "MM4_forward.RES": ForwardRes,
    "MM4_delivery_report.REQ": DeliveryReportReq,
    "MM4_delivery_report.RES": DeliveryReportRes,
}
_BY_LOWER: Final = {name.lower(): (name, cls) for name, cls in TYPES.items()}
_NAME_OF: Final = {cls: name for name, cls in TYPES.items()}
_IDS: Final = ("transaction_id", "message_id")
_MANDATORY: Final[dict[type[Message], tuple[str, ...]]] = {  # versions, dates and To are forgiven where they miss
    ForwardReq: (*_IDS, "from_"),
    ForwardRes: (*_IDS, "request_status_code"),
    DeliveryReportReq: (*_IDS, "from_", "mm_status_code"),
    DeliveryReportRes: (*_IDS, "request_status_code"),
}
_DATED: Final = (ForwardReq, DeliveryReportReq)
_BOOLEANS: Final = {
    "delivery_report",
    "originator_rs_delivery_report",
    "read_reply",
    "ack_request",
    "adaptation_allowed",
    "drm_content",
    "forward_to_originator_ua",
}
_NUMERIC_OK: Final = ("0", "128", "0x80")
_MAIL_HEADERS: Final = ("from", "to", "cc", "subject", "date", "sender", "message-id", "mime-version")
_TEXTS: Final = ("Subject", "X-Mms-Status-Text")
_NOBODY: Final = "undisclosed-recipients:;"
_JOINED: Final = re.compile(r"\.(?=\+[0-9]+/TYPE=)", re.IGNORECASE)  # one gateway's Request-Recipients


class Mm4Error(DecodeError):
    """A mail that cannot be read as MM4. `seen` has the fields that could be read: enough for a RES, perhaps; `status`
    is the enhanced status code where SMTP must tell it (RFC 3463)."""

    def __init__(self, why: str, *, seen: dict[str, str], clause: str = _CLAUSE, status: str = "5.6.0") -> None:
        super().__init__(why, clause=clause)
        self.seen = seen
        self.status = status


def decode(octets: bytes) -> Decoded[Message]:
    """The message and remarks about it. Raises Mm4Error."""
    try:
        block, body = mime.split_headers(octets, mime.Limits(header_octets=MAXIMUM_HEADER_OCTETS))
    except DecodeError as error:
        raise Mm4Error(error.why, seen={}) from error
    headers = header_fields.parse_headers(block.replace(b"\0", b""))  # RFC 5322 4.1: not even obsolete mail needs it
    hops = sum(name == "received" for name, _ in headers)
    if hops > MAXIMUM_RECEIVED:
        raise Mm4Error(f"it went through {hops} systems: a loop", seen={}, clause="RFC 5321 6.3", status="5.4.6")
    seen, unknown = _sorted(headers)
    name = seen.get("message_type", "").lower()
    if name not in _BY_LOWER:
        why = f"X-Mms-Message-Type {seen.get('message_type', '')!r}" if name else "no X-Mms-Message-Type"
        raise Mm4Error(why, seen=seen)
    _, cls = _BY_LOWER[name]
    findings: list[Finding] = []
    values: dict[str, Any] = {"unknown": unknown, **_mail_values(headers)}
    seen["sender"] = values["sender"]
    if cls in _DATED and values["date"] is None:
        findings.append(Finding("MM4-R003", _CLAUSE, -1, "Date is missing or names no moment"))
    listed = {one.name for one in fields(cls)}
    for attribute, text in seen.items():
        if attribute in listed and text:
            values[attribute] = _value(attribute, text, seen, findings)
    for attribute in _MANDATORY[cls]:
        if not values.get(attribute):
            raise Mm4Error(f"{_wire_name(attribute)} is missing", seen=seen)
    if cls is ForwardReq:
        values["content"] = _content(headers, body, seen)
    return Decoded(cls(**{name: value for name, value in values.items() if name in listed}), tuple(findings))


def _sorted(headers: tuple[tuple[str, str], ...]) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """(fields by attribute, unknown X-Mms fields)."""
    seen: dict[str, str] = {}
    unknown: list[tuple[str, str]] = []
    for name, value in headers:
        row = BY_NAME.get(name)
        if row is not None:
            seen.setdefault(row.attribute, _unquoted(header_fields.decode_words(value)))
        elif name.startswith("x-mms-"):
            unknown.append((name, value))
    return seen, tuple(unknown)


def _wire_name(attribute: str) -> str:
    row = BY_ATTRIBUTE.get(attribute)
    return attribute.rstrip("_").capitalize() if row is None else row.wire_name


def _unquoted(value: str) -> str:
    """Ids come in double quotes or angle brackets from some peers."""
    value = value.strip()
    for first, last in (('"', '"'), ("<", ">")):
        if len(value) >= 2 and value[0] == first and value[-1] == last:
            return value[1:-1]
    return value


def _mail_values(headers: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    known: dict[str, list[str]] = {name: [] for name in _MAIL_HEADERS}
    for name, value in headers:
        if name in known:
            known[name].append(value)
    date = known["date"][0] if known["date"] else ""
    return {
        "from_": _address(known["from"][0]) if known["from"] else "",
        "to": tuple(map(header_fields.decode_words, read_mailboxes(known["to"]))),
        "cc": tuple(map(header_fields.decode_words, read_mailboxes(known["cc"]))),
        "sender": _address(known["sender"][0]) if known["sender"] else "",
        "subject": header_fields.decode_words(known["subject"][0]) if known["subject"] else "",
        "date": read_date(date),
    }


def _address(text: str) -> str:
    found = read_mailboxes([text])
    return header_fields.decode_words(found[0]) if found else ""


def _value(attribute: str, text: str, seen: dict[str, str], findings: list[Finding]) -> Any:
    if attribute in _BOOLEANS:
        return text.strip().lower() in ("yes", "true", "1")
    match attribute:
        case "expiry":
            return _expiry(text, findings)
        case "forward_counter":
            return int(text) if _is_number(text) and len(text) < 6 else None
        case "request_status_code":
            return _request_status(text)
        case "mm_status_code":
            return _mm_status(text, seen)
        case "request_recipients":
            return read_mailboxes([_JOINED.sub(",", text)])
        case _:
            return text


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _expiry(text: str, findings: list[Finding]) -> datetime | int | None:
    text = text.strip()
    if _is_number(text) and len(text) < 12:
        return int(text)
    found = read_date(text)
    if found is None:
        findings.append(Finding("MM4-R002", _CLAUSE, -1, f"X-Mms-Expiry {text!r} is neither seconds nor a date"))
    return found


def _request_status(text: str) -> RequestStatusCode:
    """By name, by MM1's longer names, or by number (0 and 128 are Ok)."""
    lower = text.strip().lower()
    if lower == "ok" or lower in _NUMERIC_OK:
        return RequestStatusCode.OK
    for status in RequestStatusCode:
        core = status.value.lower().removeprefix("error-")
        if core in lower:
            return status
    return RequestStatusCode.ERROR_UNSPECIFIED


def _mm_status(text: str, seen: dict[str, str]) -> MmStatusCode:
    for status in MmStatusCode:
        if status.value.lower() == text.strip().lower():
            return status
    raise Mm4Error(f"X-Mms-MM-Status-Code {text!r}", seen=seen)


def _content(headers: tuple[tuple[str, str], ...], body: bytes, seen: dict[str, str]) -> mime.MimePart:
    try:
        return read_content(headers, body)
    except DecodeError as error:
        raise Mm4Error(f"content: {error.why}", seen=seen, clause=error.clause) from error


# --- writing ---


def _yes_no(value: bool) -> str:
    return "Yes" if value else "No"


def _mail_date(value: datetime) -> str:
    try:
        return format_datetime(value.astimezone(UTC))
    except OverflowError as error:
        raise EncodeError(f"{value} has no moment in UTC", clause="RFC 5322 3.3") from error


_WRITERS: Final[dict[type, Callable[[Any], str]]] = {bool: _yes_no, datetime: _mail_date, int: str}


def encode(message: Message, content: tuple[ContentType, Sequence[mime.OutPart]] | None = None) -> bytes:
    """The whole mail; with nobody to show, To is an empty group (RFC 5322 3.6.3). `content` (type of the multipart
    without boundary, parts) belongs to a ForwardReq; a message read by `decode` carries its own."""
    lines: list[tuple[str, ...]] = [("Date", _mail_date(message.date or datetime(1970, 1, 1, tzinfo=UTC)))]
    lines += [("From", message.from_ or message.sender), ("To", *(message.to or (_NOBODY,)))]
    if message.sender:
        lines.append(("Sender", message.sender))
    if isinstance(message, ForwardReq):
        lines += [("Cc", *message.cc)] if message.cc else []
        lines += [("Subject", message.subject)] if message.subject else []
    lines.append(("X-Mms-3GPP-MMS-Version", message.mms_version))
    lines.append(("X-Mms-Message-Type", _NAME_OF[type(message)]))
    lines += _own_lines(message)
    head = b"".join(header_fields.header_line(*line, opaque=_stands_as_it_is(line)) for line in lines)
    head += b"".join(header_fields.header_line(name, value, opaque=True) for name, value in message.unknown)
    head += header_fields.header_line("MIME-Version", "1.0")
    if isinstance(message, ForwardReq):
        return head + _body(message, content)
    return head + b"Content-Type: text/plain; charset=us-ascii\r\n\r\n"


def _stands_as_it_is(line: tuple[str, ...]) -> bool:
    """Ids are compared letter by letter where they were given: nothing in them is encoded that no reader decodes."""
    return line[0] not in _TEXTS and all(header_fields.decode_words(one) == one for one in line[1:])


def _own_lines(message: Message) -> list[tuple[str, ...]]:
    skipped = ("mms_version", "subject", "content", "unknown", "sender", "from_", "to", "cc", "date")
    lines: list[tuple[str, ...]] = []
    for one in fields(message):
        value = getattr(message, one.name)
        if one.name in skipped or value is None or value in ("", ()):
            continue
        texts = value if isinstance(value, tuple) else (_WRITERS.get(type(value), str)(value),)
        lines.append((BY_ATTRIBUTE[one.name].wire_name, *texts))
    for attribute in _MANDATORY[type(message)]:
        if not getattr(message, attribute):
            raise EncodeError(f"{_wire_name(attribute)} is missing", clause=_CLAUSE)
    return lines


def _body(message: ForwardReq, content: tuple[ContentType, Sequence[mime.OutPart]] | None) -> bytes:
    media, parts = content if content is not None else _from_part(message)
    boundary = mime.choose_boundary(parts, message.transaction_id)
    whole = ContentType(media.media_type, (*media.parameters, ("boundary", boundary)))
    head = f"Content-Type: {whole.folded()}\r\n\r\n".encode("ascii", "replace")
    return head + mime.write_parts(parts, boundary)


def _from_part(message: ForwardReq) -> tuple[ContentType, Sequence[mime.OutPart]]:
    part = message.content
    if part is None:
        return ContentType("multipart/mixed"), ()
    if part.content_type.media_type.startswith("multipart/"):
        return _without_boundary(part.content_type), [_out(one, message.transaction_id) for one in part.parts]
    return ContentType("multipart/mixed"), [_out(part, message.transaction_id)]


def _out(part: mime.MimePart, seed: str) -> mime.OutPart:
    """A part as it is written; a multipart within is one again, with its own boundary and no base64 (RFC 2045 6.4)."""
    media, data, encoding = part.content_type, part.data, "base64"
    if media.media_type.startswith("multipart/"):
        inner = [_out(one, seed) for one in part.parts]
        boundary = mime.choose_boundary(inner, seed)
        media = _without_boundary(media)
        media = ContentType(media.media_type, (*media.parameters, ("boundary", boundary)))
        data, encoding = mime.write_parts(inner, boundary), "7bit"
    location = "" if part.content_location == media.get("name") else part.content_location
    return mime.OutPart(media, data, part.content_id, location, encoding)


def _without_boundary(media: ContentType) -> ContentType:
    return ContentType(media.media_type, tuple(one for one in media.parameters if one[0] != "boundary"))
