"""A presentation read whole: the layout with its regions, and what each slide shows from when to when
(OMA-TS-MMS_CONF 8; SMIL 2.0 5 and 10).

Read as phones do, which show what they can: a layout that cannot be used is left out, and remarks say why. A `par` is a
slide whatever it is nested in; a medium outside of any is a slide of its own; a `seq` in a slide shows its media one
after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from protocols.records import record
from protocols.smil import MEDIA, bound, name_of, root_of
from protocols.smil.values import colour, is_absolute, milliseconds, pixels

MAXIMUM_REGIONS: Final = 50
DEFAULT_MS: Final = 5000  # how long text and pictures stand where nothing is said
FITS: Final = ("fill", "hidden", "meet", "scroll", "slice")  # SMIL 2.0 5.4.2
_SQUARE: Final = 320  # the stage where the layout has no size of its own


@record(frozen=True, slots=True)
class Region:
    """A rectangle of the stage, in its pixels. `fit` "" where nothing is said; `background` "" is transparent."""

    name: str
    left: float
    top: float
    width: float
    height: float
    fit: str = ""
    background: str = ""
    z: int = 0


@record(frozen=True, slots=True)
class Layout:
    """The stage and its regions; `background` "" where nothing is said."""

    width: float
    height: float
    background: str
    regions: tuple[Region, ...]


@record(frozen=True, slots=True)
class Shown:
    """One medium of a slide: from `begin_ms` until `end_ms` (None: as long as the slide). `colour` is that of text."""

    kind: str
    source: str
    region: str = ""
    alt: str = ""
    begin_ms: int = 0
    end_ms: int | None = None
    colour: str = ""


@record(frozen=True, slots=True)
class Par:
    """A slide. `duration_ms` None: as long as what it shows. `is_par` no: it stands outside of any."""

    duration_ms: int | None
    media: tuple[Shown, ...]
    is_par: bool = True


@record(frozen=True, slots=True)
class Presentation:
    """`layout` None where there is none that can be used; `remarks` are sentences about what is odd."""

    layout: Layout | None
    slides: tuple[Par, ...]
    remarks: tuple[str, ...] = ()


def read(octets: bytes) -> Presentation:
    """Raises DecodeError."""
    root = root_of(octets)
    remarks: list[str] = []
    layout = _layout(root, remarks)
    walk = _Walk(remarks)
    body = next((one for one in root if name_of(one) == "body"), root)
    walk.into(body, None)
    if not walk.slides:
        remarks.append("The presentation has no slide.")
    slides = tuple(Par(one.duration_ms, tuple(one.media), one.is_par) for one in walk.slides)
    return Presentation(layout, slides, tuple(dict.fromkeys(remarks)))


@dataclass(slots=True)
class _Slide:
    duration_ms: int | None
    is_par: bool
    media: list[Shown] = field(default_factory=list)


class _Walk:
    """Goes through a body once."""

    def __init__(self, remarks: list[str]) -> None:
        self.slides: list[_Slide] = []
        self._remarks = remarks
        self._media = 0

    def into(self, parent: etree._Element, slide: _Slide | None, at_ms: int = 0, *, in_turn: bool = False) -> int:
        """The children of an element; where their sequence ends, if they come in turn."""
        for child in parent:
            name = name_of(child)
            begin = at_ms + (milliseconds(child.get("begin")) or 0)
            if name == "par":
                self.into(child, self._new_slide(child, is_par=True))
            elif name == "seq":
                end = self.into(child, slide, begin if slide else 0, in_turn=slide is not None)
                at_ms = end if in_turn else at_ms
            elif name in MEDIA:
                shown = self._medium(child, name, slide, begin)
                if in_turn:
                    at_ms = begin + DEFAULT_MS if shown.end_ms is None else shown.end_ms
            elif name:
                at_ms = self.into(child, slide, at_ms, in_turn=in_turn)
        return at_ms

    def _new_slide(self, element: etree._Element, *, is_par: bool) -> _Slide:
        duration = milliseconds(element.get("dur")) or milliseconds(element.get("end")) or None
        given = element.get("dur")
        if is_par and given and duration is None and given.strip().lower() not in ("indefinite", "media"):
            self._remarks.append(f"dur={given[:40]!r} is no time: the slide stands as long as what it shows.")
        self.slides.append(_Slide(duration, is_par))
        bound(len(self.slides), self._media)
        return self.slides[-1]

    def _medium(self, element: etree._Element, name: str, slide: _Slide | None, begin: int) -> Shown:
        self._media += 1
        bound(len(self.slides), self._media)
        if slide is None:
            self._remarks.append(f"A {name} stands outside of any par: it is shown as a slide of its own.")
            slide, begin = self._new_slide(element, is_par=False), 0
        shown = _shown(element, MEDIA[name], begin)
        if shown.source:
            slide.media.append(shown)
        else:
            self._remarks.append(f"A {name} without src shows nothing.")
        return shown


def _shown(element: etree._Element, kind: str, begin: int) -> Shown:
    end, duration = milliseconds(element.get("end")), milliseconds(element.get("dur"))
    if duration:
        end = begin + duration
    return Shown(
        kind,
        element.get("src", ""),
        element.get("region", ""),
        element.get("alt", ""),
        begin,
        end if end is not None and end > begin else None,
        _text_colour(element),
    )


def _text_colour(element: etree._Element) -> str:
    for child in element:
        if name_of(child) == "param" and child.get("name", "").lower() in ("foreground-color", "foregroundcolor"):
            return colour(child.get("value"))
    return ""


def _layout(root: etree._Element, remarks: list[str]) -> Layout | None:
    head = next((one for one in root if name_of(one) == "head"), None)
    found = None if head is None else next((one for one in head.iter() if name_of(one) == "layout"), None)
    if found is None:
        remarks.append("The presentation has no layout.")
        return None
    top = next((one for one in found.iter() if name_of(one) == "root-layout"), None)
    elements = [one for one in found.iter() if name_of(one) == "region"]
    if not elements:
        remarks.append("The layout has no region.")
        return None
    if len(elements) > MAXIMUM_REGIONS:
        remarks.append(f"The layout has {len(elements)} regions: the first {MAXIMUM_REGIONS} count.")
    width, height = _size(top, elements)
    regions = tuple(_regions(elements[:MAXIMUM_REGIONS], width, height, remarks))
    background = "" if top is None else _background(top)
    return Layout(width, height, background, regions) if regions else None


def _size(top: etree._Element | None, regions: list[etree._Element]) -> tuple[float, float]:
    """The stage's: as the root-layout says in pixels, else what the regions need, else a square."""
    sides: list[float] = []
    for side, edge in (("width", "left"), ("height", "top")):
        given = None if top is None or not is_absolute(top.get(side)) else pixels(top.get(side), 0)
        needed = [
            (pixels(one.get(side), 0) or 0) + (pixels(one.get(edge), 0) or 0)
            for one in regions
            if is_absolute(one.get(side))
        ]
        sides.append(given if given and given >= 1 else max(needed, default=0) or _SQUARE)
    return max(1.0, sides[0]), max(1.0, sides[1])


