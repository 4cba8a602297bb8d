"""An MM as a player shows it: its SMIL and its parts to slides, with every remark about what does not fit.

Pure. The SMIL is read here and never given to a browser. Without SMIL, or with one that cannot be read, each part that
can be shown is a slide. Without a layout that can be used the slides are one column: pictures above text.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from mmsc.control.smil_source import Stretch, stretches
from mmsc.domain.media_files import UNPLAYABLE, file_name, shown_as
from protocols import smil
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.records import record
from protocols.smil import presentation as reading
from protocols.wsp.charsets import decode_text

SMIL: Final = "application/smil"
LONGEST_TEXT: Final = 20_000  # characters of one part
TEXT_OF_ALL: Final = 100_000  # a part may be shown on every slide: it is written once, but there may be many parts
_AMR_MAGIC: Final = b"#!AMR\n"
_AMR_FRAMES: Final = (13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1)  # octets by mode (RFC 4867 5.3)
_AMR_FRAME_MS: Final = 20


@record(frozen=True, slots=True)
class Source:
    """A part as it came. `content_id` without brackets; `file_name` as Content-Disposition has it."""

    content_type: ContentType
    octets: bytes
    content_id: str = ""
    content_location: str = ""
    file_name: str = ""


class Piece(msgspec.Struct, frozen=True):
    """A part for people and scripts. `kind` is text, image, audio or video, smil for the presentation, "" for what is
    not shown; `playable` no: browsers cannot, it is saved; `ms` is how long a sound lasts, where that can be read."""

    number: int
    kind: str
    name: str
    type: str
    octets: int
    url: str
    text: str = ""
    playable: bool = True
    ms: int = 0
    used: bool = False


class Placed(msgspec.Struct, frozen=True):
    """A part on a slide, from `begin` to `end` (ms of the slide; None: to its end)."""

    part: int
    kind: str
    region: str
    alt: str
    begin: int
    end: int | None
    colour: str = ""


class Slide(msgspec.Struct, frozen=True):
    """`ms` is how long it stands at least."""

    ms: int
    media: list[Placed]


class Region(msgspec.Struct, frozen=True):
    """A rectangle in the stage's pixels."""

    name: str
    left: float
    top: float
    width: float
    height: float
    fit: str
    background: str
    z: int


class Presentation(msgspec.Struct, frozen=True):
    """What a player needs. `width` 0: one column, without regions. `remarks` are sentences."""

    width: float
    height: float
    background: str
    regions: list[Region]
    slides: list[Slide]
    parts: list[Piece]
    remarks: list[str]
    source: list[Stretch]

    @property
    def ms(self) -> int:
        """How long all of it takes."""
        return sum(slide.ms for slide in self.slides)

    @property
    def others(self) -> list[Piece]:
        """Parts that no slide shows."""
        return [one for one in self.parts if not one.used and one.kind != "smil"]

    def as_json(self) -> str:
        """For a `data-` attribute: everything but the source."""
        kept = {name: getattr(self, name) for name in self.__struct_fields__ if name != "source"}
        return msgspec.json.encode(kept).decode()


def present(sources: Sequence[Source], start: str = "", place: str = "") -> Presentation:
    """`start` is the Content-ID that the multipart's start parameter names, "" for none; a part's address is `place`
    and its number (from 0)."""
    remarks: list[str] = []
    root = _root(sources, start)
    left = TEXT_OF_ALL
    pieces: list[Piece] = []
    for number, source in enumerate(sources):
        pieces.append(_piece(source, number, f"{place}{number}", left))
        left -= len(pieces[-1].text)
    read = _read(sources, root, remarks)
    slides = _slides(read, sources, pieces, remarks) if read is not None else []
    if not slides:
        slides = [_alone(piece) for piece in pieces if piece.kind not in ("", "smil")]
    slides = [one for one in slides if one.media] or slides[:1]
    layout = None if read is None else _usable(read.layout, slides, remarks)
    slides = slides if layout is not None else [_in_a_column(slide) for slide in slides]
    used = {placed.part for slide in slides for placed in slide.media}
    pieces = [msgspec.structs.replace(one, used=one.number in used) for one in pieces]
    return Presentation(
        0 if layout is None else layout.width,
        0 if layout is None else layout.height,
        "" if layout is None else layout.background,
        [] if layout is None else [_region(one) for one in layout.regions],
        slides,
        pieces,
        list(dict.fromkeys(remarks)),
        _source(sources, root, read),
    )


def _root(sources: Sequence[Source], start: str) -> int | None:
    """The number of the presentation: what `start` names, else the first SMIL."""
    wanted = start.strip("<> ")
    found = [number for number, one in enumerate(sources) if one.content_type.media_type.lower() == SMIL]
    named = [number for number in found if wanted and sources[number].content_id == wanted]
    return next(iter((*named, *found)), None)


