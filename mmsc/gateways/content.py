"""Content on its way in and out: MIME parts become the canonical WSP multipart once, and are built back from it.

The octets of a part are never touched (WAP-230-WSP 8.5; RFC 2387).
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from mmsc.domain.instant import DAY, Instant
from mmsc.domain.message import Content, ContentId, Part, Remark, Submission
from mmsc.trace.captures import BodyReference
from protocols.content_type import ContentType
from protocols.errors import DecodeError, Finding
from protocols.mime import DEFAULT_LIMITS, MimePart, OutPart, choose_boundary, resolve, write_parts
from protocols.wsp import multipart as wsp
from protocols.wsp.rules import BEHIND, HIGH_NUMBER

RELATED: Final = "application/vnd.wap.multipart.related"
MIXED: Final = "application/vnd.wap.multipart.mixed"
ALTERNATIVE: Final = "application/vnd.wap.multipart.alternative"
_MULTIPARTS: Final = ("application/vnd.wap.multipart.", "multipart/")
_DEEPEST: Final = DEFAULT_LIMITS.depth - 2  # what our own reader takes: the mail is one, and this part within it
LONGEST_DETAIL: Final = 1024  # characters of a field that is kept for a DeliverReq: it stays in memory with its MM
SMIL: Final = "application/smil"
_MENDED: Final = (HIGH_NUMBER.name, BEHIND.name)  # what Android fails on, or does not see
_UNKNOWN: Final = "application/octet-stream"
_PLAUSIBLE: Final = 2 * DAY  # a Date further off than this is the sender's wrong clock
MAIL_ON_ITS_WAY: Final = 60 * DAY  # a mail may wait in queues for as long as its MM lives
_DROPPED: Final = ("", "boundary", "start", "type")
_WORTH_NAMING: Final = 1024  # octets: a smaller piece is copied into its capture
_SHORT: Final = 200  # characters of the names of a part that is remembered
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f]")


def plausible(date: Instant | None, now: Instant, past: int = _PLAUSIBLE) -> Instant | None:
    """A sender's Date, None when its clock cannot be right; `past` (µs) is how long ago it may be."""
    return None if date is None or not now - past <= date <= now + _PLAUSIBLE else date


def remarked(submission: Submission, findings: Sequence[Finding]) -> Submission:
    """The submission with what there was to remark about its octets."""
    if not findings:
        return submission
    return replace(submission, remarks=(*submission.remarks, *remarks_of(findings)))


def remarks_of(findings: Sequence[Finding]) -> tuple[Remark, ...]:
    """Findings as the trace has them."""
    return tuple(Remark(one.rule, one.clause, one.offset, one.remark) for one in findings)


def from_mime(part: MimePart) -> Content:
    """The canonical content of a MIME part: its sub-parts when it is a multipart, itself otherwise."""
    return build([_wsp_part(leaf, number) for number, leaf in enumerate(_in_order(part), 1)])


def kept_octets(part: MimePart, content: Content, content_id: ContentId) -> BodyReference | None:
    """The largest piece of a request that stands in its stored content octet for octet; the capture names it. `content`
    is what `from_mime` made of `part`."""
    pairs = zip(_in_order(part), content.parts, strict=True)
    found = max(pairs, key=lambda pair: pair[1].length if pair[0].start >= 0 else 0, default=None)
    if found is None or found[0].start < 0 or found[1].length < _WORTH_NAMING:
        return None
    return BodyReference(content_id, found[1].offset, found[1].length, found[0].start)


def _in_order(part: MimePart) -> list[MimePart]:
    """The leaves, the presentation first."""
    leaves = _leaves(part)
    if not part.parts or part.content_type.media_type != "multipart/related":
        return leaves
    root = resolve(part.parts, part.content_type.get("start"))
    if leaves and root is leaves[0]:
        return leaves
    if root is not None and root in leaves:
        leaves.remove(root)
        leaves.insert(0, root)
    return leaves


def build(parts: Sequence[wsp.Part]) -> Content:
    """The canonical content of parts: related when the first is a presentation, mixed otherwise."""
    is_related = bool(parts) and parts[0].content_type.media_type == SMIL and parts[0].content_id != ""
    content_type = _related(parts[0].content_id) if is_related else MIXED
    body, offsets = wsp.lay_out(parts)
    return Content(content_type, body, tuple(map(_placed, parts, offsets)))


def _related(start: str) -> str:
    return str(ContentType(RELATED, (("type", SMIL), ("start", f"<{start}>"))))


def from_wsp(content_type: ContentType, body: bytes, remarks: list[Finding] | None = None) -> Content:
    """Content that came as WSP: kept as it is, with an index, but for part headers that handsets stumble over.
    What there is to remark goes to `remarks`, its offsets those of the body. Raises ProtocolError, also for a multipart
    whose own type cannot be written again; a part's is only called unknown."""
    kind = content_type.media_type
    if kind.startswith("multipart/"):  # 0x0C and its like: the same octets, by a name that handsets refuse
        content_type = replace(content_type, media_type=f"application/vnd.wap.{kind.replace('/', '.')}")
    ContentType.parse(str(content_type))
    read = wsp.read_multipart(body)
    if remarks is not None:
        remarks.extend(read.findings)
    if any(one.rule in _MENDED for one in read.findings):
        return _with_names(content_type, body, read.message)
    parts = tuple(
        Part(
            _readable(entry.content_type),
            entry.content_id,
            entry.content_location or entry.content_type.get("name") or entry.file_name,
            entry.data_offset,
            entry.data_length,
        )
        for entry in read.message
    )
    return Content(str(content_type), body, parts)


