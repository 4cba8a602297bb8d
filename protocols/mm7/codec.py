"""MM7 over HTTP to messages and back (TS 23.140 8.7.8; SOAP Messages with Attachments; RFC 2387).

`decode` takes the HTTP Content-Type and body. The body's child is checked against the schema, unless it is very long:
what the schema refuses and we could read all the same is a finding, told by its rule.
"""

from dataclasses import field
from typing import Final
from urllib.parse import unquote

from protocols import mime
from protocols.content_type import ContentType
from protocols.errors import Decoded, DecodeError, Finding
from protocols.mm7 import checking, remarks, styling
from protocols.mm7.messages import DeliverReq, ExtendedReplaceReq, Message, ReplaceReq, SubmitReq
from protocols.mm7.namespaces import PUBLISHED, Dialect
from protocols.mm7.reading import READERS
from protocols.mm7.soap import Mm7Error, Opened, open_envelope, parse_xml
from protocols.mm7.status import StatusCode
from protocols.mm7.styles import Style
from protocols.mm7.writing import envelope
from protocols.records import record

_XML_TYPES: Final = ("text/xml", "application/xml", "application/soap+xml")
_LONGEST_HREF: Final = 4096  # characters, as many as a Content-ID is read with
_WITH_CONTENT: Final = (SubmitReq, DeliverReq, ReplaceReq, ExtendedReplaceReq)


@record(frozen=True, slots=True)
class Envelope:
    """A message with what surrounds it. `content` is the part that the Content element means."""

    transaction_id: str
    dialect: Dialect
    message: Message
    content: mime.MimePart | None = None
    soap: bytes = field(default=b"", repr=False, compare=False)  # as it came


def decode(content_type: str, octets: bytes, limits: mime.Limits = mime.DEFAULT_LIMITS) -> Decoded[Envelope]:
    """The message and remarks about it. Raises Mm7Error (a DecodeError) that knows its answer."""
    media, soap, charset, parts = _take_apart(content_type, octets, limits)
    opened = open_envelope(parse_xml(soap, charset))
    reader = READERS.get(opened.operation)
    if reader is None:
        raise _at(opened, StatusCode.UNSUPPORTED_OPERATION, "Body", f"{opened.operation} is not offered")
    try:
        message = reader(opened.element, opened.dialect)
    except Mm7Error as error:
        raise _at(opened, error.status, error.where, error.reason, error.mm7_version) from error
    if not opened.transaction_id and opened.operation != "Fault":
        raise _at(opened, StatusCode.VALIDATION_ERROR, "Header/TransactionID", "it is missing", message.mm7_version)
    content = _content(message, parts, opened)
    findings = _findings(opened, message, media, content, parts, soap)
    return Decoded(Envelope(opened.transaction_id, opened.dialect, message, content, soap), findings)


def _findings(
    opened: Opened,
    message: Message,
    media: ContentType | None,
    content: mime.MimePart | None,
    parts: tuple[mime.MimePart, ...],
    soap: bytes,
) -> tuple[Finding, ...]:
    """The body last: its tree is changed where the schema refuses it."""
    found = [*remarks.of_media(media)]
    if not remarks.is_plain(opened, message):
        found += remarks.of_message(opened, message)
    if parts:
        found += remarks.of_attachments(getattr(message, "content_href", ""), content, parts)
    if soap.rfind(b"=?") >= 0:  # three times as fast as `in`
        found += remarks.of_subject(opened)
    element = remarks.error_of(opened) if opened.operation == "Fault" else opened.element
    if element is not None and opened.dialect.tag in PUBLISHED:
        found += checking.check(opened.dialect, element, len(soap))
    return tuple(found)


def _at(opened: Opened, status: StatusCode, where: str, why: str, version: str = "") -> Mm7Error:
    return Mm7Error(
        status,
        where=where,
        why=why,
        transaction_id=opened.transaction_id,
        spoken=opened.dialect,
        mm7_version=version or opened.dialect.version,
    )


