"""One MMSC process of a story: the real engine, servers and couriers, with neighbours where their sockets would be."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar

from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.capability.decide import Decider, learn
from mmsc.clock import Clock, HostTime
from mmsc.domain.address import NumberPlan
from mmsc.domain.instant import MINUTE, SECOND
from mmsc.domain.message import Job, TaskKind
from mmsc.domain.notification import NotificationPolicy
from mmsc.domain.retry import RetryPolicy
from mmsc.engine.delivery import DeliveryPolicy
from mmsc.engine.engine import Engine, EnginePolicy
from mmsc.engine.lanes import LaneLimits
from mmsc.engine.ports import Courier, Outcome
from mmsc.engine.retrieval import RetrievalPolicy
from mmsc.engine.routing import RoutingPolicy
from mmsc.gateways.mm1.forward import ForwardRequests
from mmsc.gateways.mm1.identity import Identities
from mmsc.gateways.mm1.senders import SenderPolicy, Senders
from mmsc.gateways.mm1.server import Mm1Server
from mmsc.gateways.mm4.courier import Mm4Courier
from mmsc.gateways.mm4.server import Mm4Server
from mmsc.gateways.mm7.courier import Mm7Courier
from mmsc.gateways.mm7.deliver import DeliverCourier, Knowledge
from mmsc.gateways.mm7.server import Mm7Server
from mmsc.gateways.sms.courier import COURIER_KINDS, SmsCourier, SmsInbox, SmsPolicy
from mmsc.ids import Ids
from mmsc.net.http import HttpAnswer, HttpRequest
from mmsc.store.core import StoreBusy, StoreUnavailable
from protocols.mm1 import MForwardReq, Pdu
from tests.simulation.database import SharedStore

if TYPE_CHECKING:
    from tests.simulation.world import World

DOMAIN: Final = "mms.home.example"
REPORT_GRACE_SECONDS: Final = 60
REPORT_LIFETIME_SECONDS: Final = 1800
T = TypeVar("T")


class Cut(Exception):
    """The neighbour got no answer: the process died, or the connection broke."""


def policy(backlog: int) -> EnginePolicy:
    """The waits are shorter than a real server's, so that a story is short; their order is the same."""
    return EnginePolicy(
        plan=NumberPlan(short_codes=frozenset({"4488"})),
        routing=RoutingPolicy(own_prefixes=("+1555",), own_domains=(DOMAIN,)),
        delivery=DeliveryPolicy(
            notification=NotificationPolicy(
                renotify_after=(20, 40, 80), unacknowledged_after=30, fallback=True, fallback_after=60
            ),
            push_retry=RetryPolicy(waits=(5, 15, 30)),
            forward_retry=RetryPolicy(waits=(5, 15, 30)),
            report_retry=RetryPolicy(waits=(5, 15, 30), lifetime=REPORT_LIFETIME_SECONDS * SECOND),
            resend_after=(10, 20, 40),
            report_grace=REPORT_GRACE_SECONDS * SECOND,
        ),
        retrieval=RetrievalPolicy(retrieve_grace=10 * MINUTE),
        lane=LaneLimits(backlog=backlog, first_pause=1, longest_pause=20),
        default_smsc="local",
    )


