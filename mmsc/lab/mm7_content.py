"""The content of an MM7 request (TS 23.140 8.7.8; RFC 2387): one multipart of parts, and a presentation for them."""

from collections.abc import Sequence
from typing import Final

from mmsc.lab.composing import slides_of
from protocols import mime
from protocols.content_type import ContentType

_SMIL: Final = "application/smil"
CONTENT_ID: Final = "content"


def is_smil(part: mime.OutPart) -> bool:
    """Whether it is a presentation."""
    return part.content_type.media_type == _SMIL


def whole(parts: Sequence[mime.OutPart]) -> mime.OutPart:
    """All parts as one; related where there is a presentation, which is the root then."""
    boundary = mime.choose_boundary(parts, "mmsc-content")
    root = next(filter(is_smil, parts), None)
    if root is None:
        media = ContentType("multipart/mixed", (("boundary", boundary),))
    else:
        parameters = (("type", _SMIL), ("start", f"<{root.content_id}>"), ("boundary", boundary))
        media = ContentType("multipart/related", parameters)
    return mime.OutPart(media, mime.write_parts(parts, boundary), CONTENT_ID)


def presentation_of(parts: Sequence[mime.OutPart], encoding: str) -> mime.OutPart:
    """A presentation that shows pictures, videos and sounds in order, each with the next text."""
    shown = slides_of([(part.content_type.media_type, part.content_id) for part in parts])
    taken = {part.content_id for part in parts}
    content_id = "smil" if "smil" not in taken else "smil-made"
    return mime.OutPart(ContentType(_SMIL), shown, content_id, "slides.smil", encoding)
