"""WAP pushes and multipart bodies, header by header (WAP-230-WSP 8.2.4.1, 8.5)."""

from dataclasses import replace
from typing import Final

from mmsc.trace.json_form.content import charset_of, is_multipart, is_textual
from mmsc.trace.view import pictures
from mmsc.trace.view.model import Deeper, Row, View
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.octets import OctetReader
from protocols.wsp import charsets, header_names
from protocols.wsp.content_type import read_content_type
from protocols.wsp.multipart import PartIndex, index_multipart
from protocols.wsp.primitives import read_quoted_or_text, read_text, read_uintvar, skip_shift, skip_value
from protocols.wsp.push import APPLICATION_MMS_UA, MMS_MESSAGE, decode_push

SHOWN_CHARACTERS: Final = 4000  # of a text or a presentation
_HEADER: Final = "WAP-230-WSP 8.4.2"
_PART: Final = "WAP-230-WSP 8.5.2"
_CONTENT_LOCATION, _CONTENT_ID, _APPLICATION = 0x0E, 0x40, 0x2F
_DISPOSITIONS: Final = (0x2E, 0x45)
_TEXTS: Final = (_CONTENT_LOCATION, _CONTENT_ID)
_NUMBERS: Final = (0x0D, 0x34)  # Content-Length, Push-Flag


def push(octets: bytes, deeper: Deeper) -> View:
    """A Push PDU and what it carries."""
    try:
        read = decode_push(octets)
    except DecodeError as error:
        return View("WAP push", "unreadable", octets, problem=str(error))
    reader = OctetReader(octets, 2)
    rows = [
        Row("Transaction ID", str(read.transaction_id), 0, 1, "WAP-230-WSP 8.2.1", read.transaction_id),
        Row("PDU type", "Push (0x06)", 1, 2, "WAP-230-WSP 8.2.1", "Push"),
        _length(reader, "HeadersLen", "WAP-230-WSP 8.2.4.1"),
    ]
    end = len(octets) - len(read.data)
    rows += _header_rows(OctetReader(octets, reader.offset, end), None)
    media = read.content_type.media_type
    inner = deeper(read.data, media)
    return View("WAP push", media, octets, tuple(rows), inside=(replace(inner, at=end),), message=read)


def _length(reader: OctetReader, name: str, clause: str) -> Row:
    start = reader.offset
    value = read_uintvar(reader)
    return Row(name, str(value), start, reader.offset, clause, value)


def _header_rows(reader: OctetReader, part: PartIndex | None) -> list[Row]:
    """The content type that stands first, and the headers behind it. What follows was read before: nothing raises."""
    start = reader.offset
    found = read_content_type(reader)
    rows = [Row("Content-Type", str(found), start, reader.offset, "WAP-230-WSP 8.4.2.24")]
    while not reader.at_end():
        start = reader.offset
        first = reader.octet()
        if first >= 0x80:
            name = header_names.NAMES.get(first & 0x7F, f"0x{first:02X}")
            value = _value(reader, first & 0x7F, part)
            rows.append(Row(name, value, start, reader.offset, _HEADER))
        elif not skip_shift(reader, first) and first != 0:
            reader.offset = start
            name = read_text(reader)
            value = _text_value(reader, part)
            rows.append(Row(name, value, start, reader.offset, "WAP-230-WSP 8.4.2.6"))
    return rows


def _text_value(reader: OctetReader, part: PartIndex | None) -> str:
    """As its own decoder takes it: a part's is text, a push's anything."""
    if part is not None or 0x20 <= reader.peek() < 0x80:
        return read_quoted_or_text(reader)
    return skip_value(reader).hex(" ")


def _value(reader: OctetReader, number: int, part: PartIndex | None) -> str:
    if part is not None and number in _TEXTS:
        return read_quoted_or_text(reader)
    raw = skip_value(reader)
    if part is not None and number in _DISPOSITIONS:
        return "; ".join(filter(None, (part.disposition, part.file_name and f"filename={part.file_name}")))
    if number == _APPLICATION:
        return _application(raw)
    if number in _NUMBERS and raw[:1] >= b"\x80":
        return str(raw[0] & 0x7F)
    return raw[:-1].decode("utf-8", "replace") if 0x20 <= raw[0] < 0x80 else raw.hex(" ")


def _application(raw: bytes) -> str:
    if 0x20 <= raw[0] < 0x80:
        return raw[:-1].decode("utf-8", "replace")
    number = raw[0] & 0x7F if raw[0] >= 0x80 else int.from_bytes(raw[1:])
    return "x-wap-application:mms.ua (4)" if number == APPLICATION_MMS_UA else str(number)


def content(octets: bytes, content_type: ContentType, deeper: Deeper) -> View:
    """What a PDU or a part carries: parts, an MMS PDU, a text, or octets of some type."""
    if is_multipart(content_type):
        return _multipart(octets, content_type, deeper)
    if content_type.media_type == MMS_MESSAGE:
        return deeper(octets, MMS_MESSAGE)
    text = _text(content_type, octets)
    title = ", ".join(filter(None, (str(content_type), pictures.describe(octets, content_type.media_type))))
    return View("content", title, octets, text=text)


def _text(content_type: ContentType, octets: bytes) -> str:
    if not is_textual(content_type.media_type):
        return ""
    return charsets.decode_text(octets, charset_of(content_type))[:SHOWN_CHARACTERS]


def _multipart(body: bytes, content_type: ContentType, deeper: Deeper) -> View:
    title = content_type.media_type
    try:
        parts = index_multipart(body)
    except DecodeError as error:
        return View("WSP multipart", title, body, problem=str(error))
    reader = OctetReader(body)
    rows = [_length(reader, "nEntries", "WAP-230-WSP 8.5.1")]
    inside: list[View] = []
    start = reader.offset
    for number, part in enumerate(parts, 1):
        end = part.data_offset + part.data_length
        inside.append(_part(body[start:end], start, number, part, deeper))
        start = end
    if start < len(body):
        rows.append(Row("behind the parts", f"{len(body) - start} octets", start, len(body), "WAP-230-WSP 8.5"))
    return View("WSP multipart", title, body, tuple(rows), inside=tuple(inside))


def _part(octets: bytes, start: int, number: int, part: PartIndex, deeper: Deeper) -> View:
    reader = OctetReader(octets)
    rows = [_length(reader, "HeadersLen", _PART), _length(reader, "DataLen", _PART)]
    begin = part.data_offset - start
    rows += _header_rows(OctetReader(octets, reader.offset, begin), part)
    data = octets[begin:]
    what = pictures.describe(data, part.content_type.media_type)
    size = f"{len(data)} octets"
    rows.append(Row("data", ", ".join(filter(None, (size, what))), begin, len(octets), "WAP-230-WSP 8.5.3", len(data)))
    text = _text(part.content_type, data)
    nested = is_multipart(part.content_type) or part.content_type.media_type == MMS_MESSAGE
    inside = (replace(content(data, part.content_type, deeper), at=begin),) if nested and data else ()
    name = part.content_location or (part.content_id and f"<{part.content_id}>") or part.file_name
    title = f"{number}, {part.content_type.media_type}" + (f", {name}" if name else "")
    return View("part", title, octets, tuple(rows), inside=inside, at=start, text=text)
