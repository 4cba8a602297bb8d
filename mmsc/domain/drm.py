"""Protected content as it can be told from its media types (OMA-DRM-DRM v1.0, v2.0). Nothing here opens it."""

from enum import StrEnum
from typing import Final

from mmsc.domain.message import Content


class Protected(StrEnum):
    """The media types of OMA DRM."""

    MESSAGE = "application/vnd.oma.drm.message"  # forward lock, or combined delivery
    CONTENT = "application/vnd.oma.drm.content"  # separate delivery
    DCF = "application/vnd.oma.drm.dcf"  # OMA DRM 2.0
    RIGHTS_XML = "application/vnd.oma.drm.rights+xml"
    RIGHTS_WBXML = "application/vnd.oma.drm.rights+wbxml"


_TYPES: Final = frozenset(map(str, Protected))


def protected_parts(content: Content | None) -> tuple[str, ...]:
    """The media types of the content's protected parts, in their order."""
    parts = () if content is None else content.parts
    types = (part.content_type.partition(";")[0].strip().lower() for part in parts)
    return tuple(media for media in types if media in _TYPES)
