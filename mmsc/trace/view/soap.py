"""MM7 messages, element by element, each where it stands; and the parts of their content (TS 23.140 8.7)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from mmsc.trace.view.mime_parts import multipart, parse_type
from mmsc.trace.view.model import Row, View, rows_of
from mmsc.trace.view.xml_places import Element, elements
from protocols import mm7
from protocols.content_type import ContentType
from protocols.errors import Decoded, DecodeError, Finding

_CLAUSE: Final = "TS 23.140 8.7"
_HIDDEN: Final = ("xmlns", "encodingStyle", "schemaLocation")
_SAID: Final = re.compile(r"([A-Za-z0-9_.-]+)(?: '.*?')? in line (\d+)")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]+")
_SOAP: Final = ("Envelope", "Header", "Body", "Fault", "detail")


def mm7_message(octets: bytes, content_type: str) -> View:
    """An MM7 message: SOAP, alone or with content."""
    try:
        decoded: Decoded[mm7.Envelope] | None = mm7.decode(content_type, octets)
        problem, transaction_id = "", ""
    except mm7.Mm7Error as error:
        decoded, problem, transaction_id = None, str(error), error.transaction_id
    except DecodeError as error:
        decoded, problem, transaction_id = None, str(error), ""
    read = partial(_soap, decoded=decoded, problem=problem, transaction_id=transaction_id)
    media = parse_type(content_type)
    if media.media_type.startswith("multipart/") and _looks_like(octets, media):
        return multipart(octets, media, root=read)
    return read(octets, content_type)


def _looks_like(octets: bytes, media: ContentType) -> bool:
    return b"--" + media.get("boundary").encode("latin-1", "replace") in octets


def _soap(
    octets: bytes, content_type: str, decoded: Decoded[mm7.Envelope] | None, problem: str, transaction_id: str
) -> View:
    found = elements(octets, parse_type(content_type).get("charset"))
    rows = tuple(_rows(found))
    if decoded is None:
        known = () if rows else tuple(Row("TransactionID", one) for one in (transaction_id,) if one)
        return View("MM7", "unreadable", octets, rows or known, problem=problem)
    envelope = decoded.message
    if not rows:
        rows = (Row("TransactionID", envelope.transaction_id), *rows_of(envelope.message))
    rows = (_namespace(found, envelope.dialect.namespace), *rows)
    findings = tuple(_placed(one, found) for one in decoded.findings)
    return View("MM7", type(envelope.message).__name__, octets, rows, findings)


def _namespace(found: tuple[Element, ...], namespace: str) -> Row:
    """Where the namespace that counts is named: with the operation, else at the envelope."""
    body = next((one for one in found if len(one.path) == 3 and one.path[1] == "Body"), None)
    return Row("namespace", namespace, *((body.start, body.inner) if body is not None else (-1, -1)))


def _rows(found: tuple[Element, ...]) -> Iterator[Row]:
    """One row an element that says something, its path within the operation as the name."""
    for one in found:
        told = [f"{name} {value}" for name, value in one.attributes if _shown(name)]
        if (one.has_children and not told) or len(one.path) < 3:
            continue
        text = "" if one.has_children else one.text
        name = " / ".join(one.path[3:] or one.path[2:])
        yield Row(
            name, ", ".join(filter(None, (text, *told))), one.start, one.inner if one.has_children else one.end, _CLAUSE
        )


def _shown(name: str) -> bool:
    bare = name.rpartition(":")[2]
    return not name.startswith("xmlns") and bare not in _HIDDEN


def _placed(finding: Finding, found: tuple[Element, ...]) -> Finding:
    """With the octet of the element that its remark names; the document itself where it names none."""
    if finding.offset >= 0:
        return finding
    said = _SAID.search(finding.remark)
    if said is not None:
        name, line = said[1], int(said[2])
        for one in found:
            if one.name == name and one.lines[0] <= line <= one.lines[1]:
                return replace(finding, offset=one.start)
    words = _WORD.findall(finding.remark)
    for word in words:
        for one in found:
            if one.name == word:
                return replace(finding, offset=one.start)
    return finding
