"""Two families of handset software as readers: what each would make of a PDU that an MMSC writes.

A judge of its own: it walks the octets by the rule that any WSP header obeys (WAP-230-WSP 8.4.1.2) and shares nothing
with the codec, so that an error of the codec's two halves shows here. It judges what is known of the families and knows
no more of MM1 than that. `aosp` is the reader of the open Android telephony stack, `mmsd` that of the desktop daemon.
"""

from enum import StrEnum
from typing import Final

from protocols.records import record

_MAXIMUM_FIELDS: Final = 5000
_LAST_ASSIGNED: Final = 0x3F
_FIRST_TEXT: Final = 0x20
_SHIFTED: Final = 0x1F  # a length that follows as a uintvar
_CONTENT_TYPE: Final = 0x04
_TYPE: Final = 0x0C
_TRANSACTION_ID: Final = 0x18
_VERSION: Final = 0x0D
_EXPIRY: Final = 0x08
_FROM: Final = 0x09
_SIZE: Final = 0x0E
_DATE: Final = 0x05
_RESPONSE_STATUS: Final = 0x12
_INSERT_ADDRESS: Final = 0x81
_LONGEST_SHORT: Final = 30  # a Long-integer's own length (WAP-230-WSP 8.4.2.1)
_NAMES: Final = {
    0x03: "Content-Location",
    _CONTENT_TYPE: "Content-Type",
    _DATE: "Date",
    _EXPIRY: "Expiry",
    _FROM: "From",
    0x0A: "Message-Class",
    0x0B: "Message-ID",
    _VERSION: "MMS-Version",
    _SIZE: "Message-Size",
    _RESPONSE_STATUS: "Response-Status",
    0x15: "Status",
    0x17: "To",
    _TRANSACTION_ID: "Transaction-ID",
    0x1B: "Read-Status",
}
# What both families want of a PDU that an MMSC sends, by its type.
_WANTED: Final = {
    0x81: (_TRANSACTION_ID, _RESPONSE_STATUS),
    0x82: (_TRANSACTION_ID, 0x0A, _SIZE, _EXPIRY, 0x03),
    0x84: (_DATE, _CONTENT_TYPE),
    0x86: (0x0B, 0x17, _DATE, 0x15),
    0x88: (0x0B, 0x17, _FROM, _DATE, 0x1B),
}
_MULTIPARTS: Final = {
    0x23: "application/vnd.wap.multipart.mixed",
    0x26: "application/vnd.wap.multipart.alternative",
    0x33: "application/vnd.wap.multipart.related",
}
_MMSD_REFUSES: Final = frozenset((*range(0x81, 0x88), 0xC1, 0xC2, 0xC4, 0xE4, *range(0xE6, 0xEB)))


class Reading(StrEnum):
    """Whose reading rules a handset follows."""

    LENIENT = "lenient"
    AOSP = "aosp"
    MMSD = "mmsd"


@record(frozen=True, slots=True)
class Objection:
    """What a family makes of a PDU; `drops`: it takes the whole PDU for corrupt and says nothing to anybody."""

    what: str
    drops: bool = True


@record(frozen=True, slots=True)
class _Pdu:
    """Fields in order, as (number, raw value); -1 is the number of those with a text name. `fault`: where it ends."""

    fields: tuple[tuple[int, bytes], ...]
    body: bytes
    fault: str = ""

    def first(self, number: int) -> bytes:
        """The value of the first field of a number, b"" without one."""
        return next((value for one, value in self.fields if one == number), b"")

    @property
    def message_type(self) -> int:
        """0 without one."""
        return (self.first(_TYPE) or b"\0")[0]


def objections(octets: bytes, reading: Reading) -> tuple[Objection, ...]:
    """What this family objects to in a PDU from an MMSC; nothing for a lenient reader. Never raises."""
    if reading is Reading.LENIENT:
        return ()
    pdu = _taken_apart(octets)
    found = [Objection(pdu.fault)] if pdu.fault else []
    found += [] if pdu.message_type else [Objection("no Message-Type")]
    found += _aosp(pdu) if reading is Reading.AOSP else _mmsd(pdu)
    return tuple(found)


def _aosp(pdu: _Pdu) -> list[Objection]:
    found = []
    if pdu.message_type > 0x88:
        found.append(Objection(f"knows no PDU of type 0x{pdu.message_type:02x}"))
    if not pdu.first(_VERSION):
        found.append(Objection("no MMS-Version"))
    found += [
        Objection(f"field 0x{0x80 | number:02x} is not assigned, and its value is not passed over", drops=False)
        for number, value in pdu.fields
        if number > _LAST_ASSIGNED and (_FIRST_TEXT <= value[0] < 0x80 or _is_long(value))
    ]
    found += [
        Objection(f"field 0x{0x80 | number:02x} is not assigned, and its value is taken for the next field")
        for number, value in pdu.fields
        if number > _LAST_ASSIGNED and not (_FIRST_TEXT <= value[0] < 0x80 or _is_long(value))
    ]
    found += _missing(pdu, pdu.fields) + _long_integers(pdu, (_SIZE, _DATE))
    if pdu.first(_EXPIRY) and not _is_long(pdu.first(_EXPIRY)[2:]):
        found.append(Objection("Expiry is no Long-integer"))
    if pdu.message_type == 0x82 and pdu.first(_FROM)[1:2] == bytes((_INSERT_ADDRESS,)):
        found.append(Objection("From is the insert-address token, which is shown as the sender", drops=False))
    return found + _body(pdu, generic=False)


