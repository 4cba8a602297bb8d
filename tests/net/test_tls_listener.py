"""TLS of a listener, over real sockets: who a client is by its certificate, who is refused in the handshake, and that a
client which never finishes one takes a place like any other."""

import asyncio
import io
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp
import pytest
import trustme

from mmsc.clock import VirtualClock
from mmsc.net.http import HttpAnswer, HttpLimits, HttpListener, HttpRequest
from mmsc.net.listening import CannotListen
from mmsc.net.tls_server import ClientCertificate, TlsFiles, TlsServer, server_context
from mmsc.trace.captures import WireTap

OFF = WireTap("test", None, VirtualClock())


@dataclass
class Authority:
    """A CA, a server's files, and clients' contexts."""

    ca: trustme.CA
    folder: Path

    def files(self, **changes: object) -> TlsFiles:
        server = self.ca.issue_cert("127.0.0.1")
        names = {name: str(self.folder / f"{name}.pem") for name in ("certificate", "key", "client_ca")}
        server.private_key_pem.write_to_path(names["key"])
        Path(names["certificate"]).write_bytes(b"".join(one.bytes() for one in server.cert_chain_pems))
        self.ca.cert_pem.write_to_path(names["client_ca"])
        return TlsFiles(**{**names, **changes})  # type: ignore[arg-type]

    def client(self, *names: str, issuer: trustme.CA | None = None, **more: object) -> ssl.SSLContext:
        """A client's context; with names it has a certificate."""
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        if names:
            certificate = (issuer or self.ca).issue_cert(*names, **more)  # type: ignore[arg-type]
            certificate.configure_cert(context)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(trustme.CA(), tmp_path)


@asynccontextmanager
async def listening(
    files: TlsFiles, limits: HttpLimits | None = None, refused: list[tuple[str, str]] | None = None
) -> AsyncIterator[HttpListener]:
    async def note(remote: str, why: str) -> None:
        if refused is not None:
            refused.append((remote, why))

    async def tell(request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(body=str(request.certificate or "nobody").encode() + bytes(len(request.body)))

    context = server_context("mm7.tls", files)
    limits = limits or HttpLimits(stop_seconds=1.0)
    listener = HttpListener(tell, "127.0.0.1", 0, limits, OFF, tls=context, handshake_refused=note)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


async def ask(listener: HttpListener, context: ssl.SSLContext, body: bytes = b"") -> bytes:
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
        session.post(f"https://127.0.0.1:{listener.port}/", data=io.BytesIO(body)) as answer,
    ):
        return await answer.read()


async def test_a_client_is_told_by_the_names_of_its_certificate(authority: Authority) -> None:
    async with listening(authority.files()) as listener:
        context = authority.client("vasp.example", "vasp@mail.example", "192.0.2.7", common_name="news")
        assert await ask(listener, context) == b"CN=news, SAN=vasp.example, SAN=vasp@mail.example, SAN=192.0.2.7"
        assert await ask(listener, authority.client()) == b"nobody"


async def test_large_bodies_go_both_ways(authority: Authority) -> None:
    async with listening(authority.files()) as listener:
        answer = await ask(listener, authority.client(), bytes(3_000_000))
    assert len(answer) == len(b"nobody") + 3_000_000


