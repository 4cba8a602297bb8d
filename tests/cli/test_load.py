"""`mmsc load` as a person runs it: against a real server, against a hostile one, interrupted, and used wrongly."""

import asyncio
import json
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mmsc.cli.group import main
from mmsc.cli.load import command
from mmsc.settings import load as settings_of
from tests.tidy.project import TOP
from tests.tools import PATIENCE_SECONDS

CONFIG = """
[store]
path = "{folder}/mmsc.db"
[numbers]
own_prefixes = ["+1555"]
[mm1]
port = 0
[mm4]
enabled = false
[mm7]
port = 0
[weblink]
enabled = false
[fallback]
enabled = false
[builtin_smsc]
enabled = false
[vasp.demo]
vasp_id = "demo"
username = "demo"
password = "secret"
report_url = "http://127.0.0.1:{reports}/mm7"
concurrency = 8
[smsc.load]
port = {smsc}
source = "7255"
"""
SUBSCRIBERS = "".join(f'[subscriber."+1555000000{digit}"]\nmms = "on"\n' for digit in range(1, 9))


async def load(*arguments: str) -> tuple[int, str, str]:
    """Run it to its end: (exit status, what it said, what it complained about)."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mmsc", "load", *arguments), stdout=pipe, stderr=pipe
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        said, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


class Page(HTMLParser):
    """What a page refers to and holds."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [
            value or "" for name, value in attributes if name in ("src", "href", "xlink:href", "srcset")
        ]
        if tag not in ("meta", "circle", "line") or self.get_starttag_text()[-2] != "/":  # type: ignore[index]
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
async def serving(tmp_path: Path, unused_tcp_port_factory: Callable[[], int]) -> AsyncIterator[tuple[str, int, int]]:
    """A real MMSC: (its MM7 URL, the port where it looks for its SMSC, the one where its reports go)."""
    smsc, reports = unused_tcp_port_factory(), unused_tcp_port_factory()
    file = tmp_path / "mmsc.toml"
    file.write_text(CONFIG.format(folder=tmp_path, smsc=smsc, reports=reports) + SUBSCRIBERS)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mmsc", "serve", "--config", str(file)), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        url = ""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (line := (await process.stdout.readline()).decode()).startswith("ready"):
                assert line
                url = line.split()[-1] if line.startswith("MM7") else url
        yield url, smsc, reports
    finally:
        process.terminate()
        await process.communicate()


@pytest.mark.slow
async def test_whole_lifecycles_against_a_real_mmsc(serving: tuple[str, int, int], tmp_path: Path) -> None:
    url, smsc, reports = serving
    code, said, complained = await load(
        *(url, "--to", "+15550000001..+15550000008", "--size", "1k:3,30k:1", "--recipients", "1:3,4:1"),
        *(
            "--messages",
            "60",
            "--warm-up",
            "10",
            "--in-flight",
            "6",
            "--reports",
            "--report-listen",
            f"127.0.0.1:{reports}",
        ),
        *("--play", "--smsc-listen", f"127.0.0.1:{smsc}", "--stop-on", "errors>0", "--stop-on", "lost>0"),
        *("--json", str(tmp_path / "a.json"), "--html", str(tmp_path / "a.html"), "--user", "demo:secret"),
    )
    assert code == 0, said + complained
    figures = json.loads((tmp_path / "a.json").read_text())
    messages = figures["messages"]
    assert (messages["sent"], messages["accepted"], messages["reported"], messages["lost"]) == (60, 60, 60, 0)
    assert figures["answers"] == {"1000": 60}
    assert set(figures["reports"]) == {"Retrieved"}
    assert figures["reports"]["Retrieved"] == messages["recipients_reported"] > 60
    pushes = figures["handsets"]["pushes"]
    assert pushes >= messages["recipients_reported"]
    assert pushes - 6 * 4 <= figures["handsets"]["retrieved"] <= pushes, "a report may overtake the last answers"
    assert figures["handsets"]["different_contents"] == 0
    assert figures["latency_ms"]["submit"]["count"] == 60
    assert figures["latency_ms"]["submit"]["p50"] <= figures["latency_ms"]["report"]["p99"]
    assert sum(one["accepted"] for one in figures["series"]) >= 60
    assert "secret" not in json.dumps(figures)
    assert "1000 Success" in said
    assert "SubmitReq to the push" not in said, "of several recipients nothing is measured"
    page = (tmp_path / "a.html").read_text()
    assert "secret" not in page
    read = Page()
    read.feed(page)
    read.close()
    assert read.open == []
    assert read.references == [], "a page that stands alone"
    assert "url(" not in page
    assert "@import" not in page
    assert "script" not in read.tags
    assert read.tags.count("svg") >= 4


