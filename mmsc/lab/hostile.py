"""A VASP that means harm: HTTP requests which ask for much more than they cost, or never end (TS 23.140 8.7.8).

They are octets for any MMSC; `expected` says what ours answers. `carry_out` sends one and tells what came of it: how
many octets were taken, and the answer.
"""

import asyncio
import gzip
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from protocols.mm7 import BASE, LATEST
from protocols.records import record

MEGA: Final = 1_000_000
_SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_NUMBER: Final = "<Number>+15550100123</Number>"
_TOO_MUCH: Final = 3002
_LAUGHS: Final = 20  # entities, each ten times the one before
_ENTITIES: Final = "".join(f'<!ENTITY a{n} "{(f"&a{n - 1};" if n else "ha") * 10}">' for n in range(_LAUGHS))
_LAUGHTER: Final = f"<!DOCTYPE a [{_ENTITIES}]>"
_MOST_WRITTEN: Final = 64 * MEGA  # of what never ends
_PIECE_OCTETS: Final = 64 * 1024


@record(frozen=True, slots=True)
class Attack:
    """A request. `endless` is written again and again behind `octets` until the server has enough, each `pace` seconds.
    `http` 0: it closes without an answer; `status` is the StatusCode, 0 for none."""

    name: str
    octets: bytes
    http: int
    status: int = 0
    endless: bytes = b""
    pace: float = 0.0


@record(frozen=True, slots=True)
class Outcome:
    """What came of it: HTTP status (0: none), the whole answer, and the octets that were taken."""

    http: int
    answer: bytes
    written: int


def _request(body: bytes, content_type: str = "text/xml; charset=utf-8", headers: str = "", length: int = -1) -> bytes:
    return (
        f'POST /mm7 HTTP/1.1\r\nHost: mmsc.example\r\nContent-Type: {content_type}\r\nSOAPAction: ""\r\n{headers}'
        f"Content-Length: {len(body) if length < 0 else length}\r\n\r\n"
    ).encode() + body


def _soap(vasp_id: str, more: str = "", to: str = _NUMBER, before: str = "") -> bytes:
    namespace = BASE + LATEST
    return (
        f'{before}<env:Envelope xmlns:env="{_SOAP}"><env:Header><m:TransactionID xmlns:m="{namespace}">harm'
        f'</m:TransactionID></env:Header><env:Body><SubmitReq xmlns="{namespace}"><MM7Version>6.8.0</MM7Version>'
        f"<SenderIdentification><VASPID>{vasp_id}</VASPID></SenderIdentification><Recipients><To>{to}</To></Recipients>"
        f"{more}</SubmitReq></env:Body></env:Envelope>"
    ).encode()


def _multipart(soap: bytes, rest: bytes) -> bytes:
    body = b"--b\r\nContent-Type: text/xml\r\n\r\n" + soap + b"\r\n" + rest + b"\r\n--b--\r\n"
    return _request(body, "multipart/related; boundary=b")


def _attributes(number: int) -> str:
    return "<a " + " ".join([f'a{n}=""' for n in range(number)]) + "/>"


