"""Retention on every store: what goes, in which order and in how small steps, and what never goes."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mmsc.cdr.triggers import owing
from mmsc.clock import VirtualClock
from mmsc.domain.instant import DAY, HOUR, MINUTE, Instant
from mmsc.domain.message import Content, ContentId, MmId, RecipientId, TaskKind
from mmsc.domain.states import RecipientState
from mmsc.engine import housekeeping
from mmsc.engine.chronicle import Chronicle
from mmsc.engine.housekeeping import ROWS_AT_ONCE, Housekeeper, RetentionPolicy
from mmsc.ids import Ids
from mmsc.store import charging, messages, meta, nodes, sms, tasks
from mmsc.store import content as content_sql
from mmsc.store import events as event_sql
from mmsc.store import housekeeping as sql
from mmsc.store.bodies import Bodies, drop
from mmsc.store.core import LOST, Room, Statement, Store, StoreUnavailable, Unit
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from mmsc.trace import events as trace
from tests.store.test_bodies import Memory
from tests.store.test_contract import MM, RECIPIENT, task

POLICY = RetentionPolicy(bodies=7 * DAY, messages=90 * DAY)
TABLES = ("mm", "recipient", "content", "event", "sms")


class House:
    """A housekeeper over a store, and time in the test's hand."""

    def __init__(self, store: Store, policy: RetentionPolicy = POLICY, *, node: str = "a") -> None:
        self.store = store
        self.clock = VirtualClock()
        self.start = self.clock.now()
        self.told: list[trace.Event] = []
        self.on_told: Callable[[], None] = lambda: None
        chronicle = Chronicle(self.clock, Ids.seeded(1, real=self.clock.real_now), self._tell)
        self.keeper = Housekeeper(
            store, Bodies(store, None, self.clock.real_now), self.clock, chronicle, policy, node=node
        )

    def _tell(self, event: trace.Event) -> None:
        self.told.append(event)
        self.on_told()

    async def put(self, number: int, state: RecipientState = RecipientState.RETRIEVED, *more: Statement) -> None:
        """An MM of now with one recipient that has just ended, a body of 1,000 octets, two events and an SMS."""
        mm_id, now = number * 1000, self.clock.now()
        mm = MM._replace(
            id=MmId(mm_id), content_id=ContentId(mm_id), submitted_at=now, expires_at=Instant(now + 3 * DAY)
        )
        one = RECIPIENT._replace(
            id=RecipientId(mm_id + 1),
            mm_id=mm.id,
            state=state,
            state_at=now,
            transaction_id=f"x{number}",
            token=f"t{number}",
            link_token=f"l{number}",
        )
        events = [trace.Event(mm_id + at, mm_id, None, None, now, now, trace.MmFetched()) for at in (2, 3)]
        effects = (
            content_sql.insert(mm.content_id, Content("application/vnd.wap.multipart.mixed", bytes(1000), ())),
            messages.insert_recipient(one),
            *map(event_sql.insert, events),
            sms.insert("smsc:a", f"s{number}", mm_id, one.id, "link settled", now),
            *more,
        )
        await self.store.commit(Unit(messages.insert_mm(mm, repeat_key=b"%d" % number, answer=None), effects))

    async def left(self) -> dict[str, int]:
        """Rows by table, without this housekeeper's own events."""
        found = {}
        for table in TABLES:
            where = " WHERE kind <> 'store.tidied'" if table == "event" else ""
            row = await self.store.fetch_one(f"SELECT count(*) FROM {table}{where}")
            assert row is not None
            found[table] = int(str(row[0]))
        return found


WHOLE = {"mm": 1, "recipient": 1, "content": 1, "event": 2, "sms": 1}
NOTHING = dict.fromkeys(TABLES, 0)


