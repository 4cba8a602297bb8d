"""The capacity model of mmsc/CAPACITY.md as a queueing simulation: nodes, shards of PostgreSQL, object storage.

    python3 scripts/capacity.py                        the table of that page
    python3 scripts/capacity.py --rate 10000 --nodes 30 --shards 4 --seconds 5     one deployment

Each MM is played through the steps that the server has: its submission waits for a node's processor and for the commit
of its unit, then push, GET, notification response and report follow, each with its processor time and its unit. A node
is one process on one core; it has one connection for commits to each shard, and what queues while a commit runs is the
next batch. A shard is a PostgreSQL server: so many cores, one log that takes so many octets a second, a wait for the
disk (and a replica) at each commit. What is not in the model: network, radio, the SMSC's own rate, retention.

The costs are measured, see the page; only ratios hold on another machine.
"""

import argparse
import heapq
import random
import statistics
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

STEPS: Final = ("accept", "push", "get", "notifyresp", "report")


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """For one MM of 30 KB to one recipient with a report: seconds of processor, octets, seconds of waiting."""

    node_cpu: tuple[float, ...]  # of each step
    database_cpu: float  # a unit, on one core of the database
    commit_cpu: float  # a batch, beside its units
    log_octets: float  # a MM, over all its units; the first has `first_share` of them
    first_share: float
    commit_seconds: float = 0.001  # until the log is on disk (and on a replica)
    object_seconds: float = 0.0  # a put before the first unit and a get before the third; 0: bodies in the database


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """So many of each. `log_rate` is what one server's log takes (octets/s)."""

    nodes: int
    shards: int
    database_cores: int = 16
    log_rate: float = 400e6


@dataclass(frozen=True, slots=True)
class Found:
    """What a run came to: MMs/s that were accepted and that ended, latencies of the answer (ms), how busy each was."""

    accepted_per_s: float
    ended_per_s: float
    p50_ms: float
    p99_ms: float
    node: float
    database: float
    log: float
    batch: float

    @property
    def sustained(self) -> bool:
        """Nothing queues for ever."""
        return max(self.node, self.database, self.log) < 0.97 and self.p99_ms < 1000


class Simulation:
    """Time and what happens next."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something later."""
        self._number += 1
        heapq.heappush(self._events, (self.now + seconds, self._number, do))

    def run(self, until: float) -> None:
        """Let time pass."""
        while self._events and self._events[0][0] <= until:
            self.now, _, do = heapq.heappop(self._events)
            do()
        self.now = until


class Servers:
    """A queue in front of so many servers, first come first served."""

    def __init__(self, world: Simulation, count: int) -> None:
        self._world = world
        self._count = count
        self._free = count
        self._queue: deque[tuple[float, Callable[[], None]]] = deque()
        self.busy_seconds = 0.0

    def use(self, seconds: float, then: Callable[[], None]) -> None:
        """Be served for so long, then go on."""
        if self._free:
            self._serve(seconds, then)
        else:
            self._queue.append((seconds, then))

    def busy(self, seconds: float) -> float:
        """How much of a time it was busy, 0 to 1."""
        return self.busy_seconds / seconds / self._count

    def _serve(self, seconds: float, then: Callable[[], None]) -> None:
        self._free -= 1
        self.busy_seconds += seconds

        def served() -> None:
            self._free += 1
            if self._queue:
                self._serve(*self._queue.popleft())
            then()

        self._world.after(seconds, served)


@dataclass(slots=True)
class Connection:
    """A node's connection to a shard: a batch at a time, of all that queued meanwhile."""

    queue: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    running: bool = False


class Shard:
    """One PostgreSQL server."""

    def __init__(self, world: Simulation, costs: Costs, deployment: Deployment) -> None:
        self._world = world
        self._costs = costs
        self._rate = deployment.log_rate
        self.cores = Servers(world, deployment.database_cores)
        self.log = Servers(world, 1)
        self.batches: list[int] = []

    def commit(self, connection: Connection, octets: float, then: Callable[[], None]) -> None:
        """Queue a unit; `then` when it is durable."""
        connection.queue.append((octets, then))
        if not connection.running:
            self._next(connection)

    def _next(self, connection: Connection) -> None:
        batch, connection.queue = connection.queue[:256], connection.queue[256:]
        connection.running = bool(batch)
        if not batch:
            return
        self.batches.append(len(batch))
        octets = sum(size for size, _ in batch)

        def durable() -> None:
            for _, then in batch:
                then()
            self._next(connection)

        def written() -> None:
            self._world.after(self._costs.commit_seconds, durable)

        def ran() -> None:
            self.log.use(octets / self._rate, written)

        self.cores.use(self._costs.commit_cpu + self._costs.database_cpu * len(batch), ran)


