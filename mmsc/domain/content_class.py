"""X-Mms-Content-Class and ContentClass (OMA-TS-MMS_CONF; TS 23.140 8.7.1): the media and the octets that a content of a
class may have. The classes of the conformance document's core are cumulative; content-basic and content-rich go beyond
its media types, and no size was found for them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from mmsc.domain.message import Content, Part
from protocols.records import record

_KILO: Final = 1024


@record(frozen=True, slots=True)
class ContentClass:
    """What a class allows: octets of all media together (0: not bounded), and media types (empty: any)."""

    maximum_octets: int
    media: frozenset[str]


# A multipart within, SMIL and what carries protected media stand in every class.
_FRAME: Final = frozenset({"application/smil", "application/vnd.oma.drm.message"})
_TEXT: Final = _FRAME | {"text/plain", "text/x-vcard", "text/x-vcalendar"}
_IMAGE: Final = _TEXT | {"image/jpeg", "image/jpg", "image/gif", "image/vnd.wap.wbmp", "audio/amr"}
_RICH: Final = _IMAGE | {"audio/sp-midi"}
_VIDEO: Final = _RICH | {"video/3gpp", "video/3gpp2"}

CLASSES: Final[Mapping[str, ContentClass]] = MappingProxyType(
    {
        "text": ContentClass(30 * _KILO, _TEXT),
        "image-basic": ContentClass(30 * _KILO, _IMAGE),
        "image-rich": ContentClass(100 * _KILO, _RICH),
        "video-basic": ContentClass(100 * _KILO, _VIDEO),
        "video-rich": ContentClass(300 * _KILO, _VIDEO),
        "megapixel": ContentClass(600 * _KILO, _VIDEO),
        "content-basic": ContentClass(0, frozenset()),
        "content-rich": ContentClass(0, frozenset()),
    }
)


def misfit(declared: str, content: Content | None) -> str:
    """Why a content is not of the class that was declared for it, "" when it is. A class is compared in any letters."""
    known = CLASSES.get(declared.lower())
    if known is None:
        return f"{declared!r} is no content class"
    parts: Sequence[Part] = () if content is None else content.parts
    octets = sum(part.length for part in parts)
    if known.maximum_octets and octets > known.maximum_octets:
        return f"{declared} has at most {known.maximum_octets} octets of media, these are {octets}"
    strange = sorted({_media(part) for part in parts} - known.media) if known.media else []
    return f"{declared} has no {', '.join(strange)}" if strange else ""


def _media(part: Part) -> str:
    return part.content_type.partition(";")[0].strip().lower()
