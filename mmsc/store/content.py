"""SQL of the bodies."""

from typing import Final

import msgspec

from mmsc.domain.message import Content, ContentId, Part
from mmsc.store.core import Statement, Store
from protocols.records import record

_INSERT = "INSERT INTO content (id, content_type, body, object, size, parts) VALUES ($1, $2, $3, $4, $5, $6)"
_REPLACE = "UPDATE content SET content_type = $2, body = $3, object = $4, size = $5, parts = $6 WHERE id = $1"
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(tuple[Part, ...]).decode


@record(frozen=True, slots=True)
class Elsewhere:
    """A body that is in object storage: under which name, and the SHA-256 of its octets."""

    content_type: str
    parts: tuple[Part, ...]
    name: str
    digest: bytes


def insert(content_id: ContentId, content: Content, elsewhere: bytes | None = None) -> Statement:
    """Write a body once, as it will be sent; without its octets when they are in object storage, under a row of
    `object` with this digest."""
    parts = _encode(content.parts).decode()
    body = content.body if elsewhere is None else None
    return Statement(_INSERT, (content_id, content.content_type, body, elsewhere, len(content.body), parts))


def replace(content_id: ContentId, content: Content, elsewhere: bytes | None = None) -> Statement:
    """Write another body over one."""
    parts = _encode(content.parts).decode()
    body = content.body if elsewhere is None else None
    return Statement(_REPLACE, (content_id, content.content_type, body, elsewhere, len(content.body), parts))


def forget(content_id: ContentId) -> Statement:
    """The octets go, what they were stays."""
    return Statement("UPDATE content SET body = NULL, object = NULL WHERE id = $1", (content_id,))


async def read(store: Store, content_id: ContentId) -> Content | Elsewhere | None:
    """A body, where else it is, or None when retention took it."""
    row = await store.fetch_one(
        "SELECT content.content_type, content.body, content.parts, object.name, object.digest"
        " FROM content LEFT JOIN object ON object.digest = content.object WHERE content.id = $1",
        content_id,
    )
    if row is None:
        return None
    content_type, body, parts, name, digest = row
    assert isinstance(content_type, str)
    assert isinstance(parts, str)
    if isinstance(body, bytes):
        return Content(content_type, body, _decode(parts))
    if isinstance(name, str) and isinstance(digest, bytes):
        return Elsewhere(content_type, _decode(parts), name, digest)
    return None