def _regions(elements: list[etree._Element], width: float, height: float, remarks: list[str]) -> Iterator[Region]:
    for element in elements:
        name = element.get("id") or element.get("regionName") or element.get("{http://www.w3.org/XML/1998/namespace}id")
        left, across = _span(element, "left", "right", "width", width)
        top, down = _span(element, "top", "bottom", "height", height)
        if across <= 0 or down <= 0 or left >= width or top >= height or left + across <= 0 or top + down <= 0:
            remarks.append(f"Region {name or 'without a name'} has no place on the stage.")
            continue
        z = pixels(element.get("z-index"), 0) or 0
        yield Region(name or "", left, top, across, down, _fit(element, remarks), _background(element), int(z))


def _span(element: etree._Element, near: str, far: str, side: str, whole: float) -> tuple[float, float]:
    """(where a region begins, how long it is) in one direction: two of the three values give the third."""
    begin, end, length = (pixels(element.get(one), whole) for one in (near, far, side))
    if begin is None:
        begin = whole - end - length if end is not None and length is not None else 0.0
    if length is None:
        length = whole - begin - (end or 0.0)
    return begin, length


def _fit(element: etree._Element, remarks: list[str]) -> str:
    given = element.get("fit", "").strip().lower()
    if not given or given in FITS:
        return given
    remarks.append(f"fit={given[:20]!r} is none of {', '.join(FITS)}.")
    return ""


def _background(element: etree._Element) -> str:
    return colour(element.get("background-color") or element.get("backgroundColor"))
