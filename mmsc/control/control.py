"""The one object that pages, REST and scenarios are given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mmsc.clock import Clock
from mmsc.control.acting import ActingService
from mmsc.control.capturing import Capturing
from mmsc.control.clocking import Clocking
from mmsc.control.contents import ContentService
from mmsc.control.faults import Faults
from mmsc.control.findings import FindingService
from mmsc.control.lanes import LaneBook
from mmsc.control.messages import MessageService
from mmsc.control.neighbours import Neighbours
from mmsc.control.pushes import pushes_seen
from mmsc.control.rates import Counters, NothingCounted, Rates
from mmsc.control.replaying import Replaying, Targets
from mmsc.control.resetting import ResetService
from mmsc.control.runs import Runs
from mmsc.control.scenarios import Scenarios
from mmsc.control.sending import Sending
from mmsc.control.server import Server
from mmsc.control.setup import Setup
from mmsc.control.traffic import TrafficService
from mmsc.control.waiting import WaitingService
from mmsc.engine.engine import Engine
from mmsc.engine.queries import ReportLedger
from mmsc.engine.queries.findings import Findings
from mmsc.engine.queries.messages import Messages
from mmsc.engine.queries.runs import RunQueries
from mmsc.ids import Ids
from mmsc.lab.phones import Phones
from mmsc.trace.bus import Bus
from mmsc.trace.events import Event
from mmsc.trace.rings import Captures


@dataclass(slots=True, kw_only=True)
class Control:
    """The parts of a running server, and what is offered on top of them. `places` names where each interface is called
    (`mm7` -> `http://127.0.0.1:8807/mm7`), those that listen. What a lab adds is attached once it is there."""

    engine: Engine
    bus: Bus[Event]
    captures: Captures | None
    clock: Clock
    ids: Ids
    places: Callable[[], Mapping[str, str]]
    sending: Sending
    phones: Phones | None = None  # where the built-in SMSC and MM1 run
    faults: Faults | None = None
    clocking: Clocking | None = None
    neighbours: Neighbours | None = None  # a lab's
    setup: Setup | None = None  # a whole server's
    server: Server | None = None  # the same
    scenarios: Scenarios | None = None  # where the lab can be driven
    counters: Counters = field(default_factory=NothingCounted)
    rates: Rates = field(init=False)
    lanes: LaneBook = field(init=False)
    messages: MessageService = field(init=False)
    acting: ActingService = field(init=False)
    waiting: WaitingService = field(init=False)
    traffic: TrafficService = field(init=False)
    findings: FindingService = field(init=False)
    runs: Runs = field(init=False)
    resetting: ResetService = field(init=False)
    contents: ContentService = field(init=False)
    may_call: Callable[[str], bool] = lambda host: False  # hosts with all their ports, for what is replayed
    replay_targets: tuple[str, ...] = ()  # host:port, likewise
    capturing: Capturing | None = field(init=False, default=None)  # None: no captures are kept
    replaying: Replaying | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """What needs nothing but the engine is made here."""
        engine = self.engine
        self.rates = Rates(self.counters, self.clock)
        self.lanes = LaneBook(engine, self.clock)
        store, known = engine.store, engine.neighbours
        looked_for = Messages(store, self.clock.real_now, lambda: [f"smsc:{name}" for name in known.smscs])
        self.messages = MessageService(looked_for, ReportLedger(store), self.clock)
        self.runs = Runs(RunQueries(store))
        self.acting = ActingService(engine.acts)
        self.waiting = WaitingService(self.bus, looked_for, self.messages, shared=store.shared)
        self.contents = ContentService(engine.recent)
        rings = self.captures
        self.traffic = TrafficService(
            self.messages,
            rings,
            engine.recent,
            lambda: str(engine.heartbeat.holder.node),
            lambda pdus: pushes_seen(self.phones, pdus),
        )
        counted = Findings(store, self.clock.real_now)
        self.findings = FindingService(counted, self.traffic, lambda: 0 if rings is None else rings.records)
        self.resetting = ResetService(
            engine.resetter, self.bus, rings, name=store.name, shared=store.shared, forgets=(self.findings.forget,)
        )
        if self.captures is not None:
            self.capturing = Capturing(self.captures, engine.bodies.read, self.messages, self.clock)
            is_of_file = (lambda kind, name: True) if self.setup is None else self.setup.is_of_file
            targets = Targets(self.places, known, is_of_file, self.replay_targets, self.may_call)
            self.replaying = Replaying(self.capturing, self.places, targets, self.clock)
