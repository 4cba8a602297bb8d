"""The HTTP client through a proxy (CONNECT, RFC 9110 9.3.6): credentials, and what is said when it does not connect."""

import asyncio
from pathlib import Path

import pytest
import trustme

from mmsc.clock import VirtualClock
from mmsc.net.http_calling import MAXIMUM_PROXY_HEAD_OCTETS, Way
from mmsc.net.tls import TlsOptions
from mmsc.trace import redact
from mmsc.trace.captures import CaptureRecord, WireTap
from tests import tls
from tests.tls import Proxy, calling, told

ROOT = trustme.CA()
LOCAL = ROOT.issue_cert("localhost")


@pytest.fixture
def ca(tmp_path: Path) -> str:
    """The file of the CA that is trusted."""
    return tls.written(tmp_path, "ca.pem", ROOT.cert_pem)


def by(proxy: Proxy, login: str = "", **options: str) -> Way:
    return Way(tls=TlsOptions(**options), proxy_url=f"http://{login}127.0.0.1:{proxy.port}")  # type: ignore[arg-type]


async def test_a_proxy_is_asked_with_credentials_and_seen_without(ca: str) -> None:  # RFC 9110 9.3.6, 11.7.1
    seen: list[CaptureRecord] = []
    tap = WireTap("mm7", seen.append, VirtualClock(), redact.http)
    async with (
        tls.target_of(tls.server_context(LOCAL)) as target,
        tls.proxy_of(Proxy(login=b"bWU6cEBzcw==")) as proxy,
        calling(by(proxy, "me:p%40ss@", ca_file=ca), tap) as client,
    ):
        for _ in range(2):
            assert (await client.send("POST", target.url, headers={}, body=b"x")).body == b"ok"
    place = f"localhost:{target.port}".encode()
    assert proxy.heads[0].startswith(b"CONNECT %s HTTP/1.1\r\nHost: %s\r\n" % (place, place))
    assert len(proxy.heads) == target.connections == 1, "the tunnel is kept"
    assert target.names == ["localhost"]
    asked, answered, request = seen[:3]
    assert asked.octets == proxy.heads[0].replace(b"bWU6cEBzcw==", b"*" * 12)
    assert answered.octets.endswith(b"X-Via: test\r\n\r\n")
    assert asked.remote == answered.remote == f"127.0.0.1:{proxy.port}"
    assert request.octets.startswith(b"POST /reports ")
    assert b"Proxy-Authorization" not in target.heads[0]


async def test_a_proxy_leads_to_http_targets_too() -> None:
    async with tls.target_of(None) as target, tls.proxy_of(Proxy()) as proxy, calling(by(proxy)) as client:
        url = f"http://127.0.0.1:{target.port}/p"
        assert [(await client.send("POST", url, headers={})).status for _ in range(2)] == [200, 200]
    assert len(proxy.heads) == target.connections == 1


async def test_a_fault_of_tls_behind_a_proxy_is_the_targets(ca: str) -> None:
    expired = ROOT.issue_cert("localhost", not_before=tls.YEAR_2020, not_after=tls.YEAR_2021)
    async with tls.target_of(tls.server_context(expired)) as target, tls.proxy_of(Proxy()) as proxy:
        error = await told(target.url, by(proxy, ca_file=ca))
    assert error.why.startswith("the certificate of localhost expired on 2021-01-31")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "does not connect to localhost:9: HTTP 403 Forbidden"),
        (b"HTTP/1.0 502\r\n\r\n", "does not connect to localhost:9: HTTP 502"),
        (b"HTTP/1.1 301 x\xff\r\n\r\n", "does not connect to localhost:9: HTTP 301 x\\ufffd"),
        (b"SSH-2.0\r\n\r\n", "gives no HTTP answer to CONNECT"),
        (b"HTTP/1.1 200 OK\r\n", "gives no HTTP answer to CONNECT"),
        (b"HTTP/1.1 200 " + b"a" * (MAXIMUM_PROXY_HEAD_OCTETS + 1), "gives no HTTP answer to CONNECT"),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "says more than an answer to CONNECT"),
        (b"", "wants credentials"),
    ],
)
async def test_a_proxy_that_does_not_connect_is_told(answer: bytes, why: str) -> None:
    async with tls.proxy_of(Proxy(login=b"eDp5", answer=answer)) as proxy:
        error = await told("https://localhost:9/", by(proxy))
    assert error.why.startswith(f"the proxy 127.0.0.1:{proxy.port} ")
    assert why in error.why
    assert not error.connected


async def test_a_proxy_that_is_silent_gone_or_none_is_told(unused_tcp_port: int) -> None:
    async with tls.proxy_of(Proxy(silent=True)) as proxy:
        error = await told("https://localhost:9/", by(proxy), connect_seconds=0.2)
    assert error.why == f"cannot connect in time: the proxy 127.0.0.1:{proxy.port} does not answer CONNECT"
    error = await told("https://localhost:9/", by(Proxy(port=unused_tcp_port)))
    assert error.why == f"the proxy: connect to 127.0.0.1:{unused_tcp_port} refused"

    async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    async with tls.serving(gone) as port:
        error = await told("https://localhost:9/", by(Proxy(port=port)))
    assert error.why == f"the proxy 127.0.0.1:{port} closed the connection without an answer to CONNECT"
    assert not error.connected
