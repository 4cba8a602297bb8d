"""Octets as people look at them: what they are, field by field, with what there is to remark. Never raises for octets.

`look` guesses the protocol, outermost first, and goes inside: an SMPP PDU carries a WAP push carries an MMS PDU.
Secrets are masked.
"""

import re
from collections.abc import Iterator
from dataclasses import field, fields, is_dataclass, replace
from enum import Enum
from typing import Final

from mmsc.trace import redact
from protocols import header_fields, mime, mm1, mm4, mm7, smpp
from protocols.content_type import ContentType
from protocols.errors import DecodeError, Finding
from protocols.octets import OctetReader
from protocols.records import record
from protocols.smpp.pdus import BY_ID
from protocols.sms.push import PORTS
from protocols.sms.segment import UserDataHeader, split_header
from protocols.wsp.multipart import index_multipart
from protocols.wsp.push import APPLICATION_MMS_UA, MMS_MESSAGE, PDU_TYPE_PUSH, decode_push

MAXIMUM_PDUS: Final = 1000  # of one SMPP stream
_NAMED: Final = frozenset(map(int, smpp.CommandId))
_MAXIMUM_DEPTH: Final = 5
_MESSAGE_PAYLOAD: Final = 0x0424
_ESM_UDHI: Final = 0x40
_START_LINE: Final = re.compile(rb"(?:[A-Z]+ \S+ HTTP/\d\.\d|HTTP/\d\.\d \d{3}[^\r\n]*)\r?\n")


@record(frozen=True, slots=True)
class Row:
    """One field: its name on the wire, its value in words, its octets [start, end) (-1: no place of its own), and the
    clause that defines it."""

    name: str
    value: str
    start: int = -1
    end: int = -1
    clause: str = ""


@record(frozen=True, slots=True)
class View:
    """What octets are. `problem` says why they could not be read to the end; `inside` is what they carry."""

    kind: str
    title: str
    octets: bytes
    rows: tuple[Row, ...] = ()
    findings: tuple[Finding, ...] = ()
    problem: str = ""
    inside: "tuple[View, ...]" = field(default=())


def look(octets: bytes, content_type: str = "") -> View:
    """The best guess at what octets are; `content_type` (of HTTP or MIME) helps where it is known."""
    return _look(octets, content_type, 0)


def _look(octets: bytes, content_type: str, depth: int) -> View:
    if depth > _MAXIMUM_DEPTH or not octets:
        return View("octets", f"{len(octets)} octets", octets)
    if _START_LINE.match(octets):
        return _http(octets, depth)
    media = content_type.partition(";")[0].strip().lower()
    if media == MMS_MESSAGE or (octets[0] == 0x8C and octets[1:2] >= b"\x80"):
        return _mm1(octets)
    if media in ("text/xml", "application/soap+xml", "multipart/related") and media:
        return _mm7(octets, content_type)
    if _is_smpp(octets):
        return _smpp_stream(octets, depth)
    if octets[1:2] == bytes((PDU_TYPE_PUSH,)):
        return _push(octets, depth)
    return _text(octets)


def _http(octets: bytes, depth: int) -> View:
    octets = redact.http(octets)
    start, _, rest = octets.partition(b"\n")
    block, body = _head(rest)
    headers = header_fields.parse_headers(block)
    title = start.decode("latin-1").strip()
    rows = tuple(Row(name, value) for name, value in headers)
    kind = dict(reversed(headers)).get("content-type", "")
    inside = (_look(body, kind, depth + 1),) if body else ()
    return View("HTTP", title, octets, rows, inside=inside)


def _head(octets: bytes) -> tuple[bytes, bytes]:
    try:
        return mime.split_headers(octets)
    except DecodeError:
        return octets, b""


def _mm1(octets: bytes) -> View:
    rows = tuple(Row(one.name, one.value, one.start, one.end, one.clause) for one in mm1.describe(octets))
    try:
        decoded = mm1.decode(octets)
    except DecodeError as error:
        return View("MMS PDU", "unreadable", octets, rows, problem=str(error))
    title = _wire_name(decoded.message.message_type)
    body = getattr(decoded.message, "body", b"")
    inside = (_multipart(body, str(getattr(decoded.message, "content_type", ""))),) if body else ()
    return View("MMS PDU", title, octets, rows, decoded.findings, inside=inside)


def _wire_name(value: Enum) -> str:
    return value.name.lower().replace("_", "-")


