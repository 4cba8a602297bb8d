"""SMIL presentations (OMA-TS-MMS_CONF 8): read as phones write them, built and read back, hostile ones refused."""

import pytest

from protocols import smil
from protocols.errors import DecodeError

PHONE = b"""<?xml version="1.0"?>
<!DOCTYPE smil PUBLIC "-//W3C//DTD SMIL 2.0//EN" "http://www.w3.org/2001/SMIL20/SMIL20.dtd">
<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><head><layout><region id="Image"/></layout></head><body>
<par dur="8000ms"><img src="cid:a@x" region="Image"/><text src="hello.txt" region="Text"/></par>
<par dur="3s"><audio src="tone.amr"/></par></body></smil>\0"""


def test_a_phones_presentation_with_its_doctype() -> None:
    first, second = smil.decode(PHONE)
    assert first.duration_ms == 8000
    assert first.media == (smil.Medium("image", "cid:a@x", "Image"), smil.Medium("text", "hello.txt", "Text"))
    assert (second.duration_ms, second.media[0].kind) == (3000, "audio")


@pytest.mark.parametrize("byte_order", ["utf-16", "utf-16-be"])
def test_a_presentation_in_utf_16(byte_order: str) -> None:
    mark = "\ufeff" if byte_order == "utf-16-be" else ""
    text = mark + '<smil><body><par><img src="\u0439"/></par></body></smil>'
    assert smil.decode(text.encode(byte_order))[0].media == (smil.Medium("image", "\u0439"),)


def test_what_is_built_reads_back() -> None:
    slides = (
        smil.Slide(5000, (smil.Medium("image", 'cid:a"<&>', "Image"), smil.Medium("text", "ä.txt", "Text"))),
        smil.Slide(1, (smil.Medium("video", "v.3gp", "Image"),)),
    )
    assert smil.decode(smil.build(slides)) == slides


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"not xml",
        b"<html/>",
        PHONE[:-20],
        b'<!DOCTYPE smil [<!ENTITY a "b">]><smil><body><par><text src="&a;"/></par></body></smil>',
        b'<!DOCTYPE smil [<!ENTITY a SYSTEM "file:///etc/passwd">]><smil><body>&a;</body></smil>',
        b"<smil><body>" + b"<par/>" * (smil.MAXIMUM_SLIDES + 1) + b"</body></smil>",
        b"<smil><par>" + b"<img src='a'/>" * (smil.MAXIMUM_MEDIA + 1) + b"</par></smil>",
        b"<smil>" + b" " * smil.MAXIMUM_OCTETS + b"</smil>",
    ],
    ids=lambda octets: repr(octets[:40]),
)
def test_refused(octets: bytes) -> None:
    with pytest.raises(DecodeError):
        smil.decode(octets)


def test_nested_slides_do_not_multiply_their_elements() -> None:
    octets = b"<smil>" + b"<par>" * 100 + b"<img src='a'/>" * 300 + b"</par>" * 100 + b"</smil>"
    assert sum(len(slide.media) for slide in smil.decode(octets)) == 300


def test_each_prefix_is_refused() -> None:
    whole = smil.build([smil.Slide(5000, (smil.Medium("text", "cid:t", "Text"),))])
    for end in range(len(whole)):
        with pytest.raises(DecodeError):
            smil.decode(whole[:end])


@pytest.mark.parametrize(
    ("source", "expected"),
    [("cid:a%40x", True), ("cid:a@x", True), ("CID:<a@x>", True), ("cid:b", False), ("l.jpg", True), ("", False)],
)
def test_references(source: str, expected: bool) -> None:
    """RFC 2392 2: the id is percent-encoded in a cid URL; RFC 2557 8: else the Content-Location."""
    assert smil.matches(source, "a@x", "l.jpg") is expected
