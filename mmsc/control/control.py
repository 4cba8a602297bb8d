"""The one object that pages, REST and scenarios are given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mmsc.clock import Clock
from mmsc.control.clocking import Clocking
from mmsc.control.faults import Faults
from mmsc.control.neighbours import Neighbours
from mmsc.engine.engine import Engine
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
    faults: Faults | None = None
    clocking: Clocking | None = None
    neighbours: Neighbours | None = None  # a lab's
