"""Looking into a store from outside, on both stores: numbers, soundness, export."""

import base64
import itertools
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from mmsc.domain.instant import Instant
from mmsc.domain.message import Content, ContentId, MmId, RecipientId, TaskKind
from mmsc.domain.mmbox import BoxPolicy
from mmsc.domain.states import RecipientState
from mmsc.ids import to_text
from mmsc.store import events as event_sql
from mmsc.store import housekeeping, mmbox, nodes, resetting, tasks
from mmsc.store import verify as looking
from mmsc.store.bodies import Bodies, drop
from mmsc.store.core import Statement, Store, StoreRefused, Unit
from mmsc.store.export import Wanted, header, lines
from mmsc.store.postgres import PostgresStore
from mmsc.store.reading import Reader, SqliteReader, open_postgres
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from mmsc.store.stats import stats
from mmsc.store.verify import CHECKS, verify
from mmsc.trace import events as trace
from tests import postgres
from tests.store.test_bodies import Memory
from tests.store.test_contract import task
from tests.store.test_housekeeping import House
from tests.store.test_mmbox import ENTRY

_numbers = itertools.count()
Both = tuple[House, Reader]


@pytest.fixture(params=["sqlite", "postgres"])
async def both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Both]:
    """A store that its server holds, with three ended MMs, and a reader beside it."""
    store: Store
    reader: Reader
    if request.param == "sqlite":
        store = SqliteStore(str(tmp_path / "mmsc.db"), SqliteOptions(synchronous="OFF"))
        await store.open()
        reader = SqliteReader(tmp_path / "mmsc.db")
    else:
        name = f"look{os.getpid()}_{next(_numbers)}"
        store = PostgresStore(postgres.server(), schema=name)
        await store.open()
        reader = await open_postgres(postgres.server(), name)
    house = House(store)
    for number in (1, 2, 3):
        await house.put(number)
        house.clock.advance(3600)
    yield house, reader
    await reader.close()
    await store.close()


async def wrong(reader: Reader) -> list[tuple[str, int, str]]:
    """What verify finds."""
    return [(one.table, one.id, one.what) async for one in verify(reader, quick=False, told=lambda table, done: None)]


async def change(house: House, sql: str, *params: int | str | None) -> None:
    await house.store.commit(Unit(None, (Statement(sql, params),)))


async def test_it_counts_what_is_there(both: Both) -> None:
    house, reader = both
    await house.put(4, RecipientState.NOTIFIED, tasks.insert(task(9, mm_id=MmId(4000), recipient_id=RecipientId(4001))))
    found = await stats(reader)
    assert {name: found.rows[name] for name in ("mm", "recipient", "content", "task", "event", "sms")} == {
        "mm": 4,
        "recipient": 4,
        "content": 4,
        "task": 1,
        "event": 8,
        "sms": 4,
    }
    assert (found.mms, found.recipients) == ({"open": 1, "ended": 3}, {"notified": 1, "retrieved": 3})
    assert [(one.lane, one.kind, one.state, one.count) for one in found.tasks] == [("smsc:local", "notify", "ready", 1)]
    assert (found.events, found.octets["bodies"]) == ({"mm.fetched": 8}, 4000)
    assert found.octets["file"] > 0


async def test_a_sound_store_has_no_findings_before_and_after_retention(both: Both) -> None:
    house, reader = both
    assert await wrong(reader) == []
    house.clock.advance(8 * 86400)
    assert (await house.keeper.round()).bodies == 3
    assert await wrong(reader) == []


async def test_entries_of_boxes_are_checked_counted_and_exported(both: Both) -> None:
    house, reader = both
    entry = replace(ENTRY, content_id=ContentId(2000))
    guard, effects = mmbox.keep_shared(entry, BoxPolicy())
    await house.store.commit(Unit(guard, effects))
    assert await wrong(reader) == []
    assert (await stats(reader)).rows["mmbox"] == 1
    (line,) = await exported(reader, mm_id=2000)
    (told,) = cast("list[dict[str, object]]", line["mmbox"])
    assert (told["owner"], told["state"]) == ("+15550100123", "new")
    assert told["flags"] == ["family"]
    await change(house, "UPDATE mmbox SET state = 'lost'")
    assert ("mmbox", 10, "its state is unknown") in await wrong(reader)
    await change(house, "DELETE FROM content WHERE id = 2000")
    assert ("mmbox", 10, "its content is missing") in await wrong(reader)


