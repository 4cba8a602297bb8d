"""Each committed event has its records in the files exactly once, wherever the writer stops."""

import csv
import errno
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmsc.cdr import writer as writing
from mmsc.cdr.files import Files, FolderInUse
from mmsc.cdr.writer import Stuck, TakenOver, Writer
from mmsc.clock import VirtualClock
from mmsc.store import charging
from mmsc.store.core import Lost, Statement, Store, StoreBusy, StoreUnavailable, Unit
from mmsc.trace import events as trace
from tests.cdr.world import World, assert_exactly_once, files, records, writer


class Killed(BaseException):
    """The process ends here: nothing more of it runs."""


async def test_a_life_in_records(store: Store, tmp_path: Path) -> None:
    clock = VirtualClock()
    world = World(store, clock)
    await world.life()
    one = writer(store, clock, tmp_path)
    assert await one.write() == 6
    await one.close()
    found = records(files(tmp_path))
    assert [record["recordType"] for record in found] == ["7S", "R1NRq", "R1Rt", "R1NRs", "7DRRq", "7DRRs"]
    assert await assert_exactly_once(store, tmp_path) == 6
    submitted = found[0]
    assert submitted["originatorAddress"] == {"shortCode": "4488"}
    assert submitted["recipientAddresses"] == [{"mSISDN": "+15550100123", "mMSRecipientType": "tO"}]
    assert submitted["messageSize"] == 1
    assert submitted["chargeInformation"] == {"chargedparty": "both"}
    assert (submitted["vaspID"], submitted["vasID"], submitted["requestStatusCode"]) == ("news", "v1", 0)
    assert submitted["mmComponentType"][1] == {"component": "media", "type": "text/plain", "size": 1}


async def test_files_rotate_by_size_and_by_age_and_have_no_gap(store: Store, tmp_path: Path) -> None:
    clock = VirtualClock()
    world = World(store, clock)
    one = writer(store, clock, tmp_path, rotate_octets=3000, endings=("jsonl", "csv"))
    for _ in range(3):
        await world.life()
        await one.write()
    assert len(files(tmp_path)) == 3
    await world.tell(mm := world.mm(), None, trace.MmDeleted(mm.message_id, "mm7", "", 5))
    await one.write()
    assert len(files(tmp_path)) == 3
    assert len(list((tmp_path / "cdr").glob("*.open"))) == 2
    clock.advance(15 * 60)
    await one.write()
    assert len(files(tmp_path)) == len(files(tmp_path, ending="csv")) == 4
    await one.close()
    assert await assert_exactly_once(store, tmp_path) == 19
    rows = [
        row for path in files(tmp_path, ending="csv") for row in csv.DictReader(io.StringIO(path.read_bytes().decode()))
    ]
    assert [row["localSequenceNumber"] for row in rows] == [str(number) for number in range(1, 20)]


async def test_a_clock_that_was_set_back_ends_the_file_and_nothing_else(store: Store, tmp_path: Path) -> None:
    clock = VirtualClock()
    await World(store, clock).life()
    one = writer(store, clock, tmp_path)
    await one.write()
    await one._do(one._files.let_go)
    early = VirtualClock()
    early._virtual = type(clock.now())(clock.now() - 10**12)
    two = writer(store, early, tmp_path)
    await two.write()
    assert len(files(tmp_path)) == 1
    await two.close()
    await one.close()


async def test_the_restart_goes_on_with_the_open_file_and_cuts_what_was_not_confirmed(
    store: Store, tmp_path: Path
) -> None:
    clock = VirtualClock()
    world = World(store, clock)
    await world.life()
    one = writer(store, clock, tmp_path)
    await one.write()
    await one._do(one._files.let_go)  # as a killed process does
    (path,) = (tmp_path / "cdr").glob("*.open")
    with path.open("ab") as file:
        file.write(b'{"recordType":"7S","torn')
    await world.life()
    two = writer(store, clock, tmp_path)
    await two.write()
    await two.close()
    assert await assert_exactly_once(store, tmp_path) == 12
    assert len(files(tmp_path)) == 1
    one._taken_over = True
    await one.close()


