"""A story: processes, a database, neighbours and a seed. First everything goes wrong that the seed wants, then nothing
does; and then everything that was accepted must have ended.
"""

import asyncio
import hashlib
from collections.abc import Coroutine
from typing import Any, Final

from mmsc.clock import VIRTUAL_START, ClockState
from mmsc.domain.address import Address
from mmsc.domain.instant import SECOND
from mmsc.domain.neighbours import FallbackReport, MmsFlag, Peer, Smsc, Subscriber, Vasp
from mmsc.engine.directory import Neighbour
from mmsc.store.core import StoreBusy, StoreUnavailable
from mmsc.trace.events import Event
from protocols import mm1
from protocols.mm1 import MDeliveryInd, MNotificationInd, MReadOrigInd
from protocols.wsp.push import decode_push
from tests.simulation import peer, smsc, vasp
from tests.simulation.chance import HABITS, Chance, Options
from tests.simulation.database import Database
from tests.simulation.handset import Handset
from tests.simulation.node import Cut, Node
from tests.simulation.operator import Operator
from tests.simulation.watch import Watch

SUBSCRIBERS: Final = tuple(f"+1555010010{digit}" for digit in range(5))
SHORT_CODE: Final = "4488"
FOREIGNERS: Final = tuple(f"+1666010010{digit}" for digit in range(4))
_FLAGS: Final = (MmsFlag.ON, MmsFlag.ON, MmsFlag.UNKNOWN, MmsFlag.OFF, MmsFlag.UNKNOWN)
_NAMES: Final = ("a", "b")
_LONGEST_DOWN_SECONDS: Final = 90.0  # a lease and a half


