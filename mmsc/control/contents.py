"""The content of an MM for people: its parts as they were sent, each with what it is."""

import msgspec

from mmsc.domain.media_files import file_name, shown_as
from mmsc.domain.message import Content, ContentId, Part
from mmsc.engine.ports import Contents
from mmsc.trace.view import pictures
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.wsp.charsets import decode_text

LONGEST_TEXT = 20_000  # characters of one part that are shown


class PartShown(msgspec.Struct, frozen=True, kw_only=True):
    """One part. `kind` is image, audio, video, text, smil or "" (a download); `what` says more of a picture."""

    number: int
    kind: str
    name: str
    type: str
    content_id: str
    content_location: str
    octets: int
    what: str = ""
    text: str = ""
    cut: bool = False


class ContentService:
    """`Control.contents`. Raises `StoreUnavailable`."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    async def parts(self, content_id: int) -> list[PartShown] | None:
        """All parts, None when retention took the content."""
        content = await self._contents.content(ContentId(content_id))
        return None if content is None else [_shown(content, part, at) for at, part in enumerate(content.parts)]

    async def part(self, content_id: int, number: int) -> tuple[Part, bytes] | None:
        """One part with its octets, None when there is none."""
        content = await self._contents.content(ContentId(content_id))
        if content is None or not 0 <= number < len(content.parts):
            return None
        return content.parts[number], content.octets_of(content.parts[number])


def _shown(content: Content, part: Part, number: int) -> PartShown:
    octets, media = content.octets_of(part), _media_type(part)
    kind = "smil" if media == "application/smil" else shown_as(media)
    text = _text(octets, part.content_type) if kind in ("text", "smil") or media.startswith("text/") else ""
    return PartShown(
        number=number,
        kind=kind,
        name=file_name(part.content_location or part.content_id, media, number),
        type=part.content_type,
        content_id=part.content_id,
        content_location=part.content_location,
        octets=part.length,
        what=pictures.describe(octets, media),
        text=text[:LONGEST_TEXT],
        cut=len(text) > LONGEST_TEXT,
    )


def _media_type(part: Part) -> str:
    try:
        return ContentType.parse(part.content_type).media_type
    except DecodeError:
        return ""


def _text(octets: bytes, content_type: str) -> str:
    try:
        return decode_text(octets, ContentType.parse(content_type).get("charset") or "utf-8")
    except (DecodeError, LookupError):
        return octets.decode("utf-8", "replace")
