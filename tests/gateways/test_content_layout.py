"""Content built from MIME parts knows where its parts lie without reading itself back (WAP-230-WSP 8.5)."""

from itertools import product

import pytest

from mmsc.gateways.content import MIXED, build, from_mime, from_wsp, single, to_mime
from protocols import mm4
from protocols.content_type import ContentType
from protocols.errors import DecodeError, Finding
from protocols.mime import part_from
from protocols.wsp.multipart import Part, encode_multipart, lay_out

TYPES = (
    "image/jpeg",
    "text/plain; charset=utf-8",
    "text/plain; charset=iso-8859-1; name=a.txt",
    'image/gif; name="a b.gif"',
    "application/x-odd; x-foo=bar",
)


@pytest.mark.parametrize("text", TYPES)
def test_the_index_is_what_reading_back_gives(text: str) -> None:
    for content_id, location in product(("", "a", "a@b"), ("", "x.jpg", "a b", "é.jpg")):
        parts = [
            Part(ContentType.parse(text), b"one", content_id, location),
            Part(ContentType.parse(text), bytes(200), "two", "two"),
        ]
        content = build(parts)
        assert content == from_wsp(ContentType(MIXED), content.body)
        assert [content.octets_of(part) for part in content.parts] == [b"one", bytes(200)]


def test_nothing_is_laid_out_as_nothing() -> None:
    assert build([]) == from_wsp(ContentType(MIXED), b"\x00")


@pytest.mark.parametrize("media_type", ["text/pl ain", "no type"])
def test_a_part_whose_type_is_no_media_type_can_be_shown_and_sent_on(media_type: str) -> None:
    """WAP-230-WSP 8.4.2.24 lets any text stand there; RFC 2045 5.1 does not."""
    body = encode_multipart([Part(ContentType(media_type), b"one", "one", "one.bin")])
    content = from_wsp(ContentType(MIXED), body)
    assert content.body == body
    assert [content.octets_of(part) for part in content.parts] == [b"one"]
    assert [ContentType.parse(part.content_type) for part in content.parts] == [ContentType("application/octet-stream")]
    assert to_mime(content)[1][0].data == b"one"
    assert single(ContentType(media_type), b"one").parts[0].content_type == "application/octet-stream"


def test_a_multipart_whose_own_type_cannot_be_read_back_is_refused() -> None:
    with pytest.raises(DecodeError):
        from_wsp(ContentType(f"{MIXED} or so"), b"\x00")


@pytest.mark.parametrize("kind", ["mixed", "related", "alternative"])
def test_a_multipart_has_the_name_that_handsets_read(kind: str) -> None:
    """WAP-230-WSP table 40: 0x0C and 0x23 have the same form; many handsets refuse the former."""
    content_type = ContentType(f"multipart/{kind}", (("type", "application/smil"), ("start", "<s>")))
    content = from_wsp(content_type, encode_multipart([Part(ContentType("application/smil"), b"<smil/>", "s")]))
    named = ContentType.parse(content.content_type)
    assert named == ContentType(f"application/vnd.wap.multipart.{kind}", content_type.parameters)
    if kind == "related":
        assert to_mime(content)[0].get("start") == "<s>"


@pytest.mark.parametrize("kind", ["application/vnd.wap.multipart.mixed", "multipart/related"])
@pytest.mark.parametrize("octets", [b"", b"\x05not five parts", b"--b\r\n\r\nx\r\n--b--\r\n"])
def test_a_part_that_only_claims_to_be_a_multipart_is_octets(kind: str, octets: bytes) -> None:
    """RFC 2046 5.1.1: a multipart without its boundary would spoil the whole mail."""
    _, (part,) = to_mime(build([Part(ContentType(kind), octets, "n", "")]))
    assert (part.content_type.media_type, part.data) == ("application/octet-stream", octets)


@pytest.mark.parametrize("depth", [1, 3, 4, 40])
def test_multiparts_in_multiparts_can_be_read_back_however_deep(depth: int) -> None:
    part = Part(ContentType("image/jpeg"), b"\xff\xd8", "leaf", "")
    for number in range(depth):
        body, _ = lay_out([part])
        part = Part(ContentType("application/vnd.wap.multipart.related"), body, f"n{number}", "")
    media, parts = to_mime(build([part]))
    req = mm4.ForwardReq(transaction_id="t", message_id="m@x", from_="+1")
    octets = mm4.encode(req, (media, parts))
    message = mm4.decode(octets).message
    assert isinstance(message, mm4.ForwardReq)
    assert message.content is not None
    (found,) = from_mime(message.content).parts
    assert found.content_type == ("image/jpeg" if depth < 4 else "application/octet-stream")


