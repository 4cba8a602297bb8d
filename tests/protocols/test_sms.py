"""GSM text and segments against an oracle, and at their edges (3GPP TS 23.038 6, TS 23.040 9.2.3.24)."""

import gsm0338
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import DecodeError, EncodeError
from protocols.sms.push import PushForm, push_segments
from protocols.sms.segment import segment_octets, segment_text, split_header
from protocols.sms.text import decode_gsm, decode_text, encode_gsm, is_gsm, pack, unpack


def test_every_character_as_the_oracle_has_it() -> None:
    """3GPP TS 23.038 6.2.1 and 6.2.1.1."""
    codec = gsm0338.Codec()
    for code in set(range(0x3000)) - {0x1B}:  # the escape is no character of ours
        char = chr(code)
        try:
            expected = bytes(codec.encode(char)[0])
        except UnicodeEncodeError:
            assert not is_gsm(char), hex(code)
            continue
        assert is_gsm(char), hex(code)
        assert encode_gsm(char) == expected
        assert decode_gsm(expected) == char


@given(st.binary(max_size=200).map(lambda octets: bytes(one & 0x7F for one in octets)), st.integers(0, 6))
def test_packed_septets_come_back(septets: bytes, fill_bits: int) -> None:
    assert unpack(pack(septets, fill_bits), len(septets), fill_bits) == septets


@pytest.mark.parametrize("fill_bits", range(7))
@pytest.mark.parametrize("octets", ["", "ff", "e8329bfd4697d9ec37", "ffffffffffffffff"])
def test_septets_are_the_bits_seven_at_a_time(octets: str, fill_bits: int) -> None:
    """3GPP TS 23.038 6.1.2.1: least significant first, and zero beyond the end."""
    packed = bytes.fromhex(octets)
    bits = int.from_bytes(packed, "little") >> fill_bits
    for count in range(12):
        assert unpack(packed, count, fill_bits) == bytes(bits >> 7 * one & 0x7F for one in range(count))


