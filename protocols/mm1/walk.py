"""One walk over the octets of a PDU (OMA-TS-MMS_ENC 7; WAP-230-WSP 8.4.1.2): every field with its place, in the order
in which it came, and what there is to remark. Who decodes and who shows a PDU look at the same walk.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from protocols.enums import OpenEnum
from protocols.errors import DecodeError, Finding
from protocols.forms import Header, UnknownHeader
from protocols.mm1 import rules
from protocols.mm1.catalogue import HAS_BODY, PDUS
from protocols.mm1.enums import MessageType, in_words
from protocols.mm1.headers import BY_ATTRIBUTE, BY_NUMBER, HEADERS
from protocols.mm1.values import Moment
from protocols.octets import OctetReader
from protocols.records import record
from protocols.wsp.primitives import decode_octets, read_text, skip_shift, skip_value

_CLAUSE_HEADER: Final = "WAP-230-WSP 8.4.1.2"
_MESSAGE_TYPE: Final = BY_ATTRIBUTE["message_type"]
_VERSION: Final = BY_ATTRIBUTE["mms_version"]
_CONTENT_TYPE: Final = BY_ATTRIBUTE["content_type"]
_TYPE_FIRST: Final = bytes((0x80 | _MESSAGE_TYPE.number,))
_ENDS: Final = b"\0\r\n"  # what carries PDUs may put behind them
_NAMES: Final = frozenset(row.wire_name.lower() for row in HEADERS)
MAXIMUM_FIELDS: Final = 5000  # a PDU may repeat To many times; beyond this it is an attack

_Rows = dict[int, Header]


def _by_octet(rows: dict[int, Header]) -> _Rows:
    return {0x80 | number: row for number, row in rows.items()}


_COMMON: Final = _by_octet(BY_NUMBER)
_OWN: Final[dict[int, _Rows]] = {  # how the fields of a PDU are read, where it has some in a form of its own
    int(cls.message_type): _COMMON | _by_octet({row.number: row for row in cls.variants})
    for cls in PDUS
    if cls.variants
}


_Place = tuple[Header | None, Any, int, int]  # a Placed in the making: most are never looked at


class Placed(NamedTuple):
    """A field and its octets [start, end), from its number or name on. Without a row it is an unknown one, and `value`
    an `UnknownHeader`."""

    row: Header | None
    value: Any
    start: int
    end: int


@record(frozen=True, slots=True)
class FieldView:
    """A field as people look at it: wire name, value in words, and its octets [start, end)."""

    name: str
    value: str
    start: int
    end: int
    clause: str


class Mm1Error(DecodeError):
    """A PDU that cannot be read. `seen` holds the fields read before, so that a server can answer the transaction;
    `fields` the same with their places, `findings` what there was to remark up to there; `steps` as in `Read`."""

    def __init__(self, why: str, *, offset: int, clause: str, walk: "Walk") -> None:
        super().__init__(why, offset=offset, clause=clause)
        self.seen = walk.values
        self.fields = walk.fields
        self.findings = tuple(walk.reader.findings)
        self.steps = walk.reader.steps

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


class Walk:
    """What a walk finds: `places` in order (`fields` as they are looked at), `values` by attribute (a list where the
    field may repeat), and where the body begins. Raises Mm1Error from `go`."""

    __slots__ = ("_ending", "body_offset", "odd", "places", "reader", "shifts", "twice", "values")

    def __init__(self, reader: OctetReader) -> None:
        self.reader = reader
        self.places: list[_Place] = []
        self.values: dict[str, Any] = {}
        self.odd = False  # whether some field has no row
        self.twice: list[_Place] = []
        self.body_offset = len(reader.data)
        self.shifts = 0  # of the code page
        self._ending = -1  # where the empty octets at the end begin: looked for once, when one is met

    @property
    def fields(self) -> list[Placed]:
        """Every field, in the order in which it came."""
        return [Placed._make(one) for one in self.places]

    def go(self, rows: _Rows) -> None:
        """Every field up to the body, or to the end."""
        reader, places, values = self.reader, self.places, self.values
        data, start, end = reader.data, 0, reader.end
        row: Header | None = None
        try:
            while start < end:
                if len(places) == MAXIMUM_FIELDS:
                    raise DecodeError(f"more than {MAXIMUM_FIELDS} fields", offset=start, clause="OMA-TS-MMS_ENC 7")
                row = rows.get(data[start])
                reader.offset = start + 1
                if row is None:
                    if not self._unknown(start):
                        return
                    start = reader.offset
                    continue
                value = row.form.read(reader)
                place = (row, value, start, reader.offset)
                places.append(place)
                name = row.attribute
                if row.repeats:
                    if name in values:
                        values[name].append(value)
                    else:
                        values[name] = [value]
                else:
                    if name in values:
                        self.twice.append(place)
                    values[name] = value
                    if row is _CONTENT_TYPE and self._body_follows():
                        self.body_offset = reader.offset
                        return
                start = place[3]
        except DecodeError as error:
            name = f"{row.wire_name}: " if row else ""
            clause = error.clause or (row.clause if row else _CLAUSE_HEADER)
            raise Mm1Error(name + error.why, offset=max(error.offset, start), clause=clause, walk=self) from error
        finally:
            reader.steps += len(places)

    def _body_follows(self) -> bool:
        message_type = self.values.get("message_type")
        return message_type is None or HAS_BODY.get(message_type, True)

    def _unknown(self, start: int) -> bool:
        """A field that no table has, a shift, or what is behind the PDU; False at its end."""
        reader = self.reader
        reader.steps += 1
        first = reader.data[start]
        if first >= 0x80:
            try:
                self._keep(first, skip_value(reader), start)
            except DecodeError as error:
                raise _named(error, f"field 0x{first:02x}") from error
            return True
        if first in _ENDS and start >= self._end():
            reader.offset = reader.end
            remark = f"{reader.end - start} empty octets behind the PDU: passed over"
            reader.remark(rules.TRAILING.broken(remark, start))
            return False
        if skip_shift(reader, first):
            self.shifts += 1
            if self.shifts > MAXIMUM_FIELDS:
                raise DecodeError(f"more than {MAXIMUM_FIELDS} shifts of the code page", offset=start)
            reader.remark(rules.SHIFT.broken("a shift of the code page: passed over", start))
            return True
        reader.offset = start
        if first == 0:
            raise DecodeError("0x00 begins no field", offset=start)
        try:
            name, value = read_text(reader), reader.take_until_nul()
        except DecodeError as error:
            raise _named(error, "a field with a text name") from error
        if not name or name[0] < " ":
            raise DecodeError(f"0x{first:02x} begins no field", offset=start)
        self._keep(name, value, start)
        return True

    def _end(self) -> int:
        """Where the PDU ends for all that can be told: what is behind are empty octets and ends of lines."""
        if self._ending < 0:
            self._ending = len(self.reader.data.rstrip(_ENDS))
        return self._ending

    def _keep(self, name: int | str, value: bytes, start: int) -> None:
        self.odd = True
        self.places.append((None, UnknownHeader(name, value), start, self.reader.offset))


def _named(error: DecodeError, name: str) -> DecodeError:
    return DecodeError(f"{name}: {error.why}", offset=error.offset, clause=error.clause)


def walk(octets: bytes) -> Walk:
    """With the rows of the type that stands first, where clause 7 wants it; again when it turns out to be another one
    whose fields have forms of their own. Raises Mm1Error."""
    reader = OctetReader(octets)
    first = octets[1] if octets[:1] == _TYPE_FIRST and len(octets) > 1 else 0
    rows = _OWN.get(first, _COMMON)
    found = Walk(reader)
    try:
        found.go(rows)
    except Mm1Error:
        if _rows_of(found, rows) is rows:
            raise
    again = _rows_of(found, rows)
    if again is not rows:
        steps = reader.steps
        reader = OctetReader(octets)
        reader.steps = steps
        found = Walk(reader)
        found.go(again)
    if reader.findings:
        _name_fields(found)
    if found.odd:
        _remark_unknown(found)
    for one in map(Placed._make, found.twice):
        name, clause = (one.row.wire_name, one.row.clause) if one.row else ("", "")
        reader.remark(rules.TWICE.broken(f"{name} comes twice; the last one counts", one.start, clause))
    return found


def _rows_of(found: Walk, rows: _Rows) -> _Rows:
    """The rows that the type asks for; those that were used where none was found."""
    message_type = found.values.get("message_type")
    return rows if message_type is None else _OWN.get(message_type, _COMMON)


def _name_fields(found: Walk) -> None:
    """Say in each remark about a value which field it is of: who reads a value does not know."""
    findings = found.reader.findings
    places = iter(found.fields)
    place = next(places, None)
    for at, finding in enumerate(findings):
        while place is not None and place.end <= finding.offset:
            place = next(places, None)
        if place is not None and place.row is not None and place.start < finding.offset:
            clause = place.row.clause if finding.rule.startswith("MM1-") else finding.clause
            findings[at] = Finding(finding.rule, clause, finding.offset, f"{place.row.wire_name}: {finding.remark}")


def _remark_unknown(found: Walk) -> None:
    for one in found.fields:
        if one.row is not None:
            continue
        name = one.value.name
        if isinstance(name, int):
            remark = f"no field has the number 0x{name:02x}: kept as it came"
            found.reader.remark(rules.UNASSIGNED.broken(remark, one.start))
        elif name.lower() in _NAMES:
            remark = f"{name[:60]} has a number: under its name it is kept as it came"
            found.reader.remark(rules.BY_NAME.broken(remark, one.start))


def views(fields: Sequence[Placed], body_offset: int, size: int) -> list[FieldView]:
    """The fields in words, and the body's octets last."""
    found = [_view(one) for one in fields]
    if body_offset < size:
        found.append(FieldView("body", f"{size - body_offset} octets", body_offset, size, "WAP-230-WSP 8.5"))
    return found


def _view(one: Placed) -> FieldView:
    if one.row is not None:
        words = _version(one.value) if one.row is _VERSION else _in_words(one.value)
        return FieldView(one.row.wire_name, words, one.start, one.end, one.row.clause)
    name, octets = one.value.name, one.value.octets
    if isinstance(name, int):
        return FieldView(f"0x{name:02X}", octets.hex(" "), one.start, one.end, _CLAUSE_HEADER)
    return FieldView(name, decode_octets(octets), one.start, one.end, _CLAUSE_HEADER)


def _version(value: int) -> str:
    return f"{value >> 4}.{value & 0x0F}"


def _in_words(value: Any) -> str:
    if isinstance(value, Moment):
        return f"in {value.seconds} s" if value.relative else f"at {value.seconds} s since 1970"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return in_words(value) if isinstance(value, OpenEnum) else str(value)
