"""SQL of the bodies."""

from typing import Final

import msgspec

from mmsc.domain.message import Content, ContentId, Part
from mmsc.store.core import Statement, Store

_INSERT = "INSERT INTO content (id, content_type, body, size, parts) VALUES ($1, $2, $3, $4, $5)"
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(tuple[Part, ...]).decode


def insert(content_id: ContentId, content: Content) -> Statement:
    """Write a body once, as it will be sent."""
    parts = _encode(content.parts).decode()
    return Statement(_INSERT, (content_id, content.content_type, content.body, len(content.body), parts))


async def read(store: Store, content_id: ContentId) -> Content | None:
    """A body, or None when retention took it."""
    row = await store.fetch_one("SELECT content_type, body, parts FROM content WHERE id = $1", content_id)
    if row is None or row[1] is None:
        return None
    content_type, body, parts = row
    assert isinstance(content_type, str)
    assert isinstance(body, bytes)
    assert isinstance(parts, str)
    return Content(content_type, body, _decode(parts))
