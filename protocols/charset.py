"""Text in the character set that its sender names: the name is the sender's choice, so only character sets count."""

from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import Final

# Python has codecs that are none (punycode takes time by the square, unicode_escape makes letters out of backslashes),
# and it remembers for ever each name that it was asked for in vain.
_CODECS: Final = frozenset(aliases.values()) | {"koi8_u", "cp874"}


def decode(octets: bytes, charset: str) -> str:
    """The text, with U+FFFD for what cannot be read; what comes back can always be written in UTF-8 (from UTF-7, halves
    of surrogate pairs can be read). Raises LookupError for a name of no character set."""
    name = normalize_encoding(charset.lower())
    codec = aliases.get(name, name)
    if codec not in _CODECS:
        raise LookupError(f"{charset!r} names no character set")
    text = octets.decode(codec, "replace")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
