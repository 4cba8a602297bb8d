"""MM1 PDUs to octets and back (OMA-TS-MMS_ENC clauses 6 and 7): one walk over one table.

The decoder takes fields in any order and remarks on it; the encoder writes them as clause 7 says. A PDU has no length:
the transport ends it.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final

from protocols.enums import OpenEnum
from protocols.errors import Decoded, DecodeError, EncodeError, Finding
from protocols.forms import Header, UnknownHeader
from protocols.mm1.catalogue import BY_TYPE, PDUS
from protocols.mm1.enums import MessageType, in_words
from protocols.mm1.headers import BY_ATTRIBUTE, BY_NUMBER
from protocols.mm1.pdu import Pdu
from protocols.mm1.values import Moment
from protocols.octets import OctetReader, OctetWriter
from protocols.records import record
from protocols.wsp.primitives import decode_octets, read_text_octets, skip_shift, skip_value, write_text

_CLAUSE_HEADER: Final = "WAP-230-WSP 8.4.1.2"
_CLAUSE_ORDER: Final = "OMA-TS-MMS_ENC 7"
_MESSAGE_TYPE: Final = BY_ATTRIBUTE["message_type"].number
_TYPE_FIRST: Final = bytes((0x80 | _MESSAGE_TYPE,))
_VERSION: Final = BY_ATTRIBUTE["mms_version"]
_CONTENT_TYPE: Final = BY_ATTRIBUTE["content_type"].number
_FIRST: Final = ("message_type", "transaction_id", "mms_version")
MAXIMUM_FIELDS: Final = 5000  # a PDU may repeat To many times; beyond this it is an attack


class Mm1Error(DecodeError):
    """A PDU that cannot be read. `seen` holds the fields read before, so that a server can answer the transaction."""

    def __init__(self, why: str, *, offset: int, clause: str, seen: dict[str, Any]) -> None:
        super().__init__(why, offset=offset, clause=clause)
        self.seen = seen

    @property
    def message_type(self) -> MessageType | None:
        """The PDU's type, if it was read."""
        value = self.seen.get("message_type")
        return value if isinstance(value, MessageType) else None

    @property
    def transaction_id(self) -> str:
        """The PDU's transaction id, "" if none was read."""
        return str(self.seen.get("transaction_id") or "")

    @property
    def mms_version(self) -> int:
        """The PDU's version as 0x12, 0 if none was read."""
        value = self.seen.get("mms_version")
        return value if isinstance(value, int) else 0


@record(frozen=True, slots=True)
class FieldView:
    """A field as people look at it: wire name, value in words, and its octets [start, end)."""

    name: str
    value: str
    start: int
    end: int
    clause: str


@dataclass(slots=True)
class _Reading:
    """What the walk has found so far."""

    seen: dict[str, Any]  # a field that may repeat has a list: a tuple, made anew each time, costs time by the square
    unknown: list[UnknownHeader]
    findings: list[Finding]
    fields: list[tuple[Header, int, int]]  # row, and the octets [start, end) from its number on
    body_offset: int


_LISTED: Final[dict[int, frozenset[str]]] = {
    int(cls.message_type): frozenset(one.name for one in fields(cls)) - {"unknown", "body"} | {"message_type"}
    for cls in PDUS
}


_Written = tuple[Callable[[Pdu], tuple[Any, ...]], tuple[tuple[Header, bool], ...]]


def _written(cls: type[Pdu]) -> _Written:
    """How a PDU's values are got, all at once, and of which field each is, with whether it is mandatory."""
    names = sorted(
        (one.name for one in fields(cls) if one.name not in ("unknown", "body", "content_type")),
        key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST),
    )
    own = {row.attribute: row for row in cls.variants}
    return attrgetter(*names), tuple((own.get(name) or BY_ATTRIBUTE[name], name in cls.mandatory) for name in names)


_WRITTEN: Final[dict[type[Pdu], _Written]] = {cls: _written(cls) for cls in PDUS}
_ROWS: Final = {  # how the fields of a PDU are read, where it has some in a form of its own
    int(cls.message_type): BY_NUMBER | {row.number: row for row in cls.variants} for cls in PDUS if cls.variants
}
_HAS_BODY: Final = {int(cls.message_type): any(one.name == "body" for one in fields(cls)) for cls in PDUS}


