"""The forms in which numbers stand in octets and texts, each replaced by another number in the same form and length."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final

Other = Callable[[str], str]  # digits to as many digits

FIRST_DIGITS: Final = re.compile(rb"\d{1,15}")
LAST_DIGITS: Final = re.compile(rb"\d{1,15}\Z")
_RUN: Final = re.compile(r"\d{7,20}")
_RUN_OF_OCTETS: Final = re.compile(rb"\d{7,20}")
_SPACED: Final = re.compile(r"\d(?:[ .()/\-]{0,2}\d){6,19}")  # as people write them
_SPACED_OCTETS: Final = re.compile(rb"\d(?:(?:[ .()/\-]{0,2}|=\r?\n)\d){6,19}")  # RFC 2045 6.7: a soft line break
_REFERENCE: Final = rb"&#(?:0*(?:4[89]|5[0-7])|[xX]0*3\d);"  # of a digit (XML 1.0 4.1)
_REFERENCES: Final = re.compile(rb"(?:\d|%b){7,20}" % _REFERENCE)
_ONE: Final = re.compile(rb"%b|\d" % _REFERENCE)
_WIDE: Final = (("utf-16-be", re.compile(rb"(?:\0\d){7,20}")), ("utf-16-le", re.compile(rb"(?:\d\0){7,20}")))
_WORD: Final = re.compile(rb"=\?[^?\s]+\?[bB]\?([A-Za-z0-9+/]+={0,2})\?=")  # RFC 2047 2
_BASE64: Final = re.compile(rb"(?:[A-Za-z0-9+/]{16,}\r?\n?)+={0,2}|[A-Za-z0-9+/]{12,}={0,2}")
_DIGIT: Final = re.compile(r"\d")


def in_text(text: str, other: Other) -> str:
    """A text with the numbers in it replaced."""
    plain = _RUN.sub(lambda found: other(found[0]), text)
    return _SPACED.sub(lambda found: _spaced(found[0], other), plain)


def in_octets(octets: bytes, other: Other) -> bytes:
    """Octets with the numbers in them replaced, in whichever form."""
    made = _RUN_OF_OCTETS.sub(lambda found: other(found[0].decode()).encode(), octets)
    made = _SPACED_OCTETS.sub(lambda found: _spaced(found[0].decode("latin-1"), other).encode("latin-1"), made)
    if b"&#" in made:
        made = _REFERENCES.sub(lambda found: _references(found[0], other), made)
    for charset, run in _WIDE:
        made = _wide(made, run, charset, other)
    made = _WORD.sub(lambda found: found[0].replace(found[1], _decoded(found[1], other)), made)
    return _BASE64.sub(lambda found: _decoded(found[0], other), made)


def _wide(octets: bytes, run: re.Pattern[bytes], charset: str, other: Other) -> bytes:
    return run.sub(lambda found: other(found[0].decode(charset)).encode(charset), octets)


def _spaced(text: str, other: Other) -> str:
    """The other number's digits where those of the number stood."""
    digits = iter(other("".join(_DIGIT.findall(text))))
    return _DIGIT.sub(lambda _: next(digits), text)


def _references(octets: bytes, other: Other) -> bytes:
    """Character references of digits, each in the form that it had."""
    pieces = _ONE.findall(octets)
    digits = other("".join(_digit_of(one) for one in pieces))
    return b"".join(_like(one, digit) for one, digit in zip(pieces, digits, strict=True))


def _digit_of(piece: bytes) -> str:
    return chr(int(piece[3:-1], 16) if piece[2:3] in b"xX" else int(piece[2:-1])) if len(piece) > 1 else piece.decode()


def _like(piece: bytes, digit: str) -> bytes:
    if len(piece) == 1:
        return digit.encode()
    code = digit.encode() if piece[2:3] in b"xX" else b"%d" % ord(digit)
    return piece[: -1 - len(code)] + code + b";"


def _decoded(octets: bytes, other: Other) -> bytes:
    """Base64, lines as they were; what is none stays."""
    lines = octets.split(b"\n")
    bare = b"".join(line.rstrip(b"\r") for line in lines)
    try:
        plain = base64.b64decode(bare, validate=True)
    except (binascii.Error, ValueError):
        return octets
    made = plain_octets(plain, other)
    if made == plain:
        return octets
    fresh = iter(base64.b64encode(made))
    return bytes(one if one in b"\r\n" else next(fresh) for one in octets)


def plain_octets(octets: bytes, other: Other) -> bytes:
    """Octets that were decoded: numbers as text in them."""
    made = _RUN_OF_OCTETS.sub(lambda found: other(found[0].decode()).encode(), octets)
    return _SPACED_OCTETS.sub(lambda found: _spaced(found[0].decode("latin-1"), other).encode("latin-1"), made)