async def test_the_body_goes_first_and_the_rest_later(store: Store) -> None:
    house = House(store)
    await house.put(1)
    house.clock.advance(7 * 86400 - 1)
    assert await house.keeper.round() == trace.StoreTidied()
    assert await house.left() == WHOLE
    house.clock.advance(1)
    assert await house.keeper.round() == trace.StoreTidied(bodies=1, octets=1000)
    assert await house.left() == {**WHOLE, "content": 0}
    assert int(str(await meta.read(store, sql.BODIES_KEY))) == 1000
    house.clock.advance(83 * 86400)
    assert await house.keeper.round() == trace.StoreTidied(messages=1, rows=5)
    assert await house.left() == NOTHING
    assert [event.kind for event in house.told] == ["store.tidied"] * 2
    assert house.keeper.totals == trace.StoreTidied(bodies=1, octets=1000, messages=1, rows=5)


async def test_nothing_goes_when_everything_is_kept_for_ever(store: Store) -> None:
    house = House(store, RetentionPolicy())
    await house.put(1)
    house.clock.advance(10_000 * 86400)
    await house.keeper.round()
    assert await house.left() == WHOLE


@pytest.mark.parametrize(
    "reason", ["scheduled", "accepted", "notified", "deferred", "relayed", "link_sent", "report", "res", "receipt"]
)
async def test_what_has_not_ended_or_is_owed_stays(store: Store, reason: str) -> None:
    house = House(store, replace(POLICY, bodies=HOUR, messages=HOUR, repeat_window=1))
    more: tuple[Statement, ...] = ()
    state = RecipientState.RETRIEVED
    if reason == "report":
        more = (tasks.insert(task(9, kind=TaskKind.REPORT_MM7, mm_id=MmId(1000), recipient_id=RecipientId(1001))),)
    elif reason == "res":
        more = (tasks.insert(task(9, kind=TaskKind.RES_MM4, mm_id=MmId(1000), recipient_id=None)),)
    elif reason == "receipt":
        more = (sms.insert("smsc:a", "open", 1000, RecipientId(1001), "link", house.start),)
    else:
        state = RecipientState(reason)
    await house.put(1, state, *more)
    house.clock.advance(20 * 86400)
    await house.keeper.round()
    left = await house.left()
    assert left["mm"] == left["recipient"] == 1
    assert left["content"] == (0 if reason == "receipt" else 1)  # nobody needs the body for that
    house.clock.advance(20 * 86400)
    if reason == "receipt":  # what an SMSC does not tell in a month it will never tell
        await house.keeper.round()
        assert (await house.left())["mm"] == 0


@pytest.mark.parametrize("state", [RecipientState.INDETERMINATE, RecipientState.LINK_VIEWED])
async def test_a_page_that_can_still_be_opened_keeps_its_body(store: Store, state: RecipientState) -> None:
    house = House(store, replace(POLICY, bodies=HOUR))
    await house.put(1, state)
    house.clock.advance(2 * 86400)
    await house.keeper.round()
    assert (await house.left())["content"] == 1
    house.clock.advance(86400)
    await house.keeper.round()
    assert (await house.left())["content"] == 0


async def test_a_repeat_is_known_for_its_whole_window(store: Store) -> None:
    house = House(store, replace(POLICY, messages=HOUR, repeat_window=2 * DAY))
    await house.put(1)
    house.clock.advance(2 * 86400)
    await house.keeper.round()
    assert await messages.answer_to_repeat(store, b"1") is not None
    house.clock.advance(2 * 3600)
    await house.keeper.round()
    assert await messages.answer_to_repeat(store, b"1") is None


@pytest.mark.parametrize("dated", [0, 1 << 60])
async def test_an_end_that_another_mmsc_dated_wrongly_neither_hurries_nor_keeps_it(store: Store, dated: int) -> None:
    house = House(store)
    await house.put(1)
    await store.commit(Unit(None, (Statement("UPDATE recipient SET state_at = $1", (dated,)),)))
    house.clock.advance(6 * 86400)
    await house.keeper.round()
    assert (await house.left())["content"] == 1
    house.clock.advance((3 + 7 + 7) * 86400)
    await house.keeper.round()
    assert (await house.left())["content"] == 0


