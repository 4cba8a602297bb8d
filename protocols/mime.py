"""MIME bodies to parts and back (RFC 2045, 2046, 2387), for MM7 over HTTP and MM4 over mail.

The splitter looks for boundaries with `find` and slices each part once; nothing is copied to be looked at. Limits are
parameters: beyond them comes a DecodeError, whatever the sender claims.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from functools import lru_cache
from typing import Final, NamedTuple

import pybase64

from protocols.content_type import ContentType
from protocols.errors import DecodeError, EncodeError
from protocols.header_fields import decode_words, header_line, parse_headers
from protocols.records import record

_CLAUSE_BOUNDARY: Final = "RFC 2046 5.1.1"
_BASE64_LINE_OCTETS: Final = 57  # 76 characters
_BEHIND_DELIMITER: Final = b"\r\n \t"
_CR: Final = 0x0D
_REMEMBERED_OCTETS: Final = 512
_CANDIDATES_OF_A_PART: Final = 10
_LONGEST_NAME: Final = 4096  # characters
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=]")


@record(frozen=True, slots=True)
class Limits:
    """What one body may hold."""

    parts: int = 200
    header_octets: int = 16 * 1024  # of one part
    header_fields: int = 200  # of one part
    depth: int = 5


DEFAULT_LIMITS: Final = Limits()


@record(frozen=True, slots=True)
class MimePart:
    """A part: its headers (name in lower case, unfolded value) and its own octets, transfer encoding undone.

    `parts` are the nested ones of a multipart; its own `data` is empty then, so that no large body is held twice.
    `start` tells where `data` stands in the octets that were read first; -1: nowhere, its encoding was undone."""

    content_type: ContentType
    data: bytes
    headers: tuple[tuple[str, str], ...] = ()
    parts: tuple["MimePart", ...] = field(default=(), repr=False)
    start: int = field(default=-1, compare=False, repr=False)
    content_id: str = field(default="", compare=False, repr=False)  # without its brackets
    content_location: str = field(default="", compare=False, repr=False)  # else the name that another header gives

    def header(self, name: str) -> str:
        """The first header with this lower-case name, "" when there is none."""
        for known, value in self.headers:
            if known == name:
                return value
        return ""


class _Head(NamedTuple):
    """What the headers of a part say."""

    headers: tuple[tuple[str, str], ...]
    content_type: ContentType
    is_multipart: bool
    undo: Callable[[bytes], bytes] | None  # the transfer encoding; None: there is none to be undone
    content_id: str
    content_location: str


def _head(headers: tuple[tuple[str, str], ...]) -> _Head:
    """RFC 2045 5.2: a part without a readable Content-Type is text/plain in US-ASCII."""
    known = dict(reversed(headers))
    try:
        content_type = ContentType.parse(known.get("content-type", ""))
    except DecodeError:
        content_type = ContentType("text/plain", (("charset", "us-ascii"),))
    content_id = _name(known.get("content-id", "")).removeprefix("<").removesuffix(">")
    location = _name(known.get("content-location", "")) or content_type.get("name")
    disposition = known.get("content-disposition", "")
    if not location and disposition:
        location = parse_parameters(disposition).get("filename", "")
    is_multipart = content_type.media_type.startswith("multipart/")
    undo = _UNDO.get(known.get("content-transfer-encoding", "").strip().lower())
    return _Head(headers, content_type, is_multipart, undo, content_id, location)


def _name(text: str) -> str:
    """Encoded words undone; in what is too long for a name they stay: they cost time, and a mail has many parts."""
    text = text.strip()
    return decode_words(text) if len(text) <= _LONGEST_NAME else text


def _read_head(block: bytes) -> _Head:
    return _head(parse_headers(block))


class _Odd(Exception):
    """Something else than a head stands in a block. Raised, because what is raised is not remembered: it may be a
    message's text."""