def decode(octets: bytes) -> Decoded[Pdu]:
    """The PDU and remarks about it. Raises Mm1Error (a DecodeError)."""
    reading = _walk(octets, None)
    seen = reading.seen
    message_type = seen.pop("message_type", None)
    if message_type is None:
        raise _error(reading, "no X-Mms-Message-Type", 0, "OMA-TS-MMS_ENC 7.3.30")
    cls = BY_TYPE.get(message_type)
    if cls is None:
        seen["message_type"] = message_type
        raise _error(reading, f"{message_type.name} is not offered", 0, "OMA-TS-MMS_ENC 6")
    listed = _LISTED[message_type]
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in seen.items() if name in listed
    }
    if "mms_version" not in values:
        values["mms_version"] = 0x10  # a PDU without a version is read as 1.0
        reading.findings.append(Finding("MM1-H002", "OMA-TS-MMS_ENC 7.3.34", -1, "no X-Mms-MMS-Version: read as 1.0"))
    for name in cls.mandatory:
        if not values.get(name) and values.get(name) != 0:
            seen["message_type"] = message_type
            raise _error(reading, f"{_wire_name(cls, name)} is missing", -1, cls.clause)
    if _HAS_BODY[message_type]:
        values["body"] = octets[reading.body_offset :]
    _check_order(reading)
    unlisted = [
        UnknownHeader(octets[start], octets[start + 1 : end])
        for row, start, end in reading.fields
        if row.attribute not in listed
    ]
    return Decoded(cls(**values, unknown=(*unlisted, *reading.unknown)), tuple(reading.findings))


def describe(octets: bytes) -> list[FieldView]:
    """Every field with its octets, as far as they can be read; the body's octets last. Never raises for bad octets."""
    views: list[FieldView] = []
    try:
        reading = _walk(octets, views)
    except DecodeError as error:
        start = views[-1].end if views else 0
        views.append(FieldView("unreadable", str(error), start, len(octets), error.clause))
        return views
    if reading.body_offset < len(octets):
        size = len(octets) - reading.body_offset
        views.append(FieldView("body", f"{size} octets", reading.body_offset, len(octets), "WAP-230-WSP 8.5"))
    return views


def _error(reading: _Reading, why: str, offset: int, clause: str) -> Mm1Error:
    return Mm1Error(why, offset=offset, clause=clause, seen=reading.seen)


def _wire_name(cls: type[Pdu], attribute: str) -> str:
    own = {row.attribute: row for row in cls.variants}
    return (own.get(attribute) or BY_ATTRIBUTE[attribute]).wire_name


def _walk(octets: bytes, views: list[FieldView] | None) -> _Reading:
    """Once with the rows of the type that stands first, where clause 7 wants it; again when it turns out to be another
    one whose fields have forms of their own."""
    first = octets[1] if octets[:1] == _TYPE_FIRST and len(octets) > 1 else 0
    try:
        reading = _walk_rows(octets, views, _ROWS.get(first, BY_NUMBER))
    except Mm1Error as error:
        found = error.seen.get("message_type", first)
        if _ROWS.get(found) is _ROWS.get(first):
            raise
    else:
        found = reading.seen.get("message_type", first)
        if _ROWS.get(found) is _ROWS.get(first):
            return reading
    if views is not None:
        views.clear()
    return _walk_rows(octets, views, _ROWS.get(found, BY_NUMBER))


def _walk_rows(octets: bytes, views: list[FieldView] | None, rows: dict[int, Header]) -> _Reading:
    reader = OctetReader(octets)
    reading = _Reading({}, [], [], [], len(octets))
    for _ in range(MAXIMUM_FIELDS):
        start = reader.offset
        if start >= len(octets):
            return reading
        number = reader.octet()
        if number < 0x80 and skip_shift(reader, number):
            reading.findings.append(Finding("MM1-H004", _CLAUSE_HEADER, start, "a shift of the code page: passed over"))
            continue
        if number < 0x80:
            reader.offset = start
            _read_text_field(reader, reading, views)
            continue
        row = rows.get(number & 0x7F)
        try:
            value = row.form.read(reader) if row else skip_value(reader)
        except DecodeError as error:
            clause = row.clause if row else _CLAUSE_HEADER
            name = row.wire_name if row else f"field 0x{number:02x}"
            raise _error(reading, f"{name}: {error.why}", max(error.offset, start), error.clause or clause) from error
        _keep(row, value, start, reader, reading)
        if views is not None:
            name, clause = (row.wire_name, row.clause) if row else (f"0x{number:02X}", _CLAUSE_HEADER)
            words = _version(value) if row is _VERSION and isinstance(value, int) else _in_words(value)
            views.append(FieldView(name, words, start, reader.offset, clause))
        if number & 0x7F == _CONTENT_TYPE and _body_follows(reading):
            reading.body_offset = reader.offset
            return reading
    raise _error(reading, f"more than {MAXIMUM_FIELDS} fields", reader.offset, _CLAUSE_ORDER)


