"""SIGKILL under load, at random points, and a restart: what was answered 1000 is delivered."""

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from mmsc.lab.handset import Handset
from mmsc.lab.smsc import VirtualSmsc
from protocols import mm7
from tests.scenarios.conftest import Client, free_port, picture

NUMBERS = [f"+155501002{number:02d}" for number in range(20)]
_CONFIG = """
[numbers]
own_prefixes = ["+1555"]
default_smsc = "local"
[notification]
renotify_after_seconds = [1.0]
unacknowledged_after_seconds = 1.0
[delivery.vasp]
waits_seconds = [0.5]
[store]
path = "{folder}/mmsc.db"
[trace]
captures_path = "{folder}/captures"
[mm1]
port = {mm1}
[mm4]
enabled = false
[mm7]
port = {mm7}
[weblink]
enabled = false
[smsc.local]
port = {smsc}
system_id = "mmsc"
password = "secret"
[vasp.news]
vasp_id = "news"
username = "news"
password = "secret"
short_codes = ["4488"]
report_url = "http://127.0.0.1:{reports}/"
concurrency = 8
"""


@pytest.fixture
async def started() -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """The servers of a test; what still runs at its end is ended."""
    processes: list[asyncio.subprocess.Process] = []
    yield processes
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def start(config: Path, started: list[asyncio.subprocess.Process]) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "mmsc",
        "serve",
        "--config",
        str(config),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    started.append(process)
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while b"ready" not in await process.stdout.readline():
            pass
    return process


async def load(vasp: Client, accepted: set[str], stop: asyncio.Event, lane: int) -> None:
    """Submit until told to stop; what was answered 1000 is remembered."""
    number = 0
    while not stop.is_set():
        number += 1
        with contextlib.suppress(aiohttp.ClientError, OSError, AssertionError, asyncio.TimeoutError):
            to = NUMBERS[(lane + number) % len(NUMBERS)]
            answer = await vasp.submit(to, content=picture(), transaction_id=f"{lane}-{number}")
            if answer.status.code is mm7.StatusCode.SUCCESS:
                assert isinstance(answer, mm7.SubmitRsp)
                accepted.add(answer.message_id)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_every_accepted_mm_is_delivered(
    tmp_path: Path, started: list[asyncio.subprocess.Process], seed: int
) -> None:
    chance = random.Random(seed)
    smsc = VirtualSmsc({"mmsc": "secret"})
    await smsc.start()
    mm1_port, mm7_port = free_port(), free_port()
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
        contextlib.AsyncExitStack() as stack,
    ):
        vasp = Client(f"http://127.0.0.1:{mm7_port}/mm7", session)
        runner = web.ServerRunner(web.Server(vasp.take))
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        for number in NUMBERS:
            phone = await stack.enter_async_context(Handset(number, f"http://127.0.0.1:{mm1_port}/"))
            smsc.register(number, phone.on_push, phone.on_sms)
        config = tmp_path / "mmsc.toml"
        config.write_text(
            _CONFIG.format(folder=tmp_path, mm1=mm1_port, mm7=mm7_port, smsc=smsc.port, reports=runner.addresses[0][1])
        )
        accepted: set[str] = set()
        process = await start(config, started)
        for _ in range(3):
            stop = asyncio.Event()
            lanes = [asyncio.create_task(load(vasp, accepted, stop, lane)) for lane in range(8)]
            await asyncio.sleep(chance.uniform(0.1, 0.6))
            process.send_signal(signal.SIGKILL)
            await process.wait()
            stop.set()
            await asyncio.gather(*lanes)
            process = await start(config, started)
        reported: dict[str, str] = {}
        async with asyncio.timeout(60):
            while not accepted <= reported.keys():
                report = await vasp.reports.get()
                reported[report.message_id] = report.mm_status
        process.send_signal(signal.SIGTERM)
        await process.wait()
    await smsc.stop()
    assert len(accepted) > 20
    assert {reported[one] for one in accepted} == {"Retrieved"}
