"""What `mmsc cluster` plays on: a throwaway PostgreSQL, nodes of their own processes on it, a balancer before them, an
SMSC, handsets and a VASP; and the table of who did what, read from the events in the database."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mmsc.lab.balancer import Balancer
from mmsc.lab.database import ThrowawayPostgres
from mmsc.lab.handset import Handset
from mmsc.lab.smsc import VirtualSmsc
from mmsc.lab.vasp import VirtualVasp

NUMBERS: Final = tuple(f"+155501003{number:02d}" for number in range(8))
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0
_NODE_NUMBERS: Final = 1024  # the lowest ten bits of each id are the number of the node that made it
COLUMNS: Final = {
    "accepted": "mm.accepted",
    "pushed": "notification.pushed",
    "served": "mm.fetched",
    "reported": "report.delivered",
}
_COUNTS: Final = (
    f"SELECT node.name, event.kind, COUNT(*) FROM event JOIN node ON node.number = event.id % {_NODE_NUMBERS}"
    " WHERE event.kind = ANY ($1::text[]) GROUP BY 1, 2"
)
_TAKEN_OVER: Final = (
    "SELECT data::json ->> 'node', data::json ->> 'by', data::json ->> 'tasks' FROM event WHERE kind = $1"
)
_CONFIG: Final = """
[store]
postgres = "{dsn}"
[trace]
captures_path = "{folder}/captures"
[numbers]
own_prefixes = ["+1555"]
default_smsc = "lab"
[notification]
renotify_after_seconds = [2.0]
unacknowledged_after_seconds = 2.0
[delivery.vasp]
waits_seconds = [0.5]
[mm1]
port = 0
public_url = "http://127.0.0.1:{mm1}"
[mm4]
enabled = false
[mm7]
port = 0
[weblink]
enabled = false
[smsc.lab]
port = {smsc}
system_id = "mmsc"
password = "secret"
[vasp.news]
vasp_id = "news"
username = "news"
password = "secret"
short_codes = ["4488"]
report_url = "{reports}"
"""


class NodeFailed(Exception):
    """A node did not start. The text is what it said."""


@dataclass
class Node:
    """A process with one node."""

    name: str
    process: asyncio.subprocess.Process
    mm1: tuple[str, int]
    mm7: tuple[str, int]
    alive: bool = True

    async def kill(self) -> None:
        """SIGKILL: nothing is handed back, nothing said."""
        self.alive = False
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        """SIGTERM, and whatever follows."""
        if self.process.returncode is None:
            self.process.terminate()
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await self.process.wait()
            except TimeoutError:
                self.process.kill()
                await self.process.wait()


@dataclass
class ClusterStage:
    """Everything that plays."""

    nodes: list[Node]
    vasp: VirtualVasp
    handsets: dict[str, Handset]
    database: Any
    mm1: Balancer
    mm7: Balancer
    config: Path
    dsn: str

    async def counts(self) -> dict[str, dict[str, int]]:
        """What each node did so far, by column of the table."""
        columns = {kind: column for column, kind in COLUMNS.items()}
        found = {node.name: dict.fromkeys(COLUMNS, 0) for node in self.nodes}
        for name, kind, count in await self.database.fetch(_COUNTS, list(columns)):
            found[name][columns[kind]] = count
        return found

    async def taken_over(self) -> list[str]:
        """Sentences about nodes that were taken for dead."""
        rows = await self.database.fetch(_TAKEN_OVER, "node.taken_over")
        return [f"node {node} is dead: node {by} freed the {tasks} tasks that it held" for node, by, tasks in rows]


@asynccontextmanager
async def set_up(folder: Path, nodes: int) -> AsyncIterator[ClusterStage]:
    """Start everything; stop it in reverse. Raises `DatabaseError` and `NodeFailed`."""
    import asyncpg

    async with AsyncExitStack() as stack:
        postgres = ThrowawayPostgres()
        stack.push_async_callback(asyncio.to_thread, postgres.stop)
        await asyncio.to_thread(postgres.start)
        smsc, mm1, mm7 = VirtualSmsc({"mmsc": "secret"}), Balancer(()), Balancer(())
        for part in (smsc, mm1, mm7):
            await part.start()
            stack.push_async_callback(part.stop)
        vasp = VirtualVasp(f"http://127.0.0.1:{mm7.port}/mm7", vasp_id="news", username="news", password="secret")
        await vasp.listen()
        stack.push_async_exit(vasp.__aexit__)
        config = folder / "nodes.toml"
        text = _CONFIG.format(dsn=postgres.dsn, folder=folder, mm1=mm1.port, smsc=smsc.port, reports=vasp.report_url)
        config.write_text(text, encoding="utf-8")
        names = [chr(ord("a") + number) for number in range(nodes)]
        started = await asyncio.gather(*(_start(name, config, stack) for name in names))
        mm1.targets[:] = [node.mm1 for node in started]
        mm7.targets[:] = [node.mm7 for node in started]
        handsets = {}
        for number in NUMBERS:
            handset = await stack.enter_async_context(Handset(number, f"http://127.0.0.1:{mm1.port}/"))
            smsc.register(number, _patient(handset), handset.on_sms)
            handsets[number] = handset
        database = await asyncpg.connect(postgres.dsn, server_settings={"search_path": "mmsc"})
        stack.push_async_callback(database.close)
        yield ClusterStage(started, vasp, handsets, database, mm1, mm7, config, postgres.dsn)


def _patient(handset: Handset) -> Callable[[bytes], Awaitable[None]]:
    """A handset whose requests may be cut: it is told again."""
    import aiohttp

    async def on_push(octets: bytes) -> None:
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            await handset.on_push(octets)

    return on_push


async def _start(name: str, config: Path, stack: AsyncExitStack) -> Node:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mmsc", "serve", "--config", str(config), "--node", name),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    places: dict[str, tuple[str, int]] = {}
    said: list[str] = []
    assert process.stdout is not None, "it was asked for"
    try:
        async with asyncio.timeout(_START_SECONDS):
            while line := (await process.stdout.readline()).decode(errors="replace").strip():
                said.append(line)
                interface, _, url = line.partition(",")
                if interface in ("MM1", "MM7"):
                    host, _, port = url.rpartition("//")[2].partition("/")[0].rpartition(":")
                    places[interface] = (host, int(port))
                if line.startswith("ready"):
                    break
    except TimeoutError:
        said.append(f"not ready after {_START_SECONDS:g} s")
    node = Node(name, process, places.get("MM1", ("", 0)), places.get("MM7", ("", 0)))
    stack.push_async_callback(node.stop)
    if len(places) < 2:
        raise NodeFailed(f"node {name}: {'; '.join(said)}")
    hearing = asyncio.create_task(_drain(process.stdout))
    stack.callback(hearing.cancel)
    return node


async def _drain(output: asyncio.StreamReader) -> None:
    """A node that says much must not wait for a reader."""
    with contextlib.suppress(ValueError):
        while await output.read(65536):
            pass
