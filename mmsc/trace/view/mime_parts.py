"""Multipart bodies of MIME, part by part, each where it stands (RFC 2046 5.1)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from mmsc.trace.json_form.content import charset_of, is_textual
from mmsc.trace.view import pictures
from mmsc.trace.view.lines import block_end, header_rows, value_of
from mmsc.trace.view.model import MAXIMUM_DEPTH, Row, View
from protocols import mime
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.wsp import charsets

SHOWN_CHARACTERS: Final = 4000  # of a text or a presentation
_CLAUSE: Final = "RFC 2046 5.1"
_IDENTITY: Final = ("", "7bit", "8bit", "binary")
_UNREADABLE: Final = ContentType("application/octet-stream")

Root = Callable[[bytes, str], View]  # the first part's octets and content type, where they are more than content


def parse_type(text: str) -> ContentType:
    """A Content-Type, whatever it says."""
    try:
        return ContentType.parse(text)
    except DecodeError:
        return _UNREADABLE


def multipart(octets: bytes, content_type: ContentType, root: Root | None = None, depth: int = 0) -> View:
    """A multipart body. `root` reads the part that its type names as the first one (multipart/related)."""
    found: list[tuple[int, int]] = []
    problem = ""
    try:
        found.extend(mime.split(octets, content_type.get("boundary")))
    except DecodeError as error:
        problem = str(error)
        found = found or list(_as_far(octets, content_type.get("boundary")))
    inside = [_part(octets[start:end], start, number, depth) for number, (start, end) in enumerate(found, 1)]
    if root is not None and inside:
        number = _root(inside, content_type.get("start"))
        inside[number] = _with_root(inside[number], root)
    words = [content_type.media_type, *(f"type={one}" for one in (content_type.get("type"),) if one)]
    title = f"{'; '.join(words)}, {len(inside)} part{'' if len(inside) == 1 else 's'}"
    return View("multipart", title, octets, inside=tuple(inside), problem=problem)


def _as_far(octets: bytes, boundary: str) -> Iterator[tuple[int, int]]:
    """The parts of a body that was cut: the last one to the end of the octets."""
    if boundary:
        with_end = octets + b"\r\n--" + boundary.encode("latin-1", "replace") + b"--"
        try:
            for start, end in mime.split(with_end, boundary):
                yield start, min(end, len(octets))
        except DecodeError:
            return


def _root(inside: list[View], start: str) -> int:
    """Which part is the root: the one that `start` names, else the first (RFC 2387 3.2)."""
    wanted = start.strip().strip("<>")
    for number, part in enumerate(inside):
        if wanted and value_of(part.rows, "content-id").strip("<>") == wanted:
            return number
    return 0


def _with_root(part: View, root: Root) -> View:
    _, at = block_end(part.octets)
    data = part.octets[at:]
    encoding = value_of(part.rows, "content-transfer-encoding").lower()
    if encoding not in _IDENTITY:
        try:
            data, at = mime.undo_transfer_encoding(data, encoding), -1
        except DecodeError:
            return part
    inner = root(data, value_of(part.rows, "content-type"))
    return replace(part, rows=tuple(row for row in part.rows if row.name != "data"), inside=(replace(inner, at=at),))


def _part(octets: bytes, start: int, number: int, depth: int) -> View:
    end, at = block_end(octets)
    rows = list(header_rows(octets, 0, end, _CLAUSE))
    content_type = parse_type(value_of(tuple(rows), "content-type") or "text/plain")
    name = value_of(tuple(rows), "content-id") or value_of(tuple(rows), "content-location") or content_type.get("name")
    title = ", ".join(filter(None, (str(number), content_type.media_type, name)))
    data = octets[at:]
    inside = content_of(data, content_type, value_of(tuple(rows), "content-transfer-encoding").lower(), depth)
    if not inside or not inside[0].inside:
        what = pictures.describe(inside[0].octets if inside else data, content_type.media_type)
        rows.append(Row("data", ", ".join(filter(None, (f"{len(data)} octets", what))), at, len(octets), _CLAUSE))
    return View("part", title, octets, tuple(rows), inside=tuple(_moved(inside, at)), at=start)


def _moved(inside: tuple[View, ...], at: int) -> Iterator[View]:
    for one in inside:
        yield one if one.at < 0 else replace(one, at=at + one.at)


def content_of(data: bytes, content_type: ContentType, encoding: str, depth: int) -> tuple[View, ...]:
    """What a part carries, where that is more than octets: parts, a text, or what base64 stood for."""
    at = 0
    if encoding not in _IDENTITY:
        try:
            data, at = mime.undo_transfer_encoding(data, encoding), -1
        except DecodeError as error:
            return (View("content", str(content_type), b"", problem=str(error)),)
    if content_type.media_type.startswith("multipart/") and depth < MAXIMUM_DEPTH:
        return (replace(multipart(data, content_type, depth=depth + 1), at=at),)
    if is_textual(content_type.media_type):
        text = charsets.decode_text(data, charset_of(content_type))[:SHOWN_CHARACTERS]
        return (View("content", str(content_type), data, at=at, text=text),)
    if at < 0:
        title = ", ".join(filter(None, (str(content_type), pictures.describe(data, content_type.media_type))))
        return (View("content", title, data, at=at),)
    return ()
