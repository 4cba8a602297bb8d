"""SMIL presentations, as phones write them (OMA-TS-MMS_CONF 8; 3GPP TS 26.140 7): read into slides, and built.
`presentation.py` reads them whole: where each thing stands and when.

Hardened like all XML here: no entities, no network, bounded size. A plain DOCTYPE is let be: handsets send one.
"""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote
from xml.sax.saxutils import quoteattr

from lxml import etree

from protocols.errors import DecodeError
from protocols.records import record

MAXIMUM_OCTETS: Final = 256 * 1024
MAXIMUM_SLIDES: Final = 200
MAXIMUM_MEDIA: Final = 400  # of all slides together: what a page of them costs is bounded by it
_CLAUSE: Final = "OMA-TS-MMS_CONF 8"
MEDIA: Final = {  # element -> what it is
    "text": "text",
    "img": "image",
    "image": "image",
    "audio": "audio",
    "video": "video",
    "ref": "ref",
    "animation": "image",
}
_DEFAULT_DURATION_MS: Final = 5000


@record(frozen=True, slots=True)
class Medium:
    """One element of a slide: what it is (`text image audio video ref`), its source and region."""

    kind: str
    source: str
    region: str = ""
    alt: str = ""


@record(frozen=True, slots=True)
class Slide:
    """One `par`: how long it shows (ms) and what."""

    duration_ms: int
    media: tuple[Medium, ...]


def decode(octets: bytes) -> tuple[Slide, ...]:
    """The slides. Raises DecodeError."""
    return _slides(root_of(octets))


def root_of(octets: bytes) -> etree._Element:
    """The document, nothing in it trusted. Raises DecodeError."""
    if len(octets) > MAXIMUM_OCTETS:
        raise DecodeError(f"a presentation of {len(octets)} octets", offset=0, clause=_CLAUSE)
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        in_utf16 = octets[:2] in (BOM_UTF16_BE, BOM_UTF16_LE)  # there a zero octet belongs to the last letter
        root = etree.fromstring(octets if in_utf16 else octets.strip(b"\0 \r\n\t"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DecodeError(f"no readable presentation: {error}", offset=0, clause=_CLAUSE) from error
    dtd: Any = root.getroottree().docinfo.internalDTD
    if dtd is not None and dtd.entities():
        raise DecodeError("a presentation that declares entities", offset=0, clause=_CLAUSE)
    if name_of(root) != "smil":
        raise DecodeError(f"the root element is {name_of(root)}, not smil", offset=0, clause=_CLAUSE)
    return root


def _slides(root: etree._Element) -> tuple[Slide, ...]:
    """In one pass over the document: a `par` begins a slide, whatever it is nested in."""
    slides: list[tuple[int, list[Medium]]] = []
    media = 0
    for element in root.iter():
        name = name_of(element)
        if name == "par":
            slides.append((_milliseconds(element.get("dur", "")), []))
        elif name in MEDIA and slides and element.get("src"):
            slides[-1][1].append(
                Medium(MEDIA[name], element.get("src", ""), element.get("region", ""), element.get("alt", ""))
            )
            media += 1
        bound(len(slides), media)
    return tuple(Slide(duration, tuple(shown)) for duration, shown in slides)


def bound(slides: int, media: int) -> None:
    """Raises DecodeError for more slides or elements than are read."""
    if slides > MAXIMUM_SLIDES or media > MAXIMUM_MEDIA:
        raise DecodeError(f"more than {MAXIMUM_SLIDES} slides or {MAXIMUM_MEDIA} elements", clause=_CLAUSE)


def name_of(element: etree._Element) -> str:
    """An element's name without namespace, in small letters; "" for a comment."""
    tag: object = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _milliseconds(text: str) -> int:
    """SMIL clock values in the two forms that phones write: `5000ms` and `5s`."""
    clean = text.strip().lower()
    for unit, factor in (("ms", 1.0), ("s", 1000.0), ("", 1000.0)):
        number = clean.removesuffix(unit) if unit else clean
        if clean.endswith(unit) and number.replace(".", "", 1).isdecimal() and len(number) < 12:
            return max(1, int(float(number) * factor))
    return _DEFAULT_DURATION_MS


def matches(source: str, content_id: str, content_location: str, name: str = "") -> bool:
    """Whether a `src` means this part: `cid:ID`, else Content-Location, else the name (RFC 2392; RFC 2557 8)."""
    wanted = unquote(source.strip())
    if wanted.lower().startswith("cid:"):
        return wanted[4:].strip("<> ") == content_id != ""
    return wanted != "" and wanted in (content_location, name, content_id)


def build(slides: Sequence[Slide]) -> bytes:
    """A presentation in the subset that every handset shows: two regions, one `par` a slide."""
    body = "".join(_par(slide) for slide in slides)
    return (
        '<smil><head><layout><root-layout width="100%" height="100%"/>'
        '<region id="Image" left="0" top="0" width="100%" height="70%" fit="meet"/>'
        '<region id="Text" left="0" top="70%" width="100%" height="30%" fit="scroll"/>'
        f"</layout></head><body>{body}</body></smil>"
    ).encode()


def _par(slide: Slide) -> str:
    elements = {"text": "text", "image": "img", "audio": "audio", "video": "video", "ref": "ref"}
    inner = ""
    for medium in slide.media:
        region = f" region={quoteattr(medium.region)}" if medium.region else ""
        inner += f"<{elements[medium.kind]} src={quoteattr(medium.source)}{region}/>"
    return f'<par dur="{slide.duration_ms}ms">{inner}</par>'
