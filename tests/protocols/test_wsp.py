"""The tables of WSP, and what its golden octets do not show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import mm1
from protocols.content_type import ContentType
from protocols.octets import OctetReader, OctetWriter
from protocols.wsp import charsets, header_names, media_types
from protocols.wsp.content_type import content_type_octets, read_content_type
from protocols.wsp.multipart import Part, encode_multipart, index_multipart
from protocols.wsp.primitives import skip_value, write_text
from protocols.wsp.push import decode_push


def test_the_tables_are_whole() -> None:
    """WAP-230-WSP tables 39 and 40 with their later registrations; 0x59 was never given."""
    assert sorted(media_types.NAMES)[:0x5A] == [number for number in range(0x5B) if number != 0x59]
    assert sorted(header_names.NAMES) == list(range(0x4B))
    assert len(media_types.NUMBERS) == media_types.HIGHEST_EMITTED + 1


@pytest.mark.parametrize(("number", "octets", "text"), [(81, b"\xc7", "ا"), (85, b"\xe0", "א"), (84, b"\xe0", "א")])
def test_character_sets_of_the_right_to_left(number: int, octets: bytes, text: str) -> None:
    """RFC 1556: the same letters, in another order."""
    assert charsets.decode_text(octets, charsets.NAMES[number]) == text


@pytest.mark.parametrize("hex_octets", ["0383 81f0", "0583 81020bb8", "0383 81ea"])
def test_the_number_of_a_character_set_is_written_back(hex_octets: str) -> None:
    """WAP-230-WSP 8.4.2.8: also one that we have no name for."""
    octets = bytes.fromhex(hex_octets)
    assert content_type_octets(read_content_type(OctetReader(octets))) == octets


@pytest.mark.parametrize("value", ["", "\x01"])
def test_a_type_that_is_no_media_type_can_be_read_back(value: str) -> None:
    """WAP-230-WSP 8.4.2.4: there is no empty Constrained-encoding, and 0x00 would begin an integer."""
    content_type = ContentType("application/vnd.wap.multipart.related", (("type", value), ("start", "<s0>")))
    assert read_content_type(OctetReader(content_type_octets(content_type))) == content_type


LETTERS = st.text(st.sampled_from('\x01\x1f "/;=a~\x7f\x80é'), max_size=4)


@given(
    st.lists(st.tuples(LETTERS | st.sampled_from(["type", "charset", "start", "q"]), LETTERS), max_size=3).map(tuple)
)
def test_parameters_come_back_whatever_they_are_made_of(parameters: tuple[tuple[str, str], ...]) -> None:
    """WAP-230-WSP 8.4.2.4: a MIME sender's parameter may be named \x01a or hold a quotation mark."""
    content_type = ContentType("image/jpeg", parameters)
    assert read_content_type(OctetReader(content_type_octets(content_type))) == content_type


@pytest.mark.parametrize("media_type", ["\x03a/b", "\x1ba/b", "é/b", "\x7fa/b"])
def test_a_media_type_that_begins_like_a_length_comes_back(media_type: str) -> None:
    """WAP-230-WSP 8.4.1.2: without its quote the first octet would be a Value-length."""
    for parameters in ((), (("a", "b"),)):
        content_type = ContentType(media_type, parameters)
        assert read_content_type(OctetReader(content_type_octets(content_type))) == content_type


def test_a_text_can_be_stepped_over_whatever_it_begins_with() -> None:
    """WAP-230-WSP 8.4.1.2."""
    for code in range(1, 0x100):
        writer = OctetWriter()
        write_text(writer, chr(code) + "abc")
        assert skip_value(OctetReader(writer.getvalue() + b"rest")) == writer.getvalue(), hex(code)


@pytest.mark.parametrize("octets", [b"a/b; type=X/Y; charset=UTF-9\0", b"\x1ba/b\0Type\0X/Y\0CHARSET\0UTF-9\0"])
def test_names_without_case_are_read_in_one(octets: bytes) -> None:
    """RFC 2045 5.1: however they are written, so that what is written again says the same."""
    content_type = read_content_type(OctetReader(octets))
    assert content_type == ContentType("a/b", (("type", "x/y"), ("charset", "utf-9")))
    assert read_content_type(OctetReader(content_type_octets(content_type))) == content_type


@pytest.mark.parametrize("name", ["mibenum-106", "mibenum-0999"])
def test_a_character_set_that_is_only_called_like_a_number(name: str) -> None:
    """WAP-230-WSP 8.4.2.8: 106 is utf-8, and no number begins with 0."""
    assert charsets.number_of(name) is None


def test_a_quotation_mark_at_the_front_is_kept() -> None:
    """WAP-230-WSP 8.4.2.1: a Quoted-string has an opening quote only."""
    part = Part(ContentType("image/jpeg", (("name", '"a'), ("type", '"b'))), b"x", '"c', '"d')
    (read,) = index_multipart(encode_multipart([part]))
    assert (read.content_type, read.content_id, read.content_location) == (
        part.content_type,
        part.content_id,
        part.content_location,
    )


SHIFTS = pytest.mark.parametrize("shift", [b"\x7f\x01", b"\x01", b"\x1f"], ids=bytes.hex)


@SHIFTS
def test_a_shift_of_the_code_page_is_stepped_over(shift: bytes) -> None:
    """WAP-230-WSP 8.4.1.2: Shift-delimiter and page, or a short-cut."""
    headers = b"\xbe" + shift + b"\xaf\x84"
    assert decode_push(bytes((1, 6, len(headers))) + headers + b"x").application_id == 4
    headers = b"\x83" + shift + b"\x8ea\0"
    (part,) = index_multipart(bytes((1, len(headers), 1)) + headers + b"x")
    assert part.content_location == "a"
    decoded = mm1.decode(b"\x8c\x85\x98t\0\x8d\x92" + shift + b"\x91\x81")
    assert decoded.message == mm1.MAcknowledgeInd(transaction_id="t", report_allowed=False)
    assert [one.rule for one in decoded.findings] == ["MM1-H004"]