def test_a_mail_without_any_part_has_no_content() -> None:
    """It came on as a part of type multipart/mixed, which no peer could read."""
    message = mm4.decode(mm4.encode(mm4.ForwardReq(transaction_id="t", message_id="m@x", from_="+1"))).message
    assert isinstance(message, mm4.ForwardReq)
    assert message.content is not None
    assert from_mime(message.content).parts == ()


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        ("text/\0plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("\0", "application/octet-stream"),
        ('image/gif; name="a\0b.gif"', "image/gif; name=ab.gif"),
        ("image/gif; x\0y=\1z; \0=1; \0type=2", "image/gif; xy=z"),
    ],
)
def test_no_content_type_ends_before_its_end(head: str, content_type: str) -> None:
    """WAP-230-WSP 8.4.2.1: a NUL ends a text. What a sender put into its header is no reason to fail."""
    content = from_mime(part_from((("content-type", head),), b"octets"))
    assert content == from_wsp(ContentType(MIXED), content.body)
    assert [(one.content_type, content.octets_of(one)) for one in content.parts] == [(content_type, b"octets")]


def test_a_multipart_without_parts_is_no_part() -> None:
    """RFC 2046 5.1: it has nothing to show, inside another one as alone."""
    body = (
        b"--a\r\nContent-Type: text/plain\r\n\r\nhi\r\n"
        b"--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n--a--\r\n"
    )
    content = from_mime(part_from((("content-type", "multipart/mixed; boundary=a"),), body))
    assert [content.octets_of(part) for part in content.parts] == [b"hi"]


@pytest.mark.parametrize("number", ["da", "02 0301"], ids=["0x5A", "0x0301"])
def test_a_type_that_handsets_only_know_by_its_name_is_passed_on_by_name(number: str) -> None:
    """WAP-230-WSP 8.4.2.24: Android fails on numbers from 0x53 on, and shows nothing of the whole message."""
    media = bytes.fromhex(number) if number == "da" else bytes.fromhex("03" + number.replace(" ", ""))
    headers = media + b'\xc0"<p>\0\x8ep.bin\0'
    body = b"\x02" + bytes((len(headers), 3)) + headers + b"\x00\xda\xff" + b"\x01\x02\x83hi"
    remarks: list[Finding] = []
    content = from_wsp(ContentType(MIXED), body, remarks)
    assert [(one.rule, one.offset) for one in remarks] == [("WSP-H015", 3 if number == "da" else 4)]
    name = "application/octet-stream" if number == "da" else "application/iota.mmc-xml"
    assert [(one.content_type, one.content_id, one.content_location) for one in content.parts] == [
        (name, "p", "p.bin"),
        ("text/plain", "", ""),
    ]
    assert [content.octets_of(one) for one in content.parts] == [b"\x00\xda\xff", b"hi"]
    again: list[Finding] = []
    assert from_wsp(ContentType(MIXED), content.body, again) == content
    assert again == []
    assert name.encode() + b"\0\xc0" in content.body


def test_identifiers_come_before_headers_with_numbers() -> None:
    """Android passes over whatever follows a header whose number it does not know (WAP-230-WSP 8.5.3)."""
    media = b"\x83\x8d\x82" + b'\xc0"<p>\0\x8ep.txt\0'
    body = b"\x01" + bytes((len(media), 2)) + media + b"hi"
    remarks: list[Finding] = []
    content = from_wsp(ContentType(MIXED), body, remarks)
    assert [(one.rule, one.offset) for one in remarks] == [("WSP-H016", 6), ("WSP-H016", 12)]
    assert [(one.content_id, one.content_location) for one in content.parts] == [("p", "p.txt")]
    assert content.body == b"\x01\x0e\x02" + b'\x83\xc0"<p>\0\x8ep.txt\0' + b"hi"


def test_headers_with_names_may_come_first() -> None:
    """Android reads them, whoever they are of; so the content stays as it came."""
    media = b"\x83X-Oma-Drm\0yes\0" + b'\xc0"<p>\0'
    body = b"\x01" + bytes((len(media), 2)) + media + b"hi"
    remarks: list[Finding] = []
    assert from_wsp(ContentType(MIXED), body, remarks).body == body
    assert remarks == []
