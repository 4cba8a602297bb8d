"""What we write, read by a decoder that shares nothing with ours, and compared field by field (OMA-TS-MMS_ENC 7.3).

MMSC_TEST_PDUS is how many are made up for it (600)."""

import os
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings

from protocols import mm1
from protocols.content_type import ContentType
from protocols.enums import OpenEnum
from protocols.forms import Header, UnknownHeader
from protocols.wsp import charsets, media_types
from protocols.wsp.multipart import index_multipart
from tests.cases import Case, cases
from tests.interop import second_decoder
from tests.interop.second_decoder import Code
from tests.protocols.mm1_strategies import ANY_PDU, rows_of

MADE_UP = int(os.environ.get("MMSC_TEST_PDUS", "600"))
GOLDENS = [case for case in cases("mm1") if not case.is_refused]
TOKENS = {"charset": 0x01, "name": 0x05, "filename": 0x06, "type": 0x09, "start": 0x0A, "start-info": 0x0B}
# WAP-230-WSP table 40, from a second source; all others are compared by our own table.
NUMBERS = {
    "text/plain": 0x03,
    "image/gif": 0x1D,
    "image/jpeg": 0x1E,
    "image/png": 0x20,
    "application/vnd.wap.multipart.mixed": 0x23,
    "application/vnd.wap.multipart.alternative": 0x26,
    "application/vnd.wap.multipart.related": 0x33,
    "application/vnd.wap.mms-message": 0x3E,
}


def neutral(row: Header, value: Any) -> Any:
    """A value of ours as the second decoder tells it."""
    match value:
        case mm1.INSERT_ADDRESS:
            return ("insert",)
        case str() if row.attribute == "from_":
            return ("present", value)
        case int() if row.attribute == "mms_version":
            return divmod(value, 16)
        case int() if row.attribute == "attributes":
            return Code(0x80 | value)
        case OpenEnum():
            return Code(int(value))
        case mm1.Moment(seconds, relative):
            return ("in" if relative else "at", seconds)
        case mm1.Counted(count, inner) | mm1.CountedDate(count, inner) | mm1.Flagged(count, inner):
            return (count, inner)
        case mm1.Indexed(count, inner):
            return (count, Code(int(inner)) if isinstance(inner, OpenEnum) else inner)
        case mm1.Element(reference, parameters):
            return (reference, tuple(of_an_element(*one) for one in parameters))
        case ContentType():
            return media(value)
    return value


def media(content_type: ContentType) -> tuple[str | int, tuple[tuple[str | int, Any], ...]]:
    """A content type by its numbers."""
    name = content_type.media_type
    return NUMBERS.get(name, media_types.NUMBERS.get(name, name)), typed(content_type.parameters)


def typed(parameters: tuple[tuple[str, str], ...]) -> tuple[tuple[str | int, Any], ...]:
    """Parameters by their numbers, where they have one that we write."""
    found: list[tuple[str | int, Any]] = []
    for name, value in parameters:
        number = charsets.number_of(value) if name == "charset" else None
        if name == "charset" and number is None:
            found.append((name, value))
        elif name == "type":
            found.append((TOKENS[name], media_types.NUMBERS.get(value, value)))
        else:
            found.append((TOKENS.get(name, name), value if number is None else number))
    return tuple(found)


def of_an_element(name: str, value: str) -> tuple[str | int, Any]:
    """A parameter of X-Mms-Element-Descriptor: the type has a number, which is not WSP's (7.3.18)."""
    return (0x02, media_types.NUMBERS.get(value, value)) if name == "type" else (name, value)


def is_multipart(case: Case) -> bool:
    """Whether its body has parts."""
    content_type = getattr(mm1.decode(case.octets).message, "content_type", None)
    return content_type is not None and "multipart" in content_type.media_type


def compare(pdu: mm1.Pdu) -> None:
    """Every field of ours is read, and none more."""
    read = second_decoder.decode(mm1.encode(pdu))
    told: dict[str, list[Any]] = defaultdict(list)
    for name, value in read.fields:
        told[name].append(value)
    assert told.pop("0x0C") == [Code(int(pdu.message_type))]
    for header in pdu.unknown:
        check_unknown(header, told)
    for attribute, row in rows_of(type(pdu)).items():
        value = getattr(pdu, attribute)
        ours = list(value) if row.repeats else [value] if value is not None else []
        assert told.pop(f"0x{row.number:02X}", []) == [neutral(row, one) for one in ours], row.wire_name
    assert not any(told.values()), "fields that we did not know of"
    assert read.body == getattr(pdu, "body", b"")


def check_unknown(header: UnknownHeader, told: dict[str, list[Any]]) -> None:
    """It comes as it was kept; one whose form the second decoder knows, it could read."""
    name = f"0x{header.name & 0x7F:02X}" if isinstance(header.name, int) else header.name
    value = told[name].pop(0)
    if isinstance(value, bytes):
        assert value == header.octets


@pytest.mark.parametrize("case", GOLDENS, ids=str)
def test_every_golden_is_read_the_same(case: Case) -> None:
    compare(mm1.decode(case.octets).message)


def test_the_numbers_of_media_types_are_those_of_the_second_source() -> None:
    assert {name: media_types.NUMBERS[name] for name in NUMBERS} == NUMBERS


@pytest.mark.parametrize("case", [one for one in GOLDENS if is_multipart(one)], ids=str)
def test_the_parts_of_every_golden_are_read_the_same(case: Case) -> None:
    """WAP-230-WSP 8.5."""
    body = getattr(mm1.decode(case.octets).message, "body", b"")
    ours = []
    for one in index_multipart(body):
        headers = {0x40: f"<{one.content_id}>", 0x0E: one.content_location} if one.content_id else {}
        data = body[one.data_offset : one.data_offset + one.data_length]
        ours.append((media(one.content_type), headers, data))
    assert ours == [((one.media, one.parameters), dict(one.headers), one.data) for one in second_decoder.parts(body)]


@given(ANY_PDU)
@settings(max_examples=150)
def test_made_up_pdus_are_read_the_same(pdu: mm1.Pdu) -> None:
    compare(pdu)


@pytest.mark.slow
@pytest.mark.timeout(300)
@given(ANY_PDU)
@settings(max_examples=MADE_UP)
def test_many_made_up_pdus_are_read_the_same(pdu: mm1.Pdu) -> None:
    compare(pdu)


@pytest.mark.parametrize(
    "hex_octets",
    [
        pytest.param("8c859852008d92910180", id="a Boolean with a length"),
        pytest.param("8c858d92985200", id="version before transaction id"),
        pytest.param("8c82984e008d928ee4", id="a Short-integer for Message-Size"),
        pytest.param("8c868d929603836100", id="another character set"),
        pytest.param("8c868d92967f6100", id="a quote that is not needed"),
        pytest.param("8c868d928805810200078b00", id="a Long-integer with a zero in front"),
    ],
)
def test_it_is_strict(hex_octets: str) -> None:
    """What we would never write it refuses: it could not judge otherwise."""
    with pytest.raises((ValueError, KeyError)):
        second_decoder.decode(bytes.fromhex(hex_octets))
