"""An engine on a real SQLite file with couriers that a test holds in its hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from mmsc.clock import VirtualClock
from mmsc.domain.address import Address
from mmsc.domain.instant import Instant
from mmsc.domain.message import (
    Content,
    Interface,
    Job,
    MmId,
    Origin,
    Part,
    RecipientSpec,
    Submission,
    TaskKind,
)
from mmsc.domain.neighbours import Capability, MmsFlag, Peer, Smsc, Subscriber, Vasp, Verdict
from mmsc.engine.directory import Neighbour
from mmsc.engine.engine import Engine, EnginePolicy
from mmsc.engine.ports import Accepted, Delivered, Evidence, Outcome
from mmsc.engine.routing import RoutingPolicy
from mmsc.ids import Ids
from mmsc.store.core import Unit
from mmsc.store.postgres import PostgresStore
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from mmsc.trace.events import Data, Event

PHONE = "+15550100123"
OTHER = "+15550100124"
OLD_PHONE = "+15550100900"
FOREIGN = "+16660100123"
CONTENT = Content("application/vnd.wap.multipart.mixed", b"\x01\x02\x01\x83\xaax", (Part("text/plain", "t", "", 5, 1),))


class Flags:
    """Capability by the operator's flag alone."""

    def decide(self, subscriber: Subscriber, _: MmId, /) -> Capability:
        verdicts = {MmsFlag.ON: Verdict.CAPABLE, MmsFlag.OFF: Verdict.INCAPABLE, MmsFlag.UNKNOWN: Verdict.UNKNOWN}
        return Capability(verdicts[subscriber.mms], (f"flag {subscriber.mms.value}",))


@dataclass
class Hand:
    """A courier: keeps the jobs it was given and answers what it is told (Delivered unless told otherwise)."""

    jobs: list[Job] = field(default_factory=list)
    answers: list[Outcome] = field(default_factory=list)
    on_job: Callable[[Job], None] = lambda job: None

    async def deliver(self, job: Job) -> Outcome:
        self.jobs.append(job)
        self.on_job(job)
        return self.answers.pop(0) if self.answers else Delivered(("r1",))


@dataclass
class Bench:
    """The engine under test and everything around it."""

    engine: Engine
    store: SqliteStore | PostgresStore
    clock: VirtualClock
    hands: dict[TaskKind, Hand]
    events: list[Event]
    heard: asyncio.Event
    running: asyncio.Task[None]

    async def stop(self) -> None:
        """The engine stops working; its store stays open."""
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        await self.engine.end()

    async def submit(self, *to: str, answered: bool = True, **changes: object) -> Accepted:
        outcome = await self.engine.submit.accept(self.submission(*to, **changes))
        assert isinstance(outcome, Accepted), outcome
        if answered:
            outcome.answered()
        return outcome

    @staticmethod
    def submission(*to: str, **changes: object) -> Submission:
        base = Submission(
            origin=Origin(Interface.MM7, "news"),
            sender="4488",
            recipients=tuple(RecipientSpec(one) for one in to),
            content=CONTENT,
            delivery_report=True,
        )
        return replace(base, **changes)  # type: ignore[arg-type]

    async def until(self, kind: type[Data], count: int = 1) -> list[Data]:
        """Wait until `count` events of a kind happened; returns their data."""
        async with asyncio.timeout(10):
            while True:
                self.heard.clear()
                found = [event.data for event in self.events if isinstance(event.data, kind)]
                if len(found) >= count:
                    return found
                await self.heard.wait()

    async def at_rest(self) -> None:
        """Wait until nothing is due and nothing is under way."""
        async with asyncio.timeout(10):
            while any(row[2] != "ready" or int(str(row[3])) <= self.clock.now() for row in await self.tasks()):
                await self.store.commit(Unit(None, ()))

    async def state(self, address: str) -> str:
        rows = await self.store.fetch("SELECT state FROM recipient WHERE address = $1", address)
        assert len(rows) == 1, rows
        return str(rows[0][0])

    async def tasks(self) -> list[tuple[object, ...]]:
        return await self.store.fetch("SELECT kind, lane, state, due_at FROM task ORDER BY id")  # type: ignore[return-value]


def _learn(known: Subscriber, evidence: Evidence, at: Instant) -> Subscriber | None:
    return replace(known, user_agent=evidence.user_agent, seen_at=at) if evidence.user_agent else None


def listed() -> tuple[Neighbour, ...]:
    """The neighbours, as a settings file would have them."""
    return (
        Vasp(name="news", report_url="http://127.0.0.1:1/", short_codes=("4488",)),
        Peer(name="other", domain="mms.other.example", host="127.0.0.1", prefixes=("+1666",)),
        Smsc(name="local"),
        Subscriber(address=Address.of(PHONE), mms=MmsFlag.ON),
        Subscriber(address=Address.of(OTHER), mms=MmsFlag.ON),
        Subscriber(address=Address.of(OLD_PHONE), mms=MmsFlag.OFF),
    )


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    clock = VirtualClock()
    store = SqliteStore(str(tmp_path / "mmsc.db"), SqliteOptions(synchronous="OFF"), clock.real_now)
    async with benched(store, clock) as bench:
        yield bench


@asynccontextmanager
async def benched(store: SqliteStore | PostgresStore, clock: VirtualClock, *more: Neighbour) -> AsyncIterator[Bench]:
    """An engine at work on a store, which is opened and closed here; `more` neighbours beside the listed ones."""
    await store.open()
    events: list[Event] = []
    heard = asyncio.Event()

    def publish(event: Event) -> None:
        events.append(event)
        heard.set()

    policy = EnginePolicy(routing=RoutingPolicy(own_prefixes=("+1555",)), default_smsc="local")
    engine = Engine(
        store,
        clock,
        Ids.seeded(1, real=clock.real_now),
        node="a",
        policy=policy,
        capability=Flags(),
        learn=_learn,
        publish=publish,
    )
    hands = {kind: Hand() for kind in TaskKind}
    engine.couriers.update(hands)
    await engine.begin((*listed(), *more))
    running = asyncio.create_task(engine.run())
    bench = Bench(engine, store, clock, hands, events, heard, running)
    try:
        yield bench
    finally:
        await bench.stop()
        await store.close()
