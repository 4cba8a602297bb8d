"""MM1 PDUs to octets and back (OMA-TS-MMS_ENC clauses 6 and 7): one walk over one table.

The decoder takes fields in any order and remarks on it; the encoder writes them as clause 7 says. A PDU has no length:
the transport ends it.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from protocols.errors import Decoded, EncodeError
from protocols.forms import Header, UnknownHeader
from protocols.mm1 import rules
from protocols.mm1.catalogue import BY_TYPE, HAS_BODY, PDUS
from protocols.mm1.checks import LISTED, look
from protocols.mm1.enums import VERSION_1_0, ResponseStatus, RetrieveStatus, in_words
from protocols.mm1.headers import BY_ATTRIBUTE, BY_NUMBER
from protocols.mm1.pdu import Pdu
from protocols.mm1.walk import FieldView, Mm1Error, Placed, Walk, views, walk
from protocols.octets import OctetWriter
from protocols.records import record
from protocols.wsp.primitives import write_text

_CLAUSE_HEADER: Final = "WAP-230-WSP 8.4.1.2"
_MESSAGE_TYPE: Final = BY_ATTRIBUTE["message_type"].number
_CONTENT_TYPE: Final = BY_ATTRIBUTE["content_type"].number
_FIRST: Final = ("message_type", "transaction_id", "mms_version")


@record(frozen=True, slots=True)
class Read(Decoded[Pdu]):
    """A PDU, remarks about it, and where in the octets each field is; `steps` is what reading them took
    (`OctetReader.steps`)."""

    places: Sequence[tuple[Header | None, Any, int, int]] = ()
    body_offset: int = 0
    size: int = 0
    steps: int = 0

    @property
    def fields(self) -> list[Placed]:
        """Every field with its octets, in the order in which it came."""
        return [Placed._make(one) for one in self.places]

    def views(self) -> list[FieldView]:
        """Every field as people look at it; the body's octets last."""
        return views(self.fields, self.body_offset, self.size)


def decode(octets: bytes) -> Read:
    """The PDU and remarks about it. Raises Mm1Error (a DecodeError)."""
    found = walk(octets)
    values = found.values
    message_type = values.get("message_type")
    if message_type is None:
        raise Mm1Error("no X-Mms-Message-Type", offset=0, clause="OMA-TS-MMS_ENC 7.3.30", walk=found)
    cls = BY_TYPE.get(message_type)
    if cls is None:
        raise Mm1Error(f"{message_type.name} is not offered", offset=0, clause="OMA-TS-MMS_ENC 6", walk=found)
    for name in cls.mandatory:
        if not values.get(name) and values.get(name) != 0:
            _missing(found, cls, name)
    all_listed = look(found, cls)
    listed = LISTED[cls]
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in listed
    }
    del given["message_type"]
    if "mms_version" not in values:
        given["mms_version"] = VERSION_1_0
    if HAS_BODY[message_type]:
        given["body"] = octets[found.body_offset :]
    if found.odd or not all_listed:
        given["unknown"] = _unknown(found, listed)
    reader = found.reader
    return Read(cls(**given), tuple(reader.findings), found.places, found.body_offset, len(octets), reader.steps)


def _unknown(found: Walk, listed: frozenset[str]) -> tuple[UnknownHeader, ...]:
    """What the class has no place for, in the order in which it came."""
    data = found.reader.data
    return tuple(
        one.value if one.row is None else UnknownHeader(data[one.start], data[one.start + 1 : one.end])
        for one in found.fields
        if one.row is None or one.row.attribute not in listed
    )


def _missing(found: Walk, cls: type[Pdu], name: str) -> None:
    """Remark a mandatory field that is not there, where the PDU means something without it."""
    row = {row.attribute: row for row in cls.variants}.get(name) or BY_ATTRIBUTE[name]
    if name not in cls.spared or (name == "content_type" and not _failed(found)):
        raise Mm1Error(f"{row.wire_name} is missing", offset=-1, clause=cls.clause, walk=found)
    found.values.pop(name, None)
    found.reader.remark(rules.MISSING.broken(f"{row.wire_name} is missing", -1, cls.clause))


def _failed(found: Walk) -> bool:
    """Whether the PDU says why there is no content."""
    values = found.values
    status = values.get("retrieve_status") or values.get("response_status")
    return status is not None and status not in (RetrieveStatus.OK, ResponseStatus.OK)


def steps_of(octets: bytes) -> int:
    """What reading these octets takes, whether they can be read or not (`OctetReader.steps`)."""
    try:
        return decode(octets).steps
    except Mm1Error as error:
        return error.steps


def describe(octets: bytes) -> list[FieldView]:
    """Every field with its octets, as far as they can be read; the body's octets last. Never raises for bad octets."""
    try:
        found = walk(octets)
    except Mm1Error as error:
        read = views(error.fields, len(octets), len(octets))
        start = read[-1].end if read else 0
        return [*read, FieldView("unreadable", str(error), start, len(octets), error.clause)]
    return views(found.fields, found.body_offset, len(octets))


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
                raise EncodeError(f"{in_words(pdu.message_type)} without {row.wire_name}", clause=cls.clause)
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
