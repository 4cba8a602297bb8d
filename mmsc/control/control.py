"""The one object that pages, REST and scenarios are given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mmsc.clock import Clock
from mmsc.control.messages import MessageService
from mmsc.control.neighbours import Neighbours
from mmsc.control.sending import Sending
from mmsc.control.traffic import TrafficService
from mmsc.engine.engine import Engine
from mmsc.engine.queries import ReportLedger
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
    sending: Sending
    neighbours: Neighbours | None = None  # a lab's
    messages: MessageService = field(init=False)
    traffic: TrafficService = field(init=False)

    def __post_init__(self) -> None:
        """What needs nothing but the engine is made here."""
        engine = self.engine
        looked_for = Messages(
            engine.store, self.clock.real_now, lambda: [f"smsc:{one}" for one in engine.neighbours.smscs]
        )
        self.messages = MessageService(looked_for, ReportLedger(engine.store), self.clock)
        self.traffic = TrafficService(
            self.messages, self.captures, engine.recent, lambda: str(engine.heartbeat.holder.node)
        )
