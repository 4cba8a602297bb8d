"""The store's four verbs: commit a unit, fetch, claim, and be woken. Two drivers stand under it.

A unit is a guard and effects. The guard is one statement with RETURNING; zero rows mean that the unit is lost, nothing
of it is applied, and the caller gets `LOST`, a value. Effects cannot fail once the guard held.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from mmsc.domain.durations import Durations
from protocols.records import record

SqlValue = int | float | str | bytes | None
Row = tuple[SqlValue, ...]


TASK_PRIORITIES: Final = (2, 1, 0)  # as claims serve them


class Turn(NamedTuple):
    """Where a lane's next claim begins: with the owner that stands behind `after`, and with the highest priority, or
    with the lowest when `lowest_first`."""

    after: str = ""
    lowest_first: bool = False


NO_TURNS: Final[Mapping[str, Turn]] = MappingProxyType({})


@record(frozen=True, slots=True)
class Statement:
    """SQL with placeholders $1..$n, the same text on every store, and their values.

    `wakes` is the lane in which it makes work that any node may claim; "" when that is not one lane. `looks_around`
    is a guard that asks about more than its own row: it has to see the effects of the units before it, too."""

    sql: str
    params: tuple[SqlValue, ...] = ()
    wakes: str | None = None
    looks_around: bool = False


@record(frozen=True, slots=True)
class Unit:
    """What becomes durable together, or not at all. `after` is called on the event loop once it is durable, in commit
    order, for winners only; `otherwise` instead, once, when the unit was lost, failed or was not even taken. Either is
    called also when nobody waits any more: what must follow a commit belongs there, not behind the `await`. `octets`
    are those of its large values, which count while it waits."""

    guard: Statement | None
    effects: tuple[Statement, ...]
    after: Callable[[], None] | None = None
    otherwise: Callable[[], None] | None = None
    octets: int = 0


class Lost:
    """The guard returned no row: somebody was first, or the state is another."""

    def __repr__(self) -> str:
        return "LOST"


LOST: Final = Lost()


class StoreError(Exception):
    """The store did not do what was asked, and nothing of it was done or its outcome is unknown."""


class StoreBusy(StoreError):
    """Too many units wait; later."""


class StoreUnavailable(StoreError):
    """Disk full, I/O error, connection lost, or closed. `Store.available` turns true again by itself."""


class StoreEnded(StoreUnavailable):
    """A thread or task of the store ended by itself: this process can use it no more. Whether what ran then is durable
    is unknown; the next start knows."""


class StoreRefused(StoreError):
    """The database is not ours, torn, of another schema, or held by another process. The text says which."""


@dataclass(slots=True)
class Counters:
    """What the store has done, for budgets and metrics."""

    commits: int = 0
    units: int = 0
    lost: int = 0
    statements: int = 0
    reads: int = 0
    batches: Durations = field(default_factory=Durations)  # from the first statement of a batch to its commit


@record(frozen=True, slots=True, kw_only=True)
class Gauges:
    """How the store stands at this moment. What a driver has not is 0, or None where 0 would be an alarm."""

    waiting_units: int = 0
    file_octets: int | None = None  # SQLite's file
    log_octets: int = 0  # SQLite's write-ahead log
    disk_free: int | None = None  # octets left on the disk of SQLite's file
    connections: int = 0  # PostgreSQL: of the readers' pool
    idle_connections: int = 0


@record(frozen=True, slots=True, kw_only=True)
class Room:
    """How much space there is, in octets. `used` is what the data takes (PostgreSQL: the bodies alone), `free` what the
    file holds beside it and will be filled again, `log` the write-ahead log; `disk_free` and `disk_size` are None where
    the disk is not ours to see."""

    used: int
    free: int = 0
    log: int = 0
    disk_free: int | None = None
    disk_size: int | None = None


class Store(Protocol):
    """One database, one schema."""

    counters: Counters
    name: str  # the file, or the schema
    shared: bool  # whether other nodes may have it open

    @property
    def available(self) -> bool:
        """Whether commits are taken at the moment."""
        ...

    def gauges(self) -> Gauges:
        """How it stands now; asks nobody."""
        ...

    async def open(self) -> None:
        """Make the schema or check it. Raises `StoreRefused`."""
        ...

    async def close(self) -> None:
        """Finish what is queued, then let go."""
        ...

    async def ended(self) -> None:
        """Until a part of the open store ends by itself; raises `StoreEnded` then. Whoever runs a server watches it."""
        ...

    async def commit(self, unit: Unit) -> list[Row] | Lost:
        """The guard's rows once the unit is durable ([] without a guard), or `LOST`.

        Raises `StoreBusy` and `StoreUnavailable`. Cancelling the caller never withdraws the unit."""
        ...

    def obstruct(self, obstacle: Callable[[], float | None] | None) -> None:
        """The lab is asked before each batch of commits: seconds that it waits, None when it fails as on a full disk.
        None instead of an obstacle: nobody is asked any more."""
        ...

    async def fetch(self, sql: str, *params: SqlValue) -> list[Row]:
        """Rows of a query."""
        ...

    async def fetch_one(self, sql: str, *params: SqlValue) -> Row | None:
        """The first row of a query, None when there is none."""
        ...

    async def claim(
        self,
        lanes: Sequence[tuple[str, int]],
        *,
        node: str,
        start: int,
        now: int,
        lease_seconds: float,
        turns: Mapping[str, Turn] = NO_TURNS,
    ) -> list[Row]:
        """Lease due tasks, at most n per lane: priority first, within a priority one of each owner in turn, an owner's
        own by due time. `now` is service time (µs). `turns` says by lane where to begin.

        It may take fewer than n although more are due, but none only when none is. What it costs depends on n and on
        how many owners have tasks in the lane, not on how much waits. Leases that ran out, and those of an earlier
        start of this node, are due too.

        Rows: (id, mm_id, recipient_id, kind, lane, due_at, priority, attempt, payload, owner)."""
        ...

    async def room(self) -> Room:
        """How much space is used and left. Raises `StoreUnavailable`."""
        ...

    async def give_back(self, octets: int) -> bool:
        """Return about so much free space inside the file to the file system, in one small unit; False where the store
        does not need to be told (PostgreSQL: autovacuum)."""
        ...

    def on_wake(self, callback: Callable[[str], None]) -> None:
        """Call `callback` with a lane's name when another node made work for it; "" when any lane may have some."""
        ...


def claim_order(row: Row) -> tuple[int, int, int]:
    """How claimed rows are served: priority first, then due time."""
    due_at, priority, task_id = row[5], row[6], row[0]
    assert isinstance(due_at, int)
    assert isinstance(priority, int)
    assert isinstance(task_id, int)
    return (-priority, due_at, task_id)