def _body_follows(reading: _Reading) -> bool:
    message_type = reading.seen.get("message_type")
    return message_type is None or _HAS_BODY.get(message_type, True)


def _keep(row: Header | None, value: Any, start: int, reader: OctetReader, reading: _Reading) -> None:
    seen = reading.seen
    if row is None:
        reading.unknown.append(UnknownHeader(reader.data[start], value))
        return
    name = row.attribute
    reading.fields.append((row, start, reader.offset))
    if row.repeats:
        seen.setdefault(name, []).append(value)
        return
    if name in seen:
        remark = f"{row.wire_name} comes twice; the last one counts"
        reading.findings.append(Finding("MM1-H003", row.clause, start, remark))
    seen[name] = value


def _read_text_field(reader: OctetReader, reading: _Reading, views: list[FieldView] | None) -> None:
    """A field with a text name (WAP-230-WSP 8.4.1.2): kept, shown and written back."""
    start = reader.offset
    try:
        name = read_text_octets(reader)
        value = reader.take_until_nul()
    except DecodeError as error:
        raise _error(reading, f"a field with a text name: {error.why}", start, _CLAUSE_HEADER) from error
    if not name or name[0] < 0x20:
        raise _error(reading, f"0x{reader.data[start]:02x} begins no field", start, _CLAUSE_HEADER)
    reading.unknown.append(UnknownHeader(decode_octets(name), value))
    if views is not None:
        views.append(FieldView(decode_octets(name), decode_octets(value), start, reader.offset, _CLAUSE_HEADER))


def _check_order(reading: _Reading) -> None:
    order = [row.attribute for row, _, _ in reading.fields]
    expected = [name for name in _FIRST if name in order]
    if order[: len(expected)] != expected:
        remark = "X-Mms-Message-Type, X-Mms-Transaction-ID and X-Mms-MMS-Version come first, in this order"
        reading.findings.append(Finding("MM1-H001", _CLAUSE_ORDER, 0, remark))


def _version(value: int) -> str:
    return f"{value >> 4}.{value & 0x0F}"


def _in_words(value: Any) -> str:
    if isinstance(value, Moment):
        return f"in {value.seconds} s" if value.relative else f"at {value.seconds} s since 1970"
    if isinstance(value, bytes):
        return value.hex(" ")
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return in_words(value) if isinstance(value, OpenEnum) else str(value)


def encode(pdu: Pdu) -> bytes:
    """The octets of a PDU. Raises EncodeError."""
    return encode_head(pdu) + getattr(pdu, "body", b"")


def encode_head(pdu: Pdu) -> bytes:
    """The octets up to and with Content-Type: what goes before a body that is stored already."""
    cls = type(pdu)
    writer = OctetWriter((0x80 | _MESSAGE_TYPE, pdu.message_type))
    values, rows = _WRITTEN[cls]
    for value, (row, mandatory) in zip(values(pdu), rows, strict=True):
        if not value and (value is None or (value == () and row.repeats) or (value == "" and mandatory)):
            if mandatory:
                raise EncodeError(f"{cls.__name__} without {row.wire_name}", clause=cls.clause)
            continue
        for one in value if row.repeats else (value,):
            writer.octet(0x80 | row.number)
            row.form.write(writer, one)
    _write_unknown(writer, pdu)
    content_type = getattr(pdu, "content_type", None)
    if content_type is not None:
        writer.octet(0x80 | _CONTENT_TYPE)
        BY_NUMBER[_CONTENT_TYPE].form.write(writer, content_type)
    elif "content_type" in cls.mandatory:
        raise EncodeError(f"{cls.__name__} without Content-Type", clause=cls.clause)
    return writer.getvalue()


def _write_unknown(writer: OctetWriter, pdu: Pdu) -> None:
    for header in pdu.unknown:
        if isinstance(header.name, int):
            writer.octet(header.name)
            writer.put(header.octets)
            continue
        if not header.name or header.name[0] < " " or header.name[0] == "\x7f" or b"\0" in header.octets:
            # It would be read as a shift of the code page, a field's number, or two fields.
            raise EncodeError(f"{header.name!r} cannot be the name of a field", clause=_CLAUSE_HEADER)
        write_text(writer, header.name)
        writer.put(header.octets + b"\0")
