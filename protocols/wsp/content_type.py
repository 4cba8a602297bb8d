"""Content types and their parameters, as WSP writes them (WAP-230-WSP 8.4.2.24)."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from protocols.content_type import ContentType
from protocols.errors import DecodeError, EncodeError
from protocols.octets import OctetReader, OctetWriter
from protocols.wsp import charsets, media_types, rules
from protocols.wsp.primitives import (
    LENGTH_QUOTE,
    leave,
    read_integer,
    read_long_integer,
    read_number,
    read_quoted_or_text,
    read_short_integer,
    read_text,
    read_uintvar,
    read_value_length,
    skip_value,
    text_octets,
    value_length,
    write_integer,
    write_quoted,
    write_quoted_or_text,
    write_text,
)

_CLAUSE: Final = "WAP-230-WSP 8.4.2.24"
MAXIMUM_PARAMETERS: Final = 100  # of one value; who needs more is no sender of pictures
_NO_NAME: Final = b"\x7f\0"  # an empty Text-string whose first octet begins text


# --- parameters: token -> (name, reader); the writer's token and form per name ---


def _read_charset(reader: OctetReader) -> str:
    start = reader.offset
    if 0x20 <= reader.peek() < 0x80:
        name = read_text(reader).lower()
        reader.remark(rules.CHARSET_NAME.broken(f"a character set named by text, {name[:40]!r}", start))
        return name
    number = read_integer(reader)
    if number not in charsets.NAMES:
        reader.remark(rules.CHARSET_NUMBER.broken(f"no character set has the number {number}", start))
    return charsets.name_of(number)


def _read_q(reader: OctetReader) -> str:
    raw = read_uintvar(reader)
    value = (raw - 1) / 100 if raw <= 100 else (raw - 100) / 1000
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _read_version(reader: OctetReader) -> str:
    if reader.peek() < 0x80:
        return read_text(reader)
    raw = read_short_integer(reader)
    return str(raw >> 4) if raw & 0x0F == 0x0F else f"{raw >> 4}.{raw & 0x0F}"


def read_media(reader: OctetReader) -> str:
    """Constrained-encoding, or a long number: a media type without parameters."""
    first = reader.peek()
    if first == 0x22 or 0x20 <= first < 0x80:
        return read_quoted_or_text(reader).lower()
    return _read_media_number(reader)


def _read_number(reader: OctetReader) -> str:
    return str(read_number(reader))


def _read_empty(reader: OctetReader) -> str:
    if reader.octet() != 0:
        raise DecodeError("a No-value was expected", offset=reader.offset - 1, clause=_CLAUSE)
    return ""


_Numbered = Mapping[int, tuple[str, Callable[[OctetReader], str]]]
PARAMETERS: Final[_Numbered] = {
    0x00: ("q", _read_q),
    0x01: ("charset", _read_charset),
    0x02: ("level", _read_version),
    0x03: ("type", read_media),
    0x05: ("name", read_quoted_or_text),
    0x06: ("filename", read_quoted_or_text),
    0x08: ("padding", _read_number),
    0x09: ("type", read_media),
    0x0A: ("start", read_quoted_or_text),
    0x0B: ("start-info", read_quoted_or_text),
    0x0C: ("comment", read_quoted_or_text),
    0x0D: ("domain", read_quoted_or_text),
    0x0E: ("max-age", _read_number),
    0x0F: ("path", read_quoted_or_text),
    0x10: ("secure", _read_empty),
    0x11: ("sec", _read_number),
    0x12: ("mac", read_quoted_or_text),
    0x13: ("creation-date", _read_number),
    0x14: ("modification-date", _read_number),
    0x15: ("read-date", _read_number),
    0x16: ("size", _read_number),
    0x17: ("name", read_quoted_or_text),
    0x18: ("filename", read_quoted_or_text),
    0x19: ("start", read_quoted_or_text),
    0x1A: ("start-info", read_quoted_or_text),
    0x1B: ("comment", read_quoted_or_text),
    0x1C: ("domain", read_quoted_or_text),
    0x1D: ("path", read_quoted_or_text),
}
# What phones and MMSCs write and understand: the deprecated text forms for name, filename, start and start-info.
_WRITE_TEXT: Final = {"name": 0x05, "filename": 0x06, "start": 0x0A, "start-info": 0x0B}
_WITHOUT_CASE: Final = ("charset", "type")  # names of IANA's, which have none: whichever way they are spelled


def read_parameters(reader: OctetReader, numbered: _Numbered = PARAMETERS) -> tuple[tuple[str, str], ...]:
    """Parameters up to the innermost declared end. Raises DecodeError for more than 100."""
    found: list[tuple[str, str]] = []
    while not reader.at_end():
        start = reader.offset
        if len(found) == MAXIMUM_PARAMETERS:
            raise DecodeError(f"more than {MAXIMUM_PARAMETERS} parameters", offset=start, clause=_CLAUSE)
        first = reader.peek()
        if 0x20 <= first < 0x80:
            name = read_text(reader).lower()
            found.append(_plain(name, _read_untyped(reader)))
            continue
        number = read_integer(reader)
        row = numbered.get(number)
        if row is None:  # newer than we are: its value follows the skip rule
            value = skip_value(reader)
            remark = f"no parameter has the number 0x{number:02x}: its value of {len(value)} octets is passed over"
            reader.remark(rules.NUMBER.broken(remark, start))
        else:
            found.append((row[0], row[1](reader)))
    return tuple(found)


def _plain(name: str, value: str) -> tuple[str, str]:
    return name, value.lower() if name in _WITHOUT_CASE else value


def _read_untyped(reader: OctetReader) -> str:
    first = reader.peek()
    if first >= 0x80:
        return str(read_short_integer(reader))
    if 0 < first < LENGTH_QUOTE:
        return str(read_long_integer(reader))
    return read_quoted_or_text(reader)


def write_parameters(writer: OctetWriter, parameters: tuple[tuple[str, str], ...]) -> None:
    """Parameters in the forms that readers in the field know."""
    for name, value in parameters:
        if name in _WRITE_TEXT:
            writer.octet(0x80 | _WRITE_TEXT[name])
            write_quoted_or_text(writer, value)
        elif name == "charset" and (number := charsets.number_of(value)) is not None:
            writer.octet(0x81)
            write_integer(writer, number)
        elif name != "type" or not write_type(writer, 0x09, value):
            write_untyped(writer, name, value)


def write_type(writer: OctetWriter, number: int, value: str) -> bool:
    """A media type as the parameter of this number; False, and nothing, where it is no Constrained-encoding."""
    if value[:1] <= "\x1f":
        return False
    writer.octet(0x80 | number)
    if value[0] == '"':
        write_quoted(writer, value)
    else:
        writer.put(_constrained(value))
    return True


def write_untyped(writer: OctetWriter, name: str, value: str) -> None:
    """A parameter by its name, its value as text."""
    writer.put(text_octets(name) if name else _NO_NAME)
    if value == "" or value[0] <= "\x1f" or value[0] >= "\x7f" or " " in value or value[0] == '"':
        write_quoted(writer, value)
    else:
        write_text(writer, value)


# --- content types ---


def _media_name(number: int) -> str:
    return media_types.NAMES.get(number, f"application/x-wap-0x{number:02x}").lower()


def _read_media_number(reader: OctetReader) -> str:
    start = reader.offset
    number = read_integer(reader)
    if number not in media_types.NAMES:
        reader.remark(rules.NUMBER.broken(f"no media type has the number 0x{number:02x}", start))
    elif number > media_types.HIGHEST_READ:
        remark = f"{_media_name(number)} by the number 0x{number:02x}"
        reader.remark(rules.HIGH_NUMBER.broken(remark, start))
    return _media_name(number)


def _constrained(media_type: str) -> bytes:
    number = media_types.NUMBERS.get(media_type.lower())
    return bytes((0x80 | number,)) if number is not None else text_octets(media_type)


_remembered: Final[dict[bytes, ContentType]] = {}  # nearly every content type is one of a few, octet for octet
_MOST_REMEMBERED: Final = 256
_LONGEST_REMEMBERED: Final = 30  # octets behind the first, which says how many they are


def read_content_type(reader: OctetReader) -> ContentType:
    """Content-type-value: constrained or general form."""
    start = reader.offset
    length = reader.peek()
    if length > _LONGEST_REMEMBERED:
        return _read_content_type(reader)
    octets = reader.data[start : start + length + 1]
    known = _remembered.get(octets)
    if known is not None and start + length < reader.end:
        reader.take(length + 1)
        return known
    told = len(reader.findings)
    found = _read_content_type(reader)
    if len(reader.findings) == told:
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[octets] = found
    return found


def _read_content_type(reader: OctetReader) -> ContentType:
    first = reader.peek()
    if first >= 0x80:
        return ContentType(_read_media_number(reader))
    if first > LENGTH_QUOTE:
        return _read_text_form(reader)
    outer = reader.enter(read_value_length(reader))
    is_text = LENGTH_QUOTE < reader.peek() < 0x80
    media = _read_text_form(reader) if is_text else ContentType(_read_media_number(reader))
    found = ContentType(media.media_type, media.parameters + read_parameters(reader))
    leave(reader, outer)
    return found


def _read_text_form(reader: OctetReader) -> ContentType:
    """Text that some senders fill with parameters in MIME form."""
    start = reader.offset
    text = read_text(reader)
    if ";" not in text:
        return ContentType(text.strip().lower())
    reader.remark(rules.MIME_PARAMETERS.broken(f"parameters in the text of a media type, {text[:60]!r}", start))
    parsed = ContentType.parse(text)
    return ContentType(parsed.media_type, tuple(_plain(*one) for one in parsed.parameters))


def write_content_type(writer: OctetWriter, content_type: ContentType) -> None:
    """Constrained form without parameters, general form with them."""
    writer.put(content_type_octets(content_type))


@lru_cache(maxsize=256)  # messages have a handful
def content_type_octets(content_type: ContentType) -> bytes:
    """The octets of a Content-type-value."""
    if not content_type.media_type:
        raise EncodeError("a content type without a name", clause=_CLAUSE)
    media = _constrained(content_type.media_type)
    if not content_type.parameters:
        return media
    inner = OctetWriter(media)
    write_parameters(inner, content_type.parameters)
    return value_length(len(inner)) + inner.getvalue()


__all__ = [
    "PARAMETERS",
    "ContentType",
    "content_type_octets",
    "read_content_type",
    "read_media",
    "read_parameters",
    "write_content_type",
    "write_parameters",
    "write_type",
    "write_untyped",
]
