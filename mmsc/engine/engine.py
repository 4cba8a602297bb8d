"""The engine put together: what goes between a store and the gateways."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field

from mmsc.clock import Clock
from mmsc.domain.address import NumberPlan
from mmsc.domain.changes import ChangePolicy
from mmsc.domain.durations import Durations
from mmsc.domain.instant import Instant
from mmsc.domain.message import TaskKind
from mmsc.domain.mmbox import BoxPolicy
from mmsc.domain.neighbours import Subscriber
from mmsc.engine import recent
from mmsc.engine.acting import OperatorActs
from mmsc.engine.application_news import ApplicationNews
from mmsc.engine.assigned import Assigned
from mmsc.engine.backlog import Backlog
from mmsc.engine.box_forwards import BoxForwards
from mmsc.engine.changes import VaspChanges
from mmsc.engine.chronicle import Chronicle
from mmsc.engine.credits import Credits
from mmsc.engine.delivery import Delivery, DeliveryPolicy, Desk
from mmsc.engine.dialects import VaspDialects
from mmsc.engine.directory import Neighbour, Neighbours
from mmsc.engine.forward_requests import Forwards
from mmsc.engine.forwarding import ForwardWork
from mmsc.engine.heartbeat import Heartbeat
from mmsc.engine.housekeeping import Housekeeper, RetentionPolicy
from mmsc.engine.lane_acts import LaneActs
from mmsc.engine.lanes import LaneLimits, Lanes
from mmsc.engine.mmbox import Mmboxes
from mmsc.engine.notification import NotificationWork
from mmsc.engine.open_receipts import OpenReceipts
from mmsc.engine.peer_news import PeerNews
from mmsc.engine.planning import SubmitPolicy
from mmsc.engine.ports import CapabilityPort, Courier, Evidence
from mmsc.engine.read_reports import ReadReports
from mmsc.engine.recent import Recent
from mmsc.engine.reporting import ReportWork
from mmsc.engine.resetting import Resetter
from mmsc.engine.retrieval import Fetching, RetrievalPolicy, SmsReceipts, WebLinks
from mmsc.engine.routing import Routing, RoutingPolicy
from mmsc.engine.submit import Submitter
from mmsc.engine.timetable import Timetable
from mmsc.engine.transitions import Transitions
from mmsc.engine.vasp_delivery import VaspWork
from mmsc.engine.withdrawal import CancelWork, Withdrawals
from mmsc.ids import Ids
from mmsc.store import lane_queue, meta, nodes
from mmsc.store.bodies import Bodies, Objects
from mmsc.store.core import Statement, Store, StoreError, StoreRefused, StoreUnavailable
from mmsc.store.lane_queue import QueuedTask as QueuedTask
from mmsc.store.messages import CHANGED
from mmsc.store.neighbours import ASSIGNED
from mmsc.store.setup import SETUP
from mmsc.trace.events import Event
from protocols.records import record

Learn = Callable[[Subscriber, Evidence, Instant], Subscriber | None]


@record(frozen=True, slots=True, kw_only=True)
class EnginePolicy:
    """All that can be set about the engine."""

    plan: NumberPlan = field(default_factory=NumberPlan)
    routing: RoutingPolicy = field(default_factory=RoutingPolicy)
    submit: SubmitPolicy = field(default_factory=SubmitPolicy)
    delivery: DeliveryPolicy = field(default_factory=DeliveryPolicy)
    retrieval: RetrievalPolicy = field(default_factory=RetrievalPolicy)
    boxes: BoxPolicy = field(default_factory=BoxPolicy)
    changes: ChangePolicy = field(default_factory=ChangePolicy)
    lane: LaneLimits = field(default_factory=LaneLimits)
    retention: RetentionPolicy = field(default_factory=RetentionPolicy)
    default_smsc: str = ""
    recent_recipients: int = recent.MAXIMUM_RECIPIENTS
    recent_octets: int = recent.MAXIMUM_OCTETS
    smallest_object: int = 16_384  # octets; smaller bodies stay in the database


def _nobody(_: str) -> None:
    """Nobody wants to hear it."""


class Engine:
    """Built, then given its couriers, then `begin`, then `run` until cancelled, then `end`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        *,
        node: str,
        number: int = nodes.ANY_NUMBER,
        agreed: Mapping[str, str] | None = None,
        policy: EnginePolicy,
        capability: CapabilityPort,
        learn: Learn,
        publish: Callable[[Event], None],
        beside: Callable[[Sequence[Event]], Sequence[Statement]] | None = None,
        objects: Objects | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.policy = policy
        self.couriers: dict[TaskKind, Courier] = {}
        self._capability = capability
        self._learn = learn
        self.chronicle = Chronicle(clock, ids, publish, beside)
        self.bodies = Bodies(store, objects, clock.real_now, smallest_octets=policy.smallest_object)
        self.recent = Recent(
            store, self.bodies, maximum_recipients=policy.recent_recipients, maximum_octets=policy.recent_octets
        )
        self.assigned = Assigned(store, clock)
        self.neighbours = Neighbours(store, clock, policy.default_smsc, self.assigned)
        self.dialects = VaspDialects(store, clock)
        self.numbers = Routing(policy.plan, policy.routing, self.neighbours)
        self.credits = Credits(store, self.neighbours)
        self.lanes = Lanes(clock, self._limits_of)
        self.housekeeper = Housekeeper(store, self.bodies, clock, self.chronicle, policy.retention, node=node)
        self.heartbeat = Heartbeat(store, clock, self.lanes, self.chronicle, name=node, number=number, settings=agreed)
        self.backlog = Backlog(store, clock, self.lanes)
        self.setup_changed: Callable[[str], None] = _nobody  # another node changed a neighbour: its wake

    async def begin(self, configured: tuple[Neighbour, ...], made: tuple[Neighbour, ...] = ()) -> None:
        """Take the node's place among others, load the neighbours (the settings' and those that people made), and put
        the parts together. Raises `StoreRefused` when a node of this name runs."""
        entered = await self.heartbeat.enter()
        holder = self.heartbeat.holder
        self.ids.join(entered.number, above=await meta.highest_id(self.store))
        await self.neighbours.load(configured, made)
        await self.assigned.load()
        await self.credits.load()
        await self.dialects.load()
        self._timetable = Timetable(self.store, self.clock, self.lanes, holder)
        planned = self._timetable.planned
        self.transitions = Transitions(
            self.store,
            self.clock,
            self.ids,
            self.neighbours,
            self.lanes,
            self.recent,
            self.chronicle,
            holder,
            planned,
            self.policy.submit.lease,
        )
        self.desk = Desk(
            self.store,
            self.clock,
            self.lanes,
            self.recent,
            self.chronicle,
            holder,
            self.transitions,
            self.couriers,
            self.policy.delivery,
            planned,
        )
        self.submit = Submitter(
            self.store,
            self.clock,
            self.ids,
            self.numbers,
            self.lanes,
            self.recent,
            self.bodies,
            self.chronicle,
            holder,
            self.policy.submit,
            planned,
            self.credits,
        )
        withdrawals = Withdrawals(self.desk, self.neighbours, self.ids)
        self.changes = VaspChanges(
            self.desk, self.bodies, self.submit, withdrawals, self.policy.changes, self.policy.submit.limits
        )
        self.store.on_wake(self._changed_elsewhere)
        self._begin_with_handsets()
        self._begin_with_operators()
        self.receipts = SmsReceipts(self.desk, self.neighbours)
        self.peer_reports = PeerNews(self.desk, self.neighbours, self.numbers, self.ids)
        self.application_answers = ApplicationNews(self.desk)

    def _begin_with_operators(self) -> None:
        self.acts = OperatorActs(self.desk, self.changes, OpenReceipts(self.desk, self.neighbours))
        self.resetter = Resetter(self.desk, self.submit, self.ids)
        self.lane_acts = LaneActs(self.desk, self._timetable.wake)

    def _begin_with_handsets(self) -> None:
        read_reports = ReadReports(self.desk, self.neighbours, self.ids, self.numbers)
        self.retrieval = Fetching(self.desk, self.neighbours, self._learn, self.policy.retrieval, read_reports)
        self.boxes = self.submit.boxes = Mmboxes(
            self.desk,
            self.bodies,
            self.ids,
            self.neighbours,
            self.retrieval,
            self.policy.boxes,
            lambda: self.policy.submit.limits,
            lambda: self.policy.retrieval.require_identity,
        )
        self.forwards = Forwards(self.desk, self.retrieval, self.submit)
        self.box_forwards = BoxForwards(self.desk, self.boxes, self.submit, self.forwards)
        self.links = WebLinks(self.desk, self.policy.retrieval)

    def _changed_elsewhere(self, wake: str) -> None:
        """Another node changed an MM, or whose an address is, or we could not hear whether one did."""
        if wake in ("", CHANGED):
            self.recent.forget_all()
        if wake in ("", ASSIGNED):
            self.assigned.changed_elsewhere()
        if not wake or wake.startswith(SETUP):
            self.setup_changed(wake)

    async def run(self) -> None:
        """Deliver, until cancelled. An exception in any loop ends all of them: loudly, never half alive."""
        reports = ReportWork(self.desk)
        forwards = ForwardWork(self.desk, self.peer_reports)
        notifications = NotificationWork(self.desk, self.neighbours, self._capability, self.boxes)
        runners = {
            TaskKind.NOTIFY: notifications.run,
            TaskKind.LINK: notifications.run,
            TaskKind.FORWARD: forwards.run,
            TaskKind.WATCH: forwards.run,
            TaskKind.DELIVER_MM7: VaspWork(self.desk).run,
            TaskKind.READ_MM7: reports.run,
            TaskKind.READ_MM1: reports.run,
            TaskKind.REPORT_MM7: reports.run,
            TaskKind.REPORT_MM1: reports.run,
            TaskKind.REPORT_MM4: reports.run,
            TaskKind.RES_MM4: reports.run,
            TaskKind.CANCEL_MM1: CancelWork(self.desk).run,
        }
        try:
            async with asyncio.TaskGroup() as group:
                delivery = Delivery(self.desk, runners, group.create_task)
                self.lanes.watch(delivery.start, self._timetable.wake)
                group.create_task(self._timetable.run(delivery), name="timetable")
                group.create_task(self.heartbeat.run(), name="heartbeat")
                group.create_task(self.housekeeper.run(), name="housekeeping")
                group.create_task(self.assigned.run(), name="assigned addresses")
        except BaseExceptionGroup as group_of_errors:
            refused = group_of_errors.subgroup(StoreRefused)
            if refused is not None:
                raise refused.exceptions[0] from None  # another process runs as this node: said in one line
            raise
        finally:
            self.lanes.unwatch()

    async def finish(self) -> None:
        """Before `run` is cancelled: begin with nothing more, and wait for what is under way."""
        await self.lanes.close()

    async def end(self) -> None:
        """Hand the leases back, so that another node (or the next start) need not wait for them to run out."""
        await self.heartbeat.leave()

    async def take_over(
        self,
        policy: EnginePolicy,
        configured: tuple[Neighbour, ...],
        agreed: Mapping[str, str] | None = None,
        made: tuple[Neighbour, ...] = (),
    ) -> None:
        """From now on these; returns after the commit. `agreed` are digests as at the start, None: as they were.
        Raises StoreUnavailable or StoreBusy, and then nothing changed here. What is under way goes on as it began."""
        await self.neighbours.replace(configured, policy.default_smsc, self.heartbeat.agrees(agreed), made)
        await self.adopt(policy)
        await self.heartbeat.agreed(agreed)

    async def adopt(self, policy: EnginePolicy) -> None:
        """The neighbours are others; from now on this."""
        self.policy = policy
        self.numbers.take_over(policy.plan, policy.routing)
        self.submit.take_over(policy.submit)
        self.desk.policy = policy.delivery
        self.changes.policy, self.changes.limits = policy.changes, policy.submit.limits
        self.retrieval.policy = self.links.policy = policy.retrieval
        self.boxes.policy = policy.boxes
        self.lanes.resize()
        self._timetable.wake()
        with suppress(StoreError):  # who submits looks again
            await self.credits.load()

    @property
    def claims(self) -> Durations:
        """What claims took, since the start."""
        return self._timetable.claims

    async def lane_queue(self, lane: str, limit: int) -> list[QueuedTask] | None:
        """What a lane has to do, at most so many tasks; None: the store does not tell now."""
        try:
            return await lane_queue.tasks(self.store, lane, limit)
        except StoreUnavailable:
            return None

    def lane_is_up(self, lane: str) -> None:
        """A gateway says that its neighbour answers again (an SMSC bind came up)."""
        if self.lanes.resume(self.lanes.get(lane)):
            self._timetable.wake()

    def hold(self, *, held: bool) -> None:
        """The lab holds all lanes (nothing leaves) or lets them go."""
        self.lanes.held = held
        self._timetable.wake()

    def _limits_of(self, lane: str) -> LaneLimits:
        """A lane's limits: the neighbour's own concurrency where it has one."""
        kind, _, name = lane.partition(":")
        concurrency = self.policy.lane.concurrency
        if kind == "smsc" and name in self.neighbours.smscs:
            smsc = self.neighbours.smscs[name]
            concurrency = smsc.window * smsc.sessions
        elif kind == "vasp" and name in self.neighbours.vasps:
            concurrency = self.neighbours.vasps[name].concurrency
        elif kind == "peer" and name in self.neighbours.peers:
            concurrency = self.neighbours.peers[name].concurrency
        return self.policy.lane.of(concurrency)
