"""The content of an MM as it was taken: its parts, and how a phone would show them."""

from typing import Final

import msgspec

from mmsc.control.presentation import Presentation, Source, present
from mmsc.domain.message import ContentId
from mmsc.engine.ports import Contents
from protocols.content_type import ContentType
from protocols.errors import DecodeError

_UNREADABLE: Final = ContentType("application/octet-stream")


class ContentShown(msgspec.Struct, frozen=True):
    """The parts in their order, and the Content-ID that the multipart's start parameter names."""

    sources: list[Source]
    start: str

    def presentation(self, place: str) -> Presentation:
        """For the player; a part's address is `place` and its number."""
        return present(self.sources, self.start, place)


class ContentService:
    """`Control.contents`. Raises `StoreUnavailable`."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    async def of(self, content_id: int) -> ContentShown | None:
        """The content, None when retention took it."""
        content = await self._contents.content(ContentId(content_id))
        if content is None:
            return None
        sources = [
            Source(_type_of(one.content_type), content.octets_of(one), one.content_id, one.content_location)
            for one in content.parts
        ]
        return ContentShown(sources, (_type_of(content.content_type).get("start") or "").strip("<>"))


def _type_of(text: str) -> ContentType:
    try:
        return ContentType.parse(text)
    except DecodeError:
        return _UNREADABLE
