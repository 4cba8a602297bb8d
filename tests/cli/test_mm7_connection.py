"""How the commands reach an MMSC: https, client certificates, a proxy, Basic and Digest; and what they tell of it."""

import asyncio
import hashlib
import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner, Result

from mmsc.cli.submit import command
from mmsc.clock import VirtualClock
from mmsc.net.http import HttpAnswer, HttpLimits, HttpListener, HttpRequest
from mmsc.net.http_digest import basic
from mmsc.trace.captures import WireTap
from protocols import mm7
from protocols.mm7 import StatusCode
from tests.tls import Proxy, proxy_of, server_context, written

OFF = WireTap("test", None, VirtualClock())


@dataclass
class Mmsc:
    """Answers 1000 to whom it lets in. `realm` makes it ask for Digest with this algorithm."""

    basic: str = ""
    digest: str = ""
    transaction_id: str = ""
    details: str = ""
    code: StatusCode = StatusCode.SUCCESS
    headers: list[dict[str, str]] = field(default_factory=list)

    async def take(self, request: HttpRequest) -> HttpAnswer:
        given = request.headers.get("Authorization", "")
        self.headers.append(dict(request.headers))
        if self.basic and given != self.basic:
            return HttpAnswer(status=401, headers=(("WWW-Authenticate", 'Basic realm="mm7"'),))
        if self.digest and not self._is_right(given, request):
            asked = f'Digest realm="mm7", nonce="n1", qop="auth", algorithm={self.digest}'
            return HttpAnswer(status=401, headers=(("WWW-Authenticate", asked),))
        envelope = mm7.decode(request.content_type, request.body).message
        rsp = mm7.SubmitRsp(status=mm7.Status(self.code, "", self.details), message_id="m-1")
        answer = mm7.Envelope(self.transaction_id or envelope.transaction_id, envelope.dialect, rsp)
        content_type, body = mm7.encode(answer)
        return HttpAnswer(content_type=content_type, body=body)

    def _is_right(self, given: str, request: HttpRequest) -> bool:
        """RFC 7616 3.4.1, worked out anew."""
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', given))
        hashed = hashlib.md5 if self.digest == "MD5" else hashlib.sha256

        def h(text: str) -> str:
            return hashed(text.encode()).hexdigest()

        first, second = h("demo:mm7:secret"), h(f"POST:{request.path}")
        wanted = h(f"{first}:n1:{said.get('nc')}:{said.get('cnonce')}:auth:{second}")
        return said.get("response") == wanted and said.get("uri") == request.path