async def test_a_task_that_came_meanwhile_keeps_its_mm(store: Store) -> None:
    house = House(store)
    await house.put(1)
    (found,) = await sql.old(store, 0, house.start, house.start, 10)
    await store.commit(Unit(None, (tasks.insert(task(9, kind=TaskKind.RES_MM4, mm_id=MmId(1000), recipient_id=None)),)))
    assert await store.commit(Unit(*sql.drop_mm(found, house.start))) is LOST
    assert await house.left() == WHOLE


async def test_charging_records_that_came_to_be_owed_keep_what_they_are_made_of(store: Store) -> None:
    """A late m-read-rec-ind between the look and the removal."""
    house = House(store)
    await house.put(1)
    (found,) = await sql.old(store, 0, house.start, house.start, 10)
    ((event_id,), *_) = await store.fetch("SELECT id FROM event WHERE mm_id = $1", 1000)
    assert isinstance(event_id, int)
    await nodes.enter_new(store, "a", nodes.ANY_NUMBER, "{}")
    await store.commit(Unit(None, (charging.owed("a", event_id),)))
    assert await store.commit(Unit(*sql.drop_mm(found, house.start))) is LOST
    thin = (sql.thin_events(1000, 100), *sql.thin_recipients(1000, 100), sql.drop_event(event_id))
    await store.commit(Unit(None, thin))
    assert await house.left() == WHOLE
    await store.commit(Unit(None, (charging.done("a", event_id),)))
    await store.commit(Unit(*sql.drop_mm(found, house.start)))
    assert await house.left() != WHOLE


@pytest.mark.parametrize("other_events", [0, 1])
async def test_where_records_are_charged_the_end_of_an_mm_is_told_and_owed(store: Store, other_events: int) -> None:
    """By an event that outlives the MM until its own time, whatever else is written in the same batch."""
    house = House(store)
    house.keeper._chronicle._beside = owing("a")
    await nodes.enter_new(store, "a", nodes.ANY_NUMBER, "{}")
    await house.put(1)
    await house.put(2, RecipientState.EXPIRED)
    house.clock.advance(91 * 86_400)
    hold, beside = house.keeper._hold, list[asyncio.Future[object]]()

    async def held() -> None:
        await hold()
        for _ in range(other_events):  # its INSERT stands before the DELETEs of this batch
            beside.append(
                asyncio.ensure_future(store.commit(house.keeper._chronicle.note(trace.LaneResumed("smsc:a"))))
            )

    house.keeper._hold = held  # type: ignore[method-assign]
    await house.keeper.round()
    await asyncio.gather(*beside)
    ends = [event for event in house.told if isinstance(event.data, trace.MmDeleted)]
    assert [event.data for event in ends] == [
        trace.MmDeleted(MM.message_id, "mm7", "", MM.size, state) for state in ("retrieved", "expired")
    ]
    assert await store.fetch("SELECT event_id FROM cdr ORDER BY event_id") == [(one.id,) for one in ends]
    kept = "SELECT id FROM event WHERE kind = 'mm.deleted' ORDER BY id"
    assert await store.fetch(kept) == [(one.id,) for one in ends]
    house.clock.advance(91 * 86_400)
    await house.keeper.round()
    assert len(await store.fetch(kept)) == 2, "owed: they stay"
    await store.commit(Unit(None, tuple(charging.done("a", one.id) for one in ends)))
    await house.keeper.round()
    assert await store.fetch(kept) == []


