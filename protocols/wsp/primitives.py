"""The primitive values of WSP (WAP-230-WSP 8.1.2 and 8.4.1.2, 8.4.2.1): one reader and one writer each."""

from typing import Final

from protocols.errors import DecodeError, EncodeError
from protocols.octets import OctetReader, OctetWriter
from protocols.wsp import charsets, rules

LENGTH_QUOTE: Final = 0x1F
TEXT_QUOTE: Final = 0x7F
OPENING_QUOTE: Final = 0x22
_UINTVAR_OCTETS: Final = 5
_LONGEST_INTEGER: Final = 30
_OCTETS: Final = tuple(bytes((octet,)) for octet in range(256))
_LARGEST_UINT32: Final = 0xFFFFFFFF


def read_uintvar(reader: OctetReader) -> int:
    """Variable-length unsigned integer, at most 32 bits in 5 octets (8.1.2)."""
    value = 0
    start = reader.offset
    if reader.peek() == 0x80:
        reader.remark(rules.SHORTEST.broken("a uintvar that begins with an empty octet", start))
    for _ in range(_UINTVAR_OCTETS):
        octet = reader.octet()
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            if value > _LARGEST_UINT32:
                raise DecodeError("a uintvar of more than 32 bits", offset=start, clause="WAP-230-WSP 8.1.2")
            return value
    raise DecodeError("a uintvar of more than 5 octets", offset=start, clause="WAP-230-WSP 8.1.2")


def write_uintvar(writer: OctetWriter, value: int) -> None:
    """The shortest form."""
    writer.put(uintvar(value))


def uintvar(value: int) -> bytes:
    """The octets of a uintvar."""
    if not 0 <= value <= _LARGEST_UINT32:
        raise EncodeError(f"{value} does not fit a uintvar", clause="WAP-230-WSP 8.1.2")
    if value < 0x80:
        return _OCTETS[value]
    octets = _OCTETS[value & 0x7F]
    value >>= 7
    while value:
        octets = _OCTETS[0x80 | value & 0x7F] + octets
        value >>= 7
    return octets


def read_short_integer(reader: OctetReader) -> int:
    """One octet with its top bit set (8.4.2.1)."""
    octet = reader.octet()
    if octet < 0x80:
        raise DecodeError(f"0x{octet:02x} is no Short-integer", offset=reader.offset - 1, clause="WAP-230-WSP 8.4.2.1")
    return octet & 0x7F


def write_short_integer(writer: OctetWriter, value: int) -> None:
    """0 to 127."""
    if not 0 <= value <= 0x7F:
        raise EncodeError(f"{value} does not fit a Short-integer", clause="WAP-230-WSP 8.4.2.1")
    writer.octet(0x80 | value)


def read_long_integer(reader: OctetReader) -> int:
    """A length of 1 to 30 and big-endian octets (8.4.2.1)."""
    length = reader.octet()
    if not 1 <= length <= _LONGEST_INTEGER:
        raise DecodeError(f"a Long-integer of {length} octets", offset=reader.offset - 1, clause="WAP-230-WSP 8.4.2.1")
    octets = reader.take(length)
    if octets[0] == 0 and length > 1:
        remark = f"a Long-integer of {length} octets whose first one says nothing"
        reader.remark(rules.SHORTEST.broken(remark, reader.offset - length - 1))
    return int.from_bytes(octets)


