"""What somebody wrote and attached, as the content of an MM: parts with their types, and a presentation that shows
them."""

import mimetypes
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from protocols import smil
from protocols.content_type import ContentType
from protocols.records import record
from protocols.wsp.multipart import Part

_TYPES: Final = {
    ".smil": "application/smil",
    ".smi": "application/smil",
    ".amr": "audio/amr",
    ".3gp": "video/3gpp",
    ".vcf": "text/x-vcard",
    ".ics": "text/x-vcalendar",
}
_SMIL: Final = "application/smil"
_SLIDE_MS: Final = 5000
_KINDS: Final = ("image", "video", "audio")
_PLAIN: Final = ContentType("text/plain", (("charset", "utf-8"),))
_RELATED: Final = "application/vnd.wap.multipart.related"


@record(frozen=True, slots=True)
class Attachment:
    """A file; `media_type` "" for what its name says."""

    name: str
    octets: bytes
    media_type: str = ""


def compose(texts: Sequence[str], attachments: Sequence[Attachment]) -> tuple[list[Part], ContentType]:
    """The parts and the type of what holds them. Unless a file is a presentation one is made, which stands first: each
    picture, video or sound is a slide, with the next text. Raises DecodeError for a media type that is none."""
    parts = [
        Part(type_of(one.name, one.octets, one.media_type), one.octets, f"file{number}", _location(one.name, number))
        for number, one in enumerate(attachments, 1)
    ]
    written = [text for text in texts if text.strip()]
    parts += [
        Part(_PLAIN, text.encode(), f"text{number}", f"text{number}.txt") for number, text in enumerate(written, 1)
    ]
    root = next((one for one in parts if one.content_type.media_type == _SMIL), None)
    if root is None:
        shown = slides_of([(one.content_type.media_type, one.content_id) for one in parts])
        root = Part(ContentType(_SMIL), shown, "smil", "slides.smil")
    others = [one for one in parts if one is not root]
    return [root, *others], ContentType(_RELATED, (("type", _SMIL), ("start", f"<{root.content_id}>")))


def _location(name: str, number: int) -> str:
    """Content-Location: the file's name in US-ASCII, which is all that handsets are sure to read."""
    kept = "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else "_" for one in PurePath(name).name)
    return kept.strip("._") or f"file{number}"


def type_of(name: str, octets: bytes, named: str = "") -> ContentType:
    """The type of a file by its name unless one is named, with its character set where it is text in UTF-8. Raises
    DecodeError."""
    suffix = PurePath(name).suffix.lower()
    guessed = named or _TYPES.get(suffix) or mimetypes.guess_type(f"x{suffix}")[0]
    media = ContentType.parse(guessed or "application/octet-stream")
    if media.media_type.startswith("text/") and not media.get("charset") and _is_utf8(octets):
        return ContentType(media.media_type, (*media.parameters, ("charset", "utf-8")))
    return media


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def slides_of(parts: Sequence[tuple[str, str]]) -> bytes:
    """A presentation of parts, each (media type, Content-ID): pictures, videos and sounds in order, each with the next
    text."""
    slides: list[smil.Slide] = []
    texts = [content_id for media_type, content_id in parts if media_type == "text/plain"]
    shown = [(media_type.partition("/")[0], content_id) for media_type, content_id in parts]
    shown = [one for one in shown if one[0] in _KINDS]
    for number in range(max(len(shown), len(texts), 1)):
        media: list[smil.Medium] = []
        if number < len(shown):
            kind, content_id = shown[number]
            media.append(smil.Medium(kind, f"cid:{content_id}", "" if kind == "audio" else "Image"))
        if number < len(texts):
            media.append(smil.Medium("text", f"cid:{texts[number]}", "Text"))
        slides.append(smil.Slide(_SLIDE_MS, tuple(media)))
    return smil.build(slides)
