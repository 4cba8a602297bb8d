"""Masks secrets in octets before anybody keeps or shows them. The length stays, so that offsets still agree."""

import re
from typing import Final

_MASK: Final = b"*"

# The value of a header that carries credentials (RFC 9110 11.6.2, 11.7.2), in an HTTP head or an SMTP line.
# Also where it is folded (RFC 9112 5.2), has or follows a bare CR (2.2), or has blanks before it (2.2) or its colon:
# what is refused is captured, too.
_VALUE: Final = rb"(?P<secret>(?:[^\r\n]|\r(?!\n)|\r?\n[ \t])+)"
_HTTP_SECRET: Final = re.compile(
    rb"[ \t]*(?:Proxy-)?Authorization[ \t]*:[ \t]*(?:Basic|Bearer|Digest|App)?[ \t]*" + _VALUE, re.IGNORECASE
)
_COOKIE: Final = re.compile(rb"[ \t]*(?:Set-)?Cookie[ \t]*:[ \t]*" + _VALUE, re.IGNORECASE)
# A header that says by its name that it holds a secret (`X-Api-Key`, `X-Auth-Token`), and a request target that names
# one among its parameters or has credentials before the host. Each name is gone through twice, however often it says
# the word: once for the word, and once to its end (`++` gives nothing back).
_WORD: Final = rb"(?:token|secret|passw|pwd|api-?_?key)"
_TCHAR: Final = rb"[\w.!#$%&'*+^`|~-]"  # RFC 9110 5.6.2
_IN_PARAMETER: Final = rb"[^=?&;#\s]"
_SECRET_HEADER: Final = rb"(?=" + _TCHAR + rb"*?" + _WORD + rb")" + _TCHAR + rb"++"
_SECRET_PARAMETER: Final = rb"(?=" + _IN_PARAMETER + rb"*?" + _WORD + rb")" + _IN_PARAMETER + rb"++"
_NAMED: Final = re.compile(rb"[ \t]*" + _SECRET_HEADER + rb"[ \t]*:[ \t]*" + _VALUE, re.IGNORECASE)
_USERINFO: Final = re.compile(rb"^[A-Z]+ [a-z]+://(?P<secret>[^/@\s]+)@", re.IGNORECASE)
_PARAMETER: Final = re.compile(rb"[?&;]" + _SECRET_PARAMETER + rb"=(?P<secret>[^&;\s#]+)", re.IGNORECASE)
# Only a line with the word is looked at. A search for each is cheaper than one expression for all of them.
_HTTP_SECRETS: Final = (
    (b"authorization", _HTTP_SECRET),
    (b"cookie", _COOKIE),
    *((word, _NAMED) for word in (b"token", b"secret", b"passw", b"pwd", b"api")),
)
# As it is searched: small letters, and each control character but the tab ends a line. No name has one, and what comes
# behind it may be read as another header by somebody else.
_CONTROLS: Final = bytes([*range(0x09), *range(0x0A, 0x20), 0x7F])
_SEARCHED: Final = bytes.maketrans(
    _CONTROLS + b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"\n" * len(_CONTROLS) + b"abcdefghijklmnopqrstuvwxyz"
)
_LINE_ENDS: Final = frozenset((b"\r", b"\n"))
_ALIKE: Final = bytes.maketrans(b"123456789", b"0" * 9)
_LONGEST_REMEMBERED: Final = 2048  # octets
_MOST_REMEMBERED: Final = 500
_clean_heads: Final[set[bytes]] = set()  # digits alike, as `http` saw them and found nothing,
_clean_fields: Final[set[bytes]] = set()  # and what stands behind the first line of others
# The credentials of WS-Security (UsernameToken Profile 1.1.1 3.1, 4): in an envelope's first octets.
_WSSE: Final = re.compile(rb"<(?P<end>/?)(?:[^\s<>/:]+:)?(?P<name>Password|Nonce|BinarySecurityToken)(?=[\s/>])")
_NO_TAGS: Final = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"))  # XML 1.0 2.5, 2.7: what stands between is no tag
_ENVELOPE_OCTETS: Final = 16 * 1024
_SHORT_OCTETS: Final = 2048  # looked through as they are
_SMTP_AUTH: Final = re.compile(rb"^AUTH[ \t]+[A-Z0-9_-]+[ \t]+(?P<secret>[^\r\n]+)", re.IGNORECASE | re.MULTILINE)

# SMPP v3.4 5.1.2.1: bind_receiver, bind_transmitter, bind_transceiver, outbind; 4.1.1 and 4.1.7.1: system_id NUL
# password NUL ...
_BINDS: Final = (0x00000001, 0x00000002, 0x00000009, 0x0000000B)
_SMPP_HEADER_OCTETS: Final = 16


