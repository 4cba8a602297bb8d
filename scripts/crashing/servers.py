"""The processes that are killed: nodes of the MMSC, and the PostgreSQL they share. Each is ended by its pid."""

import asyncio
import os
import random
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crashing.far import DOMAIN, HOME
from mmsc.lab.database import DatabaseError, ThrowawayPostgres

ROOT: Final = Path(__file__).resolve().parents[2]
PROGRAM: Final = (sys.executable, "-m", "mmsc")
START_SECONDS: Final = 60.0
_CONFIG: Final = """
[node]
name = "{name}"
number = {number}
domain = "{home}"
[numbers]
own_prefixes = ["+1555"]
default_smsc = "local"
[notification]
renotify_after_seconds = [3.0]
unacknowledged_after_seconds = 60.0
[delivery.smsc]
waits_seconds = [0.5]
timeout_seconds = 5.0
[delivery.peer]
waits_seconds = [0.5]
timeout_seconds = 10.0
[delivery.vasp]
waits_seconds = [0.5]
timeout_seconds = 10.0
[lanes]
first_pause_seconds = 0.1
longest_pause_seconds = 1.0
[store]
{store}
[trace]
captures_path = "{folder}/captures-{name}"
captures_maximum_octets = 16777216
[mm1]
port = {mm1}
[mm4]
port = {mm4}
resend_after_seconds = [5.0]
[mm7]
port = {mm7}
[weblink]
port = {weblink}
[smsc.local]
port = {smsc}
system_id = "mmsc"
password = "secret"
[peer.far]
domain = "{far}"
host = "127.0.0.1"
port = {peer}
prefixes = ["+1666"]
[vasp.news]
vasp_id = "news"
username = "news"
password = "secret"
short_codes = ["4488"]
report_url = "http://127.0.0.1:{reports}/"
concurrency = 8
"""


class ServerFailed(Exception):
    """A process did not start or ended by itself; the text holds its last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhood:
    """The ports of those who live as long as the run."""

    smsc: int
    peer: int
    reports: int


class Node:
    """One `mmsc serve`, started again and again on the same ports and the same store."""

    def __init__(
        self,
        number: int,
        folder: Path,
        store: str,
        around: Neighbourhood,
        old_phones: Sequence[str],
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self.name = f"node{number}"
        self.ports = dict(zip(("mm1", "mm4", "mm7", "weblink"), free_ports(4), strict=True))
        self._program = program
        self._folder = folder
        self._config = folder / f"{self.name}.toml"
        text = _CONFIG.format(
            name=self.name,
            number=number,
            home=HOME,
            far=DOMAIN,
            folder=folder,
            store=store,
            smsc=around.smsc,
            peer=around.peer,
            reports=around.reports,
            **self.ports,
        )
        text += "".join(f'[subscriber."{one}"]\nmms = "off"\n' for one in old_phones)
        self._config.write_text(text)
        self._output = folder / f"{self.name}.log"
        self._process: asyncio.subprocess.Process | None = None
        self._drain: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process, without waiting for it."""
        with self._output.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *(*self._program, "serve", "--config", str(self._config)),
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    async def ready(self) -> None:
        """Wait until it says so. Raises ServerFailed."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(START_SECONDS):
                while line := await self._process.stdout.readline():
                    if b"ready" in line:
                        self._drain = asyncio.create_task(_drain(self._process.stdout))
                        return
        except TimeoutError as error:
            raise ServerFailed(f"{self.name} is not ready after {START_SECONDS:g} s: {self.last_words()}") from error
        await self._process.wait()
        raise ServerFailed(f"{self.name} ended with status {self._process.returncode}: {self.last_words()}")

    def check(self) -> None:
        """Raises ServerFailed when it ended by itself."""
        if self._process is None or self._process.returncode is not None:
            raise ServerFailed(f"{self.name} ended by itself: {self.last_words()}")

    async def kill(self) -> None:
        """SIGKILL, and wait until the system has taken it away."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL after a while."""
        try:
            async with asyncio.timeout(20):
                await self._end(signal.SIGTERM)
        except TimeoutError:
            await self._end(signal.SIGKILL)

    async def _end(self, number: int) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
        await self._process.wait()
        if self._drain is not None:
            self._drain.cancel()
            await asyncio.gather(self._drain, return_exceptions=True)
            self._drain = None

    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        return self._output.read_text(errors="replace")[-2000:]


class Postgres:
    """A database server of our own. fsync is off: a killed process loses no page."""

    def __init__(self) -> None:
        self._server = ThrowawayPostgres({"fsync": "off", "max_connections": "60"})

    @property
    def dsn(self) -> str:
        """Its address, once it is made."""
        return self._server.dsn

    async def make(self) -> None:
        """The cluster's files. Raises ServerFailed."""
        await self._do(self._server.make)

    async def start(self) -> None:
        """Start the postmaster, without waiting for it; it recovers what a kill left."""
        await self._do(self._server.begin)

    async def ready(self) -> None:
        """Wait until it takes connections. Raises ServerFailed."""
        await self._do(self._server.wait_until_ready)

    def check(self) -> None:
        """Raises ServerFailed when it ended by itself."""
        try:
            self._server.check()
        except DatabaseError as error:
            raise ServerFailed(str(error)[-2000:]) from error

    async def kill(self) -> None:
        """SIGKILL to the postmaster and to each of its children, all at once as the OOM killer might."""
        await self._do(self._server.kill)

    def remove(self) -> None:
        """Throw its files away."""
        self._server.stop()

    async def _do(self, work: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(work)
        except DatabaseError as error:
            raise ServerFailed(str(error)[-2000:]) from error


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(65_536):
        pass


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that are free now, below those that systems give to outgoing connections."""
    found: set[int] = set()
    while len(found) < count:
        port = random.randrange(10_240, 32_768)
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            found.add(port)
    return list(found)
