"""A media type with its parameters, as MIME text (RFC 2045 5.1): the object that every wire's codec reads into.

Values in other letters than ASCII, or in pieces, are read by RFC 2231; `folded` writes them so.
"""

import re
from functools import lru_cache
from typing import Final

from protocols.charset import decode as decode_charset
from protocols.errors import DecodeError
from protocols.records import record

_TOKEN: Final = re.compile(r"[!#$&+\-.^_`|~0-9A-Za-z]+")  # without %'*: Python's reader takes them for RFC 2231
_ESCAPED: Final = re.compile(r"\\(.)")
_REMEMBERED_CHARACTERS: Final = 200
_MOST_PARAMETERS: Final = 1000  # with their pieces: a name of 4,096 letters has some 600
_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_PIECE: Final = re.compile(r"([^*]+)(?:\*([0-9]{1,3}))?(\*)?", re.ASCII)
_ATTRIBUTE: Final = frozenset(b"!#$&+-.^_`{|}~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_PIECE_CHARACTERS: Final = 60
_LONGEST_WHOLE: Final = 200  # longer values are written in pieces: not each peer puts them together
_PARAMETER: Final = re.compile(r';\s*([^\s=;"]+)\s*=\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^;"\s]*))\s*')


@record(frozen=True, slots=True)
class ContentType:
    """A media type in lower case and its parameters in order, names in lower case."""

    media_type: str
    parameters: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """The value of a parameter."""
        for known, value in self.parameters:
            if known == name:
                return value
        return default

    def __str__(self) -> str:
        if not self.parameters:
            return self.media_type
        known = _remembered_text if self.is_short else _text_of
        return known(self.media_type, self.parameters)

    @property
    def is_short(self) -> bool:
        """Whether it may be remembered by what it says: memories are bounded in number and size."""
        length = len(self.media_type)
        for name, value in self.parameters:
            length += len(name) + len(value)
        return length <= _REMEMBERED_CHARACTERS

    def folded(self) -> str:
        """As a mail's header has it: ASCII, one parameter a line (RFC 5322 2.2.3; RFC 2231)."""
        pieces = [piece for name, value in self.parameters for piece in _written(name, value)]
        return ";\r\n ".join((self.media_type, *pieces))

    @staticmethod
    def parse(text: str) -> "ContentType":
        """From MIME text. Raises DecodeError when it names no type/subtype, or has more than 1,000 parameters."""
        return _remembered(text) if len(text) <= _REMEMBERED_CHARACTERS else _parse(text)


def _parse(text: str) -> ContentType:
    media_type, semicolon, _ = text.partition(";")
    media_type = media_type.strip().lower()
    if len(media_type.split()) != 1:
        raise DecodeError(f"{text!r} is no media type", clause="RFC 2045 5.1")
    if len(text) > _MOST_PARAMETERS and text.count("=") > _MOST_PARAMETERS:
        raise DecodeError(f"more than {_MOST_PARAMETERS} parameters", clause="RFC 2045 5.1")
    found = _PARAMETER.findall(text, text.find(";")) if semicolon else []
    if "\\" in text:
        found = [(name, _ESCAPED.sub(r"\1", quoted), plain) for name, quoted, plain in found]
    parameters = tuple([(name.lower(), quoted or plain) for name, quoted, plain in found])
    return ContentType(media_type, _put_together(parameters) if "*" in text else parameters)


_remembered: Final = lru_cache(maxsize=256)(_parse)  # nearly every part of every message has one of a few types


def _text_of(media_type: str, parameters: tuple[tuple[str, str], ...]) -> str:
    return media_type + "".join(f"; {name}={_mime_value(value)}" for name, value in parameters)


_remembered_text: Final = lru_cache(maxsize=256)(_text_of)


def _mime_value(value: str) -> str:
    if _TOKEN.fullmatch(value):
        return value
    clean = re.sub(r"[\r\n]+", " ", value)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _put_together(parameters: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Pieces (RFC 2231 3) and extended values (4) become parameters; what is written in both ways is kept in the
    extended one. Pieces behind a gap are left out."""
    found: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, value in parameters:
        match = _PIECE.fullmatch(name)
        if match is None or (match[2] is None and match[3] is None):
            found.setdefault(name, value)
        else:
            pieces.setdefault(match[1], {}).setdefault(int(match[2] or 0), (value, match[3] is not None))
    for name, numbered in pieces.items():
        in_order = [numbered[number] for number in range(len(numbered)) if number in numbered]
        if in_order:
            found[name] = _text(in_order)
    return tuple(found.items())


def _text(pieces: list[tuple[str, bool]]) -> str:
    """The text of the pieces of one value; the first names the character set of those that are percent-encoded."""
    charset = "utf-8"
    first, extended = pieces[0]
    if extended:
        charset, _, rest = first.partition("'")
        pieces = [(rest.partition("'")[2], True), *pieces[1:]]
    octets = b"".join(
        _PERCENT.sub(lambda match: bytes((int(match[1], 16),)), text.encode()) if encoded else text.encode()
        for text, encoded in pieces
    )
    try:
        return decode_charset(octets, charset or "utf-8")
    except LookupError:
        return octets.decode("utf-8", "replace")


def _written(name: str, value: str) -> list[str]:
    """`name=value`, in as many pieces as it needs (RFC 2231 3, 4); nothing where the name is no token (RFC 2045 5.1:
    WSP may have any text there)."""
    if not _TOKEN.fullmatch(name):
        return []
    if value.isascii() and value.isprintable():
        if len(value) <= _LONGEST_WHOLE:
            return [f"{name}={_mime_value(value)}"]
        cut = [value[at : at + _PIECE_CHARACTERS] for at in range(0, len(value), _PIECE_CHARACTERS)]
        return [f"{name}*{number}={_mime_value(piece)}" for number, piece in enumerate(cut)]
    letters = [chr(one) if one in _ATTRIBUTE else f"%{one:02X}" for one in value.encode("utf-8", "replace")]
    whole = "utf-8''" + "".join(letters)
    if len(whole) <= _LONGEST_WHOLE:
        return [f"{name}*={whole}"]
    rows = [letters[at : at + _PIECE_CHARACTERS // 3] for at in range(0, len(letters), _PIECE_CHARACTERS // 3)]
    rows[0].insert(0, "utf-8''")
    return [f"{name}*{number}*={''.join(row)}" for number, row in enumerate(rows)]
