"""`mmsc serve` as a process with an SMSC that the test holds, and a whole server inside of the test."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import msgspec
import pytest

from mmsc.app import App
from mmsc.lab.smsc import VirtualSmsc
from mmsc.settings.model import Console
from tests.scenarios.conftest import lab, settings
from tests.tools import PATIENCE_SECONDS

FILE = """
[numbers]
own_prefixes = ["+1555"]
[log]
format = "json"
[mm1]
port = 0
[mm4]
port = 0
[mm7]
port = 0
[weblink]
port = 0
[console]
enabled = true
port = 0
[smsc.first]
port = FIRST
password = "secret"
[vasp.demo]
username = "demo"
password = "secret"
[subscriber."+15550000001"]
mms = "on"
"""


@dataclass
class Server:
    """One process, its file and its places."""

    process: asyncio.subprocess.Process
    config: Path
    console: str
    mm7: str
    log: Path

    def change(self, *pairs: tuple[str, str], more: str = "") -> None:
        """Write the file anew, with some of it replaced and something added."""
        text = self.config.read_text()
        for before, after in pairs:
            assert before in text
            text = text.replace(before, after)
        self.config.write_text(text + more)

    async def reload(self, wanted: str) -> str:
        """Send SIGHUP and wait for a line of the log that matches; what was logged meanwhile."""
        at = self.log.stat().st_size
        self.process.send_signal(signal.SIGHUP)
        return await self.logged(wanted, at)

    async def logged(self, wanted: str, at: int = 0) -> str:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                said = self.log.read_bytes()[at:].decode()
                if re.search(wanted, said):
                    return said
                await self.get("/healthz")  # a turn of its loop and of ours

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{self.console}{path}", headers=headers) as answer,
        ):
            return answer.status, await answer.text()

    async def metric(self, name: str) -> float:
        """A sample of /metrics, by its name with labels as they are written there."""
        _, text = await self.get("/metrics")
        found = re.search(rf"^{re.escape(name)} (.+)$", text, re.MULTILINE)
        assert found, f"no {name}"
        return float(found[1])


@asynccontextmanager
async def serving(folder: Path, text: str, **variables: str) -> AsyncIterator[Server]:
    """`mmsc serve` until the end of the block."""
    config, log = folder / "mmsc.toml", folder / "log"
    config.write_text(text)
    environment = {**os.environ, "XDG_STATE_HOME": str(folder), **variables}
    command = (sys.executable, "-m", "mmsc", "serve", "--config", str(config))
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=errors
        )
    try:
        assert process.stdout is not None
        places: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in process.stdout:
                if found := re.match(r"(console, REST|MM7, VASPs) +http://([^/]+)", line.decode()):
                    places[found[1]] = found[2]
                if line.startswith(b"ready"):
                    break
        assert len(places) == 2, log.read_text()
        yield Server(process, config, places["console, REST"], f"http://{places['MM7, VASPs']}/mm7", log)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(20):
                    await process.communicate()
            except TimeoutError:
                process.kill()
                await process.communicate()


@pytest.fixture
async def smsc() -> AsyncIterator[VirtualSmsc]:
    """An SMSC of the test's own."""
    one = VirtualSmsc()
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
async def server(tmp_path: Path, smsc: VirtualSmsc) -> AsyncIterator[Server]:
    """A process bound to `smsc`."""
    async with serving(tmp_path, FILE.replace("FIRST", str(smsc.port))) as one:
        await bound(smsc)
        yield one


async def bound(smsc: VirtualSmsc, number: int = 1) -> list[object]:
    """The sessions of an SMSC, when there are so many and all of them bound."""
    turn = asyncio.Event()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(smsc._sessions) != number or not all(one.system_id for one in smsc._sessions):
            asyncio.get_running_loop().call_later(0.01, turn.set)
            await turn.wait()
            turn.clear()
    return list(smsc._sessions)


@pytest.fixture
async def app(tmp_path: Path, smsc: VirtualSmsc) -> AsyncIterator[App]:
    """A server inside of the test, with its console."""
    given = settings(tmp_path, smsc.port, "http://127.0.0.1:1/")
    given = msgspec.structs.replace(given, console=Console(enabled=True, port=0))
    async with App(given, synchronous="OFF") as one:
        await bound(smsc)
        yield one


async def get(app: App, path: str, **headers: str) -> tuple[int, str]:
    """A page of the console's listener."""
    host, port = app.listeners["console"]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{host}:{port}{path}", headers=headers) as answer,
    ):
        return answer.status, await answer.text()


__all__ = ["lab"]
