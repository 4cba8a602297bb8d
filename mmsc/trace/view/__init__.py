"""Octets as people look at them: what they are, field by field, with what there is to remark. Never raises for octets.

`look` guesses the protocol, outermost first, and goes inside: an SMPP PDU carries a WAP push carries an MMS PDU, which
carries parts. Secrets are masked.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import Final

from mmsc.trace import redact
from mmsc.trace.view import lines, mms, sms, wsp
from mmsc.trace.view.mail import is_smtp, mm4_message, smtp
from mmsc.trace.view.mime_parts import parse_type
from mmsc.trace.view.model import MAXIMUM_DEPTH, Deeper, Row, Segment, View, every, has_problem
from mmsc.trace.view.soap import mm7_message
from protocols import header_fields, mime
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.wsp.push import MMS_MESSAGE, PDU_TYPE_PUSH

_CONTENT: Final = ("text/", "image/", "audio/", "video/", "application/zip", "application/json")
_START_LINE: Final = re.compile(rb"(?:[A-Z]+ \S+ HTTP/\d\.\d|HTTP/\d\.\d \d{3}[^\r\n]*)\r?\n")


class Kind(StrEnum):
    """What octets can be said to be, instead of guessing."""

    MM1 = "mm1"
    PUSH = "push"
    SMS = "sms"
    SMPP = "smpp"
    MM7 = "mm7"
    MM4 = "mm4"
    HTTP = "http"


def look(octets: bytes, content_type: str = "") -> View:
    """The best guess at what octets are; `content_type` (of HTTP or MIME) helps where it is known."""
    return _look(octets, content_type, 0)


def look_as(octets: bytes, kind: Kind) -> View:
    """Octets as what they are said to be."""
    deeper = _deeper(0)
    views: dict[Kind, Callable[[], View]] = {
        Kind.MM1: lambda: mms.pdu(octets, deeper),
        Kind.PUSH: lambda: wsp.push(octets, deeper),
        Kind.SMS: lambda: sms.tpdu_stream(octets, deeper) or View("SMS", "unreadable", octets, problem="no TPDU"),
        Kind.SMPP: lambda: sms.smpp_stream(octets, deeper),
        Kind.MM7: lambda: mm7_message(octets, "text/xml"),
        Kind.MM4: lambda: mm4_message(octets),
        Kind.HTTP: lambda: _http(octets, 0),
    }
    return views[kind]()


def reassembled(views: Sequence[View]) -> tuple[View, ...]:
    """The pushes whose segments are all among these short messages, put together."""
    return tuple(sms.put_together(views, _deeper(0)))


def _deeper(depth: int) -> Deeper:
    return partial(_look, depth=depth + 1)


def _look(octets: bytes, content_type: str, depth: int) -> View:
    if depth > MAXIMUM_DEPTH or not octets:
        return View("octets", "not looked at" if octets else "none", octets)
    if _START_LINE.match(octets):
        return _http(octets, depth)
    deeper = _deeper(depth)
    media = content_type.partition(";")[0].strip().lower()
    if media == MMS_MESSAGE or (octets[0] == 0x8C and octets[1:2] >= b"\x80"):
        return mms.pdu(octets, deeper)
    if media in ("text/xml", "application/soap+xml", "multipart/related") and media:
        return mm7_message(octets, content_type)
    if media and not media.endswith("xml") and media.startswith(_CONTENT) and depth:
        return wsp.content(octets, parse_type(content_type), deeper)
    if depth == 0 and is_smtp(octets):
        return smtp(octets)
    if sms.is_smpp(octets):
        return sms.smpp_stream(octets, deeper)
    messages = sms.tpdu_stream(octets, deeper) if depth == 0 else None
    if messages is not None:
        return messages
    if octets[1:2] == bytes((PDU_TYPE_PUSH,)):
        return wsp.push(octets, deeper)
    return _text(octets)


def _http(octets: bytes, depth: int) -> View:
    octets = redact.http(octets)
    line_end = octets.find(b"\n")
    line_end = len(octets) if line_end < 0 else line_end
    title = octets[:line_end].decode("latin-1").strip()
    end, at = lines.block_end(octets, line_end + 1)
    name = "status line" if title.startswith("HTTP/") else "request line"
    start = Row(name, title, 0, len(octets[:line_end].rstrip(b"\r")), "RFC 9112 3")
    rows = (start, *lines.header_rows(octets, line_end + 1, end, "RFC 9110 6.3"))
    body = octets[at:]
    kind = lines.value_of(rows[1:], "content-type")
    inner = _look(body, kind, depth + 1) if body else None
    inside = () if inner is None else (replace(inner, at=at if inner.octets == body else -1),)
    return View("HTTP", title, octets, rows, inside=inside)


def _head(octets: bytes) -> tuple[bytes, bytes]:
    try:
        return mime.split_headers(octets)
    except DecodeError:
        return octets, b""


def _text(octets: bytes) -> View:
    """XML, a bare multipart, or mail; told apart by how they begin."""
    start = octets.lstrip()[:200]
    if start.startswith((b"<?xml", b"<")):
        return mm7_message(octets, "text/xml")
    if start.startswith(b"--"):
        boundary = octets.lstrip().partition(b"\n")[0].strip()[2:].decode("latin-1")
        media = ContentType("multipart/related", (("boundary", boundary), ("type", "text/xml")))
        return mm7_message(octets, str(media))
    block, body = _head(octets)
    headers = dict(reversed(header_fields.parse_headers(block)))
    if "x-mms-message-type" in headers:
        return mm4_message(octets)
    if headers.get("content-type", "").lower().startswith(("text/xml", "multipart/related")) and "from" not in headers:
        at = len(octets) - len(body)
        rows = tuple(lines.header_rows(octets, 0, at, "RFC 2046 5.1"))
        inner = replace(mm7_message(body, headers["content-type"]), at=at)
        return View("MIME", headers["content-type"].partition(";")[0], octets, rows, inside=(inner,))
    return View("octets", "nothing known", octets)


__all__ = ["Kind", "Row", "Segment", "View", "every", "has_problem", "look", "look_as", "reassembled"]