def _piece(source: Source, number: int, url: str, room: int) -> Piece:
    media_type = source.content_type.media_type.lower()
    kind = "smil" if media_type == SMIL else shown_as(media_type)
    wanted = source.content_location or source.file_name or source.content_type.get("name") or source.content_id
    text = ""
    if kind == "text":
        shown = min(LONGEST_TEXT, max(0, room))
        text = decode_text(source.octets[: LONGEST_TEXT * 4], source.content_type.get("charset"))
        text = text if len(text) <= shown else text[:shown] + "…"
    return Piece(
        number,
        kind,
        file_name(wanted, media_type, number),
        media_type,
        len(source.octets),
        url,
        text,
        media_type not in UNPLAYABLE,
        amr_milliseconds(source.octets) if media_type == "audio/amr" else 0,
    )


def amr_milliseconds(octets: bytes) -> int:
    """How long a sound in AMR storage format lasts (RFC 4867 5.1); 0 where it is none."""
    if not octets.startswith(_AMR_MAGIC):
        return 0
    at, frames = len(_AMR_MAGIC), 0
    while at < len(octets):
        at += _AMR_FRAMES[octets[at] >> 3 & 15]
        frames += 1
    return frames * _AMR_FRAME_MS


def _read(sources: Sequence[Source], root: int | None, remarks: list[str]) -> reading.Presentation | None:
    if root is None:
        if len(sources) > 1:
            remarks.append("There is no presentation: each part is shown by itself.")
        return None
    try:
        read = reading.read(sources[root].octets)
    except DecodeError as error:
        remarks.append(f"The presentation cannot be read ({error.why}): each part is shown by itself.")
        return None
    remarks += read.remarks
    return read


def _slides(
    read: reading.Presentation, sources: Sequence[Source], pieces: Sequence[Piece], remarks: list[str]
) -> list[Slide]:
    slides: list[Slide] = []
    for par in read.slides:
        media: list[Placed] = []
        for shown in par.media:
            number = _find(sources, shown.source)
            if number is None:
                remarks.append(f"The presentation shows {shown.source[:80]!r}, which is no part of the message.")
            elif pieces[number].kind in ("", "smil"):
                remarks.append(f"{pieces[number].name} ({pieces[number].type}) is nothing that is shown.")
            else:
                kind = pieces[number].kind  # what it is, whatever element names it
                media.append(Placed(number, kind, shown.region, shown.alt, shown.begin_ms, shown.end_ms, shown.colour))
        slides.append(Slide(_lasting(par.duration_ms, media, pieces), media))
    return slides


def _find(sources: Sequence[Source], wanted: str) -> int | None:
    for number, one in enumerate(sources):
        if smil.matches(wanted, one.content_id, one.content_location, one.content_type.get("name") or one.file_name):
            return number
    return None


def _lasting(duration: int | None, media: Sequence[Placed], pieces: Sequence[Piece]) -> int:
    """At least as long as a sound; else as it says, else as long as what it shows."""
    sounds = [one.begin + pieces[one.part].ms for one in media if one.end is None]
    ends = [one.begin + reading.DEFAULT_MS if one.end is None else one.end for one in media]
    stated = duration if duration is not None else max(ends, default=reading.DEFAULT_MS)
    return max(1, stated, *sounds)


def _alone(piece: Piece) -> Slide:
    return Slide(max(reading.DEFAULT_MS, piece.ms), [Placed(piece.number, piece.kind, "", "", 0, None)])


def _usable(layout: reading.Layout | None, slides: Sequence[Slide], remarks: list[str]) -> reading.Layout | None:
    """The layout, if everything that is seen has its region in it."""
    if layout is None:
        remarks.append("Without a layout the slides are shown in one column.")
        return None
    names = {one.name for one in layout.regions}
    seen = [one for slide in slides for one in slide.media if one.kind != "audio"]
    lost = sorted({one.region for one in seen if one.region not in names})
    if not lost:
        return layout
    for name in lost:
        remarks.append(f"No region has the name {name[:40]!r}." if name else "Something is shown without a region.")
    remarks.append("As its layout does not fit, the slides are shown in one column.")
    return None


def _in_a_column(slide: Slide) -> Slide:
    """What is seen stands above what is read."""
    return Slide(slide.ms, sorted(slide.media, key=lambda one: one.kind == "text"))


def _region(one: reading.Region) -> Region:
    fit = one.fit or "meet"  # SMIL says hidden where nothing is said; phones scale a picture so that it is seen
    return Region(one.name, one.left, one.top, one.width, one.height, fit, one.background, one.z)


def _source(sources: Sequence[Source], root: int | None, read: reading.Presentation | None) -> list[Stretch]:
    if root is None:
        return []
    count = 0 if read is None else sum(one.is_par for one in read.slides)
    whole = read is not None and count == len(read.slides)
    return stretches(sources[root].octets, count if whole else 0)