def _take_apart(
    content_type: str, octets: bytes, limits: mime.Limits
) -> tuple[ContentType | None, bytes, str, tuple[mime.MimePart, ...]]:
    """(what the Content-Type says, SOAP octets, their charset, the other parts)."""
    if not content_type:
        return None, octets, "", ()
    try:
        media = ContentType.parse(content_type)
        if not media.media_type.startswith("multipart/"):
            return media, octets, media.get("charset"), ()
    except DecodeError as error:
        raise Mm7Error(StatusCode.MESSAGE_FORMAT_CORRUPT, where="HTTP body", why=error.why) from error
    try:
        parts = mime.parts_of(octets, media.get("boundary"), limits)
    except DecodeError as error:
        opened = _first_part(media, octets, limits)
        if opened is not None:
            raise _at(opened, StatusCode.MESSAGE_FORMAT_CORRUPT, "HTTP body", error.why) from error
        raise Mm7Error(StatusCode.MESSAGE_FORMAT_CORRUPT, where="HTTP body", why=error.why) from error
    root = mime.resolve(parts, media.get("start"))
    if root is None:
        raise Mm7Error(StatusCode.MESSAGE_FORMAT_CORRUPT, where="HTTP body", why="a multipart without parts")
    others = parts[1:] if root is parts[0] else tuple(part for part in parts if part is not root)
    return media, root.data, root.content_type.get("charset"), others


def _first_part(media: ContentType, octets: bytes, limits: mime.Limits) -> Opened | None:
    """The envelope of a multipart that cannot be read further on: its fault echoes the TransactionID (8.7.8)."""
    try:
        for start, end in mime.split(octets, media.get("boundary"), limits):
            part = mime.parse_part(octets, limits, start=start, end=end)
            return open_envelope(parse_xml(part.data, part.content_type.get("charset")))
    except DecodeError:
        pass
    return None


def _content(message: Message, parts: tuple[mime.MimePart, ...], opened: Opened) -> mime.MimePart | None:
    """The part that Content's href names (RFC 2392: percent-decoded; some senders encode the Content-ID likewise); a
    lone attachment serves when none is named."""
    if not isinstance(message, _WITH_CONTENT):
        return None
    if not message.content_href:
        others = (part for part in parts if part.content_type.media_type not in _XML_TYPES)
        return next(others, None)
    href = message.content_href.strip()
    if len(href) > _LONGEST_HREF:
        why = f"an href of {len(href)} characters, the limit is {_LONGEST_HREF}"
        raise _at(opened, StatusCode.MESSAGE_FORMAT_CORRUPT, f"{opened.operation}/Content", why, message.mm7_version)
    written = href[4:] if href.lower().startswith("cid:") else href
    encoded = written.strip().removeprefix("<").removesuffix(">")
    plain = unquote(written).strip().removeprefix("<").removesuffix(">") if "%" in written else encoded
    for part in parts if plain else ():
        if part.content_id in (plain, encoded) or part.content_location in (plain, encoded):
            return part
    raise _at(
        opened,
        StatusCode.MESSAGE_FORMAT_CORRUPT,
        f"{opened.operation}/Content",
        f"href {message.content_href!r} names no part of the message",
        message.mm7_version,
    )


def encode(message: Envelope, style: Style | None = None) -> tuple[str, bytes]:
    """(HTTP Content-Type, body) of a message without attachment; `style` None is the standard's."""
    octets = envelope(message.transaction_id, message.dialect, message.message)
    if style is not None:
        return styling.content_type(style), styling.respelled(octets, style)
    return 'text/xml; charset="utf-8"', octets


def encode_with_content(
    message: Envelope, content: mime.OutPart, seed: str, style: Style | None = None
) -> tuple[str, bytes]:
    """(HTTP Content-Type, body) of a message with its content part, as SOAP with Attachments."""
    octets = envelope(message.transaction_id, message.dialect, message.message)
    if style is not None:
        return styling.with_content(octets, content, seed, style)
    soap = mime.OutPart(
        ContentType("text/xml", (("charset", "utf-8"),)), octets, content_id="mm7-soap", encoding="8bit"
    )
    parts = (soap, content)
    boundary = mime.choose_boundary(parts, seed)
    content_type = f'multipart/related; boundary="{boundary}"; type="text/xml"; start="<mm7-soap>"'
    return content_type, mime.write_parts(parts, boundary)
