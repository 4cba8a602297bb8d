"""MM7 and MM4 messages: what is set in them, and their content."""

from mmsc.trace.view.model import Row, View, rows_of
from protocols import mime, mm4, mm7
from protocols.errors import DecodeError


def mm7_message(octets: bytes, content_type: str) -> View:
    """An MM7 message: SOAP, alone or with content."""
    try:
        decoded = mm7.decode(content_type, octets)
    except mm7.Mm7Error as error:
        known = (Row("TransactionID", error.transaction_id),) if error.transaction_id else ()
        return View("MM7", "unreadable", octets, known, problem=str(error))
    except DecodeError as error:
        return View("MM7", "unreadable", octets, problem=str(error))
    envelope = decoded.message
    rows = [Row("TransactionID", envelope.transaction_id), Row("namespace", envelope.dialect.namespace)]
    rows += rows_of(envelope.message)
    inside: tuple[View, ...] = ()
    if envelope.content is not None:
        inside = (
            View(
                "content",
                str(envelope.content.content_type),
                _octets_of(envelope.content),
                _mime_rows(envelope.content),
            ),
        )
    return View("MM7", type(envelope.message).__name__, octets, tuple(rows), decoded.findings, inside=inside)


def mm4_message(octets: bytes) -> View:
    """An MM4 message, as a mail."""
    try:
        decoded = mm4.decode(octets)
    except DecodeError as error:
        return View("MM4", "unreadable", octets, problem=str(error))
    content = getattr(decoded.message, "content", None)
    rows = tuple(row for row in rows_of(decoded.message) if not row.name.startswith("content."))
    inside: tuple[View, ...] = ()
    if isinstance(content, mime.MimePart):
        inside = (View("content", str(content.content_type), _octets_of(content), _mime_rows(content)),)
    return View("MM4", type(decoded.message).__name__, octets, rows, decoded.findings, inside=inside)


def _octets_of(part: mime.MimePart) -> bytes:
    """The octets of a part, of all its parts when it is a multipart."""
    return b"".join(map(_octets_of, part.parts)) if part.parts else part.data


def _mime_rows(part: mime.MimePart) -> tuple[Row, ...]:
    return tuple(
        Row(f"part {number}", f"{one.content_type} <{one.content_id}> {len(_octets_of(one))} octets")
        for number, one in enumerate(part.parts, 1)
    )
