"""`mmsc serve` as a person runs it: a process, its lines, a message, an interrupt."""

import asyncio
import base64
import contextlib
import os
import re
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from protocols import mm7
from protocols.content_type import ContentType
from protocols.mime import OutPart
from tests.tools import PATIENCE_SECONDS, STOP_PATIENCE_SECONDS

CONFIG = """
[numbers]
own_prefixes = ["+1555"]
[mm1]
port = 0
[mm4]
port = 0
[mm7]
port = 0
[weblink]
port = 0
[builtin_smsc]
enabled = true
port = 0
[smsc.builtin]
password = "secret"
[vasp.demo]
vasp_id = "demo"
username = "demo"
password = "secret"
report_url = "http://127.0.0.1:REPORTS/"
[subscriber."+15550000001"]
mms = "on"
[subscriber."+15550000003"]
mms = "off"
"""


@asynccontextmanager
async def serving(folder: Path, report_port: int, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    config = folder / "mmsc.toml"
    config.write_text(CONFIG.replace("REPORTS", str(report_port)))
    environment = {**os.environ, "XDG_STATE_HOME": str(folder), **variables}
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "mmsc", "serve", "--config", str(config))
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=pipe, stderr=pipe)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def said(process: asyncio.subprocess.Process, wanted: str) -> re.Match[str]:
    """The first line that matches."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for line in process.stdout:
            if found := re.search(wanted, line.decode()):
                return found
    assert process.stderr is not None
    raise AssertionError(f"no line like {wanted!r}: {(await process.stderr.read()).decode()}")


async def submit(url: str, number: str) -> mm7.SubmitRsp:
    dialect = mm7.dialect(mm7.BASE + mm7.LATEST)
    assert dialect is not None
    request = mm7.SubmitReq(
        vasp_id="demo", subject="Hello", to=(mm7.Address(number),), delivery_report=True, content_href="cid:c"
    )
    text = OutPart(ContentType("text/plain", (("charset", "utf-8"),)), b"Good morning", content_id="c")
    content_type, body = mm7.encode_with_content(mm7.Envelope(number, dialect, request), text, "seed")
    credentials = base64.b64encode(b"demo:secret").decode()
    headers = {"Content-Type": content_type, "Authorization": f"Basic {credentials}"}
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
        answer = mm7.decode(response.headers["Content-Type"], await response.read()).message.message
    assert isinstance(answer, mm7.SubmitRsp)
    return answer


async def test_it_says_where_it_listens_delivers_and_stops_when_asked(tmp_path: Path, unused_tcp_port: int) -> None:
    async with serving(tmp_path, unused_tcp_port) as process:
        url = (await said(process, r"MM7, VASPs +(http://127.0.0.1:\d+/mm7)"))[1]
        assert (await said(process, r"SMSC, built in +127.0.0.1:(\d+)"))[1] != "0"
        await said(process, "^ready")
        assert (await submit(url, "+15550000001")).status.code is mm7.StatusCode.SUCCESS
        await said(process, r"handset \+15550000001: MM from .*'Hello'.*'Good morning'")
        await said(process, r"VASP demo: DeliveryReportReq Retrieved \+15550000001")
        assert (await submit(url, "+15550000003")).status.code is mm7.StatusCode.SUCCESS
        await said(process, r"handset \+15550000003: SMS: .*http://127.0.0.1:\d+/w/")
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_PATIENCE_SECONDS):
            _, errors = await process.communicate()
        assert process.returncode == 0
        assert errors.decode().splitlines() == ["stopping ...", "stopped"]


async def test_a_file_that_somebody_else_writes_to_does_not_hold_up_the_stop(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    """The process ends in time, too: nothing joins a thread that waits for the file."""
    seconds = 1.0
    variables = {"MMSC_NODE__STOP_SECONDS": str(seconds), "MMSC_STORE__PATH": str(tmp_path / "mmsc.db")}
    async with serving(tmp_path, unused_tcp_port, **variables) as process:
        url = (await said(process, r"MM7, VASPs +(http://127.0.0.1:\d+/mm7)"))[1]
        await said(process, "^ready")
        stranger = sqlite3.connect(tmp_path / "mmsc.db", isolation_level=None)
        stranger.execute("BEGIN IMMEDIATE")
        submitting = asyncio.ensure_future(submit(url, "+15550000001"))
        assert process.stderr is not None
        began = asyncio.get_running_loop().time()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            await process.wait()
        took = asyncio.get_running_loop().time() - began
        stranger.close()
        submitting.cancel()
        await asyncio.gather(submitting, return_exceptions=True)
    assert took < seconds + 3.5, took  # a single commit waits five seconds for the file


@pytest.mark.parametrize(
    ("first", "second"),
    [(signal.SIGINT, signal.SIGINT), (signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)],
)
async def test_a_second_signal_does_not_wait_for_what_is_under_way(
    first: signal.Signals, second: signal.Signals, tmp_path: Path, unused_tcp_port: int
) -> None:
    async with serving(tmp_path, unused_tcp_port) as process:
        found = await said(process, r"MM7, VASPs +http://127.0.0.1:(\d+)/mm7")
        await said(process, "^ready")
        _, writer = await asyncio.open_connection("127.0.0.1", int(found[1]))
        writer.write(b"POST /mm7 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
        await writer.drain()
        assert process.stderr is not None
        process.send_signal(first)
        assert await process.stderr.readline() == b"stopping ...\n"
        assert process.returncode is None, "it waits for the other half"
        process.send_signal(second)
        async with asyncio.timeout(2):
            errors = await process.stderr.read()
        assert (await process.wait(), errors) == (-second, b"")
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_second_one_on_the_same_state_is_told_and_leaves_the_first_alone(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    async with serving(tmp_path, unused_tcp_port) as first:
        await said(first, "^ready")
        async with serving(tmp_path, unused_tcp_port) as second, asyncio.timeout(PATIENCE_SECONDS):
            _, errors = await second.communicate()
        assert second.returncode == 1
        assert "Error: cannot run: " in errors.decode()
        assert "mmsc.db" in errors.decode()
        assert first.returncode is None


@pytest.mark.slow  # five servers
@pytest.mark.parametrize("section", ["mm1", "mm4", "mm7", "weblink", "builtin_smsc"])
async def test_a_port_that_is_taken_is_told_by_its_key(tmp_path: Path, section: str, unused_tcp_port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        variable = f"MMSC_{section.upper()}__PORT"
        async with serving(tmp_path, unused_tcp_port, **{variable: port}) as process, asyncio.timeout(PATIENCE_SECONDS):
            _, errors = await process.communicate()
    assert process.returncode == 1
    told = errors.decode()
    assert f"{section}: cannot listen on 127.0.0.1 port {port} (Address already in use)" in told
    assert f"set {section}.port to another one" in told
    assert f"{variable}=0" in told
    assert "Traceback" not in told