def test_the_settings_for_it_are_those_that_it_expects() -> None:
    settings = settings_of(TOP / "config" / "load.toml", {})
    places = {option.name: option.default for option in command.params}
    assert f"127.0.0.1:{settings.smsc['load'].port}" == places["smsc_listen"]
    assert settings.vasp["demo"].report_url == f"http://{places['report_listen']}/mm7"
    assert f"{settings.vasp['demo'].username}:secret" == places["user"]
    assert settings.vasp["demo"].vasp_id == places["vasp_id"]
    assert settings.mm1.enabled
    assert not settings.builtin_smsc.enabled


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def hostile(answer: Answer) -> AsyncIterator[str]:
    """A server that does whatever it likes with each connection."""
    tasks: list[asyncio.Future[None]] = []

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await answer(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(
        lambda reader, writer: tasks.append(asyncio.ensure_future(one(reader, writer))), "127.0.0.1", 0
    )
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mm7"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def request(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]))


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    raise ConnectionAbortedError


async def cuts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<StatusCode>10")
    raise ConnectionAbortedError


async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"220 mail.example ESMTP\r\n\r\n" + bytes(range(256)))


async def is_mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def is_busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    raise ConnectionAbortedError


async def is_good(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"40\r\n<x:StatusCode>1000</x:StatusCode><x:MessageID>abc</x:MessageID> \r\n0\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (hangs_up, "connection closed before the answer", 1),
        (cuts, "connection closed before the answer", 1),
        (babbles, "no HTTP answer", 1),
        (is_mute, "no answer in 0.2 s", 1),
        (is_busy, "HTTP 503", 1),
        (is_good, "1000 Success", 0),
    ],
)
async def test_a_server_that_does_what_it_likes(answer: Answer, kind: str, code: int) -> None:
    async with hostile(answer) as url:
        status, said, complained = await load(
            *(url, "--to", "+15550000001", "--messages", "4", "--in-flight", "2", "--timeout", "200ms")
        )
    assert status == code
    assert kind in said
    assert "Traceback" not in said + complained


async def test_a_stop_condition_ends_it_with_status_1() -> None:
    async with hostile(is_busy) as url:
        status, said, _ = await load(
            url, "--to", "1", "--messages", "1000000", "--in-flight", "4", "--stop-on", "errors>5"
        )
    assert status == 1
    assert "ended early: stop condition errors>5: " in said


async def test_an_interrupt_brings_the_report_on_a_terminal_with_a_bar() -> None:
    async with hostile(is_good) as url:
        ours, theirs = pty.openpty()
        command = (sys.executable, "-m", "mmsc", "load", url, "--to", "1", "--in-flight", "1", "--duration", "1h")
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        loop, seen = asyncio.get_running_loop(), b""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while b"in flight  errors 0" not in seen:
                    seen += await loop.run_in_executor(None, os.read, ours, 4096)
                process.send_signal(signal.SIGINT)
                said, _ = await process.communicate()
        finally:
            os.close(ours)
    assert process.returncode == 130
    assert b"[--------------------]   0%" in seen
    assert b"ended early: interrupted" in said
    assert b"1000 Success" in said


