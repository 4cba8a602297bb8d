"""The value forms of MM1 header fields (OMA-TS-MMS_ENC clause 7.3): how each is read and written."""

from collections.abc import Callable
from typing import Final, TypeVar, cast

from protocols.content_type import ContentType
from protocols.enums import OpenEnum
from protocols.errors import DecodeError, EncodeError
from protocols.forms import Form
from protocols.mm1 import rules
from protocols.mm1.enums import INSERT_ADDRESS, InsertAddress, MessageClass, ResponseStatus, in_words
from protocols.octets import OctetReader, OctetWriter
from protocols.records import record
from protocols.wsp.content_type import (
    PARAMETERS,
    read_content_type,
    read_media,
    read_parameters,
    write_content_type,
    write_type,
    write_untyped,
)
from protocols.wsp.primitives import (
    leave,
    read_encoded_string,
    read_integer,
    read_long_integer,
    read_short_integer,
    read_text,
    read_value_length,
    value_length,
    write_encoded_string,
    write_integer,
    write_long_integer,
    write_short_integer,
    write_text,
)

E = TypeVar("E", bound=OpenEnum)
V = TypeVar("V")
YES: Final = 0x80
NO: Final = 0x81
_ABSOLUTE: Final = 0x80
_RELATIVE: Final = 0x81
_ADDRESS_PRESENT: Final = 0x80
_FIRST_TEXT: Final = 0x20  # below it an octet is a length (WAP-230-WSP 8.4.1.2)


@record(frozen=True, slots=True)
class Moment:
    """Expiry, Delivery-Time, Reply-Charging-Deadline: seconds since 1970, or seconds from now."""

    seconds: int
    relative: bool = True


@record(frozen=True, slots=True)
class Counted:
    """X-Mms-Previously-Sent-By: the number of the sending (1 is the first) and the address."""

    count: int
    value: str


@record(frozen=True, slots=True)
class CountedDate:
    """X-Mms-Previously-Sent-Date."""

    count: int
    seconds: int


@record(frozen=True, slots=True)
class Flagged:
    """X-Mms-MM-Flags, X-Mms-Mbox-Totals and -Quotas: a token and its value."""

    token: int
    value: str | int


@record(frozen=True, slots=True)
class Element:
    """X-Mms-Element-Descriptor: a content reference and its parameters."""

    reference: str
    parameters: tuple[tuple[str, str], ...] = ()


@record(frozen=True, slots=True)
class Indexed:
    """A field of m-mbox-delete-conf and m-delete-conf: which of the request's messages it is about, and its value."""

    count: int
    value: str | ResponseStatus


def octet_of(enumeration: type[E]) -> Form[E]:
    """One octet of an open enumeration. Its word as text, and the octet in a length, are read too."""

    known = {int(one): one for one in enumeration}  # a call of an enumeration costs much
    words = {in_words(one).lower(): one for one in enumeration}

    def read(reader: OctetReader) -> E:
        octet = reader.octet()
        found = known.get(octet)
        if found is not None:
            return found
        start = reader.offset - 1
        if octet >= 0x80:
            reader.remark(rules.UNKNOWN.broken(f"0x{octet:02x} is no value of it: kept as it is", start))
            return enumeration(octet)
        reader.offset = start
        found = _octet_or_word(reader, known, words)
        if found is None:
            raise DecodeError(f"0x{octet:02x} is no {enumeration.__name__}", offset=start)
        reader.remark(
            rules.WORD.broken(f"0x{int(found):02x} ({in_words(found)}) in another form than its octet", start)
        )
        return found

    def write(writer: OctetWriter, value: E) -> None:
        if not 0x80 <= value <= 0xFF:
            raise EncodeError(f"{value!r} does not fit one octet from 0x80")
        writer.octet(value)

    return Form(enumeration.__name__, read, write)


def _octet_or_word(reader: OctetReader, known: dict[int, V], words: dict[str, V]) -> V | None:
    """The value that a length of one and its octet, or a word, stand for."""
    if reader.peek() == 1:
        return known.get(reader.take(2)[1])
    return words.get(read_text(reader).lower()) if reader.peek() >= _FIRST_TEXT else None


_WORDS: Final = {"yes": True, "no": False, "true": True, "false": False}


def _read_yes_no(reader: OctetReader) -> bool:
    octet = reader.octet()
    if octet == YES:
        return True
    if octet == NO:
        return False
    reader.offset = start = reader.offset - 1
    found = _octet_or_word(reader, {YES: True, NO: False}, _WORDS) if octet < 0x80 else None
    if found is None:
        raise DecodeError(f"0x{octet:02x} is neither Yes nor No", offset=start)
    reader.remark(rules.YES_NO.broken(f"{'Yes' if found else 'No'} in another form than its octet", start))
    return found


