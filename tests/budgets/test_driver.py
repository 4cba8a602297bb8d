"""The bench's own driver against the floor: a run ends, counts every message, and is void when anything is wrong."""

import asyncio
import itertools
import json
import os
import subprocess
import sys

import pytest
from benching.load import ACCEPT, LIFECYCLE, Plan, Usage, WireError
from benching.neighbours import Neighbours
from benching.servers import Ports, free_ports

from mmsc.load.octets import between
from tests.budgets.conftest import TOP


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`scripts/bench` with the Python that runs the tests."""
    command = [sys.executable, "-m", "benching", *arguments]
    environment = {**os.environ, "PYTHONPATH": f"{TOP / 'scripts'}:{TOP}"}
    return subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, timeout=60)


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
                await reader.readexactly(int(between(head, b"Content-Length:", b"\r")))
                writer.write(answer.replace(b" m1 ", b" %02d " % next(numbers)))
        finally:
            writer.close()
            await writer.wait_closed()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.ensure_future(serve(reader, writer)))

    connections: list[asyncio.Future[None]] = []
    numbers = itertools.count(10)
    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    mm1, smsc, report = free_ports(3)
    ports = Ports(mm1=mm1, mm7=server.sockets[0].getsockname()[1], smsc=smsc, report=report)
    try:
        async with Neighbours(plan, ports, "/mms") as neighbours:
            neighbours.session.smsc.bound.set()
            await neighbours.run(lambda: Usage(0.0, 0.0), lambda ended: None)
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
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"
    with pytest.raises(WireError, match="chunk"):
        await played(answer, Plan(case=ACCEPT, in_flight=1, warm_up=0, messages=1))


async def test_reports_that_never_come_are_noticed() -> None:
    plan = Plan(case=LIFECYCLE, in_flight=2, warm_up=1, messages=4, grace_seconds=0.1)
    with pytest.raises(WireError, match=r"0 of [0-9]+ messages ended"):
        await played(answer_with("1000"), plan)
