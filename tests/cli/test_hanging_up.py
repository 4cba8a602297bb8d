"""SIGHUP at a server without a settings file: a line in the log, and it goes on, unless its terminal is gone."""

import asyncio
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.tools import PATIENCE_SECONDS, STOP_PATIENCE_SECONDS

_PORTS = {f"MMSC_{name}__PORT": "0" for name in ("MM1", "MM3", "MM4", "MM7", "WEBLINK", "CONSOLE", "BUILTIN_SMSC")}
_SAID = b"SIGHUP: there is no settings file to read again; everything goes on as it is"
_SERVE, _LAB = ("serve",), ("lab", "--ports", "auto", "--no-far")


@asynccontextmanager
async def running(
    command: tuple[str, ...], ready: bytes, folder: Path, stdin: int = asyncio.subprocess.DEVNULL
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command as a process, when it has said that it is ready."""
    environment = {name: value for name, value in os.environ.items() if name != "MMSC_CONFIG"}
    environment |= {"XDG_STATE_HOME": str(folder), **(_PORTS if command == _SERVE else {})}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mmsc", *command, env=environment, stdin=stdin, stdout=pipe, stderr=pipe
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while line := await process.stdout.readline():
                if line.startswith(ready):
                    break
        assert line, await _ended(process)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def _ended(process: asyncio.subprocess.Process) -> tuple[int | None, bytes]:
    async with asyncio.timeout(STOP_PATIENCE_SECONDS):
        _, errors = await process.communicate()
    return process.returncode, errors


@pytest.mark.parametrize(("command", "ready"), [(_SERVE, b"ready;"), (_LAB, b"{")])
async def test_it_says_that_there_is_no_file_and_goes_on(
    command: tuple[str, ...], ready: bytes, tmp_path: Path
) -> None:
    async with running(command, ready, tmp_path) as process:
        assert process.stderr is not None
        for _ in range(2):
            process.send_signal(signal.SIGHUP)
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert _SAID in await process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        status, errors = await _ended(process)
    assert (status, errors) == (0, b"stopping ...\nstopped\n" if command == _SERVE else b"")


async def test_a_terminal_that_is_gone_stops_it_as_sigterm_does(tmp_path: Path) -> None:
    terminal, its_side = pty.openpty()
    async with running(_SERVE, b"ready;", tmp_path, its_side) as process:
        os.close(its_side)
        os.close(terminal)
        process.send_signal(signal.SIGHUP)
        assert await _ended(process) == (0, b"stopping ...\nstopped\n")
