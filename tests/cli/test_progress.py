"""A long step shows how it goes on a terminal: a real one, made with a pty."""

import asyncio
import os
import pty
import sys
from collections.abc import AsyncIterator

import pytest
from aiohttp import web


@pytest.fixture
async def slow() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """An MMSC that reads a little and then waits until it is told to go on."""
    go_on = asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.Response:
        await go_on.wait()
        await request.read()
        return web.Response(text="no SOAP")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/", go_on
    await runner.cleanup()


async def test_submit_tells_what_it_waits_for(slow: tuple[str, asyncio.Event]) -> None:
    url, go_on = slow
    ours, theirs = pty.openpty()
    command = (sys.executable, "-m", "mmsc", "submit", "--url", url, "--to", "4488", "--text", "x")
    process = await asyncio.create_subprocess_exec(*command, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(30):
            while b"waiting for the answer" not in seen:
                seen += await loop.run_in_executor(None, os.read, ours, 4096)
            go_on.set()
            while b"without an MM7 answer" not in seen:
                seen += await loop.run_in_executor(None, os.read, ours, 4096)
            assert await process.wait() == 3
    finally:
        os.close(ours)
    told, _, after = seen.rpartition(b"\r\x1b[K")
    assert b"waiting for the answer" in told
    assert after.startswith(b"Error: "), "the line is taken away before the answer is told"


async def test_a_file_gets_no_progress(slow: tuple[str, asyncio.Event]) -> None:
    url, go_on = slow
    command = (sys.executable, "-m", "mmsc", "submit", "--url", url, "--to", "4488", "--text", "x", "--timeout", "1.5")
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    go_on.set()
    assert said.decode() == f"Error: no answer from {url} within 1.5 s\n"