def _mmsd(pdu: _Pdu) -> list[Objection]:
    found = []
    numbers = [number for number, _ in pdu.fields]
    order = [one for one in (_TYPE, _TRANSACTION_ID, _VERSION) if one in numbers]
    if numbers[: len(order)] != order:
        found.append(Objection("Message-Type, Transaction-ID and MMS-Version do not come first, in this order"))
    unknown = next((at for at, number in enumerate(numbers) if number > _LAST_ASSIGNED), len(numbers))
    if unknown < len(numbers):
        found.append(Objection(f"reads nothing behind field 0x{0x80 | numbers[unknown]:02x}", drops=False))
    found += _missing(pdu, pdu.fields[:unknown]) + _long_integers(pdu, (_SIZE,))
    status = pdu.first(_RESPONSE_STATUS)[:1]
    if pdu.message_type == 0x81 and status and status[0] in _MMSD_REFUSES:
        found.append(Objection(f"knows no Response-Status 0x{status[0]:02x}"))
    return found + _body(pdu, generic=True)


def _missing(pdu: _Pdu, seen: tuple[tuple[int, bytes], ...]) -> list[Objection]:
    there = {number for number, _ in seen}
    return [Objection(f"no {_NAMES[one]}") for one in _WANTED.get(pdu.message_type, ()) if one not in there]


def _long_integers(pdu: _Pdu, numbers: tuple[int, ...]) -> list[Objection]:
    return [
        Objection(f"{_NAMES[number]} is no Long-integer")
        for number in numbers
        if pdu.first(number) and not _is_long(pdu.first(number))
    ]


def _body(pdu: _Pdu, *, generic: bool) -> list[Objection]:
    """A m-retrieve-conf's body is a multipart; of the generic ones (`multipart/mixed`) some know nothing."""
    if pdu.message_type != 0x84 or not pdu.first(_CONTENT_TYPE):
        return []
    media = _media_type(pdu.first(_CONTENT_TYPE))
    known = media in _MULTIPARTS.values() or (generic and "multipart" in media)
    if not known:
        return [Objection(f"the body is {media}, none of the multiparts it knows")]
    why = _entries_fault(pdu.body)
    return [Objection(why)] if why else []


def _media_type(value: bytes) -> str:
    """The type in a Content-type-value (WAP-230-WSP 8.4.2.24)."""
    if value[0] < _FIRST_TEXT:
        skipped = 1 if value[0] < _SHIFTED else 1 + len(_uintvar(value, 1)[1])
        value = value[skipped:] or b"\0"
    if value[0] >= 0x80:
        generic = {0x0C: "multipart/mixed", 0x0F: "multipart/alternative"}
        return (_MULTIPARTS | generic).get(value[0] & 0x7F, f"type 0x{value[0]:02x}")
    return value.partition(b"\0")[0].decode("latin-1").lower()


def _entries_fault(body: bytes) -> str:
    """Why the entries of a multipart do not fit their body, "" when they do (WAP-230-WSP 8.5)."""
    try:
        entries, octets = _uintvar(body, 0)
        at = len(octets)
        for number in range(1, entries + 1):
            headers, first = _uintvar(body, at)
            data, second = _uintvar(body, at + len(first))
            at += len(first) + len(second) + headers + data
            if at > len(body) or not headers:
                return f"part {number} of {entries} does not fit the body"
    except IndexError:
        return "the body ends before its parts do"
    return ""


def _is_long(value: bytes) -> bool:
    return bool(value) and 0 < value[0] <= _LONGEST_SHORT and len(value) == 1 + value[0]


def _uintvar(octets: bytes, at: int) -> tuple[int, bytes]:
    """(value, the octets it takes). IndexError at the end."""
    value = 0
    for end in range(at, at + 5):
        value = value << 7 | octets[end] & 0x7F
        if octets[end] < 0x80:
            break
    return value, octets[at : end + 1]


def _taken_apart(octets: bytes) -> _Pdu:
    fields: list[tuple[int, bytes]] = []
    at = 0
    try:
        while at < len(octets) and len(fields) < _MAXIMUM_FIELDS:
            start, number = at, octets[at] & 0x7F
            if octets[at] >= 0x80:
                at = _end_of_value(octets, at + 1)
                fields.append((number, octets[start + 1 : at]))
            else:
                at = octets.index(b"\0", _end_of_text(octets, at)) + 1
                fields.append((-1, octets[start:at]))
                continue
            if number == _CONTENT_TYPE:
                return _Pdu(tuple(fields), octets[at:])
    except (IndexError, ValueError):
        return _Pdu(tuple(fields), b"", f"the field at octet {start} has no end")
    return _Pdu(tuple(fields), b"")


def _end_of_text(octets: bytes, at: int) -> int:
    return octets.index(b"\0", at) + 1


def _end_of_value(octets: bytes, at: int) -> int:
    """Where any value ends: a length and its octets, a text, or one octet."""
    first = octets[at]
    if first >= 0x80:
        return at + 1
    if first >= _FIRST_TEXT:
        return _end_of_text(octets, at)
    length, more = (first, b"") if first < _SHIFTED else _uintvar(octets, at + 1)
    end = at + 1 + len(more) + length
    if end > len(octets):
        raise IndexError
    return end
