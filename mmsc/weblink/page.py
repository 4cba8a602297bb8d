"""What the page behind a fallback SMS shows: slides in SMIL order, and every part to save.

Nothing of it runs: text is escaped, only pictures, sound and video are shown, everything else is a download.
"""

import io
import zipfile
from dataclasses import replace
from datetime import datetime
from typing import Final

from mmsc.domain import media_files
from mmsc.domain.message import Content, Part
from protocols import smil
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.records import record
from protocols.wsp.charsets import decode_text

_SMIL: Final = "application/smil"
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
    return media_files.shown_as(media_type_of(part))


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
    return media_files.file_name(wanted, media_type_of(part), number)
