"""A media type with its parameters, as MIME text (RFC 2045 5.1): the object that every wire's codec reads into."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from protocols.errors import DecodeError

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ESCAPED: Final = re.compile(r"\\(.)")
_REMEMBERED_CHARACTERS: Final = 200
_PARAMETER: Final = re.compile(r';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))\s*')


@dataclass(frozen=True, slots=True)
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
        return self.media_type + "".join(f"; {name}={_mime_value(value)}" for name, value in self.parameters)

    @staticmethod
    def parse(text: str) -> "ContentType":
        """From MIME text. Raises DecodeError when it names no type/subtype."""
        return _remembered(text) if len(text) <= _REMEMBERED_CHARACTERS else _parse(text)


def _parse(text: str) -> ContentType:
    media_type, semicolon, _ = text.partition(";")
    media_type = media_type.strip().lower()
    if len(media_type.split()) != 1:
        raise DecodeError(f"{text!r} is no media type", clause="RFC 2045 5.1")
    found = _PARAMETER.findall(text, text.find(";")) if semicolon else []
    return ContentType(
        media_type,
        tuple(
            (name.lower(), (_ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted) or plain)
            for name, quoted, plain in found
        ),
    )


_remembered: Final = lru_cache(maxsize=256)(_parse)  # nearly every part of every message has one of a few types


def _mime_value(value: str) -> str:
    if _TOKEN.fullmatch(value):
        return value
    clean = re.sub(r"[\r\n]+", " ", value)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'
