"""A request as people send it themselves: curl, Python, and the octets. What is copied sends the same octets; a secret
is a variable of the shell instead."""

import base64
import json
import shlex
from collections.abc import Iterator
from typing import Final

from mmsc.control.sending.wire import MASKED, Wire

_LONGEST_SHOWN: Final = 64 * 1024  # octets of a body
_TEXT: Final = frozenset(range(0x20, 0x7F)) | {0x09, 0x0A, 0x0D}
_COLUMNS: Final = 76


def curl(wire: Wire) -> str:
    """One command; a body that is no text goes through base64."""
    if wire.is_mail:
        return _piped(wire.body, _curl_mail(wire))
    words = ["curl", "-sS", "-X", wire.method, wire.url]
    for name, value in wire.headers:
        words += ["-H", f"{name}: {value}"]
    line = " ".join(map(shlex.quote, words))
    if wire.login:
        line += f' -u {shlex.quote(wire.login)}:"$PASSWORD"'
    return _piped(wire.body, f"{line} --data-binary @-")


def _curl_mail(wire: Wire) -> str:
    host, port = wire.place
    words = ["curl", "-sS", f"smtp://{host}:{port}", "--mail-from", wire.mail_from]
    for one in wire.mail_to:
        words += ["--mail-rcpt", one]
    return " ".join([*map(shlex.quote, words), "-T", "-"])


def _piped(body: bytes, command: str) -> str:
    if _is_text(body) and b"\r" not in body and body.endswith(b"\n"):
        return f"{command} <<'BODY'\n{body.decode()}BODY\n"
    return f"base64 -d <<'BODY' | {command}\n{_in_base64(body)}\nBODY\n"


def python(wire: Wire) -> str:
    """A script for the standard library."""
    return "\n".join(_python_mail(wire) if wire.is_mail else _python_http(wire)) + "\n"


def _python_http(wire: Wire) -> Iterator[str]:
    yield from ("import base64", "import os", "import urllib.error", "import urllib.request", "")
    yield from _python_body(wire.body)
    yield "headers = {"
    for name, value in wire.headers:
        yield f"    {json.dumps(name)}: {json.dumps(value)},"
    if wire.login:
        login = json.dumps(f"{wire.login}:")
        yield f'    "Authorization": "Basic " + base64.b64encode(({login} + os.environ["PASSWORD"]).encode()).decode(),'
    yield "}"
    url, method = json.dumps(wire.url), json.dumps(wire.method)
    yield f"request = urllib.request.Request({url}, body, headers, method={method})"
    yield from (
        "try:",
        "    with urllib.request.urlopen(request) as answer:",
        "        print(answer.status, answer.read())",
    )
    yield from ("except urllib.error.HTTPError as error:", "    print(error.code, error.read())")


def _python_mail(wire: Wire) -> Iterator[str]:
    host, port = wire.place
    yield from ("import base64", "import smtplib", "")
    yield from _python_body(wire.body)
    yield f"with smtplib.SMTP({json.dumps(host)}, {port}) as peer:"
    yield f"    print(peer.sendmail({json.dumps(wire.mail_from)}, {json.dumps(list(wire.mail_to))}, body))"


def _python_body(body: bytes) -> Iterator[str]:
    yield 'body = base64.b64decode("""'
    yield _in_base64(body)
    yield '""")'


def _in_base64(body: bytes) -> str:
    text = base64.b64encode(body).decode()
    return "\n".join(text[at : at + _COLUMNS] for at in range(0, len(text), _COLUMNS))


def raw(wire: Wire) -> str:
    """The octets as text; what is no text as \\xNN, long bodies with their middle left out."""
    return "".join(_raw_mail(wire) if wire.is_mail else _raw_http(wire)) + _escaped(wire.body)


def _raw_http(wire: Wire) -> Iterator[str]:
    scheme, _, rest = wire.url.partition("://")
    host, slash, path = rest.partition("/")
    yield f"{wire.method} {slash or '/'}{path} HTTP/1.1\r\nHost: {host}\r\n" if scheme else ""
    for name, value in wire.headers:
        yield f"{name}: {value}\r\n"
    if wire.login:
        yield f"Authorization: Basic {MASKED}\r\n"
    yield f"Content-Length: {len(wire.body)}\r\n\r\n"


def _raw_mail(wire: Wire) -> Iterator[str]:
    yield f"MAIL FROM:<{wire.mail_from}>\r\n"
    for one in wire.mail_to:
        yield f"RCPT TO:<{one}>\r\n"
    yield "DATA\r\n"


def _escaped(body: bytes) -> str:
    if len(body) <= _LONGEST_SHOWN:
        return _characters(body)
    half = _LONGEST_SHOWN // 2
    left_out = len(body) - 2 * half
    return f"{_characters(body[:half])}\n... {left_out:,} octets ...\n{_characters(body[-half:])}"


def _characters(octets: bytes) -> str:
    if _is_text(octets):
        return octets.decode()
    return "".join(chr(one) if one in _TEXT and one != 0x5C else f"\\x{one:02x}" for one in octets)


def _is_text(octets: bytes) -> bool:
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return False
    return all(char.isprintable() or char in "\t\r\n" for char in text)