async def test_a_large_mm_goes_in_small_units(store: Store) -> None:
    house = House(store)
    await house.put(1)
    now = house.start
    many = [
        messages.insert_recipient(
            RECIPIENT._replace(
                id=RecipientId(5000 + one),
                mm_id=MmId(1000),
                state=RecipientState.EXPIRED,
                state_at=now,
                token="",
                link_token="",
                transaction_id="",
            )
        )
        for one in range(450)
    ]
    many += [event_sql.insert(trace.Event(9000 + n, 1000, None, None, now, now, trace.MmFetched())) for n in range(700)]
    await store.commit(Unit(None, tuple(many)))
    house.clock.advance(91 * 86400)
    units = store.counters.units
    done = await house.keeper.round()
    assert await house.left() == NOTHING
    assert (done.messages, done.rows) == (1, 450 + 700 + 5)
    assert store.counters.units - units >= (450 + 700) // ROWS_AT_ONCE


async def test_many_go_in_order_and_in_batches(store: Store) -> None:
    house = House(store, replace(POLICY, messages=0))
    for number in range(1, 251):
        await house.put(number)
    house.clock.advance(8 * 86400)
    await house.put(251)
    commits = store.counters.commits
    assert await house.keeper.round() == trace.StoreTidied(bodies=250, octets=250_000)
    assert (await house.left())["content"] == 1
    assert store.counters.commits - commits == 3  # two batches and the event


async def test_events_that_belong_to_no_mm_go_at_the_same_age(store: Store) -> None:
    house = House(store)
    now = house.start
    await store.commit(
        Unit(
            None,
            (
                event_sql.insert(trace.Event(1, None, None, None, now, now, trace.LaneResumed("smsc:a"))),
                event_sql.insert(trace.Event(2, 77, None, None, now, now, trace.MmFetched())),  # its MM has gone
            ),
        )
    )
    house.clock.advance(89 * 86400)
    await house.put(1)
    await house.keeper.round()
    assert (await house.left())["event"] == 4
    house.clock.advance(86400)
    assert (await house.keeper.round()).rows == 2
    assert (await house.left())["event"] == 2


