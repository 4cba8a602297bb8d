"""MM7 messages in words: element names for attributes, addresses as they are typed, a message as a JSON object."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Final

from protocols.mime import MimePart
from protocols.mm7 import Address, Message

_SPELT: Final[Mapping[str, str]] = {
    "id": "ID",
    "vasp": "VASP",
    "vas": "VAS",
    "mm": "MM",
    "mm7": "MM7",
    "mms": "MMS",
    "drm": "DRM",
    "ua": "UA",
    "spi": "SPI",
}
_SHOWN_CHARACTERS: Final = 60


def element_of(attribute: str) -> str:
    """The element (or attribute) of MM7 that a field of a message holds."""
    return "".join(_SPELT.get(word, word.capitalize()) for word in attribute.split("_"))


def element_name(message: Message) -> str:
    """The name of a message's element: `extendedCancelReq` begins small (TS 23.140 8.7.3)."""
    name = type(message).__name__
    return name[0].lower() + name[1:] if name.startswith("Extended") else name


def printable(text: str) -> str:
    """On one line, and nothing that a terminal would obey."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def spelt(address: Address | None) -> str:
    """An address as it stands in the XML; "nobody" for none."""
    if address is None:
        return "nobody"
    return printable(address.value) + (" (displayOnly)" if address.display_only else "")


def spelt_all(addresses: Sequence[Address], most: int = 5) -> str:
    """Several, not too many."""
    shown = ", ".join(spelt(one) for one in addresses[:most])
    return shown + (f" and {len(addresses) - most} more" if len(addresses) > most else "")


def as_object(message: Message) -> dict[str, object]:
    """What a message says, by element; what it leaves out is left out."""
    values = {element_of(field.name): _plain(getattr(message, field.name)) for field in fields(message)}
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        said = {element_of(field.name): _plain(getattr(value, field.name)) for field in fields(value)}
        return {name: one for name, one in said.items() if one not in (None, "", False)}
    return value


def leaves(part: MimePart) -> list[MimePart]:
    """The parts of a content that are no multiparts, in order."""
    return [leaf for one in part.parts for leaf in leaves(one)] if part.parts else [part]


def part_in_words(part: MimePart) -> str:
    """A text itself, of others type and size."""
    if part.content_type.media_type == "text/plain":
        charset = part.content_type.get("charset") or "utf-8"
        try:
            text = part.data.decode(charset, "replace")
        except LookupError:
            text = part.data.decode("utf-8", "replace")
        return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "...")
    return f"{printable(part.content_type.media_type)} {len(part.data):,}"
