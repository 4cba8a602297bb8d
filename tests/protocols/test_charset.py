"""Names of character sets come from outside: whatever they are, text comes back that can be written again."""

import encodings

import pytest

from protocols import header_fields, mime, mm1
from protocols.charset import decode
from protocols.wsp.charsets import NAMES, decode_text

HALF = b"+2AA-"  # half of a surrogate pair, in UTF-7 (RFC 2152)


@pytest.mark.parametrize("name", [name for name in NAMES.values() if name != "*"])
def test_every_character_set_that_wsp_numbers_is_read(name: str) -> None:
    """WAP-230-WSP 8.4.2.8."""
    wide = "utf-16-le" if name == "utf-16le" else "utf-16-be"
    assert decode_text("Az 9".encode(wide if "utf-16" in name or "ucs" in name else "ascii"), name) == "Az 9"


@pytest.mark.parametrize(
    "name", ["punycode", "unicode_escape", "idna", "rot13", "hex", "a\0b", "\ud800", "nonesuch", ""]
)
def test_what_is_no_character_set_is_none(name: str) -> None:
    """Some are codecs of Python: with them a sender would pick how text is changed, and how long that takes."""
    with pytest.raises(LookupError):
        decode(b"x", name)
    assert decode_text(b"\\ud800 \xc3\xa9", name) == "\\ud800 é"


def test_half_a_letter_becomes_the_sign_for_what_cannot_be_read() -> None:
    assert decode(HALF, "utf-7") == "\ufffd"
    assert decode(b"+2D3c9w-", "UTF-7") == "📷"
    assert header_fields.decode_words("=?utf-7?Q?+2AA-?=") == "\ufffd"
    assert mime.parse_parameters("attachment; filename*=utf-7''%2B2AA-")["filename"] == "\ufffd"
    subject = b"\x96\x09\x02\x03\xf4" + HALF + b"\0"  # OMA-TS-MMS_ENC 7.3.19, MIBenum 1012
    sent = mm1.decode(b"\x8c\x80\x98t\0\x8d\x92\x89\x01\x81" + subject + b"\x84\xa3\0").message
    assert isinstance(sent, mm1.MSendReq)
    assert sent.subject == "\ufffd"
    assert mm1.encode(sent)


def test_made_up_names_are_not_remembered() -> None:
    known = len(encodings._cache)
    for number in range(100):
        assert decode_text(b"x", f"nonesuch-{number}") == "x"
    assert len(encodings._cache) == known
