"""MIME by the clauses: boundaries, transfer encodings, headers, limits; wrong names and charsets break nothing."""

import base64
import binascii
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import header_fields, mime, mm4
from protocols.content_type import ContentType
from protocols.errors import DecodeError


def read(body: bytes, boundary: str = "b", limits: mime.Limits = mime.DEFAULT_LIMITS) -> mime.MimePart:
    return mime.part_from((("content-type", f'multipart/mixed; boundary="{boundary}"'),), body, limits)


def multipart(*parts: bytes, boundary: bytes = b"b") -> bytes:
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"


def test_preamble_and_epilogue_are_no_parts() -> None:  # RFC 2046 5.1.1
    whole = read(b"preamble\r\n" + multipart(b"\r\none", b"\r\ntwo") + b"epilogue\r\n--b\r\n\r\nno\r\n--b--")
    assert [part.data for part in whole.parts] == [b"one", b"two"]


def test_the_line_break_before_a_boundary_belongs_to_it() -> None:  # RFC 2046 5.1.1
    assert [part.data for part in read(multipart(b"\r\none\r\n", b"\r\n")).parts] == [b"one\r\n", b""]


def test_white_space_behind_a_boundary_is_padding() -> None:  # RFC 2046 5.1.1
    whole = read(b"--b \t\r\n\r\none\r\n--b-- \r\n")
    assert [part.data for part in whole.parts] == [b"one"]


def test_bare_line_feeds_are_read() -> None:
    whole = read(b"--b\nContent-Type: text/plain\n\none\n--b--\n")
    assert [(part.content_type.media_type, part.data) for part in whole.parts] == [("text/plain", b"one")]


@pytest.mark.parametrize("inner", ["b-1", "b1", "b--b"])
def test_a_nested_boundary_may_begin_with_the_outer_one(inner: str) -> None:  # RFC 2046 5.1.1
    nested = multipart(b"\r\nx", b"\r\ny", boundary=inner.encode())
    whole = read(multipart(f'Content-Type: multipart/mixed; boundary="{inner}"\r\n\r\n'.encode() + nested))
    assert [part.data for part in whole.parts[0].parts] == [b"x", b"y"]


def test_a_boundary_inside_a_line_is_content() -> None:
    assert [part.data for part in read(multipart(b"\r\nx --b y --b--")).parts] == [b"x --b y --b--"]


@pytest.mark.parametrize("cut", range(len(multipart(b"\r\none", b"\r\ntwo")) - len("--\r\n")))
def test_a_cut_multipart_is_refused(cut: int) -> None:
    with pytest.raises(DecodeError):
        read(multipart(b"\r\none", b"\r\ntwo")[:cut])


@pytest.mark.parametrize(
    ("encoding", "octets"),
    [
        ("BASE64", b"AP\r\n8A/w==\r\n"),
        ("base64", b"A P*8A/w"),
        ("quoted-printable", b"=00=FF=\r\n=00=FF"),
        ("binary", b"\x00\xff\x00\xff"),
        ("8bit", b"\x00\xff\x00\xff"),
        ("x-own", b"\x00\xff\x00\xff"),
    ],
)
def test_transfer_encodings(encoding: str, octets: bytes) -> None:  # RFC 2045 6
    assert mime.undo_transfer_encoding(octets, encoding) == b"\x00\xff\x00\xff"


def test_bad_base64_is_refused() -> None:  # RFC 2045 6.8
    with pytest.raises(DecodeError):
        mime.undo_transfer_encoding(b"A", "base64")


def test_headers_are_folded_and_of_any_case() -> None:  # RFC 2045 5, RFC 5322 2.2.3
    part = mime.parse_part(b'CONTENT-type: image/jpeg;\r\n\tName="a;b \\"c"\r\ncontent-ID:\r\n <x@y>\r\njunk\r\n\r\nz')
    assert (part.content_type.media_type, part.content_id, part.content_location) == ("image/jpeg", "x@y", 'a;b "c')
    assert part.data == b"z"


def test_a_part_without_content_type_is_text() -> None:  # RFC 2045 5.2
    assert str(read(multipart(b"\r\nx")).parts[0].content_type) == "text/plain; charset=us-ascii"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("attachment; filename*=utf-8'de'Gr%C3%BC%C3%9Fe.jpg", "Grüße.jpg"),
        ("attachment; filename*=iso-8859-1''%FC", "ü"),
        ("attachment; filename*=idna''%FF", "\ufffd"),
        ("attachment; filename*=undefined''%FF", "\ufffd"),
        ("attachment; filename*=x\0y''%FF", "\ufffd"),
        ("attachment; filename*=nonsense", ""),
        ('attachment; filename="a b.jpg"', "a b.jpg"),
        (";;;", ""),
    ],
)
def test_extended_parameters(value: str, name: str) -> None:  # RFC 2231 4
    assert mime.parse_parameters(value).get("filename", "") == name