def _multipart(body: bytes, content_type: str) -> View:
    if not content_type.startswith(("application/vnd.wap.multipart", "multipart/")):
        return View("content", content_type or f"{len(body)} octets", body)
    try:
        parts = index_multipart(body)
    except DecodeError as error:
        return View("WSP multipart", content_type, body, problem=str(error))
    rows = tuple(
        Row(
            f"part {number}",
            " ".join(
                filter(
                    None, [str(part.content_type), part.content_id and f"<{part.content_id}>", part.content_location]
                )
            ),
            part.data_offset,
            part.data_offset + part.data_length,
            "WAP-230-WSP 8.5.2",
        )
        for number, part in enumerate(parts, 1)
    )
    return View("WSP multipart", content_type, body, rows)


def _push(octets: bytes, depth: int) -> View:
    try:
        push = decode_push(octets)
    except DecodeError as error:
        return View("WAP push", "unreadable", octets, problem=str(error))
    application = "" if push.application_id is None else str(push.application_id)
    if push.application_id == APPLICATION_MMS_UA:
        application = "x-wap-application:mms.ua"
    rows = (
        Row("Transaction ID", str(push.transaction_id), 0, 1, "WAP-230-WSP 8.2.1"),
        Row("Content-Type", str(push.content_type), clause="WAP-230-WSP 8.2.4.1"),
        Row("X-Wap-Application-Id", application, clause="WAP-251-PushMessage 6.2.1"),
    )
    inside = (_look(push.data, push.content_type.media_type, depth + 1),)
    return View("WAP push", push.content_type.media_type, octets, rows, inside=inside)


def _mm7(octets: bytes, content_type: str) -> View:
    try:
        decoded = mm7.decode(content_type, octets)
    except mm7.Mm7Error as error:
        known = (Row("TransactionID", error.transaction_id),) if error.transaction_id else ()
        return View("MM7", "unreadable", octets, known, problem=str(error))
    except DecodeError as error:
        return View("MM7", "unreadable", octets, problem=str(error))
    envelope = decoded.message
    rows = [Row("TransactionID", envelope.transaction_id), Row("namespace", envelope.dialect.namespace)]
    rows += _dataclass_rows(envelope.message, "")
    inside: tuple[View, ...] = ()
    if envelope.content is not None:
        inside = (
            View(
                "content",
                str(envelope.content.content_type),
                _octets_of(envelope.content),
                _mime_rows(envelope.content),
            ),
        )
    return View("MM7", type(envelope.message).__name__, octets, tuple(rows), decoded.findings, inside=inside)


def _mm4(octets: bytes) -> View:
    try:
        decoded = mm4.decode(octets)
    except DecodeError as error:
        return View("MM4", "unreadable", octets, problem=str(error))
    content = getattr(decoded.message, "content", None)
    rows = tuple(row for row in _dataclass_rows(decoded.message, "") if not row.name.startswith("content."))
    inside: tuple[View, ...] = ()
    if isinstance(content, mime.MimePart):
        inside = (View("content", str(content.content_type), _octets_of(content), _mime_rows(content)),)
    return View("MM4", type(decoded.message).__name__, octets, rows, decoded.findings, inside=inside)


def _octets_of(part: mime.MimePart) -> bytes:
    """The octets of a part, of all its parts when it is a multipart."""
    return b"".join(map(_octets_of, part.parts)) if part.parts else part.data


def _mime_rows(part: mime.MimePart) -> tuple[Row, ...]:
    return tuple(
        Row(f"part {number}", f"{one.content_type} <{one.content_id}> {len(_octets_of(one))} octets")
        for number, one in enumerate(part.parts, 1)
    )


def _dataclass_rows(value: object, prefix: str) -> list[Row]:
    """What is set in a message, one row a leaf, its path as the name."""
    rows: list[Row] = []
    if is_dataclass(value):
        for one in fields(value):
            name = f"{prefix}.{one.name}" if prefix else one.name
            rows += _dataclass_rows(getattr(value, one.name), name)
    elif isinstance(value, tuple):
        for number, item in enumerate(value, 1):
            rows += _dataclass_rows(item, f"{prefix}[{number}]")
    elif value not in (None, "", b""):
        rows.append(Row(prefix, _in_words(value)))
    return rows


def _in_words(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, Enum):
        return f"{value.name} ({value.value})"
    return str(value)


def _is_smpp(octets: bytes) -> bool:
    """A command we read, or one that SMPP v3.4 names and whose length is that of the octets."""
    if len(octets) < smpp.HEADER_OCTETS or octets[0] != 0:
        return False
    command_id = int.from_bytes(octets[4:8])
    return command_id in BY_ID or (int.from_bytes(octets[:4]) == len(octets) and command_id in _NAMED)