class Node:
    """A process: started, and then stopped or killed. The next one with its name is another object."""

    def __init__(self, world: "World", name: str, number: int, start: int) -> None:
        options = world.options
        self.name = name
        self.dead = False
        self.up = False
        self.closed = False  # it is being stopped
        self.killed = asyncio.Event()
        self.started = False  # once it was up
        self._world = world
        real = HostTime(lambda: world.wall() * 1000, lambda: round(world.loop.time() * SECOND) * 1000).__call__
        self.clock = Clock(real=real, state=world.clock_state, save=world.keep_clock)
        ids = Ids.seeded(options.seed * 1000 + start, number, real=real)
        self.store = SharedStore(
            world.database,
            world.chance,
            real,
            lambda: world.committed(self),
            faulty=options.store_faults,
            shared=options.nodes > 1,
        )
        self.engine = Engine(
            self.store,
            self.clock,
            ids,
            node=name,
            policy=policy(options.backlog),
            capability=Decider(),
            learn=learn,
            publish=world.told,
        )
        self._ids = ids
        self.tasks: dict[asyncio.Task[Any], None] = {}  # in the order of their start

    # --- its life ---

    async def start(self) -> None:
        """Open the store, load the neighbours, begin to work. StoreUnavailable: the process ended again."""
        world, engine = self._world, self.engine
        await self.store.open()
        await engine.begin(world.neighbours())
        self._server_sides()
        self._couriers()
        self.up = not self.dead
        if self.up:
            self.started = True
            self._running = self.spawn(engine.run())
            self._running.add_done_callback(self._ended)

    def _server_sides(self) -> None:
        engine = self.engine
        identities = Identities(engine.numbers, engine.neighbours, headers=("X-MSISDN",), gateways=("127.0.0.1/32",))
        self.mm7 = Mm7Server(engine.submit, engine.changes, engine.neighbours, dialects=engine.dialects)
        self.mm1 = self._mm1(identities)
        self.mm4 = Mm4Server(
            engine.submit, engine.peer_reports, engine.numbers, engine.neighbours, self.clock, domain=DOMAIN
        )
        self.inbox = SmsInbox(engine.receipts, engine.numbers)

    def _mm1(self, identities: Identities) -> Mm1Server:
        engine, senders, clock = self.engine, Senders(identities, SenderPolicy()), self.clock

        def url() -> str:
            return "http://mm1"

        forwards = ForwardRequests(engine.forwards, engine.box_forwards, engine.submit, senders, clock, url)
        more: dict[type[Pdu], Any] = {MForwardReq: forwards.forward_req}
        return Mm1Server(engine.submit, engine.retrieval, identities, clock, engine.boxes, url, more, senders=senders)

    def _couriers(self) -> None:
        engine, world = self.engine, self._world
        sms_policy = SmsPolicy(mm1_url=lambda: "http://mm1", weblink_url=lambda: "http://web")
        sms = SmsCourier(engine.neighbours, self.clock, self._ids, sms_policy)
        self.session = world.smsc.session(self)
        sms.sessions["local"] = [self.session]  # type: ignore[list-item]
        mm4 = Mm4Courier(
            engine.recent,
            engine.neighbours,
            engine.numbers,
            self.clock,
            lambda peer: world.peer.sender(self),
            domain=DOMAIN,
        )
        mm7 = Mm7Courier(engine.neighbours, lambda vasp: world.vasp.client(self), server_id=DOMAIN)  # type: ignore[arg-type, return-value]
        knowledge = Knowledge(engine.neighbours, engine.recent, engine.numbers, engine.dialects, DOMAIN)
        couriers: dict[Courier, tuple[TaskKind, ...]] = {
            sms: COURIER_KINDS,
            mm4: (TaskKind.FORWARD, TaskKind.REPORT_MM4, TaskKind.RES_MM4),
            mm7: (TaskKind.REPORT_MM7, TaskKind.READ_MM7),
            DeliverCourier(mm7, knowledge): (TaskKind.DELIVER_MM7,),
        }
        for courier, kinds in couriers.items():
            for kind in kinds:
                engine.couriers[kind] = Watched(courier, self, world)

    def _ended(self, running: "asyncio.Task[None]") -> None:
        if not running.cancelled() and running.exception() is not None:
            self._world.object_to(f"node {self.name} died of itself: {_innermost(running.exception())!r}")

    def die(self) -> None:
        """SIGKILL: from now on nothing of it reaches anybody; `bury` takes away what is left."""
        self.dead = True
        self.up = False
        self.killed.set()
        self.store.dead = True

    async def bury(self) -> None:
        """Take the tasks away, as the system takes a process away."""
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.store._let_go()

    def _others(self) -> list["asyncio.Task[Any]"]:
        return [task for task in self.tasks if task is not self._running]

    async def stop(self) -> None:
        """As `mmsc serve` stops: no new requests, the engine, its leases, the store."""
        self.up, self.closed = False, True
        for task in self._others():
            task.cancel()
        await asyncio.gather(*self._others(), return_exceptions=True)
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        try:
            await self.engine.end()
        except (StoreBusy, StoreUnavailable):
            self._world.say(f"{self.name} cannot hand its leases back")
        await self.store.close()

    # --- how neighbours reach it ---

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """A task that ends with the process."""
        task = self._world.loop.create_task(work)
        self.tasks[task] = None
        task.add_done_callback(lambda ended: self.tasks.pop(ended, None))
        return task

    async def serve(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do a neighbour's request as a connection's task does. Raises Cut."""
        chance = self._world.chance
        if not self.up:
            raise Cut
        await asyncio.sleep(chance.between(0, 0.05))
        if self._is_gone():
            raise Cut
        task = self.spawn(work())
        if chance.fault(0.05):  # the neighbour hangs up
            self._world.loop.call_later(chance.between(0, 0.05), task.cancel)
        await asyncio.wait([task])
        if self.dead or task.cancelled():
            raise Cut
        return task.result()

    def _is_gone(self) -> bool:
        return self.dead or self.closed

    async def http(self, server: Mm1Server | Mm7Server, request: HttpRequest) -> HttpAnswer:
        """A request to an answer; 500 for what a listener would answer so. Raises Cut."""
        answered: asyncio.Future[HttpAnswer] = self._world.loop.create_future()
        working = asyncio.ensure_future(self.serve(lambda: self._exchange(server, request, answered)))
        try:
            await asyncio.wait((answered, working), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # the story is over: the process hears of it by itself
            self._world.keep(working)
            raise
        if not answered.done():
            working.result()  # raises Cut
            raise Cut  # not whole
        self._world.keep(working)
        return answered.result()

    async def _exchange(
        self, server: Mm1Server | Mm7Server, request: HttpRequest, answered: "asyncio.Future[HttpAnswer]"
    ) -> None:
        try:
            answer = await server.handle(request)
        except (StoreBusy, StoreUnavailable):
            answer = HttpAnswer(status=500)
        whole = not self._world.chance.fault(0.03)
        if self.dead:
            return
        if whole and not answered.done():
            answered.set_result(answer)
        if answer.after is not None:
            await answer.after(whole)

    async def mail(self, mail_from: str, recipients: tuple[str, ...], octets: bytes) -> tuple[dict[str, str], str]:
        """A mail to us: (replies to the RCPT of those refused, the last reply). Raises Cut."""
        return await self.serve(lambda: self._mail(mail_from, recipients, octets))

    async def _mail(self, mail_from: str, recipients: tuple[str, ...], octets: bytes) -> tuple[dict[str, str], str]:
        taken: list[str] = []
        refused: dict[str, str] = {}
        for one in recipients:
            reply = await self.mm4.rcpt("127.0.0.1", mail_from, one)
            if reply.startswith("250"):
                taken.append(one)
            else:
                refused[one] = reply
        if not taken:
            return refused, ""
        try:
            return refused, await self.mm4.data("127.0.0.1", mail_from, taken, octets)
        except (StoreBusy, StoreUnavailable):
            return refused, "451 4.3.0 internal error, later"


class Watched:
    """A courier, and who looks on."""

    def __init__(self, courier: Courier, node: Node, world: "World") -> None:
        self._courier = courier
        self._node = node
        self._world = world

    async def deliver(self, job: Job) -> Outcome:
        """As the courier."""
        watch, limit = self._world.watch, self._node.engine.lanes.get(job.lane).limits.concurrency
        watch.begins(self._node, job, limit)
        try:
            return await self._courier.deliver(job)
        finally:
            watch.ends(self._node.name, job)


def request(method: str, path: str, body: bytes = b"", **headers: str) -> HttpRequest:
    """A request from a gateway of this host."""
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return HttpRequest(method, path, "", CIMultiDictProxy(named), body, "127.0.0.1", 1)


def _innermost(error: BaseException | None) -> BaseException | None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