def http(octets: bytes) -> bytes:
    """An HTTP message with the credentials and cookies of its head masked. The body is not touched."""
    if octets[:1] in _LINE_ENDS:  # a server skips empty lines before a request (RFC 9112 2.2)
        message = octets.lstrip(b"\r\n")
        return octets[: len(octets) - len(message)] + http(message)
    end = octets.find(b"\r\n\r\n")
    head = octets if end < 0 else octets[:end]
    alike = head.translate(_ALIKE)
    if alike in _clean_heads:
        return octets
    first = head.find(b"\n")  # `find`, here and below: `in` costs five times as much
    fields = alike[first + 1 :]
    line = head[:first]
    has_more = len(line.translate(None, b"?@;&")) != len(line)  # a third of the time of a `find` for each
    masked = _target_masked(head) if has_more else None
    if fields in _clean_fields and head.find(b":", 0, first) < 0:
        return octets if masked is None else bytes(masked) + octets[len(head) :]
    masked = _fields_masked(head, masked)
    if masked is None:
        if head.startswith(b"GET "):  # what is fetched has another name each time
            _remember(_clean_fields, fields)
        else:
            _remember(_clean_heads, alike)
        return octets
    return bytes(masked) + octets[len(head) :]


def _fields_masked(head: bytes, masked: bytearray | None) -> bytearray | None:
    lower = head.translate(_SEARCHED)
    for word, pattern in _HTTP_SECRETS:
        at, seen = lower.find(word), 0  # lines that end before `seen` were looked at
        while at >= 0:
            start = max(lower.rfind(b"\n", seen, at), seen - 1) + 1
            found = pattern.match(masked or head, start)
            if found is not None:
                masked = masked or bytearray(head)
                start, at = found.span("secret")
                masked[start:at] = _MASK * (at - start)
            seen = lower.find(b"\n", at) + 1
            at = lower.find(word, seen) if seen else -1
    return masked


def _remember(clean: set[bytes], alike: bytes) -> None:
    """This has no secret: a client says the same in nearly every head, but for numbers, and no word has one."""
    if len(alike) <= _LONGEST_REMEMBERED:
        if len(clean) >= _MOST_REMEMBERED:
            clean.clear()
        clean.add(alike)


def _target_masked(head: bytes) -> bytearray | None:
    """The request line with secrets among its parameters, or before its host, masked; None where it has none."""
    line = head[: head.find(b"\n") + 1] or head
    spans = [found.span("secret") for found in _PARAMETER.finditer(line)]
    if (userinfo := _USERINFO.match(line)) is not None:
        spans.append(userinfo.span("secret"))
    masked = bytearray(head) if spans else None
    for start, end in spans:
        assert masked is not None
        masked[start:end] = _MASK * (end - start)
    return masked


def soap(octets: bytes) -> bytes:
    """An MM7 message with the passwords of WS-Security masked."""
    end = len(octets) if len(octets) <= _SHORT_OCTETS else _envelope_end(octets)
    if octets.find(b"Password", 0, end) < 0 and octets.find(b"SecurityToken", 0, end) < 0:
        return octets
    masked = bytearray(octets)
    envelope = octets[:_ENVELOPE_OCTETS]
    found = _WSSE.search(envelope)
    while found is not None:
        start = envelope.find(b">", found.end()) + 1
        if start == 0:
            break
        end = start
        if not found["end"] and envelope[start - 2 : start] != b"/>":
            end = _content_end(envelope, start, found["name"])
            masked[start:end] = _MASK * (end - start)
        found = _WSSE.search(envelope, end)
    return bytes(masked)


def _content_end(envelope: bytes, at: int, name: bytes) -> int:
    """Where an element with this local name ends whose content begins at `at`; nothing is looked at twice. The end of
    what there is for an element that is not closed."""
    while (at := envelope.find(b"<", at)) >= 0:
        for begin, end in _NO_TAGS:
            if envelope.startswith(begin, at):
                at = envelope.find(end, at + len(begin))
                break
        else:
            tag = _WSSE.match(envelope, at)
            if tag is not None and tag["end"] and tag["name"] == name:
                return at
            at += 1
        if at < 0:
            break
    return len(envelope)


def _envelope_end(octets: bytes) -> int:
    """How far passwords are looked for: a picture behind the envelope is long."""
    end = octets.rfind(b"Envelope>", 0, _ENVELOPE_OCTETS)
    if end < 0 or not octets.startswith(b"</", octets.rfind(b"<", 0, end)) or _may_only_say_so(octets, end):
        return _ENVELOPE_OCTETS
    return end


def _may_only_say_so(octets: bytes, end: int) -> bool:
    """Whether a comment, CDATA or an instruction stands before: the end of an envelope may be their text."""
    return octets.find(b"<!", 0, end) >= 0 or octets.count(b"<?", 0, end) > 1


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