async def test_without_a_client_ca_nobody_is_asked(authority: Authority) -> None:
    async with listening(authority.files(client_ca="")) as listener:
        assert await ask(listener, authority.client("vasp.example")) == b"nobody"


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("another CA", "unable to get local issuer certificate"),
        ("expired", "certificate has expired"),
        ("none though required", "peer did not return a certificate"),
        ("TLS 1.2 where 1.3 is asked", "unsupported protocol"),
    ],
)
async def test_who_is_refused_in_the_handshake_takes_no_place(authority: Authority, kind: str, why: str) -> None:
    past = datetime.now(UTC) - timedelta(days=1)
    match kind:
        case "another CA":
            files, context = authority.files(), authority.client("vasp.example", issuer=trustme.CA())
        case "expired":
            files = authority.files()
            context = authority.client("vasp.example", not_before=past - timedelta(days=9), not_after=past)
        case "none though required":
            files, context = authority.files(client_required=True), authority.client()
        case _:
            files, context = authority.files(minimum_version="1.3"), authority.client()
            context.maximum_version = ssl.TLSVersion.TLSv1_2
    told: list[tuple[str, str]] = []
    async with listening(files, HttpLimits(maximum_connections=2, stop_seconds=1.0), told) as listener:
        for _ in range(5):
            with pytest.raises((aiohttp.ClientError, OSError)):
                await ask(listener, context)
        good = authority.client("good.example")
        assert await ask(listener, good) == b"SAN=good.example"
    assert told == [("127.0.0.1", why)] * 5


async def test_who_speaks_plain_http_is_cut(authority: Authority) -> None:
    async with listening(authority.files()) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        with suppress(ConnectionError):
            assert b"HTTP/" not in await reader.read()
        writer.close()
        assert await ask(listener, authority.client()) == b"nobody"


async def test_a_handshake_that_is_never_finished_is_counted_and_ended(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmsc.net.http.TlsServer", partial(TlsServer, seconds=0.5))
    async with listening(authority.files(), HttpLimits(maximum_connections=1, stop_seconds=1.0)) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        with pytest.raises((aiohttp.ClientError, OSError)):  # the one place is taken
            await ask(listener, authority.client())
        with suppress(ConnectionError):
            assert await reader.read() == b"", "it was ended"
        writer.close()
        assert await ask(listener, authority.client()) == b"nobody"


async def test_a_stop_does_not_wait_for_handshakes(authority: Authority) -> None:
    async with listening(authority.files()) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        assert await ask(listener, authority.client()) == b"nobody"
        async with asyncio.timeout(5):
            await listener.stop()
            with suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()


async def test_requests_right_behind_the_handshake_are_served(authority: Authority) -> None:
    async with listening(authority.files()) as listener:
        asked = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2 + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        for _ in range(10):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", listener.port, ssl=authority.client(), server_hostname="127.0.0.1"
            )
            writer.write(asked)
            assert (await reader.read()).count(b"nobody") == 3
            writer.close()


def test_files_that_cannot_be_used_are_told_by_their_key(authority: Authority) -> None:
    files = authority.files()
    encrypted = authority.folder / "encrypted.pem"
    command = ("openssl", "ec", "-in", files.key, "-aes256", "-passout", "pass:secret", "-out", str(encrypted))
    subprocess.run(command, check=True, capture_output=True)
    other = authority.folder / "other.pem"
    trustme.CA().issue_cert("x.example").private_key_pem.write_to_path(str(other))
    for changes, told in (
        ({"certificate": "/nowhere.pem"}, r"mm7\.tls\.certificate = '/nowhere\.pem': No such file"),
        ({"key": str(encrypted)}, r"mm7\.tls\.certificate, mm7\.tls\.key"),
        ({"key": str(other)}, "key values mismatch"),
        ({"client_ca": "/nowhere.pem"}, r"mm7\.tls\.client_ca = '/nowhere\.pem': No such file"),
        ({"client_ca": files.key}, r"mm7\.tls\.client_ca"),
    ):
        with pytest.raises(CannotListen, match=told):
            server_context("mm7.tls", authority.files(**changes))


def test_a_certificate_is_named_as_the_settings_write_it() -> None:
    shown = ClientCertificate(common_names=("News",), alternative_names=("vasp.example",), sha256="ab" * 32)
    right = ("CN=News", "cn=news", "SAN=VASP.example", f"SHA256={'AB:' * 31}AB", f"sha256={'ab' * 32}")
    wrong = ("CN=vasp.example", "SAN=News", "SHA256=", "SHA1=", f"SHA1={'ab' * 20}", f"SHA256={'ac' * 32}", "News", "")
    assert [name for name in (*right, *wrong) if shown.is_named(name)] == list(right)