async def test_an_interrupt_while_nobody_has_bound(unused_tcp_port: int) -> None:
    async with hostile(is_mute) as url:
        command = (sys.executable, "-m", "mmsc", "load", url, "--to", "1", "--play")
        process = await asyncio.create_subprocess_exec(
            *(*command, "--smsc-listen", f"127.0.0.1:{unused_tcp_port}"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert b"waiting until the MMSC binds" in await process.stderr.readline()
            process.send_signal(signal.SIGINT)
            said, complained = await process.communicate()
    assert process.returncode == 130
    assert b"ended early: interrupted" in said
    assert b"Traceback" not in complained


async def test_nobody_binds(unused_tcp_port: int) -> None:
    place = ("--smsc-listen", f"127.0.0.1:{unused_tcp_port}")
    async with hostile(is_mute) as url:
        status, _, complained = await load(url, "--to", "1", "--play", *place, "--bind-timeout", "100ms")
    assert status == 1
    assert "no ESME has bound to our SMSC within 0.1 s" in complained


async def test_nobody_is_there_to_bind(unused_tcp_port: int) -> None:
    """Told at once, and as what it is."""
    status, _, complained = await load(HERE, "--to", "1", "--play", "--smsc-listen", f"127.0.0.1:{unused_tcp_port}")
    assert status == 1
    assert f"nobody takes connections at {HERE} (" in complained


async def test_a_run_that_does_not_begin_leaves_the_last_report_alone(tmp_path: Path) -> None:
    kept, new = tmp_path / "kept.json", tmp_path / "new.html"
    kept.write_text("{}")
    status, _, _ = await load(HERE, "--to", "1", "--json", str(kept), "--html", str(new))
    assert (status, kept.read_text(), new.exists()) == (1, "{}", False)
    status, _, complained = await load(HERE, "--to", "1", "--json", str(tmp_path / "nowhere" / "a.json"))
    assert (status, complained) == (1, f"Error: {tmp_path}/nowhere/a.json: No such file or directory\n")


async def test_a_port_that_is_taken(unused_tcp_port: int) -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", unused_tcp_port)
    async with server:
        place = f"127.0.0.1:{unused_tcp_port}"
        status, _, complained = await load(HERE, "--to", "1", "--reports", "--report-listen", place)
    assert status == 1
    assert complained.startswith(f"Error: cannot listen on 127.0.0.1 port {unused_tcp_port} (")
    assert "--report-listen" in complained


async def test_nobody_there() -> None:
    status, said, complained = await load("http://127.0.0.1:1/mm7", "--to", "1", "--messages", "1")
    assert (status, said) == (1, "")
    assert complained.startswith("Error: nobody takes connections at http://127.0.0.1:1/mm7 (")
    assert "Traceback" not in complained


HERE = "http://127.0.0.1:1/mm7"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((HERE,), "Missing option '--to'"),
        (("http://mms.example/mm7", "--to", "1"), "--target-is-mine"),
        (("http://192.0.2.1/mm7", "--to", "1"), "is an attack"),
        (("nonsense", "--to", "1"), "is no http://HOST:PORT/PATH"),
        ((HERE, "--to", "1", "--rate", "5", "--in-flight", "5"), "not both"),
        ((HERE, "--to", "1", "--duration", "5s", "--messages", "5"), "not both"),
        ((HERE, "--to", "1", "--duration", "5 years"), "is no time"),
        ((HERE, "--to", "1", "--duration", "nan"), "not between 0"),
        ((HERE, "--to", "1", "--rate", "nan"), "--rate"),
        ((HERE, "--to", "1", "--warm-up", "soon"), "--warm-up: 'soon' is no time"),
        ((HERE, "--to", "1", "--until", "reported"), "needs --reports"),
        ((HERE, "--to", "1", "--stop-on", "errors"), "is no condition"),
        ((HERE, "--to", "1", "--recipients", "2"), "--recipients asks for 2, --to names 1"),
        ((HERE, "--to", "@/nowhere", "--messages", "1"), "No such file"),
        ((HERE, "--to", "1", "--size", "1g"), "is no size"),
        ((HERE, "--to", "1", "--namespace", "x"), "is no MM7 schema tag"),
        ((HERE, "--to", "1", "--mm1-path", "x y"), "is no path"),
        ((HERE, "--to", "1", "--report-listen", "8900"), "is no HOST:PORT"),
        ((HERE, "--to", "abc"), "'abc' is neither a number nor an e-mail address"),
        ((HERE, "--to", "1", "--stop-on", "lost>0"), "'lost>0' can never hold without --reports"),
        ((HERE, "--to", "1", "--stop-on", "report-p99>1s"), "can never hold without --reports"),
        ((HERE, "--to", "1", "--reports", "--stop-on", "push-p99>1s"), "can never hold without --play"),
        ((HERE, "--to", "1", "--stop-on", "different>0"), "can never hold without --play"),
        ((HERE, "--to", "1", "--subject", "a\r\nb"), "control characters"),
    ],
)
def test_wrong_usage_is_told(arguments: tuple[str, ...], why: str) -> None:
    done: Any = CliRunner().invoke(main, ["load", *arguments])
    assert done.exit_code == 2, done.output
    assert why in " ".join(done.output.split())
