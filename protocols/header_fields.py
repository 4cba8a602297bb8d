"""Header fields as mail, MIME and HTTP write them: lines, folds, and encoded words (RFC 5322 2.2, RFC 2047)."""

import re
from email.errors import HeaderParseError
from email.header import Header, decode_header
from functools import lru_cache
from typing import Final

from protocols.charset import decode as decode_charset

_FOLD: Final = re.compile(rb"\r?\n[ \t]+")
_FIELD_NAME: Final = re.compile(rb"[!-9;-~]+")  # RFC 5322 3.6.8
_LINE_BREAKS: Final = re.compile(r"[\r\n]+\s*")
_ENCODED_WORD: Final = 75
_LONGEST_LINE: Final = 900  # of 998 (RFC 5322 2.1.1)
_LONGEST_ENCODED_LINE: Final = 76  # RFC 2047 2
_LONGEST_OF_WORDS: Final = 16 * 1024
_LONGEST_REMEMBERED: Final = 64  # octets of a name


def parse_headers(block: bytes) -> tuple[tuple[str, str], ...]:
    """Header lines, unfolded; names in lower case. Lines that are none are passed over."""
    found: list[tuple[str, str]] = []
    folded = b"\n " in block or b"\n\t" in block
    for line in (_FOLD.sub(b" ", block) if folded else block).split(b"\n"):
        octets, colon, value = line.partition(b":")
        if colon:
            name = _remembered_name(octets) if len(octets) <= _LONGEST_REMEMBERED else _name(octets)
            if name:
                found.append((name, _text(value.strip())))
    return tuple(found)


def _name(octets: bytes) -> str:
    """A field's name in lower case, "" for what is none."""
    name = octets.strip()
    return name.decode("ascii").lower() if _FIELD_NAME.fullmatch(name) else ""


_remembered_name: Final = lru_cache(maxsize=512)(_name)  # there are few


def _text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def decode_words(text: str) -> str:
    """RFC 2047 encoded words in words; text without any comes back as it is, and so does text longer than any header:
    the library's time grows with the square of their number."""
    if "=?" not in text or len(text) > _LONGEST_OF_WORDS:
        return text
    try:
        pieces = decode_header(text)
        return "".join(
            piece if isinstance(piece, str) else decode_charset(piece, charset or "ascii") for piece, charset in pieces
        ).replace("\0", "")  # RFC 5322 4.1: no text has one, and hardly any reader or database bears it
    except (HeaderParseError, LookupError, ValueError):
        return text


def encode_words(text: str, name: str = "") -> str:
    """A header value in ASCII without line breaks: encoded words of at most 75 letters where it must be (RFC 2047 2),
    with a space between them where a line may be folded. `name` is the header's: the first word leaves room for it."""
    clean = _LINE_BREAKS.sub(" ", text)
    if _is_plain(clean) and "=?" not in clean:
        return clean
    return _encoded(clean, name)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def header_line(name: str, *values: str, opaque: bool = False) -> bytes:
    """One header with a value or a list of them, folded where it is long (RFC 5322 2.1.1), or behind each encoded word
    (RFC 2047 2). A word that no line can hold is encoded, which gives it places to fold. In an `opaque` value nobody
    looks for encoded words: what looks like one is no text to be encoded."""
    value = ", ".join(values)
    text = ", ".join(one if opaque and _is_plain(one) else encode_words(one, name) for one in values)
    if len(text) > _LONGEST_LINE and ("  " in text or max(map(len, text.split(" "))) > _LONGEST_LINE):
        text = _encoded(text, name)
    longest = _LONGEST_LINE if text == value else _LONGEST_ENCODED_LINE
    lines: list[str] = []
    current = f"{name}:"
    for word in text.split(" "):
        if len(current) + 1 + len(word) > longest and current.strip() != f"{name}:":
            lines.append(current)
            current = ""
        current += f" {word}"
    lines.append(current)
    return ("\r\n".join(lines) + "\r\n").encode("ascii", "replace")


def _encoded(text: str, name: str) -> str:
    return Header(text, "utf-8", maxlinelen=_ENCODED_WORD, header_name=name or None).encode(linesep="")
