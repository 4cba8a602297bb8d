"""The one object that pages, REST and scenarios are given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mmsc.clock import Clock
from mmsc.control.acting import ActingService
from mmsc.control.captured import whole_captures
from mmsc.control.findings import FindingService
from mmsc.control.messages import MessageService
from mmsc.control.neighbours import Neighbours
from mmsc.control.resetting import ResetService
from mmsc.control.waiting import WaitingService
from mmsc.engine.engine import Engine
from mmsc.engine.queries import ReportLedger
from mmsc.engine.queries.findings import Findings
from mmsc.engine.queries.messages import Messages
from mmsc.ids import Ids
from mmsc.trace.bus import Bus
from mmsc.trace.events import Event
from mmsc.trace.rings import Captures


@dataclass(slots=True, kw_only=True)
class Control:
    """The parts of a running server, and what is offered on top of them. `places` names where each interface is called
    (`mm7` -> `http://127.0.0.1:8807/mm7`), those that listen."""

    engine: Engine
    bus: Bus[Event]
    captures: Captures | None
    clock: Clock
    ids: Ids
    places: Callable[[], Mapping[str, str]]
    neighbours: Neighbours | None = None  # a lab's
    messages: MessageService = field(init=False)
    acting: ActingService = field(init=False)
    waiting: WaitingService = field(init=False)
    findings: FindingService = field(init=False)
    resetting: ResetService = field(init=False)

    def __post_init__(self) -> None:
        """What needs nothing but the engine is made here."""
        engine = self.engine
        store, known = engine.store, engine.neighbours
        looked_for = Messages(store, self.clock.real_now, lambda: [f"smsc:{name}" for name in known.smscs])
        self.messages = MessageService(looked_for, ReportLedger(store), self.clock)
        self.acting = ActingService(engine.acts)
        self.waiting = WaitingService(self.bus, looked_for, self.messages, shared=store.shared)
        rings = self.captures
        self.findings = FindingService(
            Findings(store, self.clock.real_now),
            whole_captures(rings, engine.recent),
            lambda: 0 if rings is None else rings.records,
        )
        self.resetting = ResetService(
            engine.resetter,
            self.bus,
            rings,
            name=store.name,
            shared=store.shared,
            forgets=(self.findings.forget,),
        )
