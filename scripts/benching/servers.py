"""The server under test as a process of its own: product or floor, on free ports and a store that is thrown away."""

import asyncio
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benching.load import Usage

ROOT: Final = Path(__file__).resolve().parents[2]
_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Who listens where: MM1 and MM7 are the server's, SMSC and reports are the driver's."""

    mm1: int
    mm7: int
    smsc: int
    report: int


class ServerFailed(Exception):
    """The server did not start, or died; the text holds the end of its output."""


class Server:
    """A running child process."""

    def __init__(self, process: asyncio.subprocess.Process, output: Path) -> None:
        self._process = process
        self._output = output

    @classmethod
    async def start(
        cls, command: Sequence[str], folder: Path, port: int, environment: Mapping[str, str] | None = None
    ) -> "Server":
        """Start `command` and return when it listens on `port`. Raises ServerFailed."""
        output = folder / "output.txt"
        with output.open("wb") as sink:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env={**os.environ, **(environment or {})},
            )
        server = cls(process, output)
        try:
            await server._listening(port)
        except BaseException:
            await server.stop()
            raise
        return server

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def usage(self) -> Usage:
        """Processor time and memory up to now (Linux: /proc). Raises ServerFailed when the server is gone."""
        folder = Path("/proc") / str(self._process.pid)
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            pages = int((folder / "statm").read_text().split()[1])
        except OSError as error:
            raise ServerFailed(self._last_words()) from error
        ticks = int(fields[11]) + int(fields[12])  # utime and stime, proc(5)
        return Usage(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1e6)

    async def stop(self) -> None:
        """Ask it to stop as a user would (SIGINT: a profiler writes its result), then make it."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    def check(self) -> None:
        """Raises ServerFailed when it has died."""
        if self._process.returncode is not None:
            raise ServerFailed(self._last_words())

    def _last_words(self) -> str:
        text = self._output.read_text(errors="replace")
        return f"the server ended with status {self._process.returncode}:\n{text[-3000:]}"

    async def _listening(self, port: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            self.check()
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.05)
        raise ServerFailed(f"nothing listens on {port} after {_START_SECONDS:g} s\n{self._last_words()}")


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that are free now, below those that systems give to outgoing connections."""
    found: set[int] = set()
    while len(found) < count:
        port = random.randrange(10_240, 32_768)
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            found.add(port)
    return list(found)


def floor_command(ports: Ports, folder: Path, *, case: str, postgres: str = "") -> list[str]:
    """How the floor is started."""
    return [
        *(sys.executable, str(ROOT / "scripts" / "bench_floor.py")),
        *("--mm1", str(ports.mm1), "--mm7", str(ports.mm7), "--smsc", str(ports.smsc), "--report", str(ports.report)),
        *("--file", str(folder / "floor.db"), "--postgres", postgres, "--case", case),
    ]
