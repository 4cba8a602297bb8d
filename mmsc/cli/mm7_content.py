"""Files and texts to the content of an MM7 request (TS 23.140 8.7.8; RFC 2387): parts, their types, a presentation."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import click

from mmsc.lab.composing import type_of
from mmsc.lab.mm7_content import is_smil, presentation_of, whole
from protocols import mime, smil
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.records import record

_SMIL: Final = "application/smil"
MAXIMUM_FILE_OCTETS: Final = 64 * 1024 * 1024


class Presentation(StrEnum):
    """What --smil can be beside a file."""

    AUTO = "auto"
    NONE = "none"


@record(frozen=True, slots=True)
class Attachment:
    """A file with what is told of it; "": as the file says, or as it comes."""

    file: Path
    media_type: str = ""
    content_id: str = ""
    name: str = ""


class AttachmentType(click.ParamType):  # type: ignore[type-arg] # generic in newer stubs only
    """FILE[;type=TYPE][;id=CONTENT-ID][;name=NAME], as curl writes it."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Attachment:
        """The file must be there."""
        if isinstance(value, Attachment):
            return value
        text = str(value)
        path, *told = [text] if Path(text).exists() else text.split(";")
        given = {"type": "", "id": "", "name": ""}
        for one in told:
            name, equals, said = one.strip().partition("=")
            if name == "charset" and given["type"]:
                given["type"] += f";charset={said}"
            elif name not in given or not equals or not said:
                self.fail(f"{one!r} is none of type=TYPE, id=CONTENT-ID, name=NAME", param, ctx)
            else:
                given[name] = said
        if not Path(path).exists():
            self.fail(f"there is no file {path!r}", param, ctx)
        if Path(path).is_dir():
            self.fail(f"{path!r} is a folder", param, ctx)
        self._check_type(given["type"], param, ctx)
        return Attachment(Path(path), given["type"], given["id"], given["name"])

    def _check_type(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> None:
        try:
            right = not text or "/" in ContentType.parse(text).media_type.strip("/")
        except DecodeError:
            right = False
        if not right:
            self.fail(f"{text!r} is no media type such as image/jpeg", param, ctx)


def octets_of(file: Path) -> bytes:
    """What a file holds, a pipe too (`<(...)` of a shell), but nothing endless. Raises UsageError."""
    try:
        with file.open("rb") as opened:
            octets = opened.read(MAXIMUM_FILE_OCTETS + 1)
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from error
    if len(octets) > MAXIMUM_FILE_OCTETS:
        raise click.UsageError(f"{file}: larger than {MAXIMUM_FILE_OCTETS} octets")
    return octets


def content_of(
    texts: Sequence[str], attachments: Sequence[Attachment], presentation: str, encoding: str
) -> tuple[mime.OutPart | None, tuple[str, ...]]:
    """(the content part, remarks about it); no part where nothing is sent. `presentation` as for `parts_of`."""
    parts = parts_of(texts, attachments, presentation, encoding)
    if not parts:
        return None, ()
    if presentation == Presentation.NONE and len(parts) == 1:
        return parts[0], ()
    return whole(parts), tuple(missing(parts))


def parts_of(
    texts: Sequence[str], attachments: Sequence[Attachment], presentation: str, encoding: str = "binary"
) -> list[mime.OutPart]:
    """The parts, a presentation first. `presentation` is one of Presentation, or the file with the SMIL. Raises
    UsageError."""
    parts = [_part(one, number, encoding) for number, one in enumerate(attachments, 1)]
    for number, text in enumerate(texts, 1):
        plain = ContentType("text/plain", (("charset", "utf-8"),))
        stem = "text" if number == 1 else f"text{number}"
        parts.append(mime.OutPart(plain, text.encode(), stem, f"{stem}.txt", encoding))
    if presentation not in tuple(Presentation):
        parts.insert(0, _part(Attachment(Path(presentation), _SMIL, "smil"), 0, encoding))
    _check_ids(parts)
    if parts and presentation == Presentation.AUTO and not any(map(is_smil, parts)):
        parts.insert(0, presentation_of(parts, encoding))
    return parts


def _part(one: Attachment, number: int, encoding: str) -> mime.OutPart:
    octets = octets_of(one.file)
    media = type_of(one.file.name, octets, one.media_type)
    return mime.OutPart(media, octets, one.content_id or f"file{number}", one.name or one.file.name, encoding)


def _check_ids(parts: Sequence[mime.OutPart]) -> None:
    seen: set[str] = set()
    for part in parts:
        if part.content_id in seen or any(char in "<>" or char.isspace() for char in part.content_id):
            raise click.UsageError(f"Content-ID {part.content_id!r}: each part has its own, without spaces and <>")
        seen.add(part.content_id)


def missing(parts: Sequence[mime.OutPart]) -> list[str]:
    """What the presentation names and is no part, or that it cannot be read."""
    remarks: list[str] = []
    for root in filter(is_smil, parts):
        try:
            slides = smil.decode(root.data)
        except DecodeError as error:
            remarks.append(f"{root.content_location}: {error}")
            continue
        sources = dict.fromkeys(medium.source for slide in slides for medium in slide.media)
        remarks += [
            f"{root.content_location} shows {source!r}, which is no part of the MM"
            for source in sources
            if not any(smil.matches(source, part.content_id, part.content_location) for part in parts)
        ]
    return remarks
