"""An MM1 PDU as a JSON object, and back: `{"pdu": "m-send-req", "X-Mms-Transaction-ID": "T1", ...}`."""

import types
import typing
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from mmsc.trace.json_form.faults import JsonFormError, nearest
from mmsc.trace.json_form.values import Json, Reader, from_json, to_json
from protocols.forms import Header, UnknownHeader
from protocols.mm1 import Pdu
from protocols.mm1.catalogue import PDUS
from protocols.mm1.enums import in_words
from protocols.mm1.headers import BY_ATTRIBUTE, BY_NUMBER

NAMES: Final = {in_words(cls.message_type): cls for cls in PDUS}
_BESIDE: Final = ("unknown", "body")  # attributes that are no fields
_FIRST: Final = ("transaction_id", "mms_version")  # clause 7
OTHER_KEYS: Final = ("pdu", "unknown", "parts", "body")
MOST_VALUES: Final = 5000  # of one PDU, as the decoder has it


def _rows(cls: type[Pdu]) -> dict[str, Header]:
    own = {row.attribute: row for row in cls.variants}
    names = [one.name for one in fields(cls) if one.name not in _BESIDE]
    names.sort(key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    return {name: own.get(name) or BY_ATTRIBUTE[name] for name in names}


_ROWS: Final[dict[type[Pdu], dict[str, Header]]] = {cls: _rows(cls) for cls in PDUS}


def rows(cls: type[Pdu]) -> Mapping[str, Header]:
    """The fields of a PDU by attribute, in the order in which they are written."""
    return _ROWS[cls]


def _types(hint: Any) -> set[type]:
    if isinstance(hint, types.UnionType):
        return {one for part in typing.get_args(hint) for one in _types(part)} - {types.NoneType}
    if typing.get_origin(hint) is tuple:
        return _types(typing.get_args(hint)[0])
    return {hint}


def _kinds_of(cls: type[Pdu]) -> dict[str, frozenset[type]]:
    hints = typing.get_type_hints(cls)
    return {name: frozenset(_types(hints[name])) for name in rows(cls)}


# The types that each attribute's values have, without None and the tuple around what repeats.
_KINDS: Final[dict[type[Pdu], dict[str, frozenset[type]]]] = {cls: _kinds_of(cls) for cls in PDUS}


def fields_to_json(pdu: Pdu) -> dict[str, Json]:
    """The object without its content."""
    found: dict[str, Json] = {"pdu": in_words(pdu.message_type)}
    for attribute, row in rows(type(pdu)).items():
        value = getattr(pdu, attribute)
        if isinstance(value, tuple):
            if value:
                found[row.wire_name] = [to_json(attribute, one) for one in value]
        elif value is not None and (value != "" or attribute not in type(pdu).mandatory):
            found[row.wire_name] = to_json(attribute, value)
    if pdu.unknown:
        found["unknown"] = [_unknown_to_json(one) for one in pdu.unknown]
    return found


def _unknown_to_json(header: UnknownHeader) -> Json:
    if isinstance(header.name, int):
        row = BY_NUMBER.get(header.name & 0x7F)
        name = {"name": row.wire_name} if row else {}
        return {"field": f"0x{header.name:02X}", "octets": header.octets.hex(), **name}
    return {"name": header.name, "octets": header.octets.hex()}


def class_of(given: Mapping[str, Json], where: str) -> type[Pdu]:
    """The PDU that an object is. Raises JsonFormError."""
    name = given.get("pdu")
    cls = NAMES.get(name.lower()) if isinstance(name, str) else None
    if cls is None:
        raise JsonFormError(f"{where}pdu", f"{name!r} is no PDU of MM1{nearest(str(name), NAMES)}", "OMA-TS-MMS_ENC 6")
    return cls


def fields_from_json(cls: type[Pdu], given: Mapping[str, Json], where: str) -> dict[str, Any]:
    """The attributes of a PDU. Raises JsonFormError."""
    known = {row.wire_name.lower(): (attribute, row) for attribute, row in rows(cls).items()}
    found: dict[str, Any] = {}
    for key, value in given.items():
        if key in OTHER_KEYS:
            continue
        if key.lower() not in known:
            raise _no_field(cls, key, where)
        attribute, row = known[key.lower()]
        if attribute in found:
            raise JsonFormError(f"{where}{key}", "comes twice, in two spellings")
        found[attribute] = _field(cls, attribute, row, value, f"{where}{row.wire_name}")
    found["unknown"] = _unknown(given.get("unknown", []), f"{where}unknown")
    return found


def _field(cls: type[Pdu], attribute: str, row: Header, value: Json, where: str) -> Any:
    kinds = _KINDS[cls][attribute]
    if not row.repeats:
        return from_json(Reader(where, row.clause), attribute, kinds, value)
    several = value if isinstance(value, list) else [value]
    if len(several) > MOST_VALUES:
        raise JsonFormError(where, f"{len(several)} values, at most {MOST_VALUES}")
    return tuple(
        from_json(Reader(f"{where}[{number}]", row.clause), attribute, kinds, one)
        for number, one in enumerate(several, 1)
    )


def _no_field(cls: type[Pdu], key: str, where: str) -> JsonFormError:
    name = in_words(cls.message_type)
    elsewhere = {row.wire_name.lower() for row in BY_NUMBER.values()}
    if key.lower() in elsewhere:
        why = f"{name} has no such field; one in `unknown`, as octets, is sent all the same"
        return JsonFormError(f"{where}{key}", why, cls.clause)
    known = (*(row.wire_name for row in rows(cls).values()), *OTHER_KEYS)
    return JsonFormError(f"{where}{key}", f"{name} has no such field{nearest(key, known)}", cls.clause)


def _unknown(given: Json, where: str) -> tuple[UnknownHeader, ...]:
    """Fields that the PDU has no place for: `field` 0xC5 or a text `name`, and `octets` in hex, or `text`."""
    if not isinstance(given, list) or len(given) > MOST_VALUES:
        raise JsonFormError(where, f"no list of at most {MOST_VALUES}")
    return tuple(_unknown_field(one, f"{where}[{number}]") for number, one in enumerate(given, 1))


def _unknown_field(given: Json, where: str) -> UnknownHeader:
    reader = Reader(where, "WAP-230-WSP 8.4.1.2")
    if not isinstance(given, dict) or not given.keys() <= {"field", "name", "octets", "text"}:
        raise reader.wrong("no object with field or name, and octets or text")
    if ("octets" in given) is ("text" in given):
        raise reader.wrong("either octets or text, not both")
    octets = _octets(reader, given)
    if "field" in given:
        number = reader.octet(given["field"], {})
        if not 0x80 <= number <= 0xFF:
            raise reader.wrong(f"{given['field']!r} is no number of a field: 0x80 to 0xFF")
        return UnknownHeader(number, octets + (b"\0" if "text" in given else b""))
    return UnknownHeader(reader.text(given.get("name")), octets)


def _octets(reader: Reader, given: Mapping[str, Json]) -> bytes:
    if "text" in given:
        try:
            return reader.text(given["text"]).encode()
        except UnicodeEncodeError:
            raise reader.wrong("the text has half of a character") from None
    try:
        return bytes.fromhex(reader.text(given["octets"]))
    except ValueError:
        raise reader.wrong("octets are hexadecimal digits") from None