@lru_cache(maxsize=1024)  # the parts of one sender's messages look alike
def _remembered_head(block: bytes) -> _Head:
    """The head of a block that an empty line ends in CRLF. Raises _Odd where another empty line comes first."""
    if block.startswith((b"\r\n", b"\n")) or b"\n\n" in block:
        raise _Odd
    return _read_head(block)


def parse_parameters(text: str) -> dict[str, str]:
    """The parameters of a header value, RFC 2231 extended values included."""
    try:
        parsed = ContentType.parse("x/" + text.strip())
    except DecodeError:
        return {}
    found: dict[str, str] = {}
    for name, value in parsed.parameters:
        found.setdefault(name, value)
    return found


def split(
    body: bytes, boundary: str, limits: Limits = DEFAULT_LIMITS, first: int = 0, last: int | None = None
) -> Iterator[tuple[int, int]]:
    """(start, end) of each part between its boundaries, headers included, for the multipart in [first, last). A missing
    last boundary is a DecodeError."""
    if not boundary:
        raise DecodeError("a multipart without a boundary", clause=_CLAUSE_BOUNDARY)
    last = len(body) if last is None else last
    line = b"\n--" + boundary.encode("latin-1", "replace")
    delimiters = _delimiters(body, line, first, last, _CANDIDATES_OF_A_PART * limits.parts)
    if body.startswith(line[1:], first, last) and _is_delimiter(body, first + len(line) - 1, last):
        delimiters.append(first - 1)
    if not delimiters:
        raise DecodeError("the first boundary is missing", offset=0, clause=_CLAUSE_BOUNDARY)
    at, width = delimiters.pop(), len(line)
    count = 0
    while True:
        after = at + width
        if body.startswith(b"--", after, last):
            return
        start = body.find(b"\n", after, last) + 1
        if start == 0:
            raise DecodeError("the body ends at a boundary", offset=at + 1, clause=_CLAUSE_BOUNDARY)
        if not delimiters:
            raise DecodeError("the last boundary is missing: the body was cut", offset=start, clause=_CLAUSE_BOUNDARY)
        at = delimiters.pop()
        count += 1
        if count > limits.parts:
            raise DecodeError(f"more than {limits.parts} parts", offset=start, clause=_CLAUSE_BOUNDARY)
        end = max(at, start)
        if end > start and body[end - 1] == _CR:
            end -= 1
        yield start, end


def _delimiters(body: bytes, line: bytes, first: int, last: int, most: int) -> list[int]:
    """Where delimiters stand, the last one first; `line` begins with the line break before one. Octets that only look
    like one (a longer boundary with the same start, as nested multiparts have) are passed over: nothing but white space
    may stand behind a delimiter. The line break keeps two candidates from overlapping, so that a body made of the
    boundary's own letters costs no more than another. From behind, because that is how bytes are searched fastest: the
    end of a 30 KB picture is found in a third of the time."""
    found: list[int] = []
    at, width = last, len(line)
    while (at := body.rfind(line, first, at)) >= 0:
        most -= 1
        if most < 0:
            raise DecodeError("too much of the body looks like its boundary", offset=first, clause=_CLAUSE_BOUNDARY)
        after = at + width
        if (after < last and body[after] in _BEHIND_DELIMITER) or _is_delimiter(body, after, last):
            found.append(at)
    return found


def _is_delimiter(body: bytes, after: int, last: int) -> bool:
    """Whether only what may stand behind a delimiter stands at `after`."""
    if body.startswith(b"--", after, last):
        after += 2
    return after >= last or body[after] in _BEHIND_DELIMITER


def parse_part(
    octets: bytes,
    limits: Limits = DEFAULT_LIMITS,
    depth: int = 0,
    *,
    start: int = 0,
    end: int | None = None,
    base: int = 0,
) -> MimePart:
    """The part in [start, end) with its headers, nested parts read too. Only the data of leaves is copied, once.

    `base` is where `octets` stand in those that were read first, -1 when they do not."""
    return _part(octets, start, len(octets) if end is None else end, limits, depth, base)


