"""One run of one side: its servers are started, the plan is played, and everything is thrown away."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benching import octets
from benching.cases import STORED_BODIES, STORED_MESSAGES, Side
from benching.load import Figures, Plan, Usage, WireError
from benching.neighbours import Neighbours
from benching.product import NOTIFY_PATH, product_command
from benching.servers import ROOT, Ports, Server, ServerFailed, floor_command, free_ports
from benching.watchers import watching

Say = Callable[[str], None]
_DROP_TASKS: Final = (
    "DELETE FROM task WHERE EXISTS (SELECT 1 FROM mm WHERE mm.id = task.mm_id AND origin = 'mm7' AND neighbour = ?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What runs stand on: a PostgreSQL server, a store that is full, where a profile goes."""

    postgres: str = ""
    stored: Path | None = None
    profile: Path | None = None


async def one_run(side: Side, plan: Plan, ground: Ground, say: Say) -> Figures:
    """Start the servers and the neighbours afresh, play the plan once. Raises WireError, ServerFailed, OSError."""
    if side.stored and ground.stored is not None:
        await asyncio.to_thread(drop_tasks, ground.stored)
    console, smsc, report, *own = free_ports(3 + 2 * side.nodes)
    every = [Ports(mm1=own[2 * n], mm7=own[2 * n + 1], smsc=smsc, report=report) for n in range(side.nodes)]
    with tempfile.TemporaryDirectory(prefix="mmsc-bench-") as name:
        also = [ports.mm7 for ports in every[1:]]
        async with Neighbours(plan, every[0], NOTIFY_PATH, also=also) as neighbours, AsyncExitStack() as stack:
            if ground.postgres:
                stack.push_async_callback(_drop, ground.postgres, _schema(every))
            servers: list[Server] = []
            for number, ports in enumerate(every, 1):
                folder = Path(name) / str(number)
                folder.mkdir()
                server = await Server.start(
                    _command(_with_console(side, console), plan, ground, every, number, folder), folder, ports.mm7
                )
                stack.push_async_callback(server.stop)
                servers.append(server)
            if side.stalled:
                await stack.enter_async_context(watching(console, side.stalled))
            try:
                return await neighbours.run(lambda: _together(servers), lambda ended: say(f"{side.name} {ended}"))
            except (WireError, OSError, TimeoutError):
                for server in servers:
                    server.check()  # a server that died says more than the broken connection
                raise


def _command(side: Side, plan: Plan, ground: Ground, every: Sequence[Ports], number: int, folder: Path) -> list[str]:
    postgres = ground.postgres
    ports = every[number - 1]
    if side.is_floor:
        return floor_command(ports, folder, case=plan.case, postgres=postgres)
    return product_command(
        ports,
        folder,
        postgres=postgres,
        profile=ground.profile,
        store=ground.stored if side.stored else None,
        more=side.settings,
        sections=side.sections,
        node=number,
        schema=_schema(every),
    )


def _with_console(side: Side, port: int) -> Side:
    """With a console, where somebody is to look."""
    return (
        replace(side, sections=f"{side.sections}[console]\nport = {port}\nenabled = true\n") if side.stalled else side
    )


def _schema(every: Sequence[Ports]) -> str:
    return f"bench_{every[0].mm7}"


def _together(servers: Sequence[Server]) -> Usage:
    usages = [server.usage() for server in servers]
    return Usage(sum(one.cpu_seconds for one in usages), sum(one.rss_mb for one in usages))


def fill(folder: Path, messages: int = STORED_MESSAGES, bodies: int = STORED_BODIES) -> Path:
    """A store with so many MMs that have ended. Raises ServerFailed."""
    script = ROOT / "scripts" / "fill_store.py"
    if not script.exists():
        raise ServerFailed(f"{script} is not there, so there is no full store to measure")
    file = folder / "stored.db"
    command = [sys.executable, str(script), "--messages", str(messages), "--bodies", str(bodies), str(file)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL)  # it tells standard error how it goes
    if done.returncode:
        raise ServerFailed(f"scripts/fill_store.py ended with status {done.returncode}")
    return file


def drop_tasks(file: Path) -> None:
    """What earlier runs left waiting is no part of the next one: a full store begins without tasks, as it was filled.
    Only the bench's own MMs are looked at. Raises ServerFailed."""
    try:
        with contextlib.closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as store, store:
            store.execute(_DROP_TASKS, (octets.VASP_NAME,))
    except sqlite3.Error as error:
        raise ServerFailed(f"{file} cannot be used: {error}") from error


async def _drop(url: str, schema: str) -> None:
    """A run's schema is its own; the next one begins alike."""
    import asyncpg

    with contextlib.suppress(OSError, asyncpg.PostgresError):
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
        finally:
            await connection.close()
