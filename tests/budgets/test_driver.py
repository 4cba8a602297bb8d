"""The bench's own driver against the floor: a run ends, counts every message, and says what went wrong."""

import asyncio
import json
import subprocess
import sys

import pytest
from benching import octets
from benching.http1 import WireError
from benching.load import ACCEPT, LIFECYCLE, Load, Plan, Usage
from benching.smsc import Smsc

from tests.budgets.conftest import TOP


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`scripts/bench` with the Python that runs the tests."""
    command = [sys.executable, "-m", "benching", *arguments]
    return subprocess.run(command, cwd=TOP / "scripts", capture_output=True, text=True, timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["accept", "lifecycle"])
def test_the_floor_loses_nothing(case: str) -> None:
    done = bench("--only-floor", "--case", case, "--in-flight", "8", "--messages", "60", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["case"] == case
    assert figures["in_flight"] == 8
    assert figures["lost"] == 0
    assert figures["messages_per_s"] > 0
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert figures["cpu_us_per_message"] > 0
    assert figures["rss_mb"] > 0


async def played(answer: bytes, plan: Plan) -> None:
    """Play a plan against a server that answers everything alike."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(int(octets.between(head, b"Content-Length:", b"\r")))
                writer.write(answer)
        finally:
            writer.close()
            await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.ensure_future(serve(reader, writer)))

    connections: list[asyncio.Future[None]] = []
    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        await Load(plan, port, lambda: Usage(0.0, 0.0), lambda ended: None).run()
    finally:
        server.close()
        await asyncio.gather(*connections, return_exceptions=True)
        await server.wait_closed()


def answer_with(code: str) -> bytes:
    """A SubmitRsp as the server under test might send it."""
    body = f"<a:StatusCode>{code}</a:StatusCode><a:MessageID x='1'> m1 </a:MessageID>".encode()
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body


async def test_an_answer_other_than_success_voids_the_run() -> None:
    with pytest.raises(WireError, match="4006"):
        await played(answer_with("4006"), Plan(case=ACCEPT, in_flight=2, warm_up=1, messages=4))


async def test_an_unreadable_answer_voids_the_run() -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with pytest.raises(WireError, match="chunked"):
        await played(answer, Plan(case=ACCEPT, in_flight=1, warm_up=0, messages=1))


async def test_reports_that_never_come_are_noticed() -> None:
    plan = Plan(case=LIFECYCLE, in_flight=2, warm_up=1, messages=4, grace_seconds=0.1)
    with pytest.raises(WireError, match="0 of 2 messages ended"):
        await played(answer_with("1000"), plan)


@pytest.mark.parametrize("concatenation", ["000342", "08044200"])
def test_a_push_in_two_segments_is_put_together_in_any_order(concatenation: str) -> None:
    """The user data header of TS 23.040 clause 9.2.3.24, both widths of the reference."""
    pushes: list[bytes] = []
    smsc = Smsc(pushes.append, held=False)
    before = bytes.fromhex("000101") + b"4488\0\1\1" + b"15550100001\0" + bytes.fromhex("40000000000000f500")
    for number, text in ((2, b"last"), (1, b"first ")):
        header = bytes.fromhex(f"05040b8423f0{concatenation}02{number:02x}")
        user_data = bytes((len(header),)) + header + text
        smsc.submit_sm(before + bytes((len(user_data),)) + user_data)
    smsc.hand_over()
    assert pushes == [b"first last"]
    assert smsc.segments == 2
