"""What the page behind a fallback SMS shows: slides in SMIL order, and every part as a download.

Nothing of it runs: text is escaped, only pictures, sound and video are shown, everything else is a download.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from mmsc.domain.message import Content, Part
from protocols import smil
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.wsp.charsets import decode_text

_SHOWN: Final = {
    "image/jpeg": "image",
    "image/jpg": "image",
    "image/png": "image",
    "image/gif": "image",
    "image/webp": "image",
    "image/bmp": "image",
    "audio/amr": "audio",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
    "audio/ogg": "audio",
    "audio/wav": "audio",
    "audio/aac": "audio",
    "video/mp4": "video",
    "video/3gpp": "video",
    "video/webm": "video",
    "text/plain": "text",
}
_EXTENSIONS: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "text/plain": ".txt",
    "audio/amr": ".amr",
    "video/3gpp": ".3gp",
    "video/mp4": ".mp4",
    "application/smil": ".smil",
}
_SMIL: Final = "application/smil"
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\"\\/:*?<>|;%]+")
_LONGEST_NAME: Final = 80
LONGEST_TEXT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Something on a slide: `kind` is text, image, audio or video; `number` names the part."""

    kind: str
    number: int
    text: str = ""
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Download:
    """A part to take away."""

    number: int
    name: str
    media_type: str
    octets: int


@dataclass(frozen=True, slots=True)
class Page:
    """The slides and the downloads."""

    slides: tuple[tuple[Piece, ...], ...]
    downloads: tuple[Download, ...]


def media_type_of(part: Part) -> str:
    """A part's media type without parameters."""
    return part.content_type.partition(";")[0].strip().lower()


def shown_as(part: Part) -> str:
    """How a part is shown: text, image, audio, video; "" when it is only a download."""
    return _SHOWN.get(media_type_of(part), "")


def page_of(content: Content) -> Page:
    """The page of a message."""
    slides = _slides(content) or tuple(
        (piece,) for piece in (_piece(content, number) for number in range(len(content.parts))) if piece is not None
    )
    downloads = tuple(
        Download(number, file_name(part, number), media_type_of(part), part.length)
        for number, part in enumerate(content.parts)
        if media_type_of(part) != _SMIL
    )
    return Page(slides, downloads)


def _slides(content: Content) -> tuple[tuple[Piece, ...], ...]:
    """In SMIL order, then what the presentation forgot; empty without a readable presentation."""
    root = next((part for part in content.parts if media_type_of(part) == _SMIL), None)
    if root is None:
        return ()
    try:
        presentation = smil.decode(content.octets_of(root))
    except DecodeError:
        return ()
    used: set[int] = set()
    slides: list[tuple[Piece, ...]] = []
    for slide in presentation:
        pieces: list[Piece] = []
        for medium in slide.media:
            number = _find(content, medium.source)
            piece = None if number is None else _piece(content, number)
            if number is not None and piece is not None:
                used.add(number)
                pieces.append(piece)
        if pieces:
            slides.append(tuple(pieces))
    if not slides:
        return ()
    rest = (_piece(content, number) for number in range(len(content.parts)) if number not in used)
    return (*slides, *((piece,) for piece in rest if piece is not None))


def _find(content: Content, source: str) -> int | None:
    for number, part in enumerate(content.parts):
        name = ContentType.parse(part.content_type).get("name")
        if smil.matches(source, part.content_id, part.content_location, name):
            return number
    return None


def _piece(content: Content, number: int) -> Piece | None:
    part = content.parts[number]
    kind = shown_as(part)
    if not kind:
        return None
    text = ""
    if kind == "text":
        charset = ContentType.parse(part.content_type).get("charset")
        text = decode_text(content.octets_of(part)[: LONGEST_TEXT * 4], charset)[:LONGEST_TEXT]
    return Piece(kind, number, text, media_type_of(part))


def file_name(part: Part, number: int) -> str:
    """A name that is one, and never a path."""
    wanted = part.content_location or ContentType.parse(part.content_type).get("name") or part.content_id
    # Not printable: controls, lone surrogates, and the marks that make `gpj.exe` read backwards.
    wanted = "".join(one if one.isprintable() else "_" for one in wanted)
    clean = _UNSAFE.sub("_", wanted.replace("\\", "/").rpartition("/")[2]).strip(" ._")[:_LONGEST_NAME]
    extension = _EXTENSIONS.get(media_type_of(part), "")
    clean = clean or f"part{number + 1}"
    return clean if "." in clean or not extension else clean + extension


def disposition(name: str, *, inline: bool) -> str:
    """Content-Disposition in both forms of RFC 6266 4.3."""
    kind = "inline" if inline else "attachment"
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
