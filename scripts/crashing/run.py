"""One run: neighbours that stay, processes that are killed, load all the time, and the verdict at the end."""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from crashing.far import DOMAIN, Far
from crashing.handsets import OldPhone, Phone
from crashing.ledger import Ledger, Sent
from crashing.patience import Chores
from crashing.servers import PROGRAM, Neighbourhood, Node, Postgres, ServerFailed
from crashing.vasp import CrashVasp
from mmsc.clock import Clock
from mmsc.lab.smsc import VirtualSmsc
from mmsc.net.smtp import SmtpLimits, SmtpServer
from mmsc.trace.captures import WireTap

__all__ = ["ALL", "NODE", "POSTGRES", "SERVER", "Options", "Run", "ServerFailed"]

SERVER: Final = "server"
NODE: Final = "node"  # one of two on one database
POSTGRES: Final = "postgres"
_LAST_OCTETS_SECONDS: Final = 0.02  # what a killed server had sent is read
ALL: Final = "all"

PHONES: Final = tuple(f"+155501002{number:02d}" for number in range(20))
OLD_PHONES: Final = tuple(f"+155501009{number:02d}" for number in range(5))
FAR_PHONES: Final = tuple(f"+166601001{number:02d}" for number in range(10))

_LANES: Final = 8  # originators at work
_UNFINISHED: Final = 120  # recipients under way; beyond it the originators wait
_LARGEST: Final = 40_000  # octets of a content
_LOAD_SECONDS: Final = (0.02, 0.9)  # from ready to the kill
_EARLY: Final = 0.15  # how many kills hit a server that is still starting
_EARLY_SECONDS: Final = 0.8
_SETTLE_SECONDS: Final = 180.0  # leases (60 s) may have to run out, and what stood behind them is sent again


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asked for. `keep` is a folder, "" for one that is thrown away; `program` is the command
    that `serve --config FILE` is given to."""

    kills: int
    seed: int
    target: str
    store: str
    keep: str = ""
    program: tuple[str, ...] = PROGRAM


class Run:
    """`play` once."""

    def __init__(self, options: Options, say: Callable[[str], None] = lambda text: None) -> None:
        self._options = options
        self._say = say
        self._plan = random.Random(options.seed)
        self._traffic = random.Random(options.seed + 1)
        self._ledger = Ledger()
        self._chores = Chores()
        self._nodes: list[Node] = []
        self._postgres: Postgres | None = None
        self._stopping = asyncio.Event()
        self._number = 0
        self._killed: dict[str, int] = {}
        self._smsc = VirtualSmsc({"mmsc": "secret"})

    async def play(self) -> tuple[dict[str, object], list[str]]:
        """The figures, and the promises that were broken. Raises ServerFailed when the run could not be held."""
        began = time.monotonic()
        async with AsyncExitStack() as stack:
            folder = Path(self._options.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="mmsc-crash-")))
            await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
            vasp, far = await self._neighbours(stack, folder)
            async with asyncio.TaskGroup() as group:
                lanes = [group.create_task(self._load(vasp, far)) for _ in range(_LANES)]
                try:
                    await self._kills()
                finally:
                    self._stopping.set()
                _, refused = await asyncio.wait(lanes, timeout=_SETTLE_SECONDS)
                for lane in refused:
                    self._ledger.problem(f"an MM was not accepted {_SETTLE_SECONDS:g} s after the last kill")
                    lane.cancel()
            await self._settle()
        self._ledger.life_ended()
        lost = self._ledger.judge()
        for error in self._chores.errors:
            self._ledger.problem(f"a neighbour failed: {error!r}")
        return self._figures(lost, time.monotonic() - began), self._ledger.problems

    async def _neighbours(self, stack: AsyncExitStack, folder: Path) -> tuple[CrashVasp, Far]:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=10), connector=aiohttp.TCPConnector(limit=0, force_close=False)
            )
        )
        vasp = CrashVasp(self._ledger, session, self._traffic)
        far = Far(self._ledger, self._chores, self._traffic)
        smsc = self._smsc
        await smsc.start()
        stack.push_async_callback(smsc.stop)
        for number in PHONES:
            phone = Phone(number, self._ledger, self._chores, session)
            smsc.register(number, phone.on_push, phone.on_sms)
        for number in OLD_PHONES:
            old = OldPhone(number, self._ledger, self._chores, session)
            smsc.register(number, old.on_push, old.on_sms)
        tap = WireTap("mm4", None, Clock())
        listener = SmtpServer(far, "127.0.0.1", 0, hostname=DOMAIN, limits=SmtpLimits(), tap=tap)
        await listener.start()
        stack.push_async_callback(listener.stop)
        runner = web.ServerRunner(web.Server(vasp.take))
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        around = Neighbourhood(smsc=smsc.port, peer=listener.port, reports=int(runner.addresses[0][1]))
        stack.push_async_callback(self._chores.stop)
        await self._servers(stack, folder, around)
        vasp.urls = [f"http://127.0.0.1:{node.ports['mm7']}/mm7" for node in self._nodes]
        far.ports = [node.ports["mm4"] for node in self._nodes]
        return vasp, far

    async def _servers(self, stack: AsyncExitStack, folder: Path, around: Neighbourhood) -> None:
        store = f'path = "{folder}/mmsc.db"'
        if self._options.store == "postgres":
            self._postgres = Postgres()
            stack.callback(self._postgres.remove)
            await self._postgres.make()
            await self._postgres.start()
            stack.push_async_callback(self._postgres.kill)
            await self._postgres.ready()
            store = f'postgres = "{self._postgres.dsn}"'
        for number in range(2 if self._options.target in (NODE, ALL) else 1):
            node = Node(number, folder, store, around, OLD_PHONES, self._options.program)
            stack.push_async_callback(node.stop)
            self._nodes.append(node)
            await node.start()
            await node.ready()

    # --- the load ---

    async def _load(self, vasp: CrashVasp, far: Far) -> None:
        while not self._stopping.is_set():
            if self._ledger.open >= _UNFINISHED:
                await asyncio.sleep(0.02)
                continue
            self._number += 1
            number = self._number
            from_far = self._traffic.random() < 0.2
            sent = self._new_mm(number, from_far=from_far)
            self._ledger.will_send(sent)
            if from_far:
                await far.send(sent, number)
            else:
                await vasp.submit(sent)
            await asyncio.sleep(0.01)

    def _new_mm(self, number: int, *, from_far: bool) -> Sent:
        chance = self._traffic
        reachable = PHONES if from_far else (*PHONES, *OLD_PHONES, *FAR_PHONES)
        recipients = chance.sample(reachable, chance.choice((1, 1, 2, 5)))
        octets = chance.randbytes(chance.randrange(10, _LARGEST))
        return Sent(f"crash-{number}", frozenset(recipients), octets, res_owed=from_far)

    # --- the kills ---

    async def _kills(self) -> None:
        for number in range(1, self._options.kills + 1):
            early = self._plan.random() < _EARLY
            load_seconds = self._plan.uniform(*_LOAD_SECONDS)
            early_seconds = self._plan.uniform(0, _EARLY_SECONDS)
            await asyncio.sleep(load_seconds)
            await self._one(self._victim(), early_seconds if early and number < self._options.kills else None)
            self._say(
                f"{number} of {self._options.kills} kills, {len(self._ledger.accepted_mms)} MMs accepted,"
                f" {self._ledger.open} recipients open, {self._ledger.problem_count} problems"
            )

    def _victim(self) -> Node | Postgres:
        """A child process of the server would be one more: there is none yet."""
        candidates: list[Node | Postgres] = []
        if self._options.target != POSTGRES:
            candidates += self._nodes
        if self._options.target in (POSTGRES, ALL) and self._postgres is not None:
            candidates.append(self._postgres)
        return self._plan.choice(candidates)

    async def _one(self, victim: Node | Postgres, early_seconds: float | None) -> None:
        victim.check()
        await victim.kill()
        self._ledger.life_ended()
        self._count(victim)
        await asyncio.sleep(_LAST_OCTETS_SECONDS)
        self._smsc.reassembly.forget()  # else one of them meets a later push with the same 8-bit reference
        await victim.start()
        if early_seconds is not None and isinstance(victim, Node):
            await asyncio.sleep(early_seconds)
            await victim.kill()
            self._killed["while starting"] = self._killed.get("while starting", 0) + 1
            await victim.start()
        await victim.ready()

    def _count(self, victim: Node | Postgres) -> None:
        name = victim.name if isinstance(victim, Node) else POSTGRES
        self._killed[name] = self._killed.get(name, 0) + 1

    # --- the end ---

    async def _settle(self) -> None:
        """Until every report has come, or for as long as the slowest honest way takes."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _SETTLE_SECONDS
        while loop.time() < deadline and (self._ledger.open or self._ledger.unanswered):
            self._say(f"settling: {self._ledger.open} recipients open")
            await asyncio.sleep(0.1)
        for node in self._nodes:
            node.check()
        await asyncio.sleep(0.5)  # a report too many would come now

    def _figures(self, lost: int, seconds: float) -> dict[str, object]:
        accepted = self._ledger.accepted_mms
        return {
            "seed": self._options.seed,
            "kills": sum(self._killed.values()),
            "killed": self._killed,
            "store": self._options.store,
            "accepted_mms": len(accepted),
            "recipients": sum(len(one.recipients) for one in accepted),
            **{name.replace(" ", "_"): count for name, count in sorted(self._ledger.counts.items())},
            "lost": lost,
            "problems": self._ledger.problem_count,
            "seconds": round(seconds, 1),
        }