def _part(octets: bytes, start: int, end: int, limits: Limits, depth: int, base: int) -> MimePart:
    block_end = octets.find(b"\r\n\r\n", start, min(end, start + limits.header_octets))
    if 0 < block_end - start <= _REMEMBERED_OCTETS:  # nearly always: it is not read again where it is remembered
        try:
            head = _remembered_head(octets[start:block_end])
        except _Odd:
            pass
        else:
            return _read(head, octets, block_end + 4, end, limits, depth, base)
    block_end, data_at = _header_end(octets, start, end, limits)
    block = octets[start:block_end]
    if len(block) > _REMEMBERED_OCTETS and block.count(b"\n") - block.count(b"\n ") > limits.header_fields:
        raise DecodeError(f"more than {limits.header_fields} header fields", offset=start, clause="RFC 2046 5.1")
    head = _remembered_head(block) if len(block) <= _REMEMBERED_OCTETS else _read_head(block)
    return _read(head, octets, data_at, end, limits, depth, base)


def split_headers(octets: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[bytes, bytes]:
    """The header block and the rest."""
    block_end, data_at = _header_end(octets, 0, len(octets), limits)
    return octets[:block_end], octets[data_at:]


def _header_end(octets: bytes, start: int, end: int, limits: Limits) -> tuple[int, int]:
    """Where the header block ends, and where the data begins."""
    if octets.startswith((b"\r\n", b"\n"), start, end):
        return start, start + (2 if octets[start] == _CR else 1)
    furthest = min(end, start + limits.header_octets)
    crlf = octets.find(b"\r\n\r\n", start, furthest)
    lf = octets.find(b"\n\n", start, crlf if crlf >= 0 else furthest)
    if lf >= 0:
        return lf, lf + 2
    if crlf >= 0:
        return crlf, crlf + 4
    if end - start > limits.header_octets:
        raise DecodeError(f"headers of more than {limits.header_octets} octets", offset=0, clause="RFC 2046 5.1")
    return end, end


def part_from(
    headers: tuple[tuple[str, str], ...],
    data: bytes,
    limits: Limits = DEFAULT_LIMITS,
    depth: int = 0,
    base: int = 0,
) -> MimePart:
    """A part from headers that were read elsewhere (HTTP, mail) and its body; `base` as for `parse_part`."""
    return _read(_head(headers), data, 0, len(data), limits, depth, base)


def _read(head: _Head, octets: bytes, start: int, end: int, limits: Limits, depth: int, base: int) -> MimePart:
    """The part whose body is in [start, end)."""
    headers, content_type, is_multipart, undo, content_id, location = head
    if not is_multipart:
        data = octets[start:end]
        plain = data if undo is None else undo(data)
        at = base + start if base >= 0 and plain is data else -1
        return MimePart(content_type, plain, headers, (), at, content_id, location)
    if undo is not None:
        octets = undo(octets[start:end])
        start, end, base = 0, len(octets), -1
    parts = parts_of(octets, content_type.get("boundary"), limits, depth, start=start, end=end, base=base)
    data = b"" if parts else octets[start:end]
    return MimePart(content_type, data, headers, parts, -1, content_id, location)


def parts_of(
    octets: bytes,
    boundary: str,
    limits: Limits = DEFAULT_LIMITS,
    depth: int = 0,
    *,
    start: int = 0,
    end: int | None = None,
    base: int = 0,
) -> tuple[MimePart, ...]:
    """The parts of the multipart body in [start, end); `base` as for `parse_part`."""
    if depth >= limits.depth:
        raise DecodeError(f"multiparts nested deeper than {limits.depth}", clause="RFC 2046 5.1")
    parts: list[MimePart] = []
    left = limits.parts  # of the whole body, not of each multipart in it
    for first, last in split(octets, boundary, limits, start, end):
        part = _part(octets, first, last, limits, depth + 1, base)
        parts.append(part)
        left -= _count(part) if part.parts else 1
        if left < 0:
            raise DecodeError(f"more than {limits.parts} parts", offset=first, clause=_CLAUSE_BOUNDARY)
    return tuple(parts)


def _count(part: MimePart) -> int:
    """The part and all parts within it."""
    count = 1
    for one in part.parts:
        count += _count(one) if one.parts else 1
    return count


def undo_transfer_encoding(data: bytes, encoding: str) -> bytes:
    """The octets themselves (RFC 2045 6). Unknown names are taken for binary. Raises DecodeError for bad base64."""
    undo = _UNDO.get(encoding.strip().lower())
    return data if undo is None else undo(data)


def _from_base64(data: bytes) -> bytes:
    """pybase64 decodes nine times as fast as the standard library, and the same, but for padding in the middle."""
    try:
        padded_within = data.find(b"=", 0, len(data.rstrip()) - 2) >= 0
        return binascii.a2b_base64(data) if padded_within else pybase64.b64decode(data)
    except binascii.Error:
        clean = _NOT_BASE64.sub(b"", data)
        try:
            return base64.b64decode(clean + b"=" * (-len(clean) % 4))
        except binascii.Error as error:
            raise DecodeError(f"bad base64: {error}", clause="RFC 2045 6.8") from error


_UNDO: Final[dict[str, Callable[[bytes], bytes]]] = {
    "base64": _from_base64,
    "quoted-printable": quopri.decodestring,
}


def resolve(parts: Sequence[MimePart], start: str) -> MimePart | None:
    """The root of a multipart/related: the part that `start` names, else the first (RFC 2387 3.2)."""
    wanted = start.strip().removeprefix("<").removesuffix(">")
    if wanted:
        for part in parts:
            if part.content_id == wanted:
                return part
    return parts[0] if parts else None


# --- writing ---


@record(frozen=True, slots=True)
class OutPart:
    """A part to be written: its content type, its octets, and further headers."""

    content_type: ContentType
    data: bytes
    content_id: str = ""
    content_location: str = ""
    encoding: str = "binary"  # binary | base64 | 8bit | 7bit


def choose_boundary(parts: Sequence[OutPart], seed: str) -> str:
    """A boundary that occurs in no part (RFC 2046 5.1.1); `seed` makes it the message's own."""
    base = re.sub(r"[^A-Za-z0-9]", "", seed)[:40] or "mms"
    for number in range(10_000):
        boundary = f"=_{base}_{number}"
        if not any(boundary.encode() in part.data for part in parts):
            return boundary
    raise EncodeError("no boundary was found that the content does not hold", clause=_CLAUSE_BOUNDARY)


def part_headers(part: OutPart) -> bytes:
    """The headers of a part, each with its line break."""
    lines = [f"Content-Type: {part.content_type.folded()}\r\n".encode("ascii", "replace")]
    if part.encoding != "7bit":
        lines.append(f"Content-Transfer-Encoding: {part.encoding}\r\n".encode())
    if part.content_id:
        lines.append(header_line("Content-ID", f"<{part.content_id}>"))
    if part.content_location:
        lines.append(header_line("Content-Location", part.content_location))
    return b"".join(lines)


def write_parts(
    parts: Sequence[OutPart], boundary: str, headers_of: Callable[[OutPart], bytes] = part_headers
) -> bytes:
    """The body of a multipart; `headers_of` is for neighbours that spell headers differently."""
    pieces: list[bytes] = []
    for part in parts:
        pieces += (b"--", boundary.encode(), b"\r\n", headers_of(part), b"\r\n", _transfer(part), b"\r\n")
    pieces += (b"--", boundary.encode(), b"--\r\n")
    return b"".join(pieces)


def _transfer(part: OutPart) -> bytes:
    return to_base64(part.data) if part.encoding.lower() == "base64" else part.data


def to_base64(data: bytes) -> bytes:
    """Base64 in lines of 76 characters, without the last line break."""
    view = memoryview(data)
    lines = (
        binascii.b2a_base64(view[at : at + _BASE64_LINE_OCTETS], newline=False)
        for at in range(0, len(data), _BASE64_LINE_OCTETS)
    )
    return b"\r\n".join(lines)
