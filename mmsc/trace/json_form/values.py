"""One value of an MM1 field as JSON, and back (OMA-TS-MMS_ENC 7.3)."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mmsc.trace.json_form.faults import JsonFormError, nearest
from protocols.content_type import ContentType
from protocols.enums import OpenEnum
from protocols.errors import DecodeError
from protocols.mm1 import (
    INSERT_ADDRESS,
    Counted,
    CountedDate,
    Element,
    Flagged,
    Indexed,
    InsertAddress,
    MessageClass,
    Moment,
    ResponseStatus,
)
from protocols.mm1.enums import in_words
from protocols.mm1.headers import BY_NUMBER

Json = Any
_FLAGS: Final = {0x80: "add", 0x81: "remove", 0x82: "filter"}  # 7.3.32
_AMOUNTS: Final = {0x80: "messages", 0x81: "octets"}  # 7.3.25, 7.3.26
_INSERT: Final = "insert-address"
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]{1,8}")
_VERSION: Final = re.compile(r"([0-7])\.([0-9]{1,2})")
_FIELDS: Final = {row.wire_name.lower(): row.number for row in BY_NUMBER.values()}


# --- to JSON ---


def to_json(attribute: str, value: Any) -> Json:
    """One value (of a field that repeats: one of them) as JSON."""
    if attribute == "mms_version" and isinstance(value, int):
        return f"{value >> 4}.{value & 0x0F}"
    if attribute == "attributes" and isinstance(value, int):
        return BY_NUMBER[value].wire_name if value in BY_NUMBER else f"0x{value:02X}"
    if isinstance(value, OpenEnum):
        return in_words(value) if value.is_known else f"0x{int(value):02X}"
    if isinstance(value, str):
        return {"text": value} if attribute == "message_class" or (attribute, value) == ("from_", _INSERT) else value
    if isinstance(value, bytes):
        return value.hex()
    writer = _WRITERS.get(type(value))
    return writer(attribute, value) if writer else value


def content_type_to_json(value: ContentType) -> Json:
    """Its MIME text, or what it is made of where that says something else."""
    try:
        if ContentType.parse(str(value)) == value:
            return str(value)
    except DecodeError:
        pass
    return {"media_type": value.media_type, "parameters": [list(one) for one in value.parameters]}


def _flag_to_json(attribute: str, value: Flagged) -> Json:
    words = _FLAGS if attribute == "mm_flags" else _AMOUNTS
    return {words.get(value.token, f"0x{value.token:02X}"): value.value}


_WRITERS: Final[Mapping[type, Callable[[str, Any], Json]]] = {
    InsertAddress: lambda _, value: _INSERT,
    Moment: lambda _, value: {"relative" if value.relative else "absolute": value.seconds},
    Counted: lambda _, value: {"count": value.count, "address": value.value},
    CountedDate: lambda _, value: {"count": value.count, "date": value.seconds},
    Flagged: _flag_to_json,
    Element: lambda _, value: {"reference": value.reference, "parameters": [list(one) for one in value.parameters]},
    Indexed: lambda attribute, value: {"index": value.count, "value": to_json("", value.value)},
    ContentType: lambda _, value: content_type_to_json(value),
}


# --- from JSON ---


class Reader:
    """Takes JSON values of one field; knows where it is and by which clause, for its complaints."""

    def __init__(self, where: str, clause: str) -> None:
        self.where = where
        self.clause = clause

    def wrong(self, why: str) -> JsonFormError:
        """The complaint."""
        return JsonFormError(self.where, why, self.clause)

    def text(self, given: Json) -> str:
        """A string."""
        if isinstance(given, dict) and given.keys() == {"text"}:
            given = given["text"]
        if not isinstance(given, str):
            raise self.wrong(f"{given!r} is no text")
        return given

    def number(self, given: Json) -> int:
        """A whole number from 0; a moment of ISO 8601 as its seconds since 1970."""
        if isinstance(given, str):
            return self._moment(given)
        if not isinstance(given, int) or isinstance(given, bool) or given < 0:
            raise self.wrong(f"{given!r} is no whole number from 0")
        return given

    def _moment(self, given: str) -> int:
        try:
            found = datetime.fromisoformat(given)
        except ValueError:
            raise self.wrong(f"{given!r} is neither a number nor a moment like 2023-11-14T22:13:20Z") from None
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())

    def flag(self, given: Json) -> bool:
        """Yes or No."""
        words = {"yes": True, "no": False}
        if isinstance(given, str) and given.lower() in words:
            return words[given.lower()]
        if not isinstance(given, bool):
            raise self.wrong(f"{given!r} is neither true (Yes) nor false (No)")
        return given

    def version(self, given: Json) -> int:
        """1.2 as 0x12."""
        found = _VERSION.fullmatch(str(given)) if isinstance(given, str | float) else None
        if found is None or int(found[2]) > 0x0F:
            raise self.wrong(f'{given!r} is no version like "1.2"')
        return int(found[1]) << 4 | int(found[2])

    def octet(self, given: Json, words: Mapping[str, int]) -> int:
        """A word's number, or any number as 0xNN."""
        if isinstance(given, str):
            number = words.get(given.lower())
            if number is not None:
                return number
            if _NUMBER.fullmatch(given):
                return int(given, 16)
        raise self.wrong(f"{given!r} is none of {', '.join(words)}, nor a number as 0x99{nearest(str(given), words)}")

    def member(self, enumeration: type[OpenEnum], given: Json) -> OpenEnum:
        """A member by its word in the standard, or by its number as 0xNN."""
        words = {in_words(one).lower(): one for one in enumeration}
        found = words.get(given.lower()) if isinstance(given, str) else None
        if found is not None:
            return found
        if isinstance(given, str) and _NUMBER.fullmatch(given):
            return enumeration(int(given, 16))
        spelt = [in_words(one) for one in enumeration]
        near = nearest(str(given), spelt) or f"; known: {', '.join(spelt)}"
        raise self.wrong(f"{given!r} is no {enumeration.__name__}{near}")

    def fields(self, given: Json, *names: str) -> list[Json]:
        """The values of an object that has exactly these names."""
        if not isinstance(given, dict) or given.keys() != set(names):
            raise self.wrong(f"{given!r} is no object with {' and '.join(names)}")
        return [given[name] for name in names]

    def pair(self, given: Json) -> tuple[str, Json]:
        """The one name of an object, and its value."""
        if not isinstance(given, dict) or len(given) != 1:
            raise self.wrong(f"{given!r} is no object with one name")
        [(name, value)] = given.items()
        return name, value

    def content_type(self, given: Json) -> ContentType:
        """Its MIME text, or media_type and parameters."""
        if isinstance(given, str):
            try:
                found = ContentType.parse(given)
            except DecodeError as error:
                raise JsonFormError(self.where, error.why, error.clause) from error
        else:
            media_type, parameters = self.fields(given, "media_type", "parameters")
            found = ContentType(self.text(media_type), self.parameters(parameters))
        if not found.media_type:
            raise self.wrong("a content type without a name")
        return found

    def parameters(self, given: Json) -> tuple[tuple[str, str], ...]:
        """Pairs of name and value."""
        if isinstance(given, dict):
            given = list(given.items())
        if not isinstance(given, list) or not all(isinstance(one, list | tuple) and len(one) == 2 for one in given):
            raise self.wrong(f"{given!r} is no list of [name, value]")
        return tuple((self.text(name), self.text(value)) for name, value in given)


