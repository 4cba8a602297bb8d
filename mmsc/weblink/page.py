"""What the page behind a fallback SMS shows: slides in SMIL order, and every part to save.

Nothing of it runs: text is escaped, only pictures, sound and video are shown, everything else is a download.
"""

import io
import re
import zipfile
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import quote

from mmsc.domain.message import Content, Part
from protocols import smil
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.records import record
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
_TEXT_OF_A_PAGE: Final = 100_000  # a presentation may show the same part on every slide


@record(frozen=True, slots=True)
class Piece:
    """A part: `kind` is text, image, audio or video, "" for what is not shown; `number` names the part."""

    kind: str
    number: int
    name: str
    octets: int
    text: str = ""


@record(frozen=True, slots=True)
class Page:
    """The slides, the parts that are only saved, and the size of all."""

    slides: tuple[tuple[Piece, ...], ...]
    others: tuple[Piece, ...]
    octets: int


def media_type_of(part: Part) -> str:
    """A part's media type without parameters."""
    return part.content_type.partition(";")[0].strip().lower()


def shown_as(part: Part) -> str:
    """How a part is shown: text, image, audio, video; "" when it is only a download."""
    return _SHOWN.get(media_type_of(part), "")


def page_of(content: Content) -> Page:
    """The page of a message."""
    pieces = [_piece(content, number) for number in range(len(content.parts))]
    slides = _slides(content, pieces) or tuple((piece,) for piece in pieces if piece.kind)
    others = tuple(piece for piece in pieces if not piece.kind and media_type_of(content.parts[piece.number]) != _SMIL)
    return Page(_bounded(slides), others, sum(piece.octets for piece in pieces))


def _bounded(slides: tuple[tuple[Piece, ...], ...]) -> tuple[tuple[Piece, ...], ...]:
    """Without the texts that would make the page too long."""
    left = _TEXT_OF_A_PAGE
    kept: list[tuple[Piece, ...]] = []
    for slide in slides:
        shown: list[Piece] = []
        for piece in slide:
            left -= len(piece.text)
            shown.append(piece if left >= 0 else replace(piece, text="..."))
        kept.append(tuple(shown))
    return tuple(kept)


def _slides(content: Content, pieces: list[Piece]) -> tuple[tuple[Piece, ...], ...]:
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
        numbers = [_find(content, medium.source) for medium in slide.media]
        shown = tuple(pieces[number] for number in numbers if number is not None and pieces[number].kind)
        used.update(piece.number for piece in shown)
        if shown:
            slides.append(shown)
    if not slides:
        return ()
    return (*slides, *((piece,) for piece in pieces if piece.kind and piece.number not in used))


def _find(content: Content, source: str) -> int | None:
    for number, part in enumerate(content.parts):
        name = ContentType.parse(part.content_type).get("name")
        if smil.matches(source, part.content_id, part.content_location, name):
            return number
    return None


def _piece(content: Content, number: int) -> Piece:
    part = content.parts[number]
    kind = shown_as(part)
    text = ""
    if kind == "text":
        charset = ContentType.parse(part.content_type).get("charset")
        text = decode_text(content.octets_of(part)[: LONGEST_TEXT * 4], charset)[:LONGEST_TEXT]
    return Piece(kind, number, file_name(part, number), part.length, text)


def archive(content: Content, at: datetime) -> bytes:
    """All parts in one ZIP file, as they are. A name that came before gets its number in front."""
    packed = io.BytesIO()
    names: set[str] = set()
    with zipfile.ZipFile(packed, "w") as file:
        for number, part in enumerate(content.parts):
            name = file_name(part, number)
            name = f"{number + 1} {name}" if name.lower() in names else name
            names.add(name.lower())
            file.writestr(zipfile.ZipInfo(name, at.timetuple()[:6]), content.octets_of(part))
    return packed.getvalue()


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
