"""Targets that speak TLS well or badly, and a proxy for CONNECT, all on loopback."""

import asyncio
import re
import socket
import ssl
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from mmsc.clock import VirtualClock
from mmsc.net.http_calling import Way
from mmsc.net.http_client import ClientLimits, HttpClient, HttpUnavailable
from mmsc.trace.captures import WireTap

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OFF = WireTap("test", None, VirtualClock())
YEAR_2020 = datetime(2020, 1, 1, tzinfo=UTC)
YEAR_2021 = datetime(2021, 1, 31, 12, tzinfo=UTC)
YEAR_2999 = datetime(2999, 1, 1, tzinfo=UTC)


@dataclass
class Target:
    """An HTTP server that answers 200 and `body` to everything; what it saw. On threads: a server of asyncio does not
    send the alert with which a handshake ends."""

    context: ssl.SSLContext | None
    body: bytes = b"ok"
    hangs_up: bool = False  # at the second request of its first connection, without a word
    heads: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)  # of SNI
    certificates: list[object] = field(default_factory=list)  # of clients
    connections: int = 0
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port: int = self.listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/reports"

    def start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args)
        self.threads.append(thread)
        thread.start()

    def accept(self) -> None:
        with suppress(OSError):  # at the end
            while True:
                self.start(self.serve, self.listener.accept()[0])

    def serve(self, client: socket.socket) -> None:
        self.connections += 1
        client.settimeout(10)
        if self.context is not None:
            client = self.context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        with client:
            try:
                if isinstance(client, ssl.SSLSocket):
                    client.do_handshake()
                    self.certificates.append(client.getpeercert())
                self.answer(client)
            except ssl.SSLError:  # the alert is on its way: what still comes would overtake it as a reset
                with suppress(OSError):
                    socket.socket.shutdown(client, socket.SHUT_WR)
                    while socket.socket.recv(client, 65536):
                        pass
            except OSError:
                pass

    def answer(self, client: socket.socket) -> None:
        octets = b""
        first = self.connections == 1
        while more := client.recv(65536):
            octets += more
            if self.hangs_up and first and self.heads:
                return
            while b"\r\n\r\n" in octets:
                head, _, octets = octets.partition(b"\r\n\r\n")
                found = re.search(rb"Content-Length: ([0-9]+)", head)
                length = int(found[1]) if found else 0
                while len(octets) < length:
                    octets += client.recv(65536)
                octets = octets[length:]
                self.heads.append(head)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(self.body) + self.body)


def server_context(certificate: trustme.LeafCert | None, *, chain: bool = True) -> ssl.SSLContext:
    """What a server shows; `chain` False: without its intermediates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate is not None and chain:
        certificate.configure_cert(context)
    elif certificate is not None:
        blobs = certificate.private_key_pem.bytes() + certificate.cert_chain_pems[0].bytes()
        with trustme.Blob(blobs).tempfile() as name:
            context.load_cert_chain(name)
    return context


def of_old_version(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """A server that knows nothing after TLS 1.1 (RFC 8996)."""
    context = server_context(certificate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@asynccontextmanager
async def target_of(context: ssl.SSLContext | None) -> AsyncIterator[Target]:
    """Without a context it speaks no TLS."""
    target = Target(context)
    if context is not None:
        context.sni_callback = lambda _object, name, _context: target.names.append(name)
    target.start(target.accept)
    try:
        yield target
    finally:
        target.listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        target.listener.close()
        for thread in target.threads:
            await asyncio.to_thread(thread.join)


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    """The port of a server that does as told, on plain TCP. At the end it waits until its connections are closed."""
    working: set[asyncio.Task[None]] = set()

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(work(reader, writer))
        working.add(task)
        task.add_done_callback(working.discard)

    async with await asyncio.start_server(begin, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        if working:
            await asyncio.wait(working)


def written(folder: Path, name: str, *blobs: trustme.Blob) -> str:
    """A PEM file."""
    path = folder / name
    path.write_bytes(b"".join(blob.bytes() for blob in blobs))
    return str(path)


@dataclass
class Proxy:
    """Answers CONNECT with `answer`, or connects when that is empty; `login` is the Basic credentials it wants."""

    login: bytes = b""
    answer: bytes = b""
    silent: bool = False
    port: int = 0
    heads: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        if self.silent:
            await reader.read()
        elif self.answer or (self.login and b"\r\nProxy-Authorization: Basic " + self.login not in head):
            writer.write(self.answer or b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        else:
            _, _, port = head.split(b" ")[1].rpartition(b":")
            there, here = await asyncio.open_connection("127.0.0.1", int(port))
            writer.write(b"HTTP/1.1 200 Connection established\r\nX-Via: test\r\n\r\n")
            await asyncio.gather(_pass(reader, here), _pass(there, writer))
        writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while octets := await reader.read(65536):
            writer.write(octets)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def proxy_of(proxy: Proxy) -> AsyncIterator[Proxy]:
    async with serving(proxy.serve) as proxy.port:
        yield proxy


@asynccontextmanager
async def calling(way: Way, tap: WireTap = OFF, *, connect_seconds: float = 10.0) -> AsyncIterator[HttpClient]:
    client = HttpClient(ClientLimits(connect_seconds=connect_seconds), tap, way)
    try:
        yield client
    finally:
        await client.close()


async def told(url: str, way: Way, *, connect_seconds: float = 10.0) -> HttpUnavailable:
    """Why there is no answer."""
    async with calling(way, connect_seconds=connect_seconds) as client:
        with pytest.raises(HttpUnavailable) as caught:
            await client.send("POST", url, headers={}, body=b"report")
    return caught.value
