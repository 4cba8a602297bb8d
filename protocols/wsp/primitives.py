"""The primitive values of WSP (WAP-230-WSP 8.1.2 and 8.4.1.2, 8.4.2.1): one reader and one writer each."""

from typing import Final

from protocols.errors import DecodeError, EncodeError
from protocols.octets import OctetReader, OctetWriter
from protocols.wsp import charsets

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
    return int.from_bytes(reader.take(length))


def write_long_integer(writer: OctetWriter, value: int) -> None:
    """The shortest form, at least one octet."""
    if value < 0:
        raise EncodeError(f"{value} is negative", clause="WAP-230-WSP 8.4.2.1")
    length = max(1, (value.bit_length() + 7) // 8)
    if length > _LONGEST_INTEGER:
        raise EncodeError("the number needs more than 30 octets", clause="WAP-230-WSP 8.4.2.1")
    writer.put(bytes((length,)) + value.to_bytes(length))


def read_integer(reader: OctetReader) -> int:
    """Integer-value: short or long (8.4.2.3)."""
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


def read_text_octets(reader: OctetReader) -> bytes:
    """Text-string without its quote and NUL (8.4.2.1)."""
    octets = reader.take_until_nul()
    return octets[1:] if octets[:1] == b"\x7f" else octets


def read_text(reader: OctetReader) -> str:
    """Text-string. The grammar says US-ASCII; UTF-8 is read, for phones send it."""
    return decode_octets(read_text_octets(reader))


def decode_octets(octets: bytes) -> str:
    """Header text: UTF-8, else Latin-1, so that every octet has a letter."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def text_octets(text: str) -> bytes:
    """A Text-string with its NUL, and its quote where its first octet would begin another kind of value (8.4.1.2)."""
    octets = text.encode()
    if b"\0" in octets:
        raise EncodeError("text with a NUL in it", clause="WAP-230-WSP 8.4.2.1")
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
    octets = text.encode()
    if b"\0" in octets:
        raise EncodeError("text with a NUL in it", clause="WAP-230-WSP 8.4.2.1")
    writer.put(b'"' + octets + b"\0")


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
        return read_text(reader)
    length = read_value_length(reader)
    with reader.within(length):
        charset = read_integer(reader)
        octets = reader.take_rest()
    return _in_charset(octets, charset)


def _in_charset(octets: bytes, charset: int) -> str:
    name = charsets.NAMES.get(charset)
    if name is not None and ("16" in name or "ucs-2" in name):
        octets = _wide(octets)
    else:
        octets = octets.removeprefix(b"\x7f").split(b"\0", 1)[0]
    return charsets.decode_text(octets, name).partition("\0")[0]  # what comes after a NUL could never be written


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
