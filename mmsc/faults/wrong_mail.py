"""Right MM4 mails made wrong (TS 23.140 8.4; RFC 2045): octets to octets."""

import base64
import binascii
import re
from typing import Final

_MESSAGE_ID: Final = re.compile(rb"(?im)^(X-Mms-Message-ID:[ \t]*)\"?[^\r\n]*")
_BOUNDARY: Final = re.compile(rb'(?i)boundary="?([^";\r\n]+)')
_IMAGE: Final = re.compile(rb"(?im)^Content-Type:[ \t]*image/")
_BASE64: Final = re.compile(rb"(?im)^Content-Transfer-Encoding:[ \t]*base64")
_LINE: Final = 76
OTHER_MESSAGE_ID: Final = b'"a-message-that-nobody-sent"'


def with_other_message_id(mail: bytes) -> bytes:
    """The same mail under another X-Mms-Message-ID."""
    head, blank, body = mail.partition(b"\r\n\r\n")
    return _MESSAGE_ID.sub(lambda found: found[1] + OTHER_MESSAGE_ID, head, count=1) + blank + body


def with_damaged_pictures(mail: bytes) -> bytes:
    """The same mail, each LF inside of a picture written as CRLF: what a server does that takes every part for text."""
    head, blank, body = mail.partition(b"\r\n\r\n")
    boundary = _BOUNDARY.search(head)
    if boundary is None:
        return mail
    line = b"--" + boundary[1]
    return head + blank + line.join(_damaged(part) for part in body.split(line))


def _damaged(part: bytes) -> bytes:
    head, blank, content = part.partition(b"\r\n\r\n")
    if not _IMAGE.search(head):
        return part
    octets, end = (content[:-2], b"\r\n") if content.endswith(b"\r\n") else (content, b"")
    if not _BASE64.search(head):
        return head + blank + _as_text(octets) + end
    try:
        picture = _as_text(base64.b64decode(octets))
    except (binascii.Error, ValueError):
        return part
    encoded = base64.b64encode(picture)
    lines = [encoded[at : at + _LINE] for at in range(0, len(encoded), _LINE)]
    return head + blank + b"\r\n".join(lines) + end


def _as_text(octets: bytes) -> bytes:
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