@asynccontextmanager
async def listening(mmsc: Mmsc, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    listener = HttpListener(mmsc.take, "127.0.0.1", 0, HttpLimits(stop_seconds=1.0), OFF, tls=tls)
    await listener.start()
    try:
        yield f"{'http' if tls is None else 'https'}://localhost:{listener.port}/mm7"
    finally:
        await listener.stop()


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


async def run(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, command, ["--to", "4488", *arguments])


async def test_https_with_a_private_ca_and_nothing_without_it(ca: trustme.CA, tmp_path: Path) -> None:
    trusted = written(tmp_path, "ca.pem", ca.cert_pem)
    async with listening(Mmsc(), server_context(ca.issue_cert("localhost"))) as url:
        good = await run("--url", url, "--ca", trusted)
        unknown = await run("--url", url)
        insecure = await run("--url", url, "--insecure")
        other = await run("--url", url.replace("localhost", "127.0.0.1"), "--ca", trusted)
        named = await run("--url", url.replace("localhost", "127.0.0.1"), "--ca", trusted, "--server-name", "localhost")
    assert (good.exit_code, good.output) == (0, "1000 Success\nMessageID m-1\n")
    assert (unknown.exit_code, "which is not trusted here" in unknown.output or "not known here" in unknown.output) == (
        3,
        True,
    )
    assert insecure.exit_code == 0
    assert "WARNING: --insecure: the MMSC's certificate is not checked" in insecure.stderr
    assert other.exit_code == 3
    assert "the certificate is for localhost, not for 127.0.0.1" in other.output
    assert named.exit_code == 0


async def test_a_client_certificate_is_shown(ca: trustme.CA, tmp_path: Path) -> None:
    context = server_context(ca.issue_cert("localhost"))
    context.verify_mode = ssl.CERT_REQUIRED
    ca.configure_trust(context)
    ours = ca.issue_cert("vasp.example")
    trusted = written(tmp_path, "ca.pem", ca.cert_pem)
    certificate = written(tmp_path, "vasp.pem", *ours.cert_chain_pems)
    key = written(tmp_path, "vasp.key", ours.private_key_pem)
    async with listening(Mmsc(), context) as url:
        good = await run("--url", url, "--ca", trusted, "--cert", certificate, "--key", key)
        without_key = await run("--url", url, "--ca", trusted, "--cert", certificate)
    assert good.exit_code == 0, good.output
    assert without_key.exit_code == 3
    assert f"--cert {certificate}" in without_key.output


async def test_through_a_proxy(ca: trustme.CA, tmp_path: Path) -> None:
    trusted = written(tmp_path, "ca.pem", ca.cert_pem)
    async with (
        listening(Mmsc(), server_context(ca.issue_cert("localhost"))) as url,
        proxy_of(Proxy(login=b"dTpw")) as proxy,
    ):
        good = await run("--url", url, "--ca", trusted, "--proxy", f"http://u:p@127.0.0.1:{proxy.port}")
        shut = await run("--url", url, "--ca", trusted, "--proxy", f"http://127.0.0.1:{proxy.port}")
    assert good.exit_code == 0, good.output
    assert shut.exit_code == 3
    assert "HTTP 407 Proxy Authentication Required; it wants credentials in --proxy" in shut.output


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_digest_is_answered_when_it_is_asked_for(algorithm: str) -> None:
    mmsc = Mmsc(digest=algorithm)
    async with listening(mmsc) as url:
        good = await run("--url", url, "--auth", "digest")
        wrong = await run("--url", url, "--auth", "digest", "--user", "demo:wrong")
        plain = await run("--url", url)
    assert good.exit_code == 0, good.output
    assert "Authorization" not in mmsc.headers[0]
    assert wrong.exit_code == 1
    assert "HTTP 401: the MMSC does not accept this user and password (--user)" in wrong.output
    assert plain.exit_code == 1
    assert "HTTP 401: the MMSC asks for digest, not for basic (--auth)" in plain.output


async def test_basic_from_the_url_and_where_digest_is_not_known() -> None:
    mmsc = Mmsc(basic=basic("news", "p@ss"))
    async with listening(mmsc) as url:
        good = await run("--url", url.replace("//", "//news:p%40ss@"))
        digest = await run("--url", url, "--auth", "digest")
        away = await run("--url", "http://news:p%40ss@127.0.0.1:1/")
    assert good.exit_code == 0, good.output
    assert digest.exit_code == 1
    assert "the MMSC asks for no Digest that is known here; it offers basic (--auth)" in digest.output
    assert away.exit_code == 3
    assert "http://***@127.0.0.1:1/" in away.output
    assert "p%40ss" not in away.output


async def test_json_tells_answers_and_their_absence() -> None:
    mmsc = Mmsc(code=StatusCode.PARTIAL_SUCCESS, details="4488: who?")
    async with listening(mmsc) as url:
        partly = await run("--url", url, "--json", "--transaction-id", "t-1")
        mmsc.code = StatusCode.ADDRESS_ERROR
        refused = await run("--url", url, "--json")
    away = await run("--url", "http://127.0.0.1:1/", "--json")
    told = json.loads(partly.stdout)
    assert (partly.exit_code, told["statusCode"], told["details"]) == (0, 1100, "4488: who?")
    assert (told["answer"], told["messageID"], told["transactionID"]) == ("SubmitRsp", "m-1", "t-1")
    assert (refused.exit_code, json.loads(refused.stdout)["statusCode"]) == (1, 2002)
    assert away.exit_code == 3
    assert "nobody takes connections" in json.loads(away.stdout)["error"]


async def test_an_answer_to_something_else_is_told() -> None:
    async with listening(Mmsc(transaction_id="other")) as url:
        result = await run("--url", url, "--transaction-id", "t-1")
    assert result.exit_code == 0
    assert "note: the answer echoes TransactionID 'other', not 't-1'" in result.stderr


async def test_a_silent_mmsc_is_no_answer() -> None:
    gone = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        gone.set()

    async with await asyncio.start_server(wait, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        result = await run("--url", url, "--timeout", "0.2")
        await gone.wait()
    assert (result.exit_code, result.output) == (3, f"Error: no answer from {url} within 0.2 s\n")
