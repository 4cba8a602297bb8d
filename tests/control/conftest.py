"""A bench engine with what is offered on top of it, on both stores."""

import itertools
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mmsc.clock import VirtualClock
from mmsc.control import Control
from mmsc.control.sending import Sending
from mmsc.engine.directory import Neighbour
from mmsc.ids import Ids
from mmsc.store.postgres import PostgresStore
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from mmsc.trace.bus import Bus
from mmsc.trace.events import Event
from tests import postgres
from tests.engine.conftest import Bench, benched

_numbers = itertools.count()


@dataclass
class Desk:
    """The bench, and the control of its engine."""

    bench: Bench
    control: Control


def desk_of(bench: Bench, bus: "Bus[Event] | None" = None) -> Desk:
    """What is offered on top of a bench."""
    bus = bus or Bus()
    ids, places = Ids(), dict[str, str]
    sending = Sending(places, bench.clock, ids, bus, domain="mms.example")
    control = Control(
        engine=bench.engine, bus=bus, captures=None, clock=bench.clock, ids=ids, places=places, sending=sending
    )
    heard = bench.engine.chronicle._publish

    def publish(event: Event) -> None:
        heard(event)
        bus.publish(event)

    bench.engine.chronicle._publish = publish
    return Desk(bench, control)


@pytest.fixture(params=["sqlite", "postgres"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[VirtualClock], SqliteStore | PostgresStore]:
    """Makes a store of each kind."""

    def made(clock: VirtualClock) -> SqliteStore | PostgresStore:
        if request.param == "postgres":
            return PostgresStore(postgres.server(), schema=f"c{os.getpid()}_{next(_numbers)}")
        return SqliteStore(str(tmp_path / "mmsc.db"), SqliteOptions(synchronous="OFF"), clock.real_now)

    return made


@pytest.fixture
def more_neighbours() -> tuple[Neighbour, ...]:
    """Beside those that the bench lists."""
    return ()


@pytest.fixture
async def desk(
    new_store: Callable[[VirtualClock], SqliteStore | PostgresStore], more_neighbours: tuple[Neighbour, ...]
) -> AsyncIterator[Desk]:
    clock = VirtualClock()
    async with benched(new_store(clock), clock, *more_neighbours) as bench:
        yield desk_of(bench)
