"""MMS PDUs, field by field (OMA-TS-MMS_ENC 7)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from mmsc.trace.json_form.values import to_json
from mmsc.trace.view.model import Deeper, Row, View
from mmsc.trace.view.wsp import content
from protocols import mm1
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.forms import Header
from protocols.mm1.catalogue import BY_TYPE
from protocols.mm1.enums import in_words
from protocols.mm1.headers import BY_NUMBER
from protocols.octets import OctetReader

_PLAIN: Final[Mapping[int, Header]] = BY_NUMBER


def pdu(octets: bytes, deeper: Deeper) -> View:
    """An MMS PDU and what it carries, as far as it can be read."""
    views = mm1.describe(octets)
    known = _rows(octets)
    rows = tuple(_row(octets, one, known) for one in views)
    try:
        decoded = mm1.decode(octets)
    except DecodeError as error:
        return View("MMS PDU", "unreadable", octets, rows, problem=str(error))
    message = decoded.message
    body = getattr(message, "body", b"")
    content_type = getattr(message, "content_type", None)
    inside: tuple[View, ...] = ()
    if body and isinstance(content_type, ContentType):
        inside = (replace(content(body, content_type, deeper), at=len(octets) - len(body)),)
    title = in_words(message.message_type)
    return View("MMS PDU", title, octets, rows, decoded.findings, inside=inside, message=message)


def _rows(octets: bytes) -> Mapping[int, Header]:
    """How this type of PDU has its fields, where its type stands first."""
    cls = BY_TYPE.get(octets[1]) if octets[:1] == b"\x8c" and len(octets) > 1 else None
    return BY_NUMBER | {row.number: row for row in cls.variants} if cls is not None and cls.variants else _PLAIN


def _row(octets: bytes, view: mm1.FieldView, rows: Mapping[int, Header]) -> Row:
    """With the value as JSON has it, read again from its octets, and in words where ours are better than its own."""
    row = rows.get(octets[view.start] & 0x7F) if octets[view.start : view.start + 1] >= b"\x80" else None
    if row is None or row.wire_name != view.name:
        return Row(view.name, view.value, view.start, view.end, view.clause)
    try:
        value = row.form.read(OctetReader(octets, view.start + 1, view.end))
    except DecodeError:
        return Row(view.name, view.value, view.start, view.end, view.clause)
    text = _words(row.attribute, value) or view.value
    return Row(view.name, text, view.start, view.end, view.clause, to_json(row.attribute, value))


def _words(attribute: str, value: Any) -> str:
    """A value of several pieces in words; "" for all others."""
    if attribute == "date":
        return f"{value}{_moment(value)}"
    if isinstance(value, mm1.Moment):
        return f"in {value.seconds} s" if value.relative else f"at {value.seconds}{_moment(value.seconds)}"
    if isinstance(value, mm1.InsertAddress):
        return "insert-address"
    if isinstance(value, mm1.Counted):
        return f"{value.count}: {value.value}"
    if isinstance(value, mm1.CountedDate):
        return f"{value.count}: {value.seconds}{_moment(value.seconds)}"
    if isinstance(value, mm1.Indexed):
        return f"{value.count}: {to_json('', value.value)}"
    if isinstance(value, mm1.Flagged):
        [(word, what)] = to_json(attribute, value).items()
        return f"{word} {what}"
    if isinstance(value, mm1.Element):
        return "; ".join((value.reference, *(f"{name}={text}" for name, text in value.parameters)))
    return str(to_json(attribute, value)) if attribute == "attributes" else ""


def _moment(seconds: int) -> str:
    """The moment that a number of seconds since 1970 is, where the calendar has it."""
    try:
        return f" ({datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC)"
    except (OverflowError, ValueError, OSError):
        return ""
