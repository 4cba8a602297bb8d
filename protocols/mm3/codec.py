"""A mail that is to become an MM (TS 23.140 8.3.1; RFC 4356 2.1). Readers forgive what mailers do."""

from datetime import datetime
from typing import Final

from protocols import header_fields, mime
from protocols.errors import DecodeError
from protocols.mail import MAXIMUM_HEADER_OCTETS, MAXIMUM_RECEIVED, read_content, read_date
from protocols.mailboxes import read_mailboxes
from protocols.records import record

_CLAUSE: Final = "RFC 5322 3.6"
_LISTED: Final = ("to", "cc")
_HIGH: Final = ("1", "2", "high", "urgent")
_LOW: Final = ("4", "5", "low", "non-urgent")
_PRIORITY_FIELDS: Final = ("x-mms-priority", "importance", "x-priority", "priority")


class Mm3Error(DecodeError):
    """A mail that cannot become an MM. `status` is what SMTP tells its sender (RFC 3463)."""

    def __init__(self, why: str, *, clause: str = _CLAUSE, status: str = "5.6.0") -> None:
        super().__init__(why, clause=clause)
        self.status = status


@record(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail. `priority` is high, low or ""; `is_automatic`: no human wrote it (RFC 3834 5), so nobody wants an answer
    to it."""

    from_: str
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    subject: str = ""
    date: datetime | None = None
    message_id: str = ""
    priority: str = ""
    is_automatic: bool = False
    content: mime.MimePart


def decode(octets: bytes) -> Mail:
    """Raises Mm3Error."""
    try:
        block, body = mime.split_headers(octets, mime.Limits(header_octets=MAXIMUM_HEADER_OCTETS))
    except DecodeError as error:
        raise Mm3Error(error.why) from error
    headers = header_fields.parse_headers(block.replace(b"\0", b""))
    hops = sum(name == "received" for name, _ in headers)
    if hops > MAXIMUM_RECEIVED:
        raise Mm3Error(f"it went through {hops} systems: a loop", clause="RFC 5321 6.3", status="5.4.6")
    known = dict(reversed(headers))  # the first of each counts
    senders = read_mailboxes([known.get("from", "")]) or read_mailboxes([known.get("sender", "")])
    if not senders:
        raise Mm3Error("no From")
    listed = {name: [value for other, value in headers if other == name] for name in _LISTED}
    try:
        content = read_content(headers, body)
    except DecodeError as error:
        raise Mm3Error(f"content: {error.why}", clause=error.clause) from error
    return Mail(
        from_=header_fields.decode_words(senders[0]),
        to=tuple(map(header_fields.decode_words, read_mailboxes(listed["to"]))),
        cc=tuple(map(header_fields.decode_words, read_mailboxes(listed["cc"]))),
        subject=header_fields.decode_words(known.get("subject", "")),
        date=read_date(known.get("date", "")),
        message_id=known.get("message-id", "").strip().removeprefix("<").removesuffix(">"),
        priority=_priority(known),
        is_automatic=known.get("auto-submitted", "no").partition(";")[0].strip().lower() != "no",
        content=_readable(content),
    )


def _priority(known: dict[str, str]) -> str:
    """RFC 4356 2.1.3.2: X-Priority and Importance are what mailers write; Priority is of RFC 2156."""
    for name in _PRIORITY_FIELDS:
        words = known.get(name, "").lower().split()
        if words and words[0] in _HIGH:
            return "high"
        if words and words[0] in _LOW:
            return "low"
    return ""


def _readable(part: mime.MimePart) -> mime.MimePart:
    """Of alternatives, what a handset can show: the plain text. A page of HTML beside it says the same again."""
    inner = tuple(map(_readable, part.parts))
    if part.content_type.media_type == "multipart/alternative":
        plain = [one for one in inner if one.content_type.media_type == "text/plain"]
        if plain:
            return plain[0]
    if not inner or inner == part.parts:
        return part
    return mime.MimePart(part.content_type, part.data, part.headers, inner, -1, part.content_id, part.content_location)
