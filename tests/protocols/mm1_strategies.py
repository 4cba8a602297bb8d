"""Made-up PDUs of MM1: every field of every class, by the form of its value (OMA-TS-MMS_ENC 7.3)."""

from dataclasses import fields
from typing import Any

from hypothesis import strategies as st

from protocols import mm1
from protocols.content_type import ContentType
from protocols.forms import Header, UnknownHeader
from protocols.mm1 import catalogue, enums, headers, values
from protocols.octets import OctetWriter
from protocols.wsp import charsets, media_types

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
FILLED = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], min_codepoint=0x21), min_size=1, max_size=20
)
TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
NUMBERS = st.integers(0, 0xFF) | st.integers(0, (1 << 40) - 1) | st.integers(0, (1 << 240) - 1)
_WRITTEN_BY_NUMBER = sorted(media_types.NUMBERS)
_MEDIA = st.sampled_from(_WRITTEN_BY_NUMBER) | st.builds("x-{}/{}".format, TOKENS, TOKENS)
_PARAMETERS = (
    st.tuples(st.just("charset"), st.sampled_from(sorted(charsets.NUMBERS)) | TOKENS)
    | st.tuples(st.just("type"), st.sampled_from(_WRITTEN_BY_NUMBER) | TOKENS)
    | st.tuples(st.sampled_from(["name", "filename", "start", "start-info"]), WORDS)
    | st.tuples(st.builds("x-{}".format, TOKENS), FILLED)
)
PARAMETERS = st.lists(_PARAMETERS, max_size=2).map(tuple)
CONTENT_TYPES = st.builds(ContentType, _MEDIA, PARAMETERS)


def _octets_of(enumeration: type[Any]) -> st.SearchStrategy[Any]:
    """Known and unknown values alike."""
    return st.sampled_from(enumeration) | st.integers(0x80, 0xFF).map(enumeration)


_BY_FORM: dict[str, st.SearchStrategy[Any]] = {
    values.TEXT_STRING.name: WORDS,
    values.MESSAGE_ID.name: WORDS,
    values.ENCODED_STRING.name: WORDS,
    values.LONG_INTEGER.name: NUMBERS,
    values.INTEGER.name: NUMBERS,
    values.SHORT_VERSION.name: st.sampled_from([0x10, 0x11, 0x12, 0x13]) | st.integers(0, 0x7F),
    values.YES_NO.name: st.booleans(),
    values.MOMENT.name: st.builds(mm1.Moment, NUMBERS, st.booleans()),
    values.FROM.name: WORDS | st.just(mm1.INSERT_ADDRESS),
    values.MESSAGE_CLASS.name: _octets_of(mm1.MessageClass) | WORDS,
    values.CONTENT_TYPE.name: CONTENT_TYPES,
    values.COUNTED.name: st.builds(mm1.Counted, NUMBERS, WORDS),
    values.COUNTED_DATE.name: st.builds(mm1.CountedDate, NUMBERS, NUMBERS),
    values.FLAGGED_TEXT.name: st.builds(mm1.Flagged, st.integers(0x80, 0x82), WORDS),
    values.FLAGGED_NUMBER.name: st.builds(mm1.Flagged, st.integers(0x80, 0x81), NUMBERS),
    values.ELEMENT.name: st.builds(mm1.Element, WORDS, PARAMETERS),
    values.ATTRIBUTE.name: st.integers(0, 0x7F),
    values.INDEXED_TEXT.name: st.builds(mm1.Indexed, NUMBERS, WORDS),
    values.INDEXED_STRING.name: st.builds(mm1.Indexed, NUMBERS, WORDS),
    values.INDEXED_STATUS.name: st.builds(mm1.Indexed, NUMBERS, _octets_of(mm1.ResponseStatus)),
}
_ENUMERATIONS = {one.__name__: one for one in vars(enums).values() if isinstance(one, type)}