async def test_beyond_its_octets_the_oldest_bodies_go_early(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(store, replace(POLICY, maximum_octets=10_000))
    await house.put(1, RecipientState.NOTIFIED)
    for number in range(2, 12):
        await house.put(number)

    async def room() -> Room:
        return Room(used=12_500)

    monkeypatch.setattr(store, "room", room)
    await house.keeper.round()
    assert (await house.left())["content"] == 11, "whoever has just fetched may fetch again"
    house.clock.advance(601)
    await house.keeper.round()
    rows = await store.fetch("SELECT id FROM content ORDER BY id")
    assert [row[0] for row in rows] == [1000, *range(5000, 12_000, 1000)]


async def test_the_last_reference_takes_the_object_along(store: Store) -> None:
    """Two MMs with one body in object storage: the object goes an hour after the second of them."""
    house, memory = House(store), Memory()
    outside = Bodies(store, memory, house.clock.real_now, smallest_octets=1)
    house.keeper._bodies = outside
    body = Content("application/vnd.wap.multipart.mixed", bytes(1000), ())
    for number in (1, 2):
        await house.put(number)
        await store.commit(Unit(None, drop(ContentId(number * 1000), house.clock.real_now())))
        await store.commit(Unit(None, await outside.put(ContentId(number * 1000), body)))
        house.clock.advance(86400)
    assert len(memory.kept) == 1
    house.clock.advance(5 * 86400)
    assert await house.keeper.round() == trace.StoreTidied(bodies=1, octets=1000)
    house.clock.advance(86400)
    assert await house.keeper.round() == trace.StoreTidied(bodies=1, octets=1000)
    assert len(memory.kept) == 1
    house.clock.advance(3601)
    assert await house.keeper.round() == trace.StoreTidied(objects=1)
    assert memory.kept == {}


async def test_one_node_at_a_time_keeps_house(store: Store) -> None:
    mine, others = House(store, replace(POLICY, messages=0)), House(store, replace(POLICY, messages=0), node="b")
    await mine.put(1)
    for house in (mine, others):
        house.clock.advance(8 * 86400)
    assert (await mine.keeper.round()).bodies == 1
    await mine.put(2)
    for house in (mine, others):
        house.clock.advance(10)
        house.keeper.policy = replace(POLICY, bodies=1, retrieve_grace=1, messages=0)
    assert (await others.keeper.round()).bodies == 0, "the lease of the other lasts a minute"
    others.clock.advance(60)
    assert (await others.keeper.round()).bodies == 1


async def test_a_store_that_is_away_ends_the_round(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(store)
    await house.put(1)
    house.clock.advance(8 * 86400)

    async def away(unit: Unit) -> list[tuple[int]]:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", away)
        assert await house.keeper.round() == trace.StoreTidied()
    assert (await house.keeper.round()).bodies == 1


async def test_rounds_follow_service_time(store: Store) -> None:
    house = House(store)
    await house.put(1)
    house.clock.pause()
    running = asyncio.create_task(house.keeper.run())
    house.clock.advance(100 * 86400)
    for _ in range(20):
        await asyncio.sleep(0)
    assert await house.left() == WHOLE, "service time stands still"
    tidied = asyncio.Event()
    house.on_told = tidied.set
    house.clock.step(100 * 86400)
    await asyncio.wait_for(tidied.wait(), 10)
    assert await house.left() == NOTHING
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_disk_that_is_nearly_full_is_told_once_an_hour(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(store, RetentionPolicy(warn_free_octets=1000))
    free = 999

    async def room() -> Room:
        return Room(used=5, disk_free=free, disk_size=10_000)

    monkeypatch.setattr(store, "room", room)
    for _ in range(3):
        await house.keeper.round()
        house.clock.advance(MINUTE // 1_000_000)
    assert [event.data for event in house.told] == [trace.StoreNearlyFull(disk_free=999, used=5)]
    assert "nearly full" in caplog.text
    free = 2000
    await house.keeper.round()
    free = 999
    await house.keeper.round()
    assert len(house.told) == 2


async def test_free_pages_far_beyond_need_go_back_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In steps of 64 pages; what the file keeps is filled again without growing it."""
    monkeypatch.setattr(housekeeping, "_KEPT_FREE", 200_000)
    path = tmp_path / "mmsc.db"
    store = SqliteStore(str(path), SqliteOptions(synchronous="OFF"))
    await store.open()
    house = House(store, replace(POLICY, messages=0))
    for number in range(1, 31):
        large = Content("application/vnd.wap.multipart.mixed", bytes(50_000), ())
        await house.put(number)
        await store.commit(Unit(None, drop(ContentId(number * 1000), 0)))
        await store.commit(Unit(None, (content_sql.insert(ContentId(number * 1000), large),)))
    before = await store.room()
    house.clock.advance(8 * 86400)
    units = store.counters.units
    done = await house.keeper.round()
    after = await store.room()
    assert done.octets == 1_500_000
    assert after.used < before.used - 1_400_000
    assert after.free <= 200_000 + 64 * 4096
    assert done.given_back >= 1_000_000
    assert store.counters.units - units > done.given_back // (64 * 4096)
    await store.close()
    assert path.stat().st_size == after.used + after.free


async def test_a_body_that_goes_is_not_written_once_more(tmp_path: Path) -> None:
    """A library that overwrites what is deleted (Debian's) would put each of its pages into the log."""
    path = tmp_path / "mmsc.db"
    store = SqliteStore(str(path), SqliteOptions(synchronous="OFF", checkpoint_pages=0))
    await store.open()
    large = Content("application/vnd.wap.multipart.mixed", bytes(400_000), ())
    await store.commit(Unit(None, (content_sql.insert(ContentId(1), large),)))
    before = (await store.room()).log
    await store.commit(Unit(None, drop(ContentId(1), 0)))
    room = await store.room()
    assert room.log - before < 40_000
    assert room.free > 390_000
    await store.close()
