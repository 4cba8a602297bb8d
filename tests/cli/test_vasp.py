"""`mmsc vasp`: a process of its own that takes what an MMSC sends, and answers as told."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner

from mmsc.cli import submit
from mmsc.cli.vasp import LAB_TLS, command
from mmsc.clock import VirtualClock
from mmsc.lab.certificates import LabTls, authority
from mmsc.lab.vasp_answers import Kind, Told, script_of
from mmsc.net.http_calling import Way
from mmsc.net.http_client import ClientLimits, HttpClient, HttpReply, HttpUnavailable
from mmsc.net.http_digest import basic
from mmsc.net.tls import TlsOptions
from mmsc.settings.neighbours import Vasp
from mmsc.trace.captures import WireTap
from protocols import mime, mm7
from protocols.content_type import ContentType
from protocols.mm7 import Address, AddressForm, Message
from protocols.wsp.multipart import Part
from tests.scenarios.conftest import PHONE, open_lab, picture
from tests.tls import written
from tests.tools import PATIENCE_SECONDS, STOP_PATIENCE_SECONDS

LATEST = mm7.dialect(mm7.BASE + mm7.LATEST)
OFF = WireTap("test", None, VirtualClock())
SHORT = Address("4488", AddressForm.SHORT_CODE)
REPORT = mm7.DeliveryReportReq(
    mms_relay_server_id="mmsc.example",
    message_id="m-1",
    recipient=Address(PHONE),
    sender=SHORT,
    date="2026-12-24T18:00:00Z",
    mm_status="Rejected",
    mm_status_extension="RejectionByOtherRS",
    status_text="5.1.1\u202e",
)
READ = mm7.ReadReplyReq(
    message_id="m-1", recipient=Address(PHONE), sender=SHORT, time_stamp="2026-12-24T18:00:00Z", mm_status="Read"
)
DELIVER = mm7.DeliverReq(
    linked_id="l-1", sender=Address(PHONE), to=(SHORT,), subject="Grüße", content_href="cid:content"
)


@dataclass
class Program:
    """The command as it runs."""

    process: asyncio.subprocess.Process
    url: str
    client: HttpClient

    async def send(
        self,
        message: Message,
        content: mime.OutPart | None = None,
        transaction_id: str = "t-1",
        headers: dict[str, str] | None = None,
    ) -> HttpReply:
        assert LATEST is not None
        envelope = mm7.Envelope(transaction_id, LATEST, message)
        content_type, body = (
            mm7.encode(envelope) if content is None else mm7.encode_with_content(envelope, content, "s")
        )
        return await self.client.send(
            "POST", self.url, headers={"Content-Type": content_type, **(headers or {})}, body=body
        )

    async def asked(self, message: Message, content: mime.OutPart | None = None) -> Message:
        reply = await self.send(message, content)
        return mm7.decode(reply.content_type, reply.body).message.message

    async def line(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await self.process.stdout.readline()).decode().rstrip("\n")

    async def end(self, *, interrupt: bool = True) -> tuple[int, str]:
        """(exit status, what it said at the end)."""
        if interrupt:
            self.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(STOP_PATIENCE_SECONDS):
            _, errors = await self.process.communicate()
        return self.process.returncode or 0, errors.decode()


@asynccontextmanager
async def started(*arguments: str, tls: TlsOptions | None = None, seconds: float = 10.0) -> AsyncIterator[Program]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mmsc", "vasp", "--listen", "0", *arguments),
        stdout=pipe,
        stderr=pipe,
        env={**os.environ, "TZ": "UTC"},
    )
    client = HttpClient(ClientLimits(total_seconds=seconds), OFF, Way(tls=tls or TlsOptions()))
    try:
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = re.search(r"listening on (\S+);", (await process.stderr.readline()).decode())
        assert found is not None
        yield Program(process, found[1].replace("127.0.0.1", "localhost") if tls else found[1], client)
    finally:
        await client.close()
        if process.returncode is None:
            process.kill()
            await process.communicate()


def after_time(line: str) -> str:
    found = re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} (.*)", line)
    assert found is not None, line
    return found[1]


async def test_each_request_is_a_line_and_answered() -> None:
    async with started("--service-code", "gold") as vasp:
        report = await vasp.asked(REPORT)
        assert after_time(await vasp.line()) == (
            "DeliveryReportReq Rejected       +15550100123  MessageID m-1  RejectionByOtherRS  5.1.1\\u202e -> 1000"
        )
        await vasp.send(REPORT)
        assert (await vasp.line()).endswith(" repeat -> 1000")
        read = await vasp.asked(READ)
        assert after_time(await vasp.line()).startswith("ReadReplyReq      Read           +15550100123  MessageID m-1")
        delivered = await vasp.asked(DELIVER, picture())
        assert after_time(await vasp.line()) == (
            "DeliverReq        +15550100123 to 4488  LinkedID l-1  'Grüße'"
            "  application/smil 7, 'Grüße', image/jpeg 5,120 -> 1000"
        )
        assert await vasp.end() == (0, "4 requests: 1 DeliverReq, 2 DeliveryReportReq, 1 ReadReplyReq\n")
    success = mm7.Status(mm7.StatusCode.SUCCESS, "Success")
    assert report == mm7.DeliveryReportRsp(status=success)
    assert read == mm7.ReadReplyRsp(status=success)
    assert delivered == mm7.DeliverRsp(status=success, service_code="gold")


async def test_it_answers_as_told_one_after_the_other() -> None:
    async with started("--answer", "3000*2,HTTP 503,fault:4006,empty,html,2001", "--delay", "0.01") as vasp:
        answers = [await vasp.send(REPORT, transaction_id=f"t-{number}") for number in range(8)]
        lines = [(await vasp.line()).rpartition("-> ")[2] for _ in answers]
    told = ["3000", "3000", "HTTP 503", "Fault 4006", "HTTP 200 without a body", "HTTP 200 with HTML", "2001", "2001"]
    assert lines == told
    assert [one.status for one in answers] == [200, 200, 503, 500, 200, 200, 200, 200]
    fault = mm7.decode(answers[3].content_type, answers[3].body).message
    assert fault.transaction_id == "t-3"
    assert isinstance(fault.message, mm7.Fault)
    assert fault.message.element is mm7.ErrorElement.VASP_ERROR_RSP
    assert fault.message.status.code is mm7.StatusCode.SERVICE_UNAVAILABLE
    assert answers[4].body == b""


async def test_what_it_cannot_read_or_serve_is_a_fault() -> None:
    async with started() as vasp:
        reply = await vasp.client.send("POST", vasp.url, headers={"Content-Type": "text/xml"}, body=b"<a/>")
        assert reply.status == 500
        assert after_time(await vasp.line()).startswith("unreadable        SOAP part: the root is a, not Envelope")
        fault = await vasp.asked(mm7.CancelReq(message_id="m-1"))
        assert isinstance(fault, mm7.Fault)
        assert fault.status.code is mm7.StatusCode.UNSUPPORTED_OPERATION
        assert (await vasp.line()).endswith("CancelReq         no VASP serves this -> Fault 4003")
        assert (await vasp.client.send("GET", vasp.url, headers={})).status == 405


async def test_json_lines_and_saved_files(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "0007-old.xml").write_text("kept")
    sly = mime.OutPart(ContentType("image/jpeg"), b"JPEG", "content", "../../etc/pass wd.jpg")
    async with started("--json", "--verbose", "--save", str(inbox), "--count", "1") as vasp:
        await vasp.asked(DELIVER, sly)
        told = json.loads(await vasp.line())
        status, errors = await vasp.end(interrupt=False)
    assert status == 0
    assert "<LinkedID>l-1</LinkedID>" in errors
    assert (told["operation"], told["transactionID"], told["answer"], told["repeat"]) == (
        "DeliverReq",
        "t-1",
        "1000",
        False,
    )
    assert told["message"]["Sender"] == {"Value": PHONE, "Form": "Number"}
    assert told["message"]["To"] == [{"Value": "4488", "Form": "ShortCode"}]
    assert told["parts"][0] | {"contentLocation": ""} == {
        "contentType": "image/jpeg",
        "contentID": "content",
        "contentLocation": "",
        "octets": 4,
    }
    assert sorted(one.name for one in inbox.iterdir()) == ["0007-old.xml", "0008-1-pass_wd.jpg", "0008-DeliverReq.xml"]
    assert (inbox / "0008-1-pass_wd.jpg").read_bytes() == b"JPEG"
    assert (inbox / "0007-old.xml").read_text() == "kept"
    assert told["files"] == [str(inbox / "0008-DeliverReq.xml"), str(inbox / "0008-1-pass_wd.jpg")]


async def test_credentials_are_asked_for() -> None:
    async with started("--user", "mmsc:secret") as vasp:
        without = await vasp.send(REPORT)
        wrong = await vasp.send(REPORT, headers={"Authorization": basic("mmsc", "guess")})
        right = await vasp.send(REPORT, headers={"Authorization": basic("mmsc", "secret").replace("B", "b", 1)})
        lines = [after_time(await vasp.line()) for _ in range(3)]
    assert (without.status, wrong.status, right.status) == (401, 401, 200)
    assert without.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert lines[0] == "unreadable        no credentials -> HTTP 401"
    assert lines[1] == "unreadable        wrong credentials -> HTTP 401"


async def test_https_with_the_clients_certificate(tmp_path: Path) -> None:
    ca = trustme.CA()
    ours, theirs = ca.issue_cert("localhost"), ca.issue_cert("mmsc.example")
    trusted = written(tmp_path, "ca.pem", ca.cert_pem)
    certificate = written(tmp_path, "vasp.pem", ours.private_key_pem, *ours.cert_chain_pems)
    shown = written(tmp_path, "mmsc.pem", theirs.private_key_pem, *theirs.cert_chain_pems)
    options = TlsOptions(ca_file=trusted, certificate_file=shown)
    async with started("--cert", certificate, "--client-ca", trusted, tls=options) as vasp:
        assert vasp.url.startswith("https://")
        assert (await vasp.send(REPORT)).status == 200
        stranger = HttpClient(ClientLimits(total_seconds=10.0), OFF, Way(tls=TlsOptions(ca_file=trusted)))
        with pytest.raises(HttpUnavailable):
            await stranger.send("POST", vasp.url, headers={})
        await stranger.close()
        assert (await vasp.end())[1] == "1 request: 1 DeliveryReportReq\n"


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("good", ""),
        ("expired", "the certificate of localhost expired on 2021-01-01 00:00:00 UTC"),
        ("not-yet-valid", "the certificate of localhost is not valid before 2037-01-01 00:00:00 UTC"),
        ("wrong-name", "the certificate is for elsewhere.example, not for localhost"),
        ("missing-intermediate", "an intermediate is missing there, or the CA here"),
        ("unknown-ca", "a CA that nobody knows"),
        ("old-version", "localhost"),
    ],
)
async def test_tls_as_a_test_subject(how: str, why: str) -> None:
    """Each fault is one that a client notices, whatever it calls it, and then nothing was heard."""
    async with started("--tls", how, tls=TlsOptions(ca_file=str(authority()))) as vasp:
        if how == "good":
            assert (await vasp.send(REPORT)).status == 200
        else:
            with pytest.raises(HttpUnavailable) as caught:
                await vasp.send(REPORT)
            assert why in caught.value.why
        _, said = await vasp.end()
    heard = "1 request: 1 DeliveryReportReq" if how == "good" else "0 requests"
    assert said.splitlines() == [f"{how} certificate; tls_ca_file, for a lab alone: {authority()}", heard]


def test_the_choices_are_those_of_the_lab() -> None:
    assert tuple(LabTls) == LAB_TLS


async def test_silence_ends_with_the_client() -> None:
    async with started("--answer", "silent", seconds=0.3) as vasp:
        with pytest.raises(HttpUnavailable, match="no answer in time"):
            await vasp.send(REPORT)
        assert (await vasp.line()).endswith("-> nothing")
        assert (await vasp.end())[0] == 0


async def test_the_server_reports_to_it_again_after_a_3000(tmp_path: Path) -> None:
    async with started("--answer", "3000,1000", "--count", "2") as program:
        vasp = Vasp(vasp_id="news", username="news", password="secret", report_url=program.url, short_codes=("4488",))
        async with open_lab(tmp_path, vasp={"news": vasp}) as lab:
            await lab.phone(PHONE)
            await lab.vasp.submit(PHONE, content=picture())
            first, second = await program.line(), await program.line()
        assert (await program.end(interrupt=False))[0] == 0
    assert re.search(r"DeliveryReportReq Retrieved .* -> 3000$", first)
    assert re.search(r"DeliveryReportReq Retrieved .* repeat -> 1000$", second)


async def test_an_mm_of_a_subscriber_arrives_and_is_answered(tmp_path: Path) -> None:
    """MO, and the SubmitReq with its LinkedID (TS 23.140 8.7.2)."""
    async with started("--service-code", "gold") as program:
        vasp = Vasp(vasp_id="news", username="news", password="secret", deliver_url=program.url, short_codes=("4488",))
        async with open_lab(tmp_path, vasp={"news": vasp}) as lab:
            phone = await lab.phone(PHONE)
            await phone.send(["4488"], [Part(ContentType("text/plain"), b"weather?")])
            line = await program.line()
            found = re.search(r"DeliverReq +\+15550100123 to 4488  LinkedID (\S+)  'weather\?' -> 1000$", line)
            assert found is not None, line
            given = ["--url", lab.vasp.url, "--user", "news:secret", "--vasp-id", "news", "--text", "sun"]
            told = [*given, "--to", PHONE, "--linked-id", found[1]]
            answer = await asyncio.to_thread(CliRunner().invoke, submit.command, told)
            assert answer.exit_code == 0, answer.output
            await phone.until(lambda inbox: bool(inbox.messages))


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("1000", [Told(Kind.RSP, 1000)] * 3),
        ("3000, 1000", [Told(Kind.RSP, 3000), Told(Kind.RSP, 1000), Told(Kind.RSP, 1000)]),
        ("http:429*2,FAULT", [Told(Kind.HTTP, 429), Told(Kind.HTTP, 429), Told(Kind.FAULT, 3000)]),
        ("fault 2007*1,http503", [Told(Kind.FAULT, 2007), Told(Kind.HTTP, 503), Told(Kind.HTTP, 503)]),
    ],
)
def test_a_script_is_written_in_many_ways(text: str, answers: list[Told]) -> None:
    script = script_of(text)
    assert [script.next() for _ in answers] == answers


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--answer", "99"), "'99' is no answer; write 1000, 'HTTP 503'"),
        (("--answer", "1000,"), "'' is no answer"),
        (("--answer", "HTTP 100"), "an HTTP status is 200 to 599"),
        (("--answer", "1000*0"), "between 1 and 1000000 times"),
        (("--listen", "here"), "'here' is no PORT or HOST:PORT"),
        (("--listen", "1:70000"), "'1:70000' is no PORT or HOST:PORT"),
        (("--key", __file__), "name the VASP's certificate with --cert"),
        (("--cert", __file__), "no certificate with its key in PEM"),
        (("--cert", __file__, "--tls", "good"), "leave out --cert"),
        (("--tls", "bad"), "'bad' is not one of"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(arguments: tuple[str, ...], why: str) -> None:
    result = CliRunner().invoke(command, list(arguments))
    assert result.exit_code == 2
    assert why in " ".join(result.output.split())


async def test_a_port_that_is_taken_is_told() -> None:
    async with await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0) as server:
        port = str(server.sockets[0].getsockname()[1])
        result = await asyncio.to_thread(CliRunner().invoke, command, ["--listen", port])
    assert result.exit_code == 1
    assert f"Error: cannot listen on 127.0.0.1 port {port} (" in result.output
    assert "name another port with --listen" in result.output
