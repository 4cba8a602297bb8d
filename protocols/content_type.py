"""A media type with its parameters, as MIME text (RFC 2045 5.1): the object that every wire's codec reads into."""

import re
from dataclasses import dataclass
from typing import Final

from protocols.errors import DecodeError

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
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
        media_type, _, _ = text.partition(";")
        media_type = media_type.strip().lower()
        if not media_type or any(char.isspace() for char in media_type):
            raise DecodeError(f"{text!r} is no media type", clause="RFC 2045 5.1")
        found = _PARAMETER.findall(text, text.find(";")) if ";" in text else []
        parameters = tuple(
            (name.lower(), re.sub(r"\\(.)", r"\1", quoted) if quoted else plain) for name, quoted, plain in found
        )
        return ContentType(media_type, parameters)


def _mime_value(value: str) -> str:
    if _TOKEN.fullmatch(value):
        return value
    clean = re.sub(r"[\r\n]+", " ", value)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'
