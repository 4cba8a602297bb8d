"""MM7 over HTTP to messages and back (TS 23.140 8.7.8; SOAP Messages with Attachments; RFC 2387).

`decode` takes the HTTP Content-Type and body. The body's child is checked against the schema, unless it
is very long: what the schema refuses and we could read all the same is a finding.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import field
from itertools import islice
from typing import Any, Final, cast
from urllib.parse import unquote

from protocols import mime
from protocols.content_type import ContentType
from protocols.errors import Decoded, DecodeError, Finding
from protocols.mm7 import rules, schema, styling
from protocols.mm7.messages import DeliverReq, ExtendedReplaceReq, Message, ReplaceReq, SubmitReq
from protocols.mm7.namespaces import TAGS, Dialect
from protocols.mm7.reading import READERS
from protocols.mm7.soap import Mm7Error, Opened, open_envelope, parse_xml
from protocols.mm7.status import StatusCode
from protocols.mm7.styles import Style
from protocols.mm7.writing import envelope
from protocols.records import record

_MAXIMUM_FINDINGS: Final = 20
_MAXIMUM_REMARK: Final = 500  # characters
_MAXIMUM_CHECKED_OCTETS: Final = 128 * 1024  # libxml2's time grows with the square of the errors,
_MAXIMUM_CHECKED_ELEMENTS: Final = 3000  # and <DC/> is one in five octets
_XML_TYPES: Final = ("text/xml", "application/xml", "application/soap+xml")
_WITH_CONTENT: Final = (SubmitReq, DeliverReq, ReplaceReq, ExtendedReplaceReq)
_NAMESPACE_IN_ERROR: Final = re.compile(r"\{[^}]*\}")


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
    soap, charset, parts = _take_apart(content_type, octets, limits)
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
    findings = tuple(_findings(opened, len(soap)))
    if content is not None and isinstance(message, _WITH_CONTENT) and not message.content_href:
        findings += (rules.REFERENCE.broken("no Content/@href: the first attachment is taken"),)
    left_out = len(parts) - (content is not None)
    if left_out:
        findings += (
            rules.REFERENCE.broken(f"attachments that Content does not name, and that are left out: {left_out}"),
        )
    return Decoded(Envelope(opened.transaction_id, opened.dialect, message, content, soap), findings)


def _at(opened: Opened, status: StatusCode, where: str, why: str, version: str = "") -> Mm7Error:
    return Mm7Error(
        status,
        where=where,
        why=why,
        transaction_id=opened.transaction_id,
        spoken=opened.dialect,
        mm7_version=version or opened.dialect.version,
    )


def _take_apart(content_type: str, octets: bytes, limits: mime.Limits) -> tuple[bytes, str, tuple[mime.MimePart, ...]]:
    """(SOAP octets, their charset, the other parts)."""
    try:
        media = ContentType.parse(content_type or "text/xml")
        if not media.media_type.startswith("multipart/"):
            return octets, media.get("charset"), ()
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
    others = tuple(part for part in parts if part is not root)
    return root.data, root.content_type.get("charset"), others


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
    written = href[4:] if href.lower().startswith("cid:") else href
    wanted = [one.strip().removeprefix("<").removesuffix(">") for one in (unquote(written), written)]
    for part in parts if wanted[0] else ():
        if part.content_id in wanted or part.content_location in wanted:
            return part
    raise _at(
        opened,
        StatusCode.MESSAGE_FORMAT_CORRUPT,
        f"{opened.operation}/Content",
        f"href {message.content_href!r} names no part of the message",
        message.mm7_version,
    )


def _findings(opened: Opened, octets: int) -> Iterator[Finding]:
    if opened.dialect.tag not in TAGS or opened.dialect.suffix:
        yield rules.PUBLISHED.broken(f"nobody published the namespace {opened.dialect.namespace}")
    if opened.operation == "Fault" or opened.dialect.tag not in TAGS:
        return
    size = _too_much_to_check(opened, octets)
    if size:
        yield rules.SCHEMA.broken(f"not held against the schema: SOAP of {size} is too long for that")
        return
    checker = schema.compiled(opened.dialect)
    if checker.validate(opened.element):
        return
    errors = cast("Iterable[Any]", checker.error_log)  # its stubs know no iteration
    for error in islice(errors, _MAXIMUM_FINDINGS):
        remark = _NAMESPACE_IN_ERROR.sub("", error.message)
        if len(remark) > _MAXIMUM_REMARK:
            remark = remark[:_MAXIMUM_REMARK] + "..."
        yield rules.SCHEMA.broken(f"schema {opened.dialect.tag}: {remark}")


def _too_much_to_check(opened: Opened, octets: int) -> str:
    """What there is too much of, "" when there is not."""
    if octets > _MAXIMUM_CHECKED_OCTETS:
        return f"{octets} octets"
    if octets < _MAXIMUM_CHECKED_ELEMENTS * len("<a/>"):
        return ""  # it cannot hold so many
    beyond = next(islice(opened.element.iter(), _MAXIMUM_CHECKED_ELEMENTS, None), None)
    return "" if beyond is None else f"more than {_MAXIMUM_CHECKED_ELEMENTS} elements"


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