@pytest.mark.parametrize("fill_bits", range(7))
def test_a_long_text_is_packed_bit_by_bit(fill_bits: int) -> None:
    """3GPP TS 23.038 6.1.2.1."""
    septets = bytes(one % 0x80 for one in range(1000))
    bits = sum(septet << 7 * at + fill_bits for at, septet in enumerate(septets))
    assert pack(septets, fill_bits) == bits.to_bytes((7 * len(septets) + fill_bits + 7) // 8, "little")


def test_packing_by_hand() -> None:
    """3GPP TS 23.038 6.1.2.1.1."""
    assert pack(encode_gsm("hellohello")).hex() == "e8329bfd4697d9ec37"


@pytest.mark.parametrize(
    ("text", "data_coding", "count"),
    [("a" * 160, 0, 1), ("a" * 161, 0, 2), ("€" * 80, 0, 1), ("€" * 81, 0, 2), ("ж" * 70, 8, 1), ("ж" * 71, 8, 2)],
)
def test_how_many_segments(text: str, data_coding: int, count: int) -> None:
    coding, has_header, pieces = segment_text(text, 1)
    assert (coding, len(pieces), has_header) == (data_coding, count, count > 1)


def test_no_character_is_cut() -> None:
    """An escape keeps its septet, a high surrogate its low one."""
    _, _, gsm = segment_text("a" * 152 + "€" + "a" * 20, 1)
    assert split_header(gsm[0])[1] == b"a" * 152
    _, _, ucs2 = segment_text("ж" * 66 + "📷" + "ж" * 10, 1)
    assert split_header(ucs2[0])[1].decode("utf-16-be") == "ж" * 66


def test_more_segments_than_a_header_can_count() -> None:
    assert len(segment_octets(bytes(255 * 128), 1, (2948, 9200))) == 255
    with pytest.raises(EncodeError):
        segment_octets(bytes(255 * 128 + 1), 1, (2948, 9200))


@pytest.mark.parametrize("octets", [b"", b"\x05\0", b"\x02\x00\x03\x01", b"\x01\x00"])
def test_a_header_that_runs_over(octets: bytes) -> None:
    with pytest.raises(DecodeError):
        split_header(octets)


@pytest.mark.parametrize("element", ["0003420200", "0003420203", "0003420001"])
def test_impossible_counts_are_no_concatenation(element: str) -> None:
    """TS 23.040 9.2.3.24.1."""
    header, rest = split_header(b"\x05" + bytes.fromhex(element) + b"x")
    assert header.concatenation is None
    assert rest == b"x"


@given(st.binary(min_size=1, max_size=1000), st.sampled_from([PushForm.UDH, PushForm.PAYLOAD_UDH]))
def test_a_push_comes_back_from_its_segments(push: bytes, form: PushForm) -> None:
    pieces = []
    for segment in push_segments(push, 0x1234, form):
        header, data = split_header(segment.short_message or dict(segment.tlvs)[0x0424])
        assert header.ports == (2948, 9200)
        assert len(segment.short_message) <= 140
        pieces.append(data)
    assert b"".join(pieces) == push


@pytest.mark.parametrize(("octets", "sizes"), [(133, [133]), (134, [127, 7]), (254, [127, 127]), (255, [127, 127, 1])])
def test_a_push_by_sar_tlvs_leaves_room_for_the_header_that_the_smsc_makes(octets: int, sizes: list[int]) -> None:
    """TS 23.040 9.2.3.24: 7 octets for the ports, 13 with a 16-bit reference; 140 in all."""
    segments = push_segments(bytes(octets), 0xBEEF, PushForm.SAR)
    assert [len(one.short_message) for one in segments] == sizes


@pytest.mark.parametrize("form", [PushForm.SAR, PushForm.UDH])
def test_a_push_of_more_segments_than_can_be_counted_is_not_written(form: PushForm) -> None:
    with pytest.raises(EncodeError):
        push_segments(bytes(40_000), 1, form)


@pytest.mark.parametrize(
    ("data_coding", "octets", "text"),
    [
        (0x00, b"a\x00", "a@"),
        (0x00, b"caf\xe9 @ home", "café @ home"),
        (0x01, b"a@$_", "a@$_"),
        (0x03, b"\xe9", "é"),
        (0x05, b"\x83e\x83X\x83g", "テスト"),
        (0x06, b"\xbf\xe0\xd8\xd2\xd5\xe2", "Привет"),
        (0x07, b"\xf9\xec\xe5\xed", "שלום"),
        (0x08, b"\x04\x16", "Ж"),
        (0x0A, b"\x1b$B%F%9%H\x1b(B", "テスト"),
        (0x0E, b"\xbe\xc8\xb3\xe7", "안녕"),
    ],
)
def test_a_text_in_each_listed_data_coding(data_coding: int, octets: bytes, text: str) -> None:
    """SMPP v3.4 5.2.19."""
    assert decode_text(data_coding, octets) == text


@pytest.mark.parametrize(
    ("codings", "text"),
    [
        ((*range(0x10, 0x14), *range(0x50, 0x54), *range(0xC0, 0xE0), *range(0xF0, 0xF4)), "@A"),
        ((*range(0x14, 0x18), *range(0x54, 0x58), *range(0xF4, 0xF8)), "\0A"),
        ((*range(0x18, 0x1C), *range(0x58, 0x5C), *range(0xE0, 0xF0)), "A"),
    ],
    ids=["7-bit", "8-bit", "UCS-2"],
)
def test_a_text_in_a_leaked_dcs(codings: tuple[int, ...], text: str) -> None:
    """3GPP TS 23.038 4: classes, automatic deletion, message waiting."""
    assert {coding: decode_text(coding, b"\0A") for coding in codings} == dict.fromkeys(codings, text)