@pytest.mark.parametrize("words", ["=?utf-8?B?a?=", "=?none?Q?x?=", "=?idna?Q?=FF?=", "=?utf-8?", "=?a\0b?Q?x?="])
def test_words_that_cannot_be_decoded_stay_as_they_are(words: str) -> None:  # RFC 2047 6.3
    assert header_fields.decode_words(words) == words


def test_words_travel() -> None:
    assert header_fields.decode_words(header_fields.encode_words("Grüße =?x?= 你好")) == "Grüße =?x?= 你好"
    assert "\n" not in header_fields.encode_words("a\r\nBcc: b")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=600))
def test_encoded_words_are_short_enough_and_read_back(text: str) -> None:
    """RFC 2047 2: at most 75 letters each."""
    written = header_fields.encode_words(text)
    assert header_fields.decode_words(written) == text
    if written != text:
        assert max(map(len, written.split(" "))) <= 75


@pytest.mark.parametrize(
    ("body", "limits"),
    [
        (multipart(*[b"\r\n"] * 4), mime.Limits(parts=3)),
        (
            multipart(*[b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n\r\n--c--"] * 2),
            mime.Limits(parts=3),
        ),
        (multipart(b"A: " + b"x" * 90 + b"\r\n\r\n"), mime.Limits(header_octets=80)),
        (multipart(b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n\r\n--c--"), mime.Limits(depth=1)),
    ],
)
def test_limits(body: bytes, limits: mime.Limits) -> None:
    with pytest.raises(DecodeError):
        read(body, limits=limits)
    assert read(body).parts


def test_the_boundary_occurs_in_no_part() -> None:
    first = mime.choose_boundary((), "seed")
    part = mime.OutPart(ContentType("text/plain"), b"\r\n--" + first.encode() + b"--\r\n")
    boundary = mime.choose_boundary((part,), "seed")
    assert boundary != first
    assert [one.data for one in read(mime.write_parts((part,), boundary), boundary).parts] == [part.data]


def test_the_root_is_the_start_else_the_first() -> None:  # RFC 2387 3.2
    parts = read(multipart(b"Content-ID: <a>\r\n\r\n1", b"Content-ID: b\r\n\r\n2")).parts
    assert [mime.resolve(parts, start) for start in ("<b>", "b", "", "<z>")] == [parts[1], parts[1], parts[0], parts[0]]
    assert mime.resolve((), "a") is None


def test_a_long_subject_fits_the_lines_of_a_mail() -> None:
    """RFC 5322 2.1.1: the longest subject that we take, in a script that takes most octets."""
    subject = "\U0001f4f7" * 512
    octets = mm4.encode(mm4.ForwardReq(transaction_id="t", message_id="m@x", from_="4488", to=("+1",), subject=subject))
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    message = mm4.decode(octets).message
    assert isinstance(message, mm4.ForwardReq)
    assert message.subject == subject


def test_a_body_of_the_boundarys_own_letters_costs_no_more_than_another() -> None:
    started = time.process_time()
    with pytest.raises(DecodeError, match="first boundary"):
        list(mime.split(b"-" * 4_000_000, "-" * 1000))
    assert time.process_time() - started < 2, "it took ten seconds, and five minutes with 32 KB of boundary"


@pytest.mark.parametrize("before", [b"", b"\n", b"--bx\r\n", b"--b!--b\n", b"x--b\n", b"--bx\n--by\n"])
def test_what_only_looks_like_a_boundary_is_passed_over(before: bytes) -> None:  # RFC 2046 5.1.1
    body = before + b"--b\n\none--b\n--b--b\n--b\n\ntwo\n--b--\n"
    assert [body[start:end] for start, end in mime.split(body, "b")] == [b"\none--b\n--b--b", b"\ntwo"]


@pytest.mark.parametrize(("words", "is_read"), [(3, True), (500, False)])
def test_encoded_words_of_a_name_are_undone_unless_it_is_endless(words: int, is_read: bool) -> None:
    """RFC 2047: their number costs time, and who writes two hundred parts can write them everywhere."""
    name = "=?utf-8?q?a?= " * words
    part = mime.parse_part(f"Content-ID: <{name.strip()}>\r\nContent-Location: {name}\r\n\r\nx".encode())
    assert part.content_location == ("a" * words if is_read else name.strip())
    assert part.content_id.startswith("=?") is not is_read


@given(st.binary(max_size=120), st.lists(st.tuples(st.integers(0, 160), st.binary(max_size=3)), max_size=4))
def test_base64_is_read_as_the_standard_library_reads_it(octets: bytes, damage: list[tuple[int, bytes]]) -> None:
    written = bytearray(base64.encodebytes(octets).replace(b"\n", b"\r\n"))
    for at, instead in damage:
        written[at : at + 1] = instead
    sent = bytes(written)
    try:
        expected = binascii.a2b_base64(sent)
    except binascii.Error:
        return  # what it refuses is read more leniently here: other tests say how
    assert mime.undo_transfer_encoding(sent, "base64") == expected