class Play:
    """All MMs of one run."""

    def __init__(self, costs: Costs, deployment: Deployment, rate: float, seed: int, handset_seconds: float) -> None:
        self.world = Simulation()
        self._costs = costs
        self._rate = rate
        self._handset_seconds = handset_seconds
        self._chance = random.Random(seed)
        self.nodes = [Servers(self.world, 1) for _ in range(deployment.nodes)]
        self.shards = [Shard(self.world, costs, deployment) for _ in range(deployment.shards)]
        self._connections = [[Connection() for _ in self.shards] for _ in self.nodes]
        self.answered: list[float] = []
        self.ended = 0

    def arrive(self) -> None:
        """A submission, and when the next one comes."""
        self.world.after(self._chance.expovariate(self._rate), self.arrive)
        node = self._chance.randrange(len(self.nodes))
        shard = self._chance.randrange(len(self.shards))
        self._step(0, self.world.now, node, shard)

    def _step(self, step: int, since: float, node: int, shard: int) -> None:
        costs = self._costs
        share = costs.first_share if step == 0 else (1 - costs.first_share) / (len(STEPS) - 1)
        connection = self._connections[node][shard]

        def durable() -> None:
            self._done(step, since, shard)

        def commit() -> None:
            self.shards[shard].commit(connection, costs.log_octets * share, durable)

        def computed() -> None:
            self.world.after(costs.object_seconds if step in (0, 2) else 0.0, commit)

        self.nodes[node].use(costs.node_cpu[step], computed)

    def _done(self, step: int, since: float, shard: int) -> None:
        if step == 0:
            self.answered.append(self.world.now - since)
        if step == len(STEPS) - 1:
            self.ended += 1
            return
        wait = self._chance.expovariate(1 / self._handset_seconds) if STEPS[step + 1] == "get" else 0.0
        node = self._chance.randrange(len(self.nodes))  # a handset's or a report's request meets any node
        self.world.after(wait, lambda: self._step(step + 1, since, node, shard))


def play(costs: Costs, deployment: Deployment, rate: float, *, seconds: float = 5.0, seed: int = 1) -> Found:
    """Run a deployment at so many MMs/s."""
    one = Play(costs, deployment, rate, seed, handset_seconds=0.2)
    one.world.after(0.0, one.arrive)
    one.world.run(seconds)
    ordered = sorted(one.answered) or [float("inf")]
    batches = [size for shard in one.shards for size in shard.batches] or [0]
    return Found(
        len(one.answered) / seconds,
        one.ended / seconds,
        ordered[len(ordered) // 2] * 1000,
        ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] * 1000,
        max(node.busy(seconds) for node in one.nodes),
        max(shard.cores.busy(seconds) for shard in one.shards),
        max(shard.log.busy(seconds) for shard in one.shards),
        statistics.mean(batches),
    )


# Measured on two cores of a 2023 server processor (mmsc/CAPACITY.md says how); PostgreSQL 15, 64 MMs in flight.
NODE: Final = (0.00070, 0.00028, 0.00025, 0.00015, 0.00017)
INSIDE: Final = Costs(node_cpu=NODE, database_cpu=0.000055, commit_cpu=0.00060, log_octets=42_000, first_share=0.85)
OUTSIDE: Final = replace(INSIDE, database_cpu=0.00003, log_octets=8_000, first_share=0.40, object_seconds=0.015)


def most(costs: Costs, deployment: Deployment, *, seconds: float = 3.0) -> float:
    """The highest rate (MMs/s, to 2 %) at which nothing queues for ever."""
    low, high = 0.0, 1.0 / sum(costs.node_cpu) * deployment.nodes * 1.05
    while high - low > 0.02 * high:
        middle = (low + high) / 2
        if play(costs, deployment, middle, seconds=seconds).sustained:
            low = middle
        else:
            high = middle
    return low


def needed(costs: Costs, rate: float, *, busy: float = 0.6) -> Deployment:
    """Nodes and shards for a rate, none busier than `busy`: the rest is for peaks, a dead node and retention."""
    shard = Deployment(nodes=1, shards=1)
    nodes = rate * sum(costs.node_cpu) / busy
    unit = costs.database_cpu + costs.commit_cpu / 2  # many connections: few units in a batch
    by_cpu = rate * unit * len(STEPS) / shard.database_cores / busy
    by_log = rate * costs.log_octets / shard.log_rate / busy
    return replace(shard, nodes=max(1, -int(-nodes // 1)), shards=max(1, -int(-max(by_cpu, by_log) // 1)))


def _table() -> Iterator[str]:
    yield f"{'deployment':56} {'MMs/s':>7} {'p50':>6} {'p99':>6} {'node':>5} {'db':>5} {'log':>5} {'batch':>6}"
    for name, costs, deployment, rate in _rows():
        found = play(costs, deployment, rate, seconds=4.0)
        yield (
            f"{name:56} {found.accepted_per_s:7.0f} {found.p50_ms:6.1f} {found.p99_ms:6.1f}"
            f" {found.node:5.0%} {found.database:5.0%} {found.log:5.0%} {found.batch:6.1f}"
        )


def _rows() -> Iterator[tuple[str, Costs, Deployment, float]]:
    for nodes in (1, 2, 4, 8, 16):
        deployment = Deployment(nodes=nodes, shards=1)
        yield f"at most, {_many(nodes, 'node')}, 1 shard, bodies inside", INSIDE, deployment, most(INSIDE, deployment)
    for rate in (1_000, 10_000):
        for word, costs in (("inside", INSIDE), ("outside", OUTSIDE)):
            wanted = needed(costs, rate)
            name = f"{rate} MMs/s, bodies {word}: {_many(wanted.nodes, 'node')}, {_many(wanted.shards, 'shard')}"
            yield name, costs, wanted, rate


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def main(arguments: Sequence[str]) -> int:
    """Print the table, or one deployment."""
    parser = argparse.ArgumentParser(prog="scripts/capacity.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=float, help="MMs/s that arrive")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--outside", action="store_true", help="bodies in object storage")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long, in the simulation")
    given = parser.parse_args(arguments)
    if given.rate is None:
        for line in _table():
            print(line, flush=True)
        return 0
    costs = OUTSIDE if given.outside else INSIDE
    found = play(costs, Deployment(nodes=given.nodes, shards=given.shards), given.rate, seconds=given.seconds)
    print(found)
    return 0 if found.sustained else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
