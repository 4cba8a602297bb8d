"""The binary multipart body (WAP-230-WSP 8.5): parts as they lie in the octets, and parts into octets.

Data is never copied to be looked at: an index says where each part's octets are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from protocols.content_type import ContentType
from protocols.errors import Decoded, DecodeError
from protocols.octets import OctetReader, OctetWriter
from protocols.records import record
from protocols.wsp import header_names, rules
from protocols.wsp.content_type import read_content_type, read_parameters, write_content_type
from protocols.wsp.primitives import (
    leave,
    read_quoted_or_text,
    read_text,
    read_uintvar,
    read_value_length,
    skip_shift,
    skip_value,
    uintvar,
    write_quoted,
    write_quoted_or_text,
)

_SHORT: Final = 200  # characters of the names of a part whose headers are remembered
MAXIMUM_ENTRIES: Final = 1000
MAXIMUM_HEADERS: Final = 100  # of one part; phones write two or three
_CLAUSE: Final = "WAP-230-WSP 8.5"
_CONTENT_LOCATION: Final = 0x0E
_CONTENT_ID: Final = 0x40
_DISPOSITIONS: Final = (0x2E, 0x45)
_DISPOSITION_NAMES: Final = {0x80: "form-data", 0x81: "attachment", 0x82: "inline"}


@record(frozen=True, slots=True)
class PartIndex:
    """One entry: what its headers say, and where its data is. `content_id` without brackets. `others` are further
    headers as (name, text), the raw octets in hex where the value is no text."""

    content_type: ContentType
    content_id: str
    content_location: str
    data_offset: int
    data_length: int
    disposition: str = ""
    file_name: str = ""
    others: tuple[tuple[str, str], ...] = ()


@record(frozen=True, slots=True)
class Part:
    """A part to be written. `content_id` without brackets."""

    content_type: ContentType
    data: bytes
    content_id: str = ""
    content_location: str = ""


def index_multipart(body: bytes, start: int = 0) -> tuple[PartIndex, ...]:
    """Where the parts of a body are. Raises DecodeError; octets after the last part are let be, as phones do."""
    return read_multipart(body, start).message


def read_multipart(body: bytes, start: int = 0) -> Decoded[tuple[PartIndex, ...]]:
    """The same with what there is to remark; offsets are those of `body`."""
    reader = OctetReader(body, start)
    entries = read_uintvar(reader)
    if entries > MAXIMUM_ENTRIES:
        raise DecodeError(f"{entries} parts, at most {MAXIMUM_ENTRIES} are read", offset=start, clause=_CLAUSE)
    parts = tuple(_read_entry(reader) for _ in range(entries))
    if reader.offset < reader.end:
        remark = f"{reader.remaining} octets behind the last of {entries} parts"
        reader.remark(rules.REST.broken(remark, reader.offset))
    return Decoded(parts, tuple(reader.findings))


def _read_entry(reader: OctetReader) -> PartIndex:
    start = reader.offset
    headers_length = read_uintvar(reader)
    data_length = read_uintvar(reader)
    if headers_length < 1:
        raise DecodeError("a part without a content type", offset=start, clause=_CLAUSE)
    if headers_length + data_length > reader.remaining:
        raise DecodeError(
            f"a part of {headers_length} + {data_length} octets, {reader.remaining} left", offset=start, clause=_CLAUSE
        )
    outer = reader.enter(headers_length)
    content_type = read_content_type(reader)
    found = _Found("", "", "", "", [])
    for _ in range(MAXIMUM_HEADERS):
        if reader.offset >= reader.end:
            break
        _read_header(reader, found)
    else:
        raise DecodeError(f"more than {MAXIMUM_HEADERS} headers of a part", offset=start, clause=_CLAUSE)
    leave(reader, outer)
    data_offset = reader.offset
    reader.offset += data_length
    return PartIndex(
        content_type,
        found.content_id,
        found.content_location,
        data_offset,
        data_length,
        found.disposition,
        found.file_name,
        tuple(found.others),
    )


@dataclass(slots=True)
class _Found:
    content_id: str
    content_location: str
    disposition: str
    file_name: str
    others: list[tuple[str, str]]
    numbered: bool = False  # whether one of them has a number


def _read_header(reader: OctetReader, found: _Found) -> None:
    start = reader.offset
    first = reader.octet()
    if first == 0x80 | _CONTENT_LOCATION:
        found.content_location = read_quoted_or_text(reader)
        _remark_order(reader, found, "Content-Location", start)
    elif first == 0x80 | _CONTENT_ID:
        found.content_id = _read_content_id(reader)
        _remark_order(reader, found, "Content-ID", start)
    elif first & 0x7F in _DISPOSITIONS and first >= 0x80:
        _read_disposition(reader, found)
    elif first >= 0x80:
        number = first & 0x7F
        found.numbered = True
        found.others.append((header_names.NAMES.get(number, f"0x{number:02X}"), skip_value(reader).hex()))
    elif first == 0 or skip_shift(reader, first):
        reader.remark(rules.STRAY.broken(f"0x{first:02x} begins no header of a part: passed over", start))
    else:
        reader.offset = start
        _keep(found, read_text(reader), read_quoted_or_text(reader))


def _remark_order(reader: OctetReader, found: _Found, name: str, start: int) -> None:
    if found.numbered:
        reader.remark(rules.BEHIND.broken(f"{name} stands behind {found.others[-1][0]}", start))


def _read_content_id(reader: OctetReader) -> str:
    start = reader.offset
    octets = reader.take_until_nul()
    if octets[:2] == b'"<' and octets[-1:] == b">" and octets.isascii():
        return octets[2:-1].decode()
    reader.offset = start
    text = read_text(reader)
    bare = text.removeprefix('"')
    if not (text.startswith('"<') and bare.endswith(">")):
        remark = f"Content-ID {text[:60]!r} is no identifier in angle brackets behind one quotation mark"
        reader.remark(rules.CONTENT_ID.broken(remark, start))
    return bare.removesuffix('"').removeprefix("<").removesuffix(">") if bare.startswith("<") else bare


def _keep(found: _Found, name: str, text: str) -> None:
    match name.lower():
        case "content-id":
            found.content_id = text.removeprefix("<").removesuffix(">")
        case "content-location":
            found.content_location = text
        case _:
            found.others.append((name, text))


def _read_disposition(reader: OctetReader, found: _Found) -> None:
    start = reader.offset
    if reader.peek() > 0x1F:  # Token-text without a length, as some senders write it
        found.disposition = read_text(reader) if reader.peek() < 0x80 else _DISPOSITION_NAMES.get(reader.octet(), "")
        reader.remark(rules.DISPOSITION.broken(f"Content-Disposition {found.disposition} without its length", start))
        return
    outer = reader.enter(read_value_length(reader))
    if not reader.at_end():
        token = reader.peek()
        found.disposition = _DISPOSITION_NAMES[reader.octet()] if token in _DISPOSITION_NAMES else read_text(reader)
        for name, value in read_parameters(reader):
            if name == "filename":
                found.file_name = value
    leave(reader, outer)


def encode_multipart(parts: Sequence[Part]) -> bytes:
    """The body. Content-ID and Content-Location come first: some readers drop all that follows an unknown header."""
    return lay_out(parts)[0]


def lay_out(parts: Sequence[Part]) -> tuple[bytes, list[int]]:
    """The body, and where in it each part's data begins."""
    pieces = [uintvar(len(parts))]
    at = len(pieces[0])
    offsets: list[int] = []
    for part in parts:
        media, data = part.content_type, part.data
        is_short = media.is_short and len(part.content_id) + len(part.content_location) <= _SHORT
        headers_of = _remembered_headers if is_short else _part_headers
        headers_length, headers = headers_of(media.media_type, media.parameters, part.content_id, part.content_location)
        data_length = uintvar(len(data))
        at += len(headers_length) + len(data_length) + len(headers)
        offsets.append(at)
        at += len(data)
        pieces += (headers_length, data_length, headers, data)
    return b"".join(pieces), offsets


def _part_headers(
    media_type: str, parameters: tuple[tuple[str, str], ...], content_id: str, content_location: str
) -> tuple[bytes, bytes]:
    """Their length as a uintvar, and the headers."""
    writer = OctetWriter()
    write_content_type(writer, ContentType(media_type, parameters))
    if content_id:
        writer.octet(0x80 | _CONTENT_ID)
        write_quoted(writer, f"<{content_id}>")
    if content_location:
        writer.octet(0x80 | _CONTENT_LOCATION)
        write_quoted_or_text(writer, content_location)
    headers = writer.getvalue()
    return uintvar(len(headers)), headers


_remembered_headers: Final = lru_cache(maxsize=256)(_part_headers)  # the parts of one sender's messages look alike

__all__ = ["MAXIMUM_ENTRIES", "Part", "PartIndex", "encode_multipart", "index_multipart", "lay_out", "read_multipart"]