OUTSIDE = '[{"content_type":"","content_id":"","content_location":"","offset":990,"length":11}]'
FAULTS: dict[str, tuple[str, tuple[str, int, str]]] = {
    "a body vanished": (
        "DELETE FROM content WHERE id = 2000",
        ("mm", 2000, "its body is missing, and retention did not take it"),
    ),
    "a body is cut": (
        "UPDATE content SET size = 1001 WHERE id = 2000",
        ("content", 2000, "its body has 1000 octets, and should have 1001"),
    ),
    "a part outside": (
        f"UPDATE content SET parts = '{OUTSIDE}' WHERE id = 2000",
        ("content", 2000, "its part 0 lies outside its body"),
    ),
    "a body without octets": (
        "UPDATE content SET body = NULL WHERE id = 2000",
        ("content", 2000, "it has no body"),
    ),
    "a count of boxes that nobody has": (
        "UPDATE content SET boxes = 1 WHERE id = 2000",
        ("content", 2000, "its count of entries that show it is wrong"),
    ),
    "a recipient of nothing": (
        "UPDATE recipient SET mm_id = 77 WHERE id = 2001",
        ("recipient", 2001, "its MM is missing"),
    ),
    "a state of nobody": (
        "UPDATE recipient SET state = 'lost' WHERE id = 2001",
        ("recipient", 2001, "its state is unknown"),
    ),
    "an open recipient without work": (
        "UPDATE recipient SET state = 'notified' WHERE id = 2001",
        ("recipient", 2001, "it has not ended, and nothing will ever end it"),
    ),
    "an end before the beginning": (
        "UPDATE mm SET expires_at = 5 WHERE id = 2000",
        ("mm", 2000, "it ends before it began"),
    ),
    "an SMS to nobody": (
        "UPDATE sms SET recipient_id = 78 WHERE recipient_id = 2001",
        ("sms", 78, "its recipient (this id) is missing"),
    ),
    "a read report that vanished": (
        'UPDATE event SET kind = \'mm.read\', task_id = 99, data = \'{"read":true,"report":"smsc:a"}\' WHERE id = 2002',
        ("event", 2002, "a report was owed, and it is neither waiting nor told of"),
    ),
    "a report that vanished": (
        "UPDATE event SET kind = 'recipient.moved', task_id = 99, data = '{\"report\":\"vasp:a\"}' WHERE id = 2002",
        ("event", 2002, "a report was owed, and it is neither waiting nor told of"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_contradicts_is_found_with_its_id(both: Both, fault: str) -> None:
    house, reader = both
    sql, finding = FAULTS[fault]
    await change(house, sql)
    assert finding in await wrong(reader)


async def test_a_task_for_nothing_or_beside_an_end_is_found(both: Both) -> None:
    house, reader = both
    rows = [
        task(91, mm_id=MmId(2000), recipient_id=RecipientId(2001)),
        task(92, kind=TaskKind.REPORT_MM7, mm_id=MmId(77), recipient_id=RecipientId(78)),
        task(93, kind=TaskKind.RES_MM4, mm_id=None, recipient_id=None),
    ]
    await house.store.commit(Unit(None, tuple(map(tasks.insert, rows))))
    assert await wrong(reader) == [
        ("recipient", 2001, "it has ended, and something would still be pushed to it"),
        ("task", 92, "its MM is missing"),
        ("task", 92, "its recipient is missing"),
    ]


async def told_of(house: House, number: int) -> None:
    """The events that every MM begins with, of one that `house` has put."""
    now, mm_id = house.clock.now(), number * 1000
    first = trace.MmAccepted("mm7", "news", f"{mm_id}@mms.example", "4488", 1, 1000)
    chosen = trace.RouteChosen("+15550100123", "subscriber", "local", "a prefix of ours")
    both = (
        trace.Event(mm_id + 10, mm_id, None, None, now, now, first),
        trace.Event(mm_id + 11, mm_id, mm_id + 1, None, now, now, chosen),
    )
    await house.store.commit(Unit(None, tuple(map(event_sql.insert, both))))


async def test_recipients_that_vanished_are_found(both: Both) -> None:
    house, reader = both
    for number in (1, 2, 3):
        await told_of(house, number)
    forward = task(95, kind=TaskKind.FORWARD, lane="peer:a", mm_id=MmId(3000), recipient_id=None)
    await change(house, "DELETE FROM event WHERE mm_id = 3000")
    await house.store.commit(Unit(None, (tasks.insert(forward),)))
    assert await wrong(reader) == []
    for number in (2, 3):
        await change(house, "DELETE FROM sms WHERE mm_id = $1", number * 1000)
        await change(house, "DELETE FROM recipient WHERE mm_id = $1", number * 1000)
    assert await wrong(reader) == [
        ("mm", 2000, "it has no recipients"),
        ("mm", 3000, "it has no recipients"),
        ("event", 2011, "its recipient is missing, and its MM is not"),
    ]


async def test_what_retention_or_a_reset_has_begun_to_take_is_sound(both: Both) -> None:
    """One MM is taken apart piece by piece; of another, which is gone, its charging records are still owed."""
    house, reader = both
    await told_of(house, 1)
    await told_of(house, 2)
    await house.store.commit(Unit(None, (housekeeping.thin_events(1000, 2),)))
    assert await wrong(reader) == []
    for statement in (housekeeping.thin_events(1000, 9), *housekeeping.thin_recipients(1000, 9)):
        await house.store.commit(Unit(None, (statement,)))
    assert await house.store.fetch("SELECT id FROM recipient WHERE mm_id = 1000") == []
    assert await wrong(reader) == []
    await nodes.enter_new(house.store, "a", nodes.ANY_NUMBER, "")
    await change(house, "INSERT INTO cdr (node, event_id) VALUES ('a', 2010), ('a', 2011)")
    await house.store.commit(Unit(None, resetting.take_away([(2000, ContentId(2000))], 0)))
    assert await house.store.fetch("SELECT id FROM event WHERE mm_id = 2000 ORDER BY id") == [(2010,), (2011,)]
    assert await wrong(reader) == []


async def test_who_waits_for_a_vasp_will_end(both: Both) -> None:
    house, reader = both
    await change(house, "UPDATE recipient SET state = 'accepted' WHERE id = 2001")
    deliver = task(94, kind=TaskKind.DELIVER_MM7, lane="vasp:news", mm_id=MmId(2000), recipient_id=None)
    await house.store.commit(Unit(None, (tasks.insert(deliver),)))
    assert await wrong(reader) == []


async def test_objects_are_counted_as_they_are_referred_to(both: Both) -> None:
    house, reader = both
    outside = Bodies(house.store, Memory(), house.clock.real_now, smallest_octets=1)
    body = Content("application/vnd.wap.multipart.mixed", bytes(1000), ())
    for number in (1000, 2000):
        await house.store.commit(Unit(None, drop(ContentId(number), 0)))
        await house.store.commit(Unit(None, await outside.put(ContentId(number), body)))
    assert await wrong(reader) == []
    assert (await stats(reader)).octets["objects"] == 1000
    (one,) = await exported(reader, mm_id=2000, inline=True)
    assert "object" in one["content"]
    await change(house, "UPDATE object SET refs = 1")
    ((table, _, what),) = await wrong(reader)
    assert (table, "counts 1 references, and there are 2" in what) == ("object", True)


async def test_charging_records_are_owed_of_events_that_are_there(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    house, reader = both
    monkeypatch.setattr(looking, "PAGE", 2)
    for name in ("a", "b"):
        await nodes.enter_new(house.store, name, nodes.ANY_NUMBER, "")
    there = [row[0] for row in await house.store.fetch("SELECT id FROM event ORDER BY id")]
    assert len(there) > 4, "several pages"
    for node in ("a", "b"):
        for event_id in there:
            await change(house, "INSERT INTO cdr (node, event_id) VALUES ($1, $2)", node, int(str(event_id)))
    assert await wrong(reader) == []
    house.clock.advance(120 * 86400)
    await house.keeper.round()
    assert await wrong(reader) == [], "retention left what owes records"
    await change(house, "INSERT INTO cdr (node, event_id) VALUES ('a', 5), ('b', 1999), ('b', 99999), ('c', $1)", 2002)
    missing = "its event (this id), of which node {} owes charging records, is missing"
    assert await wrong(reader) == [
        ("cdr", 5, missing.format("a")),
        ("cdr", 1999, missing.format("b")),
        ("cdr", 99999, missing.format("b")),
        ("cdr", 2002, "node c owes charging records, and is not recorded as a node"),
    ]


async def test_a_missing_body_of_somebody_who_waits_is_found_whatever_retention_did(both: Both) -> None:
    house, reader = both
    house.clock.advance(8 * 86400)
    await house.keeper.round()
    await change(house, "UPDATE recipient SET state = 'accepted' WHERE id = $1", 1001)
    found = await wrong(reader)
    assert ("mm", 1000, "its body is missing, and a recipient has not ended") in found


def test_every_table_with_references_is_checked() -> None:
    assert set(CHECKS) == {"mm", "recipient", "content", "mmbox", "task", "event"}


async def exported(reader: Reader, **wanted: object) -> list[dict[str, dict[str, object]]]:
    """The lines as objects."""
    asked = Wanted(id_text=to_text, **wanted)  # type: ignore[arg-type]
    return [json.loads(line) async for _, line in lines(reader, asked)]


async def test_an_mm_is_exported_with_all_that_is_known(both: Both, tmp_path: Path) -> None:
    house, reader = both
    (one,) = await exported(reader, mm_id=2000)
    assert json.loads(header())["version"] == 1
    assert (one["mm"]["id"], one["mm"]["subject"]) == (to_text(2000), "Grüße")
    assert one["mm"]["interface_details"] == {"vasp_id": "v"}
    (recipient,) = one["recipients"]
    assert recipient["state"] == "retrieved"  # type: ignore[index]
    assert [event["kind"] for event in one["events"]] == ["mm.fetched"] * 2  # type: ignore[index]
    assert one["content"] == {"content_type": "application/vnd.wap.multipart.mixed", "size": 1000, "parts": []}
    (inline,) = await exported(reader, mm_id=2000, inline=True)
    assert base64.b64decode(str(inline["content"]["body"])) == bytes(1000)
    folder = tmp_path / "bodies"
    folder.mkdir()
    (outside,) = await exported(reader, mm_id=2000, bodies=folder)
    assert (folder / str(outside["content"]["file"])).read_bytes() == bytes(1000)
    house.clock.advance(8 * 86400)
    await house.keeper.round()
    assert [one["content"] for one in await exported(reader)] == [None] * 3


async def test_only_what_is_wanted_is_exported(both: Both) -> None:
    house, reader = both
    await house.put(4, RecipientState.EXPIRED)

    async def ids(**wanted: object) -> list[object]:
        return [one["mm"]["id"] for one in await exported(reader, **wanted)]

    hour = 3600 * 1_000_000
    assert await ids() == [to_text(number * 1000) for number in (1, 2, 3, 4)]
    assert await ids(since=Instant(house.start + hour)) == [to_text(number) for number in (2000, 3000, 4000)]
    assert await ids(until=Instant(house.start + hour)) == [to_text(1000)]
    assert await ids(state="expired") == [to_text(4000)]
    assert await ids(mm_id=2500) == []


async def test_what_is_no_store_is_refused_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="there is no store"):
        SqliteReader(tmp_path / "none.db")
    (tmp_path / "text").write_text("no database " * 100)
    with pytest.raises(StoreRefused, match="is no SQLite database; it was left as it is: name another file"):
        SqliteReader(tmp_path / "text")
    with pytest.raises(StoreRefused, match="there is no store"):
        await open_postgres(postgres.server(), "nobody_made_this")
