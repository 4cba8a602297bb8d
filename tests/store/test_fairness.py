"""Claims share a lane's seats out: one to each owner in turn, whatever waits; priority first, and nobody starves."""

import asyncio
import runpy
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmsc.domain.instant import Instant
from mmsc.domain.message import TaskId, TaskKind
from mmsc.store import tasks
from mmsc.store.core import Row, Store, StoreBusy, Turn, Unit
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from mmsc.store.tasks import TaskRow
from tests.tidy.project import TOP

bench_backlog = SimpleNamespace(**runpy.run_path(str(TOP / "scripts/bench_backlog.py")))
NOW = Instant(1_700_000_000_000_000)
LANE = "smsc:local"


def task(number: int, owner: str, *, priority: int = 1, due_at: int = NOW) -> TaskRow:
    return TaskRow(TaskId(number), None, None, TaskKind.NOTIFY, LANE, Instant(due_at), priority, {}, 0, owner)


async def fill(store: Store, *rows: TaskRow) -> None:
    await store.commit(Unit(None, tuple(map(tasks.insert, rows))))


async def claim(store: Store, seats: int, turn: Turn | None = None) -> list[Row]:
    turns = {} if turn is None else {LANE: turn}
    return await store.claim([(LANE, seats)], node="a", start=1, now=NOW, lease_seconds=60, turns=turns)


def owners(rows: list[Row]) -> Counter[str]:
    return Counter(tasks.read(row).owner for row in rows)


async def test_a_claim_serves_owners_in_turn_whoever_came_first(store: Store) -> None:
    flood = [task(number, "vasp:flood", due_at=NOW - 10_000 + number) for number in range(1, 301)]
    others = [task(1001, "peer:one"), task(1002, "vasp:two"), task(1003, "vasp:two")]
    await fill(store, *flood, *others)
    assert owners(await claim(store, 9)) == {"vasp:flood": 3, "peer:one": 1, "vasp:two": 2}


async def test_one_seat_at_a_time_goes_round(store: Store) -> None:
    """With a single free seat the oldest would always be the flood's."""
    flood = [task(number, "vasp:flood", due_at=NOW - 10_000 + number) for number in range(1, 51)]
    await fill(store, *flood, *(task(100 + number, "vasp:quiet") for number in range(3)))
    served, after = [], ""
    for _ in range(6):
        (row,) = await claim(store, 1, Turn(after))
        after = tasks.read(row).owner
        served.append(after)
    assert served == ["vasp:flood", "vasp:quiet"] * 3


async def test_what_an_owner_does_not_use_the_others_get(store: Store) -> None:
    """A claim may bring fewer than there are seats, but nothing only when nothing is due."""
    await fill(store, *(task(number, f"vasp:{number % 7 if number < 14 else 0}") for number in range(1, 101)))
    await fill(store, *(task(200 + number, f"later:{number}", due_at=NOW + 1) for number in range(5)))
    got, claims = 0, 0
    while rows := await claim(store, 50):
        got += len(rows)
        claims += 1
    assert got == 100
    assert claims < 12


async def test_priority_comes_before_turns_and_the_lowest_has_a_turn_of_its_own(store: Store) -> None:
    rows = [task(number, "vasp:a", priority=2) for number in range(1, 21)]
    rows += [task(100, "vasp:b", priority=1), task(101, "vasp:b", priority=0, due_at=NOW - 5)]
    await fill(store, *rows)
    assert {row[6] for row in await claim(store, 5)} == {2}
    assert [row[0] for row in await claim(store, 2, Turn(lowest_first=True))] == [100, 101]
    assert {row[6] for row in await claim(store, 5, Turn())} == {2}


async def test_an_ended_lease_waits_for_its_owners_turn_too(store: Store) -> None:
    await fill(store, *(task(number, "vasp:flood") for number in range(1, 21)))
    await store.claim([(LANE, 20)], node="gone", start=1, now=NOW, lease_seconds=-60)
    await fill(store, task(100, "vasp:quiet"))
    assert owners(await claim(store, 4)) == {"vasp:flood": 3, "vasp:quiet": 1}


async def test_lanes_with_work_are_found_by_jumping(store: Store) -> None:
    far = Instant(NOW + 9)
    await fill(store, *(replace(task(number, "x", due_at=far), lane=f"vasp:{number % 5}") for number in range(1, 101)))
    await fill(store, replace(task(500, "a", priority=0, due_at=NOW + 3), lane="vasp:3"), task(501, "x"))
    await claim(store, 1)  # its lane holds nothing but a lease now
    assert await tasks.lanes_in_use(store) == [LANE, *(f"vasp:{number}" for number in range(5))]
    due = await tasks.next_due(store)
    assert due == {f"vasp:{number}": NOW + 3 if number == 3 else far for number in range(5)}


async def test_a_large_backlog_of_many_owners_is_drained_whole(store: Store) -> None:
    """What `scripts/bench_backlog.py` measures with a million."""
    await bench_backlog.fill(store, 3000, 20, 1)
    assert list(await tasks.next_due(store)) == await tasks.lanes_in_use(store) == [bench_backlog.LANE]
    served: Counter[str] = Counter()
    while rows := await store.claim([(bench_backlog.LANE, 50)], node="a", start=1, now=NOW, lease_seconds=60):
        served += owners(rows)
    assert set(served.values()) == {150}
    assert len(served) == 20


async def test_large_values_that_wait_are_bounded_in_octets(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmsc.store.committer.MAXIMUM_QUEUE_OCTETS", 1000)
    units = [Unit(None, (tasks.insert(task(number, "a")),), octets=400) for number in range(1, 6)]
    outcomes = await asyncio.gather(*map(store.commit, units), return_exceptions=True)
    assert [isinstance(one, StoreBusy) for one in outcomes] == [False, False, True, True, True]
    await store.commit(Unit(None, (tasks.insert(task(9, "a")),), octets=5000))  # alone, it is never too large
    await asyncio.gather(*(store.commit(units[number]) for number in (2, 3)))


async def test_a_slow_disk_can_be_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`store.commit_delay` on SQLite: not on the thread of the event loop."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        assert threading.current_thread() is not threading.main_thread()
        slept.append(seconds)

    monkeypatch.setattr("mmsc.store.sqlite.time.sleep", sleep)
    slow: Store = SqliteStore(str(tmp_path / "mmsc.db"), SqliteOptions(synchronous="OFF", commit_delay=0.004))
    await slow.open()
    await fill(slow, task(1, "a"))
    await slow.close()
    assert slept == [0.004]