def _with_names(content_type: ContentType, body: bytes, entries: Sequence[wsp.PartIndex]) -> Content:
    """The same parts with new headers: their types by name, their identifiers and locations, and nothing else."""
    parts = [
        wsp.Part(
            ContentType.parse(_readable(entry.content_type)),
            body[entry.data_offset : entry.data_offset + entry.data_length],
            entry.content_id,
            entry.content_location or entry.content_type.get("name") or entry.file_name,
        )
        for entry in entries
    ]
    laid_out, offsets = wsp.lay_out(parts)
    return Content(str(content_type), laid_out, tuple(map(_placed, parts, offsets)))


def _readable(content_type: ContentType) -> str:
    """The type as text that we can read back: in WSP any text may stand there (WAP-230-WSP 8.4.2.24)."""
    text = str(content_type)
    try:
        ContentType.parse(text)
    except DecodeError:
        return _UNKNOWN
    return text


def _placed(part: wsp.Part, offset: int) -> Part:
    """The index entry of a part that was laid out at `offset`: what reading it back would give."""
    media = part.content_type
    location = part.content_location or (media.get("name") if media.parameters else "")
    text = str(media) if media.parameters else media.media_type
    return Part(text, part.content_id, location, offset, len(part.data))


def single(content_type: ContentType, body: bytes) -> Content:
    """A PDU whose body is no multipart: one part (some clients send bare text)."""
    return build([wsp.Part(ContentType.parse(_readable(content_type)), body, "part1", "")])


def _leaves(part: MimePart) -> list[MimePart]:
    """A multipart without parts has none."""
    found: list[MimePart] = []
    for inner in part.parts or (part,):
        if inner.parts:
            found += _leaves(inner)
        elif not inner.content_type.media_type.startswith("multipart/"):
            found.append(inner)
    return found


def _wsp_part(part: MimePart, number: int) -> wsp.Part:
    given = part.content_type
    is_short = given.is_short and len(part.content_id) + len(part.content_location) <= _SHORT
    named = _remembered_names if is_short else _named
    media, content_id, location = named(given.media_type, given.parameters, part.content_id, part.content_location)
    return wsp.Part(media, part.data, content_id or f"part{number}", location)


def _named(
    media_type: str, given: tuple[tuple[str, str], ...], content_id: str, location: str
) -> tuple[ContentType, str, str]:
    """Type and names as WSP can write them."""
    pairs = ((_safe(name), _safe(value)) for name, value in given)
    parameters = tuple(pair for pair in pairs if pair[0] not in _DROPPED)
    return ContentType(_safe(media_type) or _UNKNOWN, parameters), _safe(content_id), _safe(location)


_remembered_names: Final = lru_cache(maxsize=256)(_named)  # the parts of one sender's messages look alike


def _safe(text: str) -> str:
    """Without what ends a text in WSP or a line in MIME (WAP-230-WSP 8.4.2.1)."""
    return text if text.isprintable() else _UNSAFE.sub("", text)


def to_mime(content: Content, encoding: str = "base64") -> tuple[ContentType, list[OutPart]]:
    """(type of the multipart without its boundary, parts) for a MIME body."""
    parts = [
        _for_mail(
            OutPart(
                ContentType.parse(part.content_type),
                content.octets_of(part),
                content_id=part.content_id,
                content_location=part.content_location,
                encoding=encoding,
            )
        )
        for part in content.parts
    ]
    return _mime_type(ContentType.parse(content.content_type), parts), parts


def _mime_type(media: ContentType, parts: Sequence[OutPart]) -> ContentType:
    if media.media_type == RELATED and parts:
        start = media.get("start") or f"<{parts[0].content_id}>"
        return ContentType("multipart/related", (("type", media.get("type") or SMIL), ("start", start)))
    return ContentType("multipart/alternative" if media.media_type == ALTERNATIVE else "multipart/mixed")


def _for_mail(part: OutPart, depth: int = 1) -> OutPart:
    """A part that is a WSP multipart itself becomes a MIME multipart (TS 23.140 8.4.4); one that cannot be read is
    octets: as a multipart without its boundary it would spoil the whole mail."""
    if not part.content_type.media_type.startswith(_MULTIPARTS):
        return part
    try:
        index = wsp.index_multipart(part.data)
    except DecodeError:
        index = ()
    if not index or depth > _DEEPEST:
        return replace(part, content_type=ContentType(_UNKNOWN))
    inner = [_for_mail(_inner(part, one), depth + 1) for one in index]
    boundary = choose_boundary(inner, f"nested{depth}{part.content_id}")
    whole = _mime_type(part.content_type, inner)
    typed = ContentType(whole.media_type, (*whole.parameters, ("boundary", boundary)))
    encoding = "7bit" if part.encoding == "base64" else part.encoding  # RFC 2045 6.4: a multipart has no base64
    return replace(part, content_type=typed, data=write_parts(inner, boundary), encoding=encoding)


def _inner(part: OutPart, entry: wsp.PartIndex) -> OutPart:
    data = part.data[entry.data_offset : entry.data_offset + entry.data_length]
    media = ContentType.parse(_readable(entry.content_type))
    return OutPart(media, data, entry.content_id, entry.content_location, part.encoding)
