"""Round trips over made-up messages, and damage that only a ProtocolError may answer."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import mime, mm1, mm4, mm7, smpp
from protocols.content_type import ContentType
from protocols.errors import DecodeError, ProtocolError
from protocols.forms import UnknownHeader
from protocols.octets import OctetReader, OctetWriter
from protocols.sms import segment, text
from protocols.wsp import content_type as wsp_content_type
from protocols.wsp import primitives as wsp
from protocols.wsp.multipart import Part, encode_multipart, index_multipart
from protocols.wsp.push import decode_push, encode_push
from tests.cases import cases

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
FILLED = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], min_codepoint=0x21), min_size=1, max_size=40
)
TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789@.-+", min_size=1, max_size=30)
INTEGERS = st.integers(0, (1 << 40) - 1)


@given(st.integers(0, 0xFFFFFFFF))
def test_uintvar(value: int) -> None:
    octets = wsp.uintvar(value)
    assert wsp.read_uintvar(OctetReader(octets)) == value
    assert 1 <= len(octets) <= 5


@given(INTEGERS)
def test_integers(value: int) -> None:
    for write, read in ((wsp.write_integer, wsp.read_integer), (wsp.write_long_integer, wsp.read_long_integer)):
        writer = OctetWriter()
        write(writer, value)
        reader = OctetReader(writer.getvalue())
        assert read(reader) == value
        assert reader.at_end()


@given(FILLED, WORDS)
def test_a_field_with_a_text_name_is_written_back(name: str, value: str) -> None:
    """Also one whose name needs the quote of a Text-string (WAP-230-WSP 8.4.2.1)."""
    pdu = mm1.MAcknowledgeInd(transaction_id="t", unknown=(UnknownHeader(name, value.encode()),))
    assert mm1.decode(mm1.encode(pdu)).message == pdu


@given(WORDS)
def test_encoded_strings(words: str) -> None:
    writer = OctetWriter()
    wsp.write_encoded_string(writer, words)
    assert wsp.read_encoded_string(OctetReader(writer.getvalue())) == words


@pytest.mark.parametrize("hex_octets", ["00", "7f", "8100", "ff7f", "818000", "8fffffff7f"])  # WAP-230-WSP 8.1.2
def test_uintvar_vectors(hex_octets: str) -> None:
    octets = bytes.fromhex(hex_octets)
    assert wsp.uintvar(wsp.read_uintvar(OctetReader(octets))) == octets


@pytest.mark.parametrize("hex_octets", ["", "80", "8080", "908080808000", "9fffffff7f"])
def test_uintvars_that_are_none(hex_octets: str) -> None:
    with pytest.raises(ProtocolError):
        wsp.read_uintvar(OctetReader(bytes.fromhex(hex_octets)))


@pytest.mark.parametrize(
    "mime_text",
    [
        "text/plain; charset=utf-8",
        "image/jpeg; name=a.jpg",
        'application/vnd.wap.multipart.related; type="application/smil"; start="<s0>"',
        "application/smil",
        "audio/amr",
        "text/x-vcard; charset=utf-16; name=x",
    ],
)
def test_content_types_travel(mime_text: str) -> None:
    content_type = ContentType.parse(mime_text)
    octets = wsp_content_type.content_type_octets(content_type)
    assert wsp_content_type.read_content_type(OctetReader(octets)) == content_type
    assert ContentType.parse(str(content_type)) == content_type


@given(st.lists(st.tuples(TOKENS, TOKENS, st.binary(max_size=300)), max_size=5))
def test_multiparts(made: list[tuple[str, str, bytes]]) -> None:
    body = encode_multipart([Part(ContentType("image/jpeg"), data, cid, location) for cid, location, data in made])
    index = index_multipart(body)
    read = [
        (one.content_id, one.content_location, body[one.data_offset : one.data_offset + one.data_length])
        for one in index
    ]
    assert read == made


NOTIFICATIONS = st.builds(
    mm1.MNotificationInd,
    transaction_id=TOKENS,
    from_=st.none() | FILLED,
    subject=st.none() | FILLED,
    delivery_report=st.none() | st.booleans(),
    message_class=st.sampled_from(mm1.MessageClass) | st.just("x-own"),
    priority=st.none() | st.sampled_from(mm1.Priority),
    message_size=INTEGERS,
    expiry=st.builds(mm1.Moment, INTEGERS),
    content_location=TOKENS,
)
SENDS = st.builds(
    mm1.MSendReq,
    transaction_id=TOKENS,
    date=st.none() | INTEGERS,
    from_=FILLED | st.just(mm1.INSERT_ADDRESS),
    to=st.lists(FILLED, min_size=1, max_size=4).map(tuple),
    cc=st.lists(FILLED, max_size=2).map(tuple),
    bcc=st.lists(FILLED, max_size=2).map(tuple),
    subject=st.none() | FILLED,
    delivery_time=st.none() | st.builds(mm1.Moment, INTEGERS, st.booleans()),
    read_report=st.none() | st.booleans(),
    content_type=st.just(ContentType("application/vnd.wap.multipart.mixed")),
    body=st.binary(max_size=60),
)
RETRIEVALS = st.builds(
    mm1.MRetrieveConf,
    transaction_id=st.none() | TOKENS,
    message_id=st.none() | TOKENS,
    date=INTEGERS,
    to=st.lists(FILLED, max_size=4).map(tuple),
    previously_sent_by=st.lists(st.builds(mm1.Counted, st.integers(1, 300), FILLED), max_size=2).map(tuple),
    previously_sent_date=st.lists(st.builds(mm1.CountedDate, st.integers(1, 300), INTEGERS), max_size=2).map(tuple),
    retrieve_status=st.none() | st.sampled_from(mm1.RetrieveStatus),
    content_type=st.just(ContentType("application/vnd.wap.multipart.mixed")),
    body=st.binary(max_size=60),
)


@given(NOTIFICATIONS | SENDS | RETRIEVALS)
@settings(max_examples=300)
def test_mm1_round_trip(pdu: mm1.Pdu) -> None:
    octets = mm1.encode(pdu)
    decoded = mm1.decode(octets)
    assert decoded.message == pdu
    assert decoded.findings == ()
    assert octets.startswith(b"\x8c")


@given(
    st.builds(
        smpp.SubmitSm,
        sequence_number=st.integers(1, 0x7FFFFFFF),
        source_addr=st.text("0123456789", max_size=20),
        destination_addr=st.text("0123456789", max_size=20),
        esm_class=st.integers(0, 255),
        data_coding=st.integers(0, 255),
        short_message=st.binary(max_size=254),
        tlvs=st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=50)), max_size=4).map(tuple),
    )
)
def test_smpp_round_trip_octet_by_octet(pdu: smpp.SubmitSm) -> None:
    octets = smpp.encode(pdu)
    framer = smpp.Framer()
    frames = [frame for octet in octets for frame in framer.feed(bytes((octet,)))]
    assert frames == [octets]
    assert smpp.decode(octets).message == pdu


@given(
    st.lists(st.tuples(TOKENS, st.binary(max_size=200)), min_size=1, max_size=4), st.sampled_from(["base64", "binary"])
)
def test_mime_round_trip(made: list[tuple[str, bytes]], encoding: str) -> None:
    parts = [mime.OutPart(ContentType("application/octet-stream"), data, cid, encoding=encoding) for cid, data in made]
    boundary = mime.choose_boundary(parts, "seed")
    body = mime.write_parts(parts, boundary)
    whole = mime.part_from((("content-type", f'multipart/mixed; boundary="{boundary}"'),), body)
    assert [(part.content_id, part.data) for part in whole.parts] == made


@given(st.text(max_size=300))
def test_text_segments_join_again(words: str) -> None:
    words = words.encode("utf-8", "ignore").decode()
    data_coding, has_header, pieces = segment.segment_text(words, 7)
    data = b"".join(segment.split_header(piece)[1] if has_header else piece for piece in pieces)
    assert text.decode_text(data_coding, data) == words
    assert all(len(piece) <= (160 if data_coding == 0 else 140) for piece in pieces)


def test_the_gsm_alphabet_agrees_with_another_one() -> None:
    gsm0338 = pytest.importorskip("gsm0338")
    codec = gsm0338.Codec()
    for char in (chr(number) for number in range(0x20, 0x2000)):
        if text.is_gsm(char):
            assert codec.encode(char)[0] == text.encode_gsm(char), char
    assert text.unpack(text.pack(b"hellohello"), 10) == b"hellohello"


def test_header_values_never_carry_line_breaks() -> None:
    evil = "x\r\nX-Evil: 1\r\n\r\nbody"
    forward = mm4.ForwardReq(transaction_id="t", message_id="m", from_=evil, to=(evil,), subject=evil)
    head = mm4.encode(forward).partition(b"\r\n\r\n")[0]
    assert b"\r\nX-Evil" not in head


VALID_MM1 = [case for case in cases("mm1") if not case.is_refused]
DECODERS: dict[str, Callable[[bytes], object]] = {
    "mm1": lambda octets: mm1.decode(octets),
    "smpp": lambda octets: smpp.decode(octets),
    "mm4": lambda octets: mm4.decode(octets),
    "mm7": lambda octets: mm7.decode("text/xml", octets),
    "push": decode_push,
    "multipart": index_multipart,
}


BODIES = [body for body in (getattr(mm1.decode(case.octets).message, "body", b"") for case in VALID_MM1) if body]


def damaged(source: str, count: int = 3000) -> Iterator[bytes]:
    """Golden octets with some of them changed, and some cut; the same ones each time."""
    seeds = BODIES if source == "multipart" else [case.octets for case in cases(source)]
    chance = random.Random(20)
    for _ in range(count):
        octets = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 4)):
            if octets:
                octets[chance.randrange(len(octets))] = chance.randrange(256)
        if chance.random() < 0.3:
            octets = octets[: chance.randrange(len(octets) + 1)]
        yield bytes(octets)


@pytest.mark.parametrize("name", DECODERS)
def test_damage_is_answered_by_a_protocol_error_only(name: str) -> None:
    read = refused = 0
    for octets in damaged({"push": "wsp"}.get(name, name)):
        try:
            DECODERS[name](octets)
            read += 1
        except ProtocolError:
            refused += 1
    assert refused > 50, f"the damage is too small: {read} were read"


def test_a_damaged_mm1_pdu_that_is_read_is_written_and_read_the_same() -> None:
    """The server tells repeats by what it would write (OMA-TS-MMS_ENC 6). What a reader does without, no writer does:
    in a request that may be repeated nothing is done without."""
    read = 0
    for octets in damaged("mm1"):
        with suppress(DecodeError):
            decoded = mm1.decode(octets)
            pdu = decoded.message
            if any(one.rule == "MM1-H005" for one in decoded.findings):
                assert not isinstance(pdu, mm1.MSendReq | mm1.MForwardReq)
                continue
            read += 1
            try:
                again = mm1.decode(mm1.encode(pdu)).message
            except ProtocolError as error:
                pytest.fail(f"{octets.hex()}: {error}")
            assert again == pdu, octets.hex()
    assert read > 200


def test_a_damaged_smpp_pdu_that_is_written_is_read_the_same() -> None:
    """What is longer than its field is read and not written; all else comes back (SMPP v3.4 3.1)."""
    read = 0
    for octets in damaged("smpp"):
        with suppress(ProtocolError):
            pdu = smpp.decode(len(octets).to_bytes(4) + octets[4:]).message
            written = smpp.encode(pdu)
            read += 1
            assert smpp.decode(written).message == pdu, octets.hex()
    assert read > 200


def test_a_damaged_push_that_is_read_is_written_and_read_the_same() -> None:
    """WAP-230-WSP 8.2.4.1."""
    read = 0
    for octets in damaged("wsp"):
        with suppress(ProtocolError):
            push = decode_push(octets)
            written = encode_push(push)
            read += 1
            assert decode_push(written) == push, octets.hex()
    assert read > 200


def test_a_damaged_multipart_that_is_read_is_written_and_read_the_same() -> None:
    """WAP-230-WSP 8.5; a part whose type has no name is read and not written."""
    read = 0
    for octets in damaged("multipart"):
        with suppress(ProtocolError):
            parts = parts_of(octets)
            written = encode_multipart(parts)
            read += 1
            assert parts_of(written) == parts, octets.hex()
    assert read > 200


def parts_of(body: bytes) -> list[Part]:
    """What of a body can be written."""
    return [
        Part(
            one.content_type,
            body[one.data_offset : one.data_offset + one.data_length],
            one.content_id,
            one.content_location,
        )
        for one in index_multipart(body)
    ]


@given(st.integers(0, 255), st.binary(max_size=60))
def test_any_short_message_is_shown(data_coding: int, octets: bytes) -> None:
    """SMPP v3.4 5.2.19: whatever the octets are, there is a text that can be written down."""
    shown = text.decode_text(data_coding, octets)
    assert shown.encode().decode() == shown


def test_a_decoder_works_in_proportion_to_its_input() -> None:
    chance = random.Random(5)
    for case in cases("mm1"):
        octets = bytearray(case.octets)
        octets[chance.randrange(len(octets))] = 0xFF
        reader = OctetReader(bytes(octets))
        with suppress(ProtocolError):
            while not reader.at_end():
                wsp.skip_value(reader)
        assert reader.steps <= 8 * len(octets) + 1000
    claims = bytes.fromhex("8c8098310 08d92".replace(" ", "")) + b"\x89\x1f\x8f\xff\xff\xff\x7f\x80"
    with pytest.raises(ProtocolError):
        mm1.decode(claims)
    with pytest.raises(ProtocolError):
        index_multipart(wsp.uintvar(0xFFFFFFFF))
    with pytest.raises(smpp.SmppError):
        smpp.Framer().feed(b"\xff\xff\xff\xff")