def write_long_integer(writer: OctetWriter, value: int) -> None:
    """The shortest form, at least one octet."""
    if value < 0:
        raise EncodeError(f"{value} is negative", clause="WAP-230-WSP 8.4.2.1")
    length = max(1, (value.bit_length() + 7) // 8)
    if length > _LONGEST_INTEGER:
        raise EncodeError("the number needs more than 30 octets", clause="WAP-230-WSP 8.4.2.1")
    writer.put(bytes((length,)) + value.to_bytes(length))


def read_integer(reader: OctetReader) -> int:
    """Integer-value: short up to 127, long above (8.4.2.3)."""
    start = reader.offset
    if reader.peek() >= 0x80:
        return read_short_integer(reader)
    value = read_long_integer(reader)
    if value < 0x80:
        reader.remark(rules.SHORTEST.broken(f"a Long-integer for {value}, which fits a Short-integer", start))
    return value


def read_number(reader: OctetReader) -> int:
    """A number in either form, whichever the grammar has there."""
    return read_short_integer(reader) if reader.peek() >= 0x80 else read_long_integer(reader)


def write_integer(writer: OctetWriter, value: int) -> None:
    """Short where it fits."""
    if 0 <= value <= 0x7F:
        writer.octet(0x80 | value)
    else:
        write_long_integer(writer, value)


def read_value_length(reader: OctetReader) -> int:
    """Value-length: one octet up to 30, or 31 and a uintvar (8.4.2.2)."""
    first = reader.octet()
    if first < LENGTH_QUOTE:
        return first
    if first == LENGTH_QUOTE:
        return read_uintvar(reader)
    raise DecodeError(f"0x{first:02x} is no Value-length", offset=reader.offset - 1, clause="WAP-230-WSP 8.4.2.2")


def value_length(length: int) -> bytes:
    """The octets of a Value-length."""
    return bytes((length,)) if length < LENGTH_QUOTE else bytes((LENGTH_QUOTE,)) + uintvar(length)


def leave(reader: OctetReader, outer: int) -> None:
    """Leave a declared length that was entered (8.4.2.2). Octets that are left over are passed over."""
    left = reader.leave(outer)
    if left:
        remark = f"{left} octets left over inside a declared length: passed over"
        reader.remark(rules.LEFT_OVER.broken(remark, reader.offset - left))


def read_text(reader: OctetReader) -> str:
    """Text-string (8.4.2.1): its octets are UTF-8, as phones send it."""
    octets = reader.take_until_nul()
    if octets.isascii() and octets[:1] != b"\x7f":
        return octets.decode()
    octets, start = _unquoted(reader, octets)
    try:
        return octets.decode()
    except UnicodeDecodeError:
        remark = "octets that are no UTF-8, without a character set: read as ISO 8859-1"
        reader.remark(rules.CHARSET_MISSING.broken(remark, start))
        return octets.decode("latin-1")


def _unquoted(reader: OctetReader, octets: bytes) -> tuple[bytes, int]:
    """A text that was read without its quote, and where it began."""
    start = reader.offset - len(octets) - 1
    if octets[:1] != b"\x7f":
        if octets[:1] >= b"\x80":
            reader.remark(rules.QUOTE.broken(f"text that begins with 0x{octets[0]:02x}, without a quote", start))
        return octets, start
    if len(octets) > 1 and 0x20 <= octets[1] < TEXT_QUOTE:
        reader.remark(rules.QUOTE.broken("a quote before text that needs none", start))
    return octets[1:], start


def decode_octets(octets: bytes) -> str:
    """Header text: UTF-8, else ISO 8859-1, so that every octet has a letter."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def text_octets(text: str) -> bytes:
    """A Text-string with its NUL, and its quote where its first octet would begin another kind of value (8.4.1.2)."""
    octets = _without_nul(text)
    quote = b"\x7f" if octets and not 0x20 <= octets[0] < 0x7F else b""
    return quote + octets + b"\0"


def write_text(writer: OctetWriter, text: str) -> None:
    """Text-string."""
    writer.put(text_octets(text))


def read_quoted_or_text(reader: OctetReader) -> str:
    """Quoted-string (an opening quote only) or Text-string (8.4.2.1)."""
    text = read_text(reader)
    return text.removeprefix('"')


def write_quoted(writer: OctetWriter, text: str) -> None:
    """Quoted-string: the opening quote only."""
    writer.put(b'"' + _without_nul(text) + b"\0")


def _without_nul(text: str) -> bytes:
    """Text in UTF-8. Raises EncodeError for a NUL, which would end it, and for halves of surrogate pairs."""
    try:
        octets = text.encode()
    except UnicodeEncodeError as error:
        why = f"U+{ord(text[error.start]):04X} is half of a character"
        raise EncodeError(why, clause="WAP-230-WSP 8.4.2.1") from error
    if b"\0" in octets:
        raise EncodeError("text with a NUL in it", clause="WAP-230-WSP 8.4.2.1")
    return octets


def write_quoted_or_text(writer: OctetWriter, text: str) -> None:
    """Text-string; quoted where it begins with the mark, which its reader would take for the quote."""
    if text.startswith('"'):
        write_quoted(writer, text)
    else:
        write_text(writer, text)


def read_encoded_string(reader: OctetReader) -> str:
    """Encoded-string-value: text, or length, charset and text (OMA-TS-MMS_ENC 7.3.19).

    In the long form the length bounds the text: UTF-16 may hold NULs."""
    first = reader.peek()
    if first > LENGTH_QUOTE or first == 0:
        octets = reader.take_until_nul()
        if octets.isascii() and octets[:1] != b"\x7f":
            return octets.decode()
        octets, start = _unquoted(reader, octets)
        text = decode_octets(octets)
        if not octets.isascii():
            remark = "octets from 0x80 on without a character set: read as " + _guessed(octets, text)
            reader.remark(rules.CHARSET_MISSING.broken(remark, start))
        return text
    outer = reader.enter(read_value_length(reader))
    name = _read_charset(reader)
    start = reader.offset
    text = _in_charset(reader, reader.take_rest(), name, start)
    leave(reader, outer)
    return text


def _guessed(octets: bytes, text: str) -> str:
    return "UTF-8" if octets == text.encode() else "ISO 8859-1"


def _read_charset(reader: OctetReader) -> str | None:
    """The name of a character set; None when nobody knows it, or there is none."""
    start = reader.offset
    if not 0x20 <= reader.peek() < 0x80:
        number = read_integer(reader)
        name = charsets.NAMES.get(number)
        if name is None:
            remark = f"no character set has the number {number}: read as UTF-8"
            reader.remark(rules.CHARSET_NUMBER.broken(remark, start))
        return name
    text, nul, _ = reader.data[start : reader.end].partition(b"\0")
    known = text.decode("latin-1").lower()
    if nul and known in charsets.NUMBERS:
        reader.take(len(text) + 1)
        reader.remark(rules.CHARSET_NAME.broken(f"a character set named by text, {known}", start))
        return known
    reader.remark(rules.CHARSET_MISSING.broken("text in a length but without a character set: read as UTF-8", start))
    return None


def _in_charset(reader: OctetReader, octets: bytes, name: str | None, start: int) -> str:
    if name is not None and ("16" in name or "ucs-2" in name):
        text = charsets.decode_text(_wide(octets), name)
    else:
        if octets[:1] == b"\x7f":
            octets = octets[1:]
        octets, nul, rest = octets.partition(b"\0")
        if not nul:
            reader.remark(rules.NUL.broken("text without its NUL, ended by its length", reader.offset - 1))
        elif rest:
            remark = f"{len(rest)} octets behind the NUL of a text: passed over"
            reader.remark(rules.LEFT_OVER.broken(remark, reader.offset - len(rest)))
        text = _utf_8(octets) if name == "utf-8" else charsets.decode_text(octets, name)
    if "\ufffd" in text and b"\xef\xbf\xbd" not in octets:
        remark = f"octets that are none of {name or 'utf-8'}: U+FFFD stands for them"
        reader.remark(rules.CHARSET_OCTETS.broken(remark, start))
    elif name == "us-ascii" and not octets.isascii():
        remark = "octets from 0x80 on, which us-ascii does not have: read as utf-8"
        reader.remark(rules.CHARSET_OCTETS.broken(remark, start))
    return text.partition("\0")[0]  # what comes after a NUL could never be written


def _utf_8(octets: bytes) -> str:
    """As `charsets.decode_text` has it, without the search for the codec of nearly every text."""
    return octets.decode("utf-8", "replace")


def _wide(octets: bytes) -> bytes:
    """Text of 16-bit units without quote, and without half of a terminator: senders write one zero octet, two, or none.
    0x7F begins characters too (U+7F8E): it is a quote only where what is left would be no whole units without it."""
    one_zero = octets.endswith(b"\0") and not octets.endswith(b"\0\0")
    if octets.startswith(b"\x7f") and (len(octets) % 2 == 1) is not one_zero:
        octets = octets[1:]
    return octets[:-1] if len(octets) % 2 and octets.endswith(b"\0") else octets


def write_encoded_string(writer: OctetWriter, text: str) -> None:
    """Plain text when ASCII, else UTF-8 in the long form: the two forms that every reader in the field knows."""
    if text.isascii() and (not text or text[0] >= " "):
        write_text(writer, text)
        return
    body = bytes((0x80 | charsets.UTF_8,)) + text_octets(text)
    writer.put(value_length(len(body)) + body)


def skip_shift(reader: OctetReader, first: int) -> bool:
    """Step over a shift of the code page that begins with `first`, which was read: a Shift-delimiter and its page, or a
    short-cut (8.4.1.2). False when it begins something else, as a quote before text does that needs one."""
    if first == TEXT_QUOTE and not reader.at_end() and reader.peek() < 0x80:
        reader.octet()
        return True
    return 0 < first <= LENGTH_QUOTE


def skip_value(reader: OctetReader) -> bytes:
    """Any header value by the skip rule, as raw octets (8.4.1.2)."""
    start = reader.offset
    first = reader.peek()
    if first <= LENGTH_QUOTE:
        length = read_value_length(reader)
        reader.take(length)
    elif first < 0x80:
        reader.take_until_nul()
    else:
        reader.octet()
    return reader.data[start : reader.offset]