STEPS: tuple[tuple[type[Any], str], ...] = ((Files, "append"), (Files, "finish"), (Writer, "_move"), (Files, "settle"))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("owner", "name"), STEPS)
@pytest.mark.parametrize("nth", [1, 2, 3])
async def test_a_death_at_any_step_loses_and_doubles_nothing(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: type[Any],
    name: str,
    when: str,
    nth: int,
) -> None:
    """Dies before or after the nth time of each step, goes on as the next process does, and dies there again."""
    clock = VirtualClock()
    world = World(store, clock)
    await world.life()
    left = [nth, nth]
    original: Callable[..., Any] = getattr(owner, name)

    def dying(*arguments: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and when == "before":
            raise Killed
        done = original(*arguments)
        if left[0] == 0:
            raise Killed
        return done

    async def dying_slowly(*arguments: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and when == "before":
            raise Killed
        await original(*arguments)
        if left[0] == 0:
            raise Killed

    monkeypatch.setattr(owner, name, dying_slowly if name == "_move" else dying)
    for _ in range(2):
        one = writer(store, clock, tmp_path, rotate_octets=2500, endings=("jsonl", "csv"))
        try:
            for _ in range(3):
                await world.life()
                await one.write()
            await one.finish()
        except Killed:
            left[0] = left[1]
        await one._do(one._files.let_go)
        one._thread.shutdown()
    monkeypatch.undo()
    last = writer(store, clock, tmp_path, rotate_octets=2500, endings=("jsonl", "csv"))
    await last.write()
    await last.close()
    assert await assert_exactly_once(store, tmp_path) >= 18


async def test_a_unit_that_was_committed_late_is_written_though_its_ids_are_old(store: Store, tmp_path: Path) -> None:
    clock = VirtualClock()
    world = World(store, clock)
    mm = world.mm()
    late = world.chronicle.event(trace.NotificationPushed("local", 1, ()), mm_id=mm.id)
    one = writer(store, clock, tmp_path)
    await world.accept(mm, world.recipient(mm))
    await one.write()
    recipient = await store.fetch_one("SELECT id FROM recipient")
    assert recipient is not None
    assert isinstance(recipient[0], int)
    event = trace.Event(late.id, mm.id, recipient[0], None, late.at_service, late.at_real, late.data)
    await store.commit(world.chronicle.unit(None, (), (event,)))
    await one.write()
    await one.close()
    assert await assert_exactly_once(store, tmp_path) == 2


async def test_a_full_disk_is_told_and_caught_up_with(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualClock()
    world = World(store, clock)
    one = writer(store, clock, tmp_path)
    await world.life()
    await one.write()
    pwrite = os.pwrite
    room = [100]

    def full(descriptor: int, octets: bytes, at: int) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = pwrite(descriptor, octets[: room[0]], at)
        room[0] -= done
        return done

    monkeypatch.setattr(os, "pwrite", full)
    for _ in range(3):
        await world.life()
        with pytest.raises(OSError, match="No space"):
            await one.write()
    monkeypatch.undo()
    await one.write()
    await one.close()
    assert await assert_exactly_once(store, tmp_path) == 24


async def test_the_running_writer_says_what_keeps_it_and_that_it_is_well_again(store: Store, tmp_path: Path) -> None:
    clock = VirtualClock()
    await World(store, clock).life()
    (tmp_path / "cdr").write_text("in the way")
    one = writer(store, clock, tmp_path, write_seconds=0.05)
    one.start()
    while not one.problem:
        await store.commit(Unit(None, ()))
    assert "File exists" in one.problem
    (tmp_path / "cdr").unlink()
    await one.close()
    assert await assert_exactly_once(store, tmp_path) == 6


async def test_a_file_that_could_not_be_begun_leaves_nothing_behind(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualClock()
    await World(store, clock).life()
    one = writer(store, clock, tmp_path)

    def full(descriptor: int, octets: bytes, at: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space"):
            await one.write()
    clock.advance(100)
    await one.write()
    await one.close()
    assert await assert_exactly_once(store, tmp_path) == 6
    assert [path.suffix for path in sorted((tmp_path / "cdr").iterdir())] == [".jsonl", ".lock"]


async def test_events_of_which_no_record_can_be_made_do_not_stop_it_in_silence(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualClock()
    world = World(store, clock)
    monkeypatch.setattr(writing, "EVENTS_AT_ONCE", 2)
    mm = world.mm()
    await world.accept(mm, world.recipient(mm))
    await world.tell(mm, None, *[trace.ReportDelivered("vasp:news", "no such state", 1)] * 3)
    one = writer(store, clock, tmp_path)
    with pytest.raises(Stuck, match="no record can be made"):
        await one.write()
    await one.close()


class Failing:
    """A store whose nth commit fails: before it did anything, or after it did all."""

    def __init__(self, store: Store, *, done: bool) -> None:
        self._store, self._done = store, done
        self.fails = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, unit: Unit) -> Any:
        self.fails -= 1
        if self.fails != 0:
            return await self._store.commit(unit)
        if self._done:
            await self._store.commit(unit)
        raise StoreUnavailable("connection lost")


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("nth", range(1, 7))
async def test_a_commit_of_unknown_outcome_is_found_out(store: Store, tmp_path: Path, nth: int, done: bool) -> None:
    clock = VirtualClock()
    world = World(store, clock)
    failing = Failing(store, done=done)
    one = writer(failing, clock, tmp_path, rotate_octets=2500)
    failing.fails = nth
    for _ in range(4):
        await world.life()
        try:
            await one.write()
        except (StoreUnavailable, StoreBusy):
            await one.write()
    await one.close()
    assert await assert_exactly_once(store, tmp_path) == 24


class Late(Failing):
    """A store whose nth commit is on its way for long: its sender was told that the connection is lost."""

    unit: Unit | None = None

    async def commit(self, unit: Unit) -> Any:
        self.fails -= 1
        if self.fails != 0:
            return await self._store.commit(unit)
        self.unit = unit
        raise StoreUnavailable("connection lost")


@pytest.mark.parametrize("nth", range(1, 7))
async def test_a_commit_that_comes_late_comes_too_late(store: Store, tmp_path: Path, nth: int) -> None:
    """It would forget events whose records were cut off meanwhile."""
    clock = VirtualClock()
    world = World(store, clock)
    late = Late(store, done=False)
    one = writer(late, clock, tmp_path, rotate_octets=2500)
    late.fails = nth
    for _ in range(4):
        await world.life()
        try:
            await one.write()
        except StoreUnavailable:
            await one.write()
            assert late.unit is not None
            assert isinstance(await store.commit(late.unit), Lost)
    await one.close()
    assert late.unit is not None
    assert await assert_exactly_once(store, tmp_path) == 24


async def test_two_nodes_on_one_database_write_their_own(store: Store, tmp_path: Path) -> None:
    clock = VirtualClock()
    worlds = World(store, clock, "a", 1), World(store, clock, "b", 2)
    writers = [writer(store, clock, tmp_path, world.node) for world in worlds]
    for _ in range(2):
        for world, one in zip(worlds, writers, strict=True):
            await world.life()
            await one.write()
    for world, one, number in zip(worlds, writers, (1, 2), strict=True):
        await one.close()
        assert await assert_exactly_once(store, tmp_path, world.node, number) == 12


async def test_nobody_writes_a_nodes_files_twice(store: Store, tmp_path: Path) -> None:
    clock = VirtualClock()
    world = World(store, clock)
    one, here = writer(store, clock, tmp_path), writer(store, clock, tmp_path)
    elsewhere = writer(store, clock, tmp_path / "elsewhere")
    await world.life()
    await one.write()
    with pytest.raises(FolderInUse, match="another process writes the CDRs of node a"):
        await here.write()
    (tmp_path / "elsewhere").mkdir()
    await elsewhere.write()  # another host, where no lock tells
    await world.life()
    with pytest.raises(TakenOver):
        await one.write()
    await elsewhere.write()
    one._taken_over = here._taken_over = True
    for each in (one, here, elsewhere):
        await each.close()


async def test_what_no_record_can_be_made_of_stays_owed_and_stops_nobody(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = VirtualClock()
    world = World(store, clock)
    mm = world.mm()
    await world.accept(mm, world.recipient(mm))
    await world.tell(mm, None, trace.ReportDelivered("vasp:news", "no such state", 1))
    await world.life()
    one = writer(store, clock, tmp_path)
    assert await one.write() == 7
    assert await one.write() == 0
    assert "it stays owed" in caplog.text
    await one.close()
    assert len(await store.fetch("SELECT event_id FROM cdr")) == 1


async def test_events_that_went_before_their_records_are_told(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = VirtualClock()
    world = World(store, clock)
    await world.life()
    await store.commit(Unit(None, (Statement("DELETE FROM event"),)))
    one = writer(store, clock, tmp_path)
    assert await one.write() == 0
    assert "5 events are gone from the store" in caplog.text
    await one.close()
    assert await charging.nodes(store) == []


async def test_a_file_that_lost_its_end_is_kept_and_told(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = VirtualClock()
    world = World(store, clock)
    await world.life()
    one = writer(store, clock, tmp_path)
    await one.write()
    await one._do(one._files.let_go)
    (path,) = (tmp_path / "cdr").glob("*.open")
    os.truncate(path, 100)
    await world.life()
    two = writer(store, clock, tmp_path)
    await two.write()
    await two.close()
    assert "that were written: kept as .damaged" in caplog.text
    assert [record["localSequenceNumber"] for record in records(files(tmp_path))] == list(range(7, 13))
    one._taken_over = True
    await one.close()


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: os.truncate(path, 10)])
async def test_an_open_file_that_somebody_spoils_is_told_and_the_next_one_begins(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: Callable[[Path], None]
) -> None:
    clock = VirtualClock()
    world = World(store, clock)
    one = writer(store, clock, tmp_path)
    await world.life()
    await one.write()
    (path,) = (tmp_path / "cdr").glob("*.open")
    harm(path)
    await world.life()
    with pytest.raises(OSError, match=path.name):
        await one.write()
    assert await one.write() == 6
    await one.close()
    assert "taken away already, or lost" in caplog.text or "kept as .damaged" in caplog.text
    assert [record["localSequenceNumber"] for record in records(files(tmp_path))] == list(range(7, 13))


async def test_another_format_begins_with_another_file(store: Store, tmp_path: Path) -> None:
    clock = VirtualClock()
    world = World(store, clock)
    await world.life()
    one = writer(store, clock, tmp_path)
    await one.write()
    await one._do(one._files.let_go)
    await world.life()
    two = writer(store, clock, tmp_path, endings=("csv",))
    await two.write()
    await two.close()
    assert len(records(files(tmp_path))) == 6
    assert len(files(tmp_path, ending="csv")) == 1
    one._taken_over = True
    await one.close()