def values_of(row: Header) -> st.SearchStrategy[Any]:
    """Values of a field; each form must be known here."""
    name = row.form.name
    return _BY_FORM[name] if name in _BY_FORM else _octets_of(_ENUMERATIONS[name])


def rows_of(cls: type[mm1.Pdu]) -> dict[str, Header]:
    """The rows of the fields that a class lists, by attribute, without X-Mms-Message-Type, which each has."""
    rows = headers.BY_ATTRIBUTE | {row.attribute: row for row in cls.variants}
    return {one.name: rows[one.name] for one in fields(cls) if one.name not in ("unknown", "body")}


def _written(row: Header, value: Any) -> UnknownHeader:
    writer = OctetWriter()
    row.form.write(writer, value)
    return UnknownHeader(0x80 | row.number, writer.getvalue())


def _unlisted(cls: type[mm1.Pdu]) -> st.SearchStrategy[tuple[UnknownHeader, ...]]:
    """Fields that another class lists, this one not, then those that nobody knows: as a reader keeps them."""
    numbered = headers.BY_NUMBER | {row.number: row for row in cls.variants}
    listed = rows_of(cls)
    strangers = [row for row in numbered.values() if row.attribute not in listed and row.attribute != "message_type"]
    known = st.sampled_from(strangers).flatmap(lambda row: values_of(row).map(lambda value: _written(row, value)))
    raw = (
        st.integers(0x80, 0xFF).map(lambda octet: bytes((octet,)))
        | st.binary(max_size=30).map(lambda octets: bytes((len(octets),)) + octets)
        | TOKENS.map(lambda text: text.encode() + b"\0")
    )
    new = st.builds(UnknownHeader, st.integers(0xC0, 0xFF), raw)
    named = st.builds(UnknownHeader, FILLED.filter(lambda name: name[0] != "\x7f"), WORDS.map(str.encode))
    return st.tuples(st.lists(known, max_size=2), st.lists(new | named, max_size=2)).map(lambda two: (*two[0], *two[1]))


_MADE: dict[tuple[type, bool], st.SearchStrategy[mm1.Pdu]] = {}


def pdus(cls: type[mm1.Pdu], *, with_unknown: bool = True) -> st.SearchStrategy[mm1.Pdu]:
    """PDUs of a class; what makes them is made once."""
    if (cls, with_unknown) not in _MADE:
        _MADE[cls, with_unknown] = _pdus(cls, with_unknown=with_unknown)
    return _MADE[cls, with_unknown]


def _pdus(cls: type[mm1.Pdu], *, with_unknown: bool) -> st.SearchStrategy[mm1.Pdu]:
    """PDUs of a class: mandatory fields always, of the others a few at a time: each stands beside each."""
    always: dict[str, st.SearchStrategy[Any]] = {}
    others: dict[str, st.SearchStrategy[Any]] = {}
    for name, row in rows_of(cls).items():
        needed = name in cls.mandatory or name == "mms_version"
        one = values_of(row).filter(lambda value: value != "") if needed else values_of(row)
        many = st.lists(one, min_size=1, max_size=3).map(tuple) if row.repeats else one
        (always if needed else others)[name] = many
    if with_unknown:
        others["unknown"] = _unlisted(cls)
    if any(one.name == "body" for one in fields(cls)):
        always["body"] = st.binary(max_size=60)
    some = st.sets(st.sampled_from(sorted(others)), max_size=6) if others else st.just(set())
    return some.flatmap(
        lambda names: st.fixed_dictionaries(always | {name: others[name] for name in sorted(names)})
    ).map(lambda found: _made(cls, found))


def _made(cls: type[mm1.Pdu], found: dict[str, Any]) -> mm1.Pdu:
    """Without a Content-Type there is no body."""
    if "body" in found and found.get("content_type") is None:
        found = found | {"body": b""}
    return cls(**found)


PDUS = catalogue.PDUS
OF_CLASS = {cls: pdus(cls) for cls in PDUS}
ANY_PDU = st.one_of(*OF_CLASS.values())