def attacks(vasp_id: str) -> list[Attack]:
    """Those whose octets are there at once. Each is to be sent with the credentials of this VASP."""

    def refused(name: str, octets: bytes, status: int = 2007) -> Attack:
        return Attack(name, octets, 200 if status == _TOO_MUCH else 500, status)

    def soap(more: str = "", to: str = _NUMBER, before: str = "") -> bytes:
        return _soap(vasp_id, more, to, before)

    last = f"&a{_LAUGHS - 1};"
    squared = f'<!DOCTYPE a [<!ENTITY a "{"x" * 100_000}">]>'
    outside = '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///dev/zero"><!ENTITY % b SYSTEM "http://127.0.0.1:9/"> %b;]>'
    zipped = gzip.compress(bytes(50 * MEGA), mtime=0)
    return [
        refused("XML bomb", _request(soap(f"<Subject>{last}</Subject>", before=_LAUGHTER))),
        refused("XML bomb in an attribute", _request(soap(f'<a b="{last}"/>', before=_LAUGHTER))),
        refused("quadratic XML bomb", _request(soap("&a;" * 100_000, before=squared))),
        refused("external entities", _request(soap("<Subject>&a;</Subject>", before=outside))),
        refused("elements nested 9,900 deep", _request(soap("<a>" * 9_900))),
        refused("elements nested 10,000 deep", _request(soap("<a>" * 10_000 + "</a>" * 10_000)), _TOO_MUCH),
        refused("100,000 recipients", _request(soap(to=_NUMBER * 100_000)), _TOO_MUCH),
        refused("4,900 recipients", _request(soap(to=_NUMBER * 4_900)), _TOO_MUCH),
        refused("a million elements", _request(soap("<a/>" * MEGA)), _TOO_MUCH),
        Attack("as many elements as are read", _request(soap("<a/>" * 9_900)), 200, 1000),
        refused("300,000 attributes", _request(soap(_attributes(300_000))), _TOO_MUCH),
        Attack("as many attributes as are read", _request(soap(_attributes(9_900))), 200, 1000),
        refused("400,000 attachments", _multipart(soap(), b"--b\r\n\r\n\r\n" * 400_000)),
        refused("4 MB like the boundary", _multipart(soap(), b"--b\r\n\r\n" + b"\r\n--bb" * 600_000)),
        Attack("50 MB, announced", _request(b"\r\n--b", "multipart/related; boundary=b", length=50 * MEGA), 413),
        Attack("gzip bomb", _request(zipped, headers="Content-Encoding: gzip\r\n"), 413),
    ]


def endless() -> list[Attack]:
    """Those that never end: the server must."""
    line = b"POST /mm7 HTTP/1.1\r\nHost: mmsc.example\r\n"
    chunked = line + b"Content-Type: multipart/related; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"\r\n--bb" * (_PIECE_OCTETS // 6)
    framed = b"%x\r\n" % len(chunk) + chunk + b"\r\n"
    return [
        Attack("endless headers", line, 431, endless=b"X-Name: value\r\n" * 4_000),
        Attack("an endless header", line + b"X-Name: ", 431, endless=b"x" * _PIECE_OCTETS),
        Attack("an endless request line", b"POST /", 431, endless=b"x" * _PIECE_OCTETS),
        Attack("an endless body like the boundary", chunked, 413, endless=framed),
        Attack("endless chunk extensions", chunked + b"1", 431, endless=b";x=y" * (_PIECE_OCTETS // 4)),
    ]


def slow(pace: float) -> list[Attack]:
    """Those that send an octet every `pace` seconds."""
    line = b"POST /mm7 HTTP/1.1\r\nHost: mmsc.example\r\n"
    body = line + b"Content-Type: text/xml\r\nContent-Length: 1000\r\n\r\n"
    return [
        Attack("a slow head", line + b"X-Name: ", 0, endless=b"x", pace=pace),
        Attack("a slow body", body, 408, endless=b"x", pace=pace),
    ]


async def carry_out(attack: Attack, host: str, port: int, authorization: str = "") -> Outcome:
    """Send it with this value of Authorization, until the server answers or closes."""
    line, _, rest = attack.octets.partition(b"\r\n")
    octets = attack.octets
    if authorization and rest:
        octets = line + b"\r\nAuthorization: " + authorization.encode() + b"\r\n" + rest
    reader, writer = await asyncio.open_connection(host, port)
    answering = asyncio.ensure_future(_answer(reader))
    try:
        written = await _write(writer, octets, attack, answering.done)
        answer = await answering
    finally:
        answering.cancel()
        writer.close()
    first = answer.partition(b"\r\n")[0].split()
    return Outcome(int(first[1]) if len(first) > 1 else 0, answer, written)


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """The first answer: by its Content-Length, or as much as came."""
    with suppress(OSError, asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        return head + await reader.readexactly(length)
    return b""


async def _write(writer: asyncio.StreamWriter, octets: bytes, attack: Attack, is_over: Callable[[], bool]) -> int:
    written = 0
    with suppress(OSError):
        writer.write(octets)
        await writer.drain()
        written = len(octets)
        while attack.endless and written < _MOST_WRITTEN and not is_over():
            writer.write(attack.endless)
            await (asyncio.sleep(attack.pace) if attack.pace else writer.drain())
            written += len(attack.endless)
    return written
