"""Masks secrets in octets before anybody keeps or shows them. The length stays, so that offsets still agree."""

import re
from typing import Final

_MASK: Final = b"*"

# The value of a header that carries credentials (RFC 9110 11.6.2, 11.7.2), in an HTTP head or an SMTP line.
# Also where it is folded (RFC 9112 5.2) or has a space before the colon: what is refused is captured, too.
_VALUE: Final = rb"(?P<secret>(?:[^\r\n]|\r?\n[ \t])+)"
_HTTP_SECRET: Final = re.compile(
    rb"^(?:Proxy-)?Authorization[ \t]*:[ \t]*(?:Basic|Bearer|Digest|App)?[ \t]*" + _VALUE,
    re.IGNORECASE | re.MULTILINE,
)
_COOKIE: Final = re.compile(rb"^(?:Set-)?Cookie[ \t]*:[ \t]*" + _VALUE, re.IGNORECASE | re.MULTILINE)
_HTTP_SECRETS: Final = (
    (b"authorization", _HTTP_SECRET),
    (b"cookie", _COOKIE),
)  # only a line with the word is looked at
_SMTP_AUTH: Final = re.compile(rb"^AUTH[ \t]+[A-Z0-9_-]+[ \t]+(?P<secret>[^\r\n]+)", re.IGNORECASE | re.MULTILINE)

# SMPP v3.4 5.1.2.1: bind_receiver, bind_transmitter, bind_transceiver, outbind; 4.1.1 and 4.1.7.1: system_id NUL
# password NUL ...
_BINDS: Final = (0x00000001, 0x00000002, 0x00000009, 0x0000000B)
_SMPP_HEADER_OCTETS: Final = 16


def http(octets: bytes) -> bytes:
    """An HTTP message with the credentials and cookies of its head masked. The body is not touched."""
    end = octets.find(b"\r\n\r\n")
    head = octets if end < 0 else octets[:end]
    lower = head.lower()
    masked: bytearray | None = None
    for word, pattern in _HTTP_SECRETS:
        at = lower.find(word)
        while at >= 0:
            found = pattern.match(masked or head, lower.rfind(b"\n", 0, at) + 1)
            if found is not None:
                masked = masked or bytearray(head)
                start, at = found.span("secret")
                masked[start:at] = _MASK * (at - start)
            line_end = lower.find(b"\n", at)
            at = lower.find(word, line_end) if line_end >= 0 else -1
    return octets if masked is None else bytes(masked) + octets[len(head) :]


def smtp(octets: bytes) -> bytes:
    """SMTP lines with the argument of AUTH masked (RFC 4954 4)."""
    return _SMTP_AUTH.sub(_masked_auth, octets)


def smpp(octets: bytes) -> bytes:
    """One SMPP PDU; the password of a bind or an outbind is masked."""
    if len(octets) < _SMPP_HEADER_OCTETS or int.from_bytes(octets[4:8]) not in _BINDS:
        return octets
    start = octets.find(b"\0", _SMPP_HEADER_OCTETS) + 1
    if start == 0:
        return octets
    end = octets.find(b"\0", start)
    end = len(octets) if end < 0 else end
    return octets[:start] + _MASK * (end - start) + octets[end:]


def _masked_auth(found: re.Match[bytes]) -> bytes:
    start = found.start("secret") - found.start()
    return found[0][:start] + _MASK * (len(found[0]) - start)
