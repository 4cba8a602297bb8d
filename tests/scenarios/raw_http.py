"""HTTP requests to a server's listeners, octet for octet as a test has them."""

import asyncio
import base64
import re
from dataclasses import dataclass, field

import httptools

from protocols import mm7
from tests.scenarios.conftest import Lab


def login(vasp: str) -> str:
    """`NAME`, or `NAME:PASSWORD` where that is not the right one; "" for none."""
    return vasp if not vasp or ":" in vasp else f"{vasp}:secret"


@dataclass
class Told:
    """An HTTP answer, as it came."""

    http: int = 0
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)  # by their names in lower case
    body: bytes = b""
    is_whole: bool = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """httptools: a header line."""
        self.headers[name.decode().lower()] = value.decode()
        if name.lower() == b"content-type":
            self.content_type = value.decode()

    def on_body(self, octets: bytes) -> None:
        """httptools: a piece of the body."""
        self.body += octets

    def on_message_complete(self) -> None:
        """httptools: the end."""
        self.is_whole = True

    @property
    def envelope(self) -> mm7.Envelope | None:
        """What it says in MM7, None for nothing."""
        return mm7.decode(self.content_type, self.body).message if self.body else None

    @property
    def message(self) -> mm7.Message | None:
        """The child of its Body."""
        return None if self.envelope is None else self.envelope.message


def with_login(octets: bytes, login: str) -> bytes:
    """The request with HTTP Basic."""
    if not login:
        return octets
    line, _, rest = octets.partition(b"\r\n")
    return line + b"\r\nAuthorization: Basic " + base64.b64encode(login.encode()) + b"\r\n" + rest


def filled(octets: bytes, hole: bytes, text: str) -> bytes:
    """The request with another text, and its length set right."""
    head, _, body = octets.partition(b"\r\n\r\n")
    assert hole in body
    body = body.replace(hole, text.encode())
    return re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head) + b"\r\n\r\n" + body


async def exchange(lab: Lab, octets: bytes, listener: str = "mm7") -> Told:
    """Write the octets, read the answer."""
    host, port = lab.app.listeners[listener]
    reader, writer = await asyncio.open_connection(host, port)
    told = Told()
    parser = httptools.HttpResponseParser(told)
    try:
        async with asyncio.timeout(15):
            writer.write(octets)
            while not told.is_whole and (read := await reader.read(65536)):
                parser.feed_data(read)
                if parser.get_status_code() == 100:  # the answer proper is to come
                    told.is_whole = False
                if octets.startswith(b"HEAD ") and told.headers:
                    break  # it has no body, whatever its length says
    finally:
        writer.close()
    told.http = parser.get_status_code()
    return told