class World:
    """What a story is made of. `crash_at`: the process that makes this commit (from 1) dies with it."""

    def __init__(self, options: Options, crash_at: int = 0) -> None:
        loop = asyncio.get_running_loop()
        self.loop = loop
        self.options = options
        self.chance = Chance(options.seed, options.fault_level)
        self._set_forward = 0
        self.watch = Watch(self.object_to, loop.time)
        self.database = Database(self.watch, self.wall)
        self.violations: list[str] = []
        self.story: list[str] = []
        self.clock_state: ClockState | None = None
        self.nodes: dict[str, Node] = {}
        self.commits = 0  # since the first start was over
        self.crashes = 0
        self.given: dict[str, tuple[str, ...]] = {}  # Message-ID of what was answered positively, and to whom it goes
        self.pushed_reports: list[tuple[str, MDeliveryInd]] = []
        self.smsc = smsc.Smsc(self)
        self.vasp = vasp.Vasp(self)
        self.peer = peer.Peer(self)
        self.handsets = {
            number: Handset(self, number, self.chance.pick(HABITS), denies=self.chance.happens(0.15))
            for number in SUBSCRIBERS
        }
        self.operator = Operator(self)
        self._crash_at = crash_at
        self._armed = False
        self._over = False
        self._starts = 0
        self._tasks: dict[asyncio.Task[Any], None] = {}  # in the order of their start
        self.failed = asyncio.Event()
        loop.set_exception_handler(self._unhandled)

    # --- what everybody uses ---

    def wall(self) -> int:
        """The host's clock, microseconds UTC."""
        return VIRTUAL_START + round(self.loop.time() * SECOND) + self._set_forward

    def set_clock(self, seconds: float) -> None:
        """Somebody sets the host's clock, or the host slept."""
        self._set_forward += round(seconds * SECOND)

    def keep_clock(self, state: ClockState) -> None:
        """What the lab did to service time outlives the process."""
        self.clock_state = state

    def say(self, text: str) -> None:
        """A line of the story."""
        self.story.append(f"{self.loop.time():10.3f} {text}")

    def told(self, event: Event) -> None:
        """The engine published an event."""
        self.say(f"    {event.data}")

    def object_to(self, text: str) -> None:
        """An invariant does not hold."""
        self.say(f"VIOLATION {text}")
        self.violations.append(text)
        self.failed.set()

    def digest(self) -> str:
        """The story in few letters: the same for the same seed."""
        return hashlib.sha256("\n".join(self.story).encode()).hexdigest()[:16]

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Something a neighbour does."""
        task = self.loop.create_task(work)
        self.keep(task)
        return task

    def keep(self, task: "asyncio.Task[Any] | asyncio.Future[Any]") -> None:
        """Somebody must hear if it fails."""
        assert isinstance(task, asyncio.Task)
        self._tasks[task] = None
        task.add_done_callback(self._neighbour_did)

    def _neighbour_did(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.pop(task, None)
        if not task.cancelled():
            error = task.exception()
            if error is not None and not isinstance(error, Cut):
                self.object_to(f"a neighbour failed: {type(error).__name__}: {error}")

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.object_to(f"{context.get('message')}: {context.get('exception')!r}")

    async def any_node(self) -> Node:
        """A process that takes connections."""
        while True:
            ready = [node for node in self.nodes.values() if node.up]
            if ready:
                return self.chance.pick(ready)
            await asyncio.sleep(0.5)

    def neighbours(self) -> tuple[Neighbour, ...]:
        """As the settings file lists them."""
        options = self.options
        told = FallbackReport.SMS_DELIVERED if options.sms_delivered else FallbackReport.VIEWED
        return (
            Vasp(
                name="news",
                vasp_id="news",
                report_url="http://vasp/",
                short_codes=(SHORT_CODE,),
                sender=SHORT_CODE,
                deferred_reports=options.deferred_reports,
                fallback_report=told,
                concurrency=options.concurrency,
            ),
            Peer(
                name="other",
                domain=peer.PEER_DOMAIN,
                host="peer",
                prefixes=("+1666",),
                ack_request=options.ack_request,
                concurrency=options.concurrency,
            ),
            Smsc(name="local", receipts=options.receipts, window=options.window),
            *(
                Subscriber(address=Address.of(number), mms=flag)
                for number, flag in zip(SUBSCRIBERS, _FLAGS, strict=True)
            ),
        )

    # --- what neighbours saw ---

    def accepted(self, message_id: str, to: tuple[str, ...]) -> None:
        """An originator was told that we have its MM."""
        self.given[message_id] = to

    def mms(self) -> set[tuple[int, str]]:
        """What is stored: (id, run)."""
        return set(self.database.connection.execute("SELECT id, coalesce(run, '') FROM mm").fetchall())

    def transaction_of(self, message_id: str) -> str:
        """The TransactionID of the SubmitReq behind a Message-ID."""
        rows = self.database.connection.execute(
            "SELECT json_extract(details, '$.details.mm7_transaction_id') FROM mm"
            " WHERE json_extract(details, '$.message_id') = ?",
            (message_id,),
        ).fetchall()
        return str(rows[0][0]) if rows else ""

    def is_silent(self, message_id: str | None, number: str) -> bool:
        """Nothing is reported: a reset took the MM away, or it was cancelled, perhaps during a GET of another node."""
        cancelled = self.database.connection.execute(
            "SELECT 1 FROM recipient JOIN mm ON mm.id = recipient.mm_id WHERE recipient.state = 'cancelled'"
            " AND recipient.address = ? AND json_extract(mm.details, '$.message_id') = ?",
            (number, message_id),
        ).fetchone()
        return cancelled is not None or message_id in self.watch.removed

    def look_at_push(self, number: str, octets: bytes) -> None:
        """The SMSC has a whole push: what it tells of must be there to be fetched."""
        pdu = mm1.decode(decode_push(octets).data).message
        if isinstance(pdu, MDeliveryInd):
            self.pushed_reports.append((number, pdu))
        elif isinstance(pdu, MReadOrigInd):
            self._look_at_read(number, pdu)
        elif isinstance(pdu, MNotificationInd):
            token = (pdu.content_location or "").rpartition("/")[2]
            rows = self.database.connection.execute(
                "SELECT content.id FROM recipient JOIN mm ON mm.id = recipient.mm_id"
                " JOIN content ON content.id = mm.content_id WHERE recipient.token = ?",
                (token,),
            ).fetchall()
            if len(rows) != 1 and token not in self.watch.removed:
                self.object_to(f"{number} is notified of {token}, which is not stored")

    def _look_at_read(self, number: str, pdu: MReadOrigInd) -> None:
        """A read report is true, its originator's own, and comes after the delivery report."""
        reader = str(pdu.from_).partition("/")[0]
        handset = self.handsets[reader]
        if pdu.message_id not in handset.read:
            self.object_to(f"{reader} never said that it read {pdu.message_id}")
        if pdu.message_id not in self.handsets[number].sent and number != pdu.to[0].partition("/")[0]:
            self.object_to(f"{number} is told who read {pdu.message_id}, which it never sent")
        told = any(one.message_id == pdu.message_id and one.to[0].startswith(reader) for _, one in self.pushed_reports)
        given_up = self.database.connection.execute("SELECT 1 FROM event WHERE kind = 'task.given_up'").fetchone()
        given_up = given_up or self.is_silent(pdu.message_id, reader)
        if not told and not given_up and not handset.denies:
            self.object_to(f"a read report of {reader} came before its delivery report")

    # --- processes ---

    def committed(self, node: Node) -> None:
        """A node's transaction is durable. Nobody knows yet."""
        self.watch.committed()
        if not self.nodes or self._over:
            return
        self.commits += 1
        if self._armed or self.commits == self._crash_at:
            self._armed = False
            self.crashes += 1
            self.say(f"CRASH of {node.name} at commit {self.commits}")
            node.die()
            self.spawn(self._next_start(node))

    async def begin(self) -> None:
        """The first start of each node."""
        started = [await self._started(name) for name in _NAMES[: self.options.nodes]]
        self.nodes = {node.name: node for node in started}

    async def _started(self, name: str) -> Node:
        """A node that works; starts anew when the store is away, as a service manager would start it."""
        while True:
            self._starts += 1
            node = Node(self, name, _NAMES.index(name) + 1, self._starts)
            if self.nodes:
                self.nodes[name] = node
            booting = node.spawn(node.start())
            await asyncio.wait([booting])
            if not node.dead and not booting.cancelled():
                error = booting.exception()
                if error is None:
                    self.say(f"{name} started")
                    return node
                if not isinstance(error, StoreBusy | StoreUnavailable):
                    raise error
                node.die()
            await node.bury()
            await asyncio.sleep(1)

    async def _next_start(self, node: Node) -> None:
        """A new process on what is committed."""
        booting = not node.started
        await node.bury()
        self.database.reload()
        if booting:
            return  # who starts it is waiting, and tries again
        longest = 1.0 if self.chance.calm else _LONGEST_DOWN_SECONDS if self.options.nodes > 1 else 20.0
        await asyncio.sleep(self.chance.between(0.1, longest))
        await self._started(node.name)

    def arm(self) -> None:
        """The next commit is somebody's last."""
        self._armed = True

    def calm_down(self) -> None:
        """From here on nothing goes wrong."""
        self.say("--- from here on nothing goes wrong ---")
        self.chance.calm = True
        self._armed = False

    async def restart(self) -> None:
        """A clean stop and a start."""
        node = await self.any_node()
        self.say(f"{node.name} stops")
        stopping, killed = self.loop.create_task(node.stop()), self.loop.create_task(node.killed.wait())
        await asyncio.wait((stopping, killed), return_when=asyncio.FIRST_COMPLETED)
        for task in (stopping, killed):
            task.cancel()
        await asyncio.gather(stopping, killed, return_exceptions=True)
        if not node.dead:
            stopping.result()
            await asyncio.sleep(self.chance.between(0, 3))
            await self._started(node.name)

    async def all_up(self) -> None:
        """Wait until every process works, however long its store is away."""
        while True:
            if all(node.up for node in self.nodes.values()):
                return
            await asyncio.sleep(0.2)

    async def over(self) -> None:
        """Stop everything."""
        self._over = True
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for node in self.nodes.values():
            if node.up:
                await node.stop()
            else:
                node.die()
                await node.bury()
            if node.tasks:
                self.object_to(f"node {node.name} is stopped, and {len(node.tasks)} tasks of it still run")
        self.database.connection.close()