def _write_yes_no(writer: OctetWriter, value: bool) -> None:
    writer.octet(YES if value else NO)


def _read_version(reader: OctetReader) -> int:
    """Version as 0x12 for 1.2 (WAP-230-WSP 8.4.2.3); text ("1.2") is read too."""
    if reader.peek() >= 0x80:
        return read_short_integer(reader)
    start = reader.offset
    text = read_text(reader)
    major, _, minor = text.partition(".")
    if not (text.isascii() and major.isdecimal() and (minor.isdecimal() or not minor)) or len(text) > 4:
        raise DecodeError(f"{text[:40]!r} is no version", offset=start)
    reader.remark(rules.VERSION.broken(f"the version as text, {text!r}", start))
    return (int(major) & 7) << 4 | int(minor or "0") & 0x0F


def _read_long(reader: OctetReader) -> int:
    """A Long-integer; a short one is read too."""
    if reader.peek() < 0x80:
        return read_long_integer(reader)
    value = read_short_integer(reader)
    reader.remark(rules.LONG.broken(f"{value} as a Short-integer", reader.offset - 1))
    return value


def _read_moment(reader: OctetReader) -> Moment:
    outer = reader.enter(read_value_length(reader))
    token = reader.octet()
    if token not in (_ABSOLUTE, _RELATIVE):
        raise DecodeError(f"0x{token:02x} is neither absolute nor relative", offset=reader.offset - 1)
    found = Moment(_read_long(reader), token == _RELATIVE)
    leave(reader, outer)
    return found


def _write_moment(writer: OctetWriter, value: Moment) -> None:
    """Always a Long-integer: one widespread reader drops the PDU on a short one."""
    inner = OctetWriter((_RELATIVE if value.relative else _ABSOLUTE,))
    write_long_integer(inner, value.seconds)
    _put_with_length(writer, inner)


def _read_from(reader: OctetReader) -> str | InsertAddress:
    start = reader.offset
    first = reader.peek()
    if first >= _FIRST_TEXT:
        reader.remark(rules.FROM_LENGTH.broken("no length before it", start))
        if first != INSERT_ADDRESS.value:
            return read_encoded_string(reader)
        reader.octet()
        return INSERT_ADDRESS
    outer = reader.enter(read_value_length(reader))
    token = reader.octet()
    found: str | InsertAddress = INSERT_ADDRESS
    if token == _ADDRESS_PRESENT:
        found = read_encoded_string(reader)
    elif token != INSERT_ADDRESS.value:
        raise DecodeError(f"0x{token:02x} is no From token", offset=reader.offset - 1)
    leave(reader, outer)
    return found


def _write_from(writer: OctetWriter, value: str | InsertAddress) -> None:
    if isinstance(value, InsertAddress):
        inner = OctetWriter((value.value,))
    else:
        inner = OctetWriter((_ADDRESS_PRESENT,))
        write_encoded_string(inner, value)
    _put_with_length(writer, inner)


def _put_with_length(writer: OctetWriter, inner: OctetWriter) -> None:
    writer.put(value_length(len(inner)))
    writer.put(inner)


_CLASS_OCTET: Final = octet_of(MessageClass)


def _read_class(reader: OctetReader) -> MessageClass | str:
    return _CLASS_OCTET.read(reader) if reader.peek() >= 0x80 else read_text(reader)


def _read_message_id(reader: OctetReader) -> str:
    start = reader.offset
    text = read_text(reader)
    if text[:1] == "<":
        reader.remark(rules.BRACKETS.broken(f"{text[:60]!r} in angle brackets", start))
    return text


def bare_id(text: str) -> str:
    """A Message-ID as it is compared: without the angle brackets that it should not have (7.3.29)."""
    return text[1:-1] if text[:1] == "<" and text[-1:] == ">" else text


def _write_class(writer: OctetWriter, value: MessageClass | str) -> None:
    if isinstance(value, str):
        write_text(writer, value)
    else:
        _CLASS_OCTET.write(writer, value)


def _read_content_type(reader: OctetReader) -> ContentType:
    """A PDU's own: nobody could tell what its body is without a name, nor write it back."""
    start = reader.offset
    found = read_content_type(reader)
    if not found.media_type:
        raise DecodeError("a content type without a name", offset=start)
    return found


def _in_length(read: Callable[[OctetReader], V]) -> Callable[[OctetReader], V]:
    def read_inside(reader: OctetReader) -> V:
        outer = reader.enter(read_value_length(reader))
        found = read(reader)
        leave(reader, outer)
        return found

    return read_inside


def _with_length(writer: OctetWriter, write: Callable[[OctetWriter], None]) -> None:
    inner = OctetWriter()
    write(inner)
    _put_with_length(writer, inner)


