"""Events of the lab's own doing: faults that were switched and that bit, and the clock that was turned."""

from typing import ClassVar

from mmsc.trace.data import Data


class FaultSet(Data, frozen=True, omit_defaults=True):
    """A fault was switched on or changed. `expires_at` is real time (µs), 0 for never."""

    kind: ClassVar[str] = "fault.set"
    fault: str
    parameters: tuple[tuple[str, str], ...] = ()
    expires_at: int = 0


class FaultCleared(Data, frozen=True, omit_defaults=True):
    """A fault was switched off, after so many hits; `because` when nobody did it."""

    kind: ClassVar[str] = "fault.cleared"
    fault: str
    because: str = ""
    hits: int = 0


class FaultHit(Data, frozen=True, omit_defaults=True):
    """A fault bit. `operation` is the PDU that it met; `magic` the end of the number that brought it about."""

    kind: ClassVar[str] = "fault.hit"
    fault: str
    interface: str
    neighbour: str = ""
    number: str = ""
    operation: str = ""
    magic: str = ""


class ClockChanged(Data, frozen=True, omit_defaults=True):
    """Service time was turned: `how` says what was done, `service` where it stood after it (µs), `jumped` by how much
    it went ahead at once (µs)."""

    kind: ClassVar[str] = "clock.changed"
    how: str
    service: int
    speed: float = 1.0
    paused: bool = False
    jumped: int = 0