def _moment(reader: Reader, given: Json) -> Moment:
    kind, seconds = reader.pair(given)
    if kind not in ("relative", "absolute"):
        raise reader.wrong(f"{kind!r} is neither relative nor absolute{nearest(kind, ('relative', 'absolute'))}")
    return Moment(reader.number(seconds), kind == "relative")


def _flagged(reader: Reader, attribute: str, given: Json) -> Flagged:
    word, value = reader.pair(given)
    words = _FLAGS if attribute == "mm_flags" else _AMOUNTS
    token = reader.octet(word, {name: number for number, name in words.items()})
    return Flagged(token, reader.text(value) if attribute == "mm_flags" else reader.number(value))


def _counted(reader: Reader, given: Json) -> Counted:
    count, address = reader.fields(given, "count", "address")
    return Counted(reader.number(count), reader.text(address))


def _counted_date(reader: Reader, given: Json) -> CountedDate:
    count, date = reader.fields(given, "count", "date")
    return CountedDate(reader.number(count), reader.number(date))


def _element(reader: Reader, given: Json) -> Element:
    if isinstance(given, dict):
        given = {"parameters": []} | given
    reference, parameters = reader.fields(given, "reference", "parameters")
    return Element(reader.text(reference), reader.parameters(parameters))


def _indexed(reader: Reader, attribute: str, given: Json) -> Indexed:
    index, value = reader.fields(given, "index", "value")
    if attribute == "response_statuses":
        status = reader.member(ResponseStatus, value)
        assert isinstance(status, ResponseStatus)
        return Indexed(reader.number(index), status)
    return Indexed(reader.number(index), reader.text(value))


def _from(reader: Reader, given: Json) -> str | InsertAddress:
    return INSERT_ADDRESS if given == _INSERT else reader.text(given)


def _message_class(reader: Reader, given: Json) -> OpenEnum | str:
    return reader.text(given) if isinstance(given, dict) else reader.member(MessageClass, given)


_READERS: Final[Mapping[frozenset[type], Callable[[Reader, str, Json], Any]]] = {
    frozenset({str}): lambda reader, _, given: reader.text(given),
    frozenset({int}): lambda reader, _, given: reader.number(given),
    frozenset({bool}): lambda reader, _, given: reader.flag(given),
    frozenset({str, InsertAddress}): lambda reader, _, given: _from(reader, given),
    frozenset({str, MessageClass}): lambda reader, _, given: _message_class(reader, given),
    frozenset({ContentType}): lambda reader, _, given: reader.content_type(given),
    frozenset({Moment}): lambda reader, _, given: _moment(reader, given),
    frozenset({Flagged}): _flagged,
    frozenset({Counted}): lambda reader, _, given: _counted(reader, given),
    frozenset({CountedDate}): lambda reader, _, given: _counted_date(reader, given),
    frozenset({Element}): lambda reader, _, given: _element(reader, given),
    frozenset({Indexed}): _indexed,
}


def from_json(reader: Reader, attribute: str, kinds: frozenset[type], given: Json) -> Any:
    """One value of a field whose values are of these types. Raises JsonFormError."""
    if attribute == "mms_version":
        return reader.version(given)
    if attribute == "attributes":
        return reader.octet(given, _FIELDS) & 0x7F
    known = _READERS.get(kinds)
    if known is not None:
        return known(reader, attribute, given)
    [enumeration] = kinds
    assert issubclass(enumeration, OpenEnum)
    return reader.member(enumeration, given)
