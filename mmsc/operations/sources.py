"""What the metrics are read from: parts of the server, as little of each as is needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mmsc.clock import Clock
from mmsc.domain.durations import Durations
from mmsc.engine.engine import Engine
from mmsc.operations.readiness import Readiness
from mmsc.operations.tally import Tally
from mmsc.trace.bus import Bus
from mmsc.trace.rings import Captures


class StoreCounters(Protocol):
    """What a store has done."""

    commits: int
    units: int
    lost: int
    statements: int
    reads: int
    batches: Durations


class StoreGauges(Protocol):
    """How a store stands."""

    @property
    def waiting_units(self) -> int:
        """Queued or running."""
        ...

    @property
    def file_octets(self) -> int | None:
        """SQLite's file; None: there is none."""
        ...

    @property
    def log_octets(self) -> int:
        """SQLite's log."""
        ...

    @property
    def disk_free(self) -> int | None:
        """Octets left on its disk; None: the disk is not ours to see."""
        ...

    @property
    def connections(self) -> int:
        """PostgreSQL's."""
        ...

    @property
    def idle_connections(self) -> int:
        """Those of them that nobody uses."""
        ...


class HttpFigures(Protocol):
    """An HTTP listener."""

    statuses: dict[int, int]
    times: Durations

    @property
    def connections(self) -> int:
        """Clients that are connected."""
        ...


class SmtpFigures(Protocol):
    """An SMTP listener."""

    @property
    def sessions(self) -> int:
        """Clients that are connected."""
        ...


class ReloadFigures(Protocol):
    """What reading the settings again came to."""

    results: dict[str, int]
    last_success: float  # Unix time, seconds
    restart: tuple[str, ...]  # keys that wait for one


@dataclass(slots=True, kw_only=True)
class Sources:
    """The server, as far as it is up."""

    clock: Clock
    tally: Tally
    readiness: Readiness
    bus: Bus[Any]
    reloads: ReloadFigures
    store_available: Callable[[], bool]
    store_counters: Callable[[], StoreCounters]
    store_gauges: Callable[[], StoreGauges]
    sessions: Callable[[], Mapping[str, tuple[int, int]]]  # SMSC -> configured, bound
    loop_delay: Callable[[], float]  # seconds
    engine: Engine | None = None  # None: not begun
    captures: Captures | None = None
    http: dict[str, HttpFigures] = field(default_factory=dict)
    smtp: dict[str, SmtpFigures] = field(default_factory=dict)