def _write_counted(writer: OctetWriter, value: Counted) -> None:
    def write(inner: OctetWriter) -> None:
        write_integer(inner, value.count)
        write_encoded_string(inner, value.value)

    _with_length(writer, write)


def _write_counted_date(writer: OctetWriter, value: CountedDate) -> None:
    def write(inner: OctetWriter) -> None:
        write_integer(inner, value.count)
        write_long_integer(inner, value.seconds)

    _with_length(writer, write)


def _write_flagged(writer: OctetWriter, value: Flagged) -> None:
    def write(inner: OctetWriter) -> None:
        if not 0 <= value.token <= 0xFF:
            raise EncodeError(f"the token {value.token:#x} does not fit one octet")
        inner.octet(value.token)
        if isinstance(value.value, int):
            write_integer(inner, value.value)
        else:
            write_encoded_string(inner, value.value)

    _with_length(writer, write)


_ELEMENT_TYPE: Final = 0x02  # the one number that parameters of an element have of their own; WSP's is 0x09
_ELEMENT_PARAMETERS: Final = {**PARAMETERS, _ELEMENT_TYPE: ("type", read_media)}


def _write_element(writer: OctetWriter, value: Element) -> None:
    def write(inner: OctetWriter) -> None:
        write_text(inner, value.reference)
        for name, text in value.parameters:
            if name != "type" or not write_type(inner, _ELEMENT_TYPE, text):
                write_untyped(inner, name, text)

    _with_length(writer, write)


TEXT_STRING: Final = Form("Text-string", read_text, write_text)
MESSAGE_ID: Final = Form("Text-string", _read_message_id, write_text)
ENCODED_STRING: Final = Form("Encoded-string-value", read_encoded_string, write_encoded_string)
LONG_INTEGER: Final = Form("Long-integer", _read_long, write_long_integer)
INTEGER: Final = Form("Integer-value", read_integer, write_integer)
SHORT_VERSION: Final = Form("Version-value", _read_version, write_short_integer)
YES_NO: Final = Form("Yes | No", _read_yes_no, _write_yes_no)
MOMENT: Final = Form("absolute | relative time", _read_moment, _write_moment)
FROM: Final = Form("address-present | insert-address", _read_from, _write_from)
MESSAGE_CLASS: Final = Form("Class-identifier | Token-text", _read_class, _write_class)
CONTENT_TYPE: Final = Form("Content-type-value", _read_content_type, write_content_type)
COUNTED: Final = Form(
    "count, Encoded-string-value",
    _in_length(lambda reader: Counted(read_integer(reader), read_encoded_string(reader))),
    _write_counted,
)
COUNTED_DATE: Final = Form(
    "count, Date-value",
    _in_length(lambda reader: CountedDate(read_integer(reader), _read_long(reader))),
    _write_counted_date,
)
FLAGGED_TEXT: Final = Form(
    "token, Encoded-string-value",
    _in_length(lambda reader: Flagged(reader.octet(), read_encoded_string(reader))),
    _write_flagged,
)
FLAGGED_NUMBER: Final = Form(
    "token, Integer-value",
    _in_length(lambda reader: Flagged(reader.octet(), read_integer(reader))),
    _write_flagged,
)
ELEMENT: Final = Form(
    "content reference, parameters",
    _in_length(lambda reader: Element(read_text(reader), read_parameters(reader, _ELEMENT_PARAMETERS))),
    _write_element,
)
ATTRIBUTE: Final = Form(
    "field number", lambda reader: reader.octet() & 0x7F, lambda writer, value: writer.octet(0x80 | value)
)


def _indexed(form: Form[V]) -> Form[Indexed]:
    """A status-count and a value, in a length. Without the length it is the first one's, as other PDUs have it."""

    def read(reader: OctetReader) -> Indexed:
        if reader.peek() >= _FIRST_TEXT:
            reader.remark(rules.NO_COUNT.broken("neither length nor count: read as the first one's", reader.offset))
            return Indexed(0, cast("str | ResponseStatus", form.read(reader)))
        outer = reader.enter(read_value_length(reader))
        found = Indexed(read_integer(reader), cast("str | ResponseStatus", form.read(reader)))
        leave(reader, outer)
        return found

    def write(writer: OctetWriter, value: Indexed) -> None:
        inner = OctetWriter()
        write_integer(inner, value.count)
        form.write(inner, cast("V", value.value))
        _put_with_length(writer, inner)

    return Form(f"status-count, {form.name}", read, write)


INDEXED_TEXT: Final = _indexed(TEXT_STRING)
INDEXED_STRING: Final = _indexed(ENCODED_STRING)
INDEXED_STATUS: Final = _indexed(octet_of(ResponseStatus))
