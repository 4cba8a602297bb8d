"""`mmsc submit` against an MMSC that says what the test wants: what it sends, what it tells, its exit status."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from mmsc.cli.submit import command
from protocols import mm7
from protocols.mm7 import StatusCode


@dataclass
class Mmsc:
    """Keeps what it was sent; answers in two pieces."""

    url: str = ""
    code: StatusCode = StatusCode.SUCCESS
    fault: bool = False
    garbage: bool = False
    bare_status: int = 0
    seen: list[mm7.Envelope] = field(default_factory=list)

    async def take(self, request: web.BaseRequest) -> web.StreamResponse:
        if self.bare_status:
            return web.Response(status=self.bare_status)
        envelope = mm7.decode(request.headers["Content-Type"], await request.read()).message
        self.seen.append(envelope)
        status = mm7.Status(self.code)
        answer = mm7.Fault(status=status) if self.fault else mm7.SubmitRsp(status=status, message_id="m-1")
        content_type, body = mm7.encode(mm7.Envelope(envelope.transaction_id, envelope.dialect, answer))
        response = web.StreamResponse(status=500 if self.fault else 200, headers={"Content-Type": content_type})
        await response.prepare(request)
        await response.write(b"<html>" if self.garbage else body[:40])
        await asyncio.sleep(0)
        await response.write(b"" if self.garbage else body[40:])
        return response

    async def run(self, *arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, command, ["--url", self.url, *arguments])


@pytest.fixture
async def mmsc() -> AsyncIterator[Mmsc]:
    found = Mmsc()
    runner = web.ServerRunner(web.Server(found.take))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield found
    await runner.cleanup()


async def test_files_and_text_become_slides(mmsc: Mmsc, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(bytes(range(256)))
    result = await mmsc.run("--to", "+15550100123", "--bcc", "a@b.example", "--text", "Grüße", str(photo), "--base64")
    assert (result.exit_code, result.output) == (0, "1000 Success\nMessageID m-1\n")
    request, content = mmsc.seen[0].message, mmsc.seen[0].content
    assert isinstance(request, mm7.SubmitReq)
    assert request.delivery_report is True
    assert request.bcc == (mm7.Address("a@b.example", mm7.AddressForm.RFC2822_ADDRESS),)
    assert content is not None
    assert [part.content_type.media_type for part in content.parts] == ["application/smil", "image/jpeg", "text/plain"]
    assert content.parts[1].data == bytes(range(256))
    assert content.parts[2].data == "Grüße".encode()


@pytest.mark.parametrize("fault", [False, True])
async def test_a_refusal_is_told_and_fails(mmsc: Mmsc, fault: bool) -> None:
    mmsc.code, mmsc.fault = StatusCode.ADDRESS_ERROR, fault
    result = await mmsc.run("--to", "4488")
    assert result.exit_code == 1
    assert f"refused ({'Fault' if fault else 'SubmitRsp'}): 2002 Address Error" in result.output


async def test_an_answer_that_is_no_mm7(mmsc: Mmsc) -> None:
    mmsc.garbage = True
    result = await mmsc.run("--to", "4488")
    assert result.exit_code == 3
    assert "HTTP 200 without an MM7 answer" in result.output


async def test_nobody_listens_and_wrong_usage(mmsc: Mmsc) -> None:
    assert (
        "nobody takes connections at http://127.0.0.1:1/ (connect to 127.0.0.1:1 refused)"
        in (await mmsc.run("--url", "http://127.0.0.1:1/", "--to", "4488")).output
    )
    assert (await mmsc.run()).exit_code == 2
    assert (await mmsc.run("--to", "4488", "--namespace", "x")).exit_code == 2
    assert mmsc.seen == []


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, "HTTP 401: the MMSC does not accept this user and password (--user)"),
        (404, "HTTP 404: nothing takes MM7 there (--url)"),
        (413, "HTTP 413: the request is too large for the MMSC"),
        (503, "HTTP 503: the MMSC takes nothing at the moment"),
        (302, "HTTP 302: the MMSC points to nowhere, and redirects are not followed (--url)"),
        (500, "HTTP 500 without an MM7 answer"),
    ],
)
async def test_a_refusal_without_soap_is_told_in_words(mmsc: Mmsc, status: int, why: str) -> None:
    mmsc.bare_status = status
    result = await mmsc.run("--to", "4488")
    assert result.exit_code == 1
    assert f"Error: {why}" in result.output


async def test_what_does_not_speak_http_is_told_in_one_line() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mms.example MMSC\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        result = await Mmsc(url).run("--to", "4488")
    assert (result.exit_code, result.output) == (3, f"Error: what listens at {url} does not speak HTTP\n")


@pytest.mark.parametrize(
    "url", ["garbage", "127.0.0.1:8807/mm7", "ftp://127.0.0.1/", "http://", "http://[::1/", "http://127.0.0.1:99999/"]
)
async def test_a_url_that_is_none_is_wrong_usage(url: str) -> None:
    result = await Mmsc(url).run("--to", "4488")
    assert result.exit_code == 2
    assert f"Invalid value for '--url': {url!r} is no http://HOST:PORT/PATH" in result.output


@pytest.mark.parametrize("option", ["--text", "--subject", "--from", "--to", "--user"])
async def test_octets_that_are_no_text_are_wrong_usage(option: str) -> None:
    result = await Mmsc("http://127.0.0.1:1/").run("--to", "4488", option, "a\udcffb")
    assert result.exit_code == 2
    assert f"Invalid value for '{option}': not UTF-8" in result.output


@pytest.mark.parametrize("seconds", ["0", "-3", "nan", "inf", "1e9"])
async def test_a_timeout_is_some_time(seconds: str) -> None:
    result = await Mmsc("http://127.0.0.1:1/").run("--to", "4488", "--timeout", seconds)
    assert result.exit_code == 2
    assert "Invalid value for '--timeout'" in result.output


async def test_an_endless_file_is_not_read_to_its_end() -> None:
    result = await Mmsc("http://127.0.0.1:1/").run("--to", "4488", "/dev/zero")
    assert result.exit_code == 2
    assert "/dev/zero: larger than" in result.output
