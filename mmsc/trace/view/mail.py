"""SMTP and the mails of MM4, line by line (RFC 5321, RFC 5322, TS 23.140 8.4)."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from mmsc.trace.view.lines import block_end, header_rows, value_of
from mmsc.trace.view.mime_parts import content_of, parse_type
from mmsc.trace.view.model import Row, View
from protocols import mm4
from protocols.errors import DecodeError, Finding

_COMMANDS: Final = re.compile(rb"MAIL FROM:[^\r\n]*\r?\n(?:RCPT TO:[^\r\n]*\r?\n)*+(?:DATA\r?\n)?", re.IGNORECASE)
_LINE: Final = re.compile(rb"(MAIL FROM|RCPT TO|DATA):?([^\r\n]*)\r?\n", re.IGNORECASE)
_REPLY: Final = re.compile(rb"(?:\d{3}[ -][^\r\n]*\r?\n)+\Z")
_SMTP: Final = "RFC 5321 4.1.1"
_CLAUSE: Final = "TS 23.140 8.4"


def is_smtp(octets: bytes) -> bool:
    """Whether they are what one SMTP transaction says, or the reply to it."""
    return _COMMANDS.match(octets) is not None or _REPLY.match(octets) is not None


def smtp(octets: bytes) -> View:
    """The commands of a transaction with its mail, or a reply."""
    commands = _COMMANDS.match(octets)
    if commands is None:
        text = octets.decode("utf-8", "replace").strip()
        return View("SMTP", text.partition("\r")[0], octets, (Row("reply", text, 0, len(octets), "RFC 5321 4.2"),))
    rows = tuple(
        Row(one[1].decode().upper(), one[2].decode("utf-8", "replace").strip(), one.start(), one.end(), _SMTP)
        for one in _LINE.finditer(octets, 0, commands.end())
    )
    rest = octets[commands.end() :]
    inside = (replace(mm4_message(rest), at=commands.end()),) if rest else ()
    receivers = sum(row.name == "RCPT TO" for row in rows)
    title = f"MAIL FROM {rows[0].value}, {receivers} recipient{'' if receivers == 1 else 's'}"
    return View("SMTP", title, octets, rows, inside=inside)


def mm4_message(octets: bytes) -> View:
    """An MM4 message, as a mail."""
    end, at = block_end(octets)
    rows = tuple(header_rows(octets, 0, end, _CLAUSE))
    body = octets[at:]
    inside = tuple(_content(body, rows, at)) if body.strip() else ()
    try:
        decoded = mm4.decode(octets)
    except DecodeError as error:
        return View("MM4", "unreadable", octets, rows, problem=str(error), inside=inside)
    findings = tuple(_placed(one, rows) for one in decoded.findings)
    return View("MM4", type(decoded.message).__name__, octets, rows, findings, inside=inside)


def _content(body: bytes, rows: tuple[Row, ...], at: int) -> Iterator[View]:
    content_type = parse_type(value_of(rows, "content-type") or "text/plain")
    encoding = value_of(rows, "content-transfer-encoding").lower()
    for one in content_of(body, content_type, encoding, 0):
        yield one if one.at < 0 else replace(one, at=at + one.at)


def _placed(finding: Finding, rows: tuple[Row, ...]) -> Finding:
    """With the octet of the field that its remark names first."""
    if finding.offset >= 0:
        return finding
    row = next((row for row in rows if row.name.lower() in finding.remark.lower() and "-" in row.name), None)
    return finding if row is None else replace(finding, offset=row.start)
