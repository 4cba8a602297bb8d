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
    seen: list[mm7.Envelope] = field(default_factory=list)

    async def take(self, request: web.BaseRequest) -> web.StreamResponse:
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
    assert result.exit_code == 1
    assert "HTTP 200 without an MM7 answer" in result.output


async def test_nobody_listens_and_wrong_usage(mmsc: Mmsc) -> None:
    assert (
        "nobody takes connections at http://127.0.0.1:1/ (Connection refused)"
        in (await mmsc.run("--url", "http://127.0.0.1:1/", "--to", "4488")).output
    )
    assert (await mmsc.run()).exit_code == 2
    assert (await mmsc.run("--to", "4488", "--namespace", "x")).exit_code == 2
    assert mmsc.seen == []
