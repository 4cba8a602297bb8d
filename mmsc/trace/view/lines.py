"""Header fields with their places: of HTTP, of mails, of parts of a multipart (RFC 9112 5, RFC 5322 2.2)."""

import re
from collections.abc import Iterator
from typing import Final

from mmsc.trace.view.model import Row
from protocols.header_fields import decode_words

MAXIMUM_FIELDS: Final = 500
_FIELD: Final = re.compile(rb"([!-9;-~]++)[ \t]*+:((?:[^\r\n]++|\r?\n[ \t]++|\r(?!\n))*+)")
_FOLD: Final = re.compile(r"\r?\n[ \t]+")


def header_rows(octets: bytes, start: int, end: int, clause: str) -> Iterator[Row]:
    """The fields in [start, end), named as they are spelled; lines that are none are passed over."""
    at = start
    for _ in range(MAXIMUM_FIELDS):
        if at >= end:
            return
        field = _FIELD.match(octets, at, end)
        if field is not None:
            yield Row(field[1].decode("latin-1"), field_text(field[2]), at, field.end(), clause)
            at = field.end()
        line_end = octets.find(b"\n", at, end)
        at = end if line_end < 0 else line_end + 1


def field_text(octets: bytes) -> str:
    """The value of a field: unfolded, encoded words undone."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    return decode_words(_FOLD.sub(" ", text).strip())


def block_end(octets: bytes, start: int = 0) -> tuple[int, int]:
    """Where the header block ends, and where what follows begins; a block without an end is all there is."""
    if octets.startswith((b"\r\n", b"\n"), start):
        return start, start + (2 if octets[start] == 0x0D else 1)
    crlf, lf = octets.find(b"\r\n\r\n", start), octets.find(b"\n\n", start)
    if crlf >= 0 and (lf < 0 or crlf < lf):
        return crlf, crlf + 4
    return (lf, lf + 2) if lf >= 0 else (len(octets), len(octets))


def value_of(rows: Iterator[Row] | tuple[Row, ...], name: str) -> str:
    """The first field with this name in lower case, "" when there is none."""
    return next((row.value for row in rows if row.name.lower() == name), "")