def _smpp_stream(octets: bytes, depth: int) -> View:
    views: list[View] = []
    at = 0
    while at < len(octets) and len(views) < MAXIMUM_PDUS:
        length = int.from_bytes(octets[at : at + 4])
        if not smpp.HEADER_OCTETS <= length <= len(octets) - at:
            length = len(octets) - at
        views.append(_smpp(octets[at : at + length], depth))
        at += length
    if len(views) == 1:
        return views[0]
    return View("SMPP", f"{len(views)} PDUs", octets, inside=tuple(views))


def _smpp(octets: bytes, depth: int) -> View:
    octets = redact.smpp(octets)
    try:
        decoded = smpp.decode(octets)
    except DecodeError as error:
        return View("SMPP", "unreadable", octets, tuple(_smpp_header(octets)), problem=str(error))
    pdu = decoded.message
    rows = [*_smpp_header(octets), *_smpp_fields(octets, pdu)]
    inside = _user_data(pdu, depth)
    return View("SMPP", pdu.command_id.name.lower(), octets, tuple(rows), decoded.findings, inside=inside)


def _smpp_header(octets: bytes) -> Iterator[Row]:
    length, command_id, status, number = (int.from_bytes(octets[at : at + 4]) for at in (0, 4, 8, 12))
    yield Row("command_length", str(length), 0, 4, "SMPP v3.4 5.1.1")
    yield Row("command_id", f"{smpp.CommandId(command_id).name} (0x{command_id:08X})", 4, 8, "SMPP v3.4 5.1.2")
    yield Row("command_status", smpp.CommandStatus(status).name, 8, 12, "SMPP v3.4 5.1.3")
    yield Row("sequence_number", str(number), 12, 16, "SMPP v3.4 5.1.4")


def _smpp_fields(octets: bytes, pdu: smpp.Pdu) -> list[Row]:
    reader = OctetReader(octets, smpp.HEADER_OCTETS)
    rows: list[Row] = []
    try:
        for one in type(pdu).fields:
            start = reader.offset
            rows.append(Row(one.name, _in_words(one.form.read(reader)), start, reader.offset, one.clause))
    except DecodeError:
        return rows  # a response that ends after its header
    for tag, value_octets in pdu.tlvs:
        name = smpp.Tag(tag).name.lower()
        rows.append(
            Row(name, value_octets.hex(" "), reader.offset, reader.offset + 4 + len(value_octets), "SMPP v3.4 5.3.2")
        )
        reader.offset += 4 + len(value_octets)
    return rows


def _user_data(pdu: smpp.Pdu, depth: int) -> tuple[View, ...]:
    """What a short message carries: a user data header, and a WAP push where the ports say so."""
    payload = dict(pdu.tlvs).get(_MESSAGE_PAYLOAD, b"") or getattr(pdu, "short_message", b"")
    if not payload:
        return ()
    if not getattr(pdu, "esm_class", 0) & _ESM_UDHI:
        return (_look(payload, "", depth + 1),) if payload[1:2] == bytes((PDU_TYPE_PUSH,)) else ()
    try:
        header, data = split_header(payload)
    except DecodeError as error:
        return (View("user data", "unreadable header", payload, problem=str(error)),)
    whole = header.concatenation is None or header.concatenation.total == 1
    pushed = header.ports is not None and header.ports[0] == PORTS[0]
    inside = (_look(data, "", depth + 1),) if whole and pushed else ()
    return (View("user data", _segment(header), payload, tuple(_dataclass_rows(header, "")), inside=inside),)


def _segment(header: UserDataHeader) -> str:
    part = header.concatenation
    return "whole" if part is None else f"segment {part.number} of {part.total}, reference {part.reference}"


def _text(octets: bytes) -> View:
    """XML, a bare multipart, or mail; told apart by how they begin."""
    start = octets.lstrip()[:200]
    if start.startswith((b"<?xml", b"<")):
        return _mm7(octets, "text/xml")
    if start.startswith(b"--"):
        boundary = octets.lstrip().partition(b"\n")[0].strip()[2:].decode("latin-1")
        view = _mm7(
            octets.lstrip(), str(ContentType("multipart/related", (("boundary", boundary), ("type", "text/xml"))))
        )
        return replace(view, octets=octets)
    block, body = _head(octets)
    headers = dict(reversed(header_fields.parse_headers(block)))
    if "x-mms-message-type" in headers:
        return _mm4(octets)
    if headers.get("content-type", "").lower().startswith(("text/xml", "multipart/related")) and "from" not in headers:
        return replace(_mm7(body, headers["content-type"]), octets=octets)
    return View("octets", f"{len(octets)} octets, nothing known", octets)
