"""What every store does: guards, grouped effects, isolation of a bad unit, claims under a lease."""

import asyncio
from dataclasses import replace

import pytest

from mmsc.domain.address import Address
from mmsc.domain.instant import Instant
from mmsc.domain.message import (
    Content,
    ContentId,
    Interface,
    Mm,
    MmId,
    Origin,
    Part,
    Priority,
    Recipient,
    RecipientId,
    Role,
    Route,
    TaskId,
    TaskKind,
)
from mmsc.domain.states import Cause, Happening, RecipientState, sources
from mmsc.store import content as content_sql
from mmsc.store import events as event_sql
from mmsc.store import messages, meta, neighbours, sms, tasks
from mmsc.store.core import LOST, Lost, Row, Statement, Store, StoreUnavailable, Unit
from mmsc.store.tasks import Holder, TaskRow
from mmsc.trace import events as trace

A = Holder("a", 1)
NOW = Instant(1_700_000_000_000_000)
MM = Mm(
    id=MmId(1),
    message_id="m1@mms.example",
    origin=Origin(Interface.MM7, "news"),
    sender=Address.of("4488"),
    subject="Grüße",
    message_class="Personal",
    priority=Priority.HIGH,
    delivery_report=True,
    read_report=False,
    sender_hidden=False,
    adaptation_allowed=False,
    shown_to=((Role.TO, "+15550100123"),),
    submitted_at=NOW,
    date=NOW,
    deliver_at=None,
    expires_at=Instant(NOW + 1000),
    foreign_id="f1",
    forward_counter=2,
    content_id=ContentId(1),
    content_type="application/vnd.wap.multipart.mixed",
    size=3,
    details={"vasp_id": "v"},
)
RECIPIENT = Recipient(
    id=RecipientId(2),
    mm_id=MmId(1),
    address=Address.of("+15550100123"),
    role=Role.TO,
    route=Route.SUBSCRIBER,
    target="local",
    state=RecipientState.ACCEPTED,
    state_at=NOW,
    transaction_id="tid",
    token="tok",
    link_token="link",
)


def put(key: str, value: str = "v") -> Statement:
    return Statement(
        "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING RETURNING key", (key, value)
    )


def effect(key: str) -> Statement:
    return Statement("INSERT INTO meta (key, value) VALUES ($1, $2)", (key, "effect"))


def task(number: int, **changes: object) -> TaskRow:
    base = TaskRow(
        id=TaskId(number),
        mm_id=MmId(1),
        recipient_id=RecipientId(2),
        kind=TaskKind.NOTIFY,
        lane="smsc:local",
        due_at=NOW,
        priority=1,
        payload={"k": "v"},
    )
    return replace(base, **changes)  # type: ignore[arg-type]


async def claim(store: Store, seats: int = 10, *, holder: Holder = A, now: int = NOW, seconds: float = 60) -> list[Row]:
    lanes = [("smsc:local", seats)]
    return await store.claim(lanes, node=holder.node, start=holder.start_no, now=now, lease_seconds=seconds)


async def test_a_guard_that_finds_nothing_loses_the_whole_unit(store: Store) -> None:
    assert await store.commit(Unit(put("k"), (effect("e1"),))) == [("k",)]
    assert await store.commit(Unit(put("k"), (effect("e2"),))) is LOST
    keys = await store.fetch("SELECT key FROM meta WHERE key IN ('k', 'e1', 'e2') ORDER BY key")
    assert keys == [("e1",), ("k",)]


async def test_what_follows_a_commit_is_called_for_winners_in_order(store: Store) -> None:
    told: list[str] = []
    units = [Unit(put("same"), (), lambda number=number: told.append(str(number))) for number in range(5)]  # type: ignore[misc]
    units.append(Unit(None, (effect("last"),), lambda: told.append("last")))
    outcomes = await asyncio.gather(*map(store.commit, units))
    assert [isinstance(one, Lost) for one in outcomes] == [False, True, True, True, True, False]
    assert told == ["0", "last"]


async def test_a_bad_unit_sinks_nobody_else(store: Store) -> None:
    bad = Unit(None, (Statement("INSERT INTO nowhere (x) VALUES ($1)", (1,)),))
    outcomes = await asyncio.gather(
        store.commit(Unit(put("x"), ())), store.commit(bad), store.commit(Unit(put("y"), ())), return_exceptions=True
    )
    assert outcomes[0] == [("x",)]
    assert isinstance(outcomes[1], Exception)
    assert outcomes[2] == [("y",)]
    assert store.available


@pytest.mark.parametrize(
    "bad",
    [
        Statement("INSERT INTO meta (key, value) VALUES ($1, $2)", ("\ud800", "no encoding")),
        Statement(
            "INSERT INTO config (kind, name, origin, data, changed_at) VALUES ('vasp', $1, '', '', $2)", ("n", 1 << 70)
        ),
        Statement("INSERT INTO meta (key, value) VALUES ($1, $2)", ("one value is missing",)),
        Statement("INSERT INTO meta (key) VALUES ($1)", ("NOT NULL",)),
    ],
    ids=["surrogate", "too large", "arity", "constraint"],
)
async def test_a_value_with_no_place_sinks_neither_the_batch_nor_the_store(store: Store, bad: Statement) -> None:
    units = (Unit(put("x"), ()), Unit(None, (effect("mine"), bad)), Unit(put("y"), ()))
    outcomes = await asyncio.gather(*map(store.commit, units), return_exceptions=True)
    assert isinstance(outcomes[1], Exception)
    assert (outcomes[0], outcomes[2]) == ([("x",)], [("y",)])
    assert await store.fetch_one("SELECT key FROM meta WHERE key = $1", "mine") is None, "a unit is whole or nothing"
    assert store.available


async def test_a_query_that_raises_stops_no_reader(store: Store) -> None:
    for _ in range(5):
        with pytest.raises(Exception):  # noqa: B017 - each driver has its own
            await store.fetch("SELECT value FROM meta WHERE key = $1", "\ud800")
    assert await store.fetch_one("SELECT CAST($1 AS TEXT)", "well") == ("well",)


async def test_a_follower_that_raises_takes_no_answer_from_the_others(store: Store) -> None:
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(str(context["exception"])))

    def fail() -> None:
        raise RuntimeError("ours")

    units = (Unit(put("x"), (), fail), Unit(put("y"), (), lambda: told.append("y")))
    assert await asyncio.gather(*map(store.commit, units)) == [[("x",)], [("y",)]]
    assert told == ["ours", "y"]


async def test_effects_of_one_text_run_in_commit_order(store: Store) -> None:
    units = [Unit(None, (meta.write("k", str(number)), meta.write(f"k{number}", "v"))) for number in range(50)]
    await asyncio.gather(*map(store.commit, units))
    assert await meta.read(store, "k") == "49"
    assert await store.fetch_one("SELECT COUNT(*) FROM meta WHERE key LIKE 'k%'") == (51,)


async def test_what_queues_while_a_commit_runs_shares_the_next(store: Store) -> None:
    before = store.counters.commits
    await asyncio.gather(*(store.commit(Unit(put(f"k{number}"), ())) for number in range(100)))
    assert store.counters.commits - before <= 2


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.commit(Unit(put("k"), ()))
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.commit(Unit(put("late"), ()))
    with pytest.raises(StoreUnavailable):
        await store.fetch("SELECT 1")
    with pytest.raises(StoreUnavailable):
        await claim(store)


async def test_cancelling_the_caller_does_not_withdraw_the_unit(store: Store) -> None:
    waiting = asyncio.ensure_future(store.commit(Unit(put("kept"), ())))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await store.commit(Unit(put("after"), ()))
    assert await store.fetch_one("SELECT value FROM meta WHERE key = $1", "kept") == ("v",)


async def test_what_follows_a_unit_is_told_even_if_nobody_waits(store: Store) -> None:
    """`after` for what became durable, `otherwise` for what did not, once each, also when the caller was cancelled."""
    told: list[str] = []

    def unit(name: str, guard: Statement) -> Unit:
        return Unit(guard, (), lambda: told.append(f"{name} is"), lambda: told.append(f"{name} is not"))

    bad = Statement("INSERT INTO nowhere (key) VALUES ($1) RETURNING key", ("x",))
    waiting = [
        asyncio.ensure_future(store.commit(unit(name, guard)))
        for name, guard in (("first", put("k")), ("second", put("k")), ("third", bad))
    ]
    await asyncio.sleep(0)
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await store.close()
    assert sorted(told) == ["first is", "second is not", "third is not"]
    with pytest.raises(StoreUnavailable):
        await store.commit(unit("late", put("late")))
    assert told[-1] == "late is not"


async def test_parameters_bind_by_number(store: Store) -> None:
    row = await store.fetch_one("SELECT CAST($2 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT)", "one", "two")
    assert row == ("two", "one", "two")


async def test_an_mm_comes_back_as_it_was(store: Store) -> None:
    body = Content("application/vnd.wap.multipart.mixed", b"\x00\xff\x01", (Part("text/plain", "i", "l", 0, 3),))
    unit = Unit(
        messages.insert_mm(MM, repeat_key=b"r", answer=None),
        (content_sql.insert(MM.content_id, body), messages.insert_recipient(RECIPIENT)),
    )
    assert not isinstance(await store.commit(unit), Lost)
    assert await store.commit(unit) is LOST, "the repeat key is taken"
    for found in (
        await messages.by_token(store, "tok"),
        await messages.by_link_token(store, "link"),
        await messages.by_transaction_id(store, "tid"),
        await messages.by_recipient(store, 2),
    ):
        assert found == (MM, RECIPIENT)
    assert await messages.with_recipients(store, 1) == (MM, (RECIPIENT,))
    assert await content_sql.read(store, MM.content_id) == body
    assert await messages.by_token(store, "nope") is None
    assert await content_sql.read(store, ContentId(9)) is None
    row = await messages.answer_to_repeat(store, b"r")
    assert row is not None
    assert messages.message_id_of(str(row[2])) == "m1@mms.example"


async def test_mms_that_came_with_one_foreign_id_are_told_apart(store: Store) -> None:
    """A mail that was split on its way: two MMs, each with a recipient and a forward of its own."""
    for number, address in ((1, "+16660100123"), (2, "+16660100124")):
        mm = MM._replace(id=MmId(number), submitted_at=Instant(NOW + number))
        one = RECIPIENT._replace(
            id=RecipientId(10 + number), mm_id=mm.id, address=Address.of(address), route=Route.PEER, target="other"
        )
        one = one._replace(transaction_id="", token="", link_token="")
        payload = {"transaction_id": f"t{number}"}
        forward = task(
            20 + number, mm_id=mm.id, recipient_id=None, kind=TaskKind.FORWARD, lane="peer:other", payload=payload
        )
        effects = (messages.insert_recipient(one), tasks.insert(forward))
        await store.commit(Unit(messages.insert_mm(mm, repeat_key=b"k%d" % number, answer=None), effects))
    assert await messages.recipients_by_foreign_id(store, "f1", "news") == {
        b"k1": (NOW + 1, {"+16660100123"}),
        b"k2": (NOW + 2, {"+16660100124"}),
    }
    assert await messages.recipients_by_foreign_id(store, "f1", "else") == {}
    assert await messages.forwarded_with(store, "f1", "other", "+16660100123") == 1
    assert await messages.forwarded_with(store, "f1", "other", "+16660100124") == 2
    assert await messages.forwarded_with(store, "f1", "else", "+16660100124") is None
    assert await tasks.forwards_of(store, "f1", "peer:other") == [(2, "t2"), (1, "t1")]
    assert await tasks.forwards_of(store, "f1", "peer:else") == []


@pytest.mark.parametrize("happening", Happening)
async def test_every_move_is_guarded_by_the_table(store: Store, happening: Happening) -> None:
    for number, state in enumerate(RecipientState):
        one = RECIPIENT._replace(id=RecipientId(100 + number), state=state, transaction_id="", token="", link_token="")
        await store.commit(Unit(None, (messages.insert_recipient(one),)))
        outcome = await store.commit(Unit(messages.move_recipient(one.id, happening, NOW, Cause.US), ()))
        assert isinstance(outcome, Lost) == (state not in sources(happening))


async def test_a_claim_takes_what_is_due_by_priority_and_time(store: Store) -> None:
    rows = (
        task(1, due_at=Instant(NOW - 1)),
        task(2, priority=2),
        task(3, due_at=Instant(NOW + 1)),
        task(4, lane="smsc:other"),
        task(5),
    )
    await store.commit(Unit(None, tuple(map(tasks.insert, rows))))
    claimed = [tasks.read(row) for row in await claim(store)]
    assert [one.id for one in claimed] == [2, 1, 5]
    assert claimed[0].payload == {"k": "v"}
    assert await claim(store) == []
    assert await tasks.next_due(store) == {"smsc:local": NOW + 1, "smsc:other": NOW}


async def test_what_is_due_in_a_lane_is_counted_to_a_limit(store: Store) -> None:
    rows = [task(1, due_at=Instant(NOW - 500), priority=2), task(2, due_at=Instant(NOW - 900), priority=0)]
    rows += [task(3, due_at=NOW), task(4, due_at=Instant(NOW + 1)), task(5, lane="vasp:x", due_at=Instant(NOW - 9999))]
    await store.commit(Unit(None, tuple(map(tasks.insert, rows))))
    await store.commit(Unit(None, (tasks.insert(task(6, due_at=Instant(NOW - 5000)), A, NOW + 60_000_000),)))
    assert await tasks.due_in(store, "smsc:local", NOW, 100) == 3
    assert await tasks.due_in(store, "smsc:local", NOW, 2) == 2
    assert await tasks.due_in(store, "smsc:none", NOW, 100) == 0
    await store.commit(Unit(None, (tasks.put_first(TaskId(4)),)))
    assert await tasks.due_in(store, "smsc:local", NOW, 100) == 4


async def test_claims_are_never_doubled(store: Store) -> None:
    await store.commit(Unit(None, tuple(tasks.insert(task(number)) for number in range(1, 101))))
    found = await asyncio.gather(*(claim(store, 7, holder=Holder(f"n{number}", 1)) for number in range(20)))
    ids = [row[0] for rows in found for row in rows]
    assert len(ids) == len(set(ids)) == 100


async def test_a_claim_serves_several_lanes_each_within_its_seats(store: Store) -> None:
    rows = [task(number, lane=f"vasp:{number % 3}", priority=number % 2) for number in range(30)]
    await store.commit(Unit(None, tuple(map(tasks.insert, rows))))
    lanes = [("vasp:0", 3), ("vasp:1", 20), ("vasp:2", 1), ("vasp:9", 5)]
    claimed = await store.claim(lanes, node="a", start=1, now=NOW, lease_seconds=60)
    counts = {lane: sum(row[4] == lane for row in claimed) for lane, _ in lanes}
    assert counts == {"vasp:0": 3, "vasp:1": 10, "vasp:2": 1, "vasp:9": 0}
    assert all(row[6] == 1 for row in claimed if row[4] in ("vasp:0", "vasp:2")), "priority first"


async def test_what_waits_for_later_hides_nothing_that_is_due(store: Store) -> None:
    """Many of a high priority that are not due yet, and a few of a low one that are."""
    waiting = [task(number, priority=2, due_at=Instant(NOW + number)) for number in range(1, 301)]
    due = [task(1000 + number, priority=0, due_at=Instant(NOW - number)) for number in range(5)]
    await store.commit(Unit(None, tuple(map(tasks.insert, waiting + due))))
    assert [row[0] for row in await claim(store)] == [1004, 1003, 1002, 1001, 1000]
    assert await tasks.next_due(store) == {"smsc:local": NOW + 1}


async def test_a_lease_ends_and_a_new_start_takes_back_its_own(store: Store) -> None:
    await store.commit(Unit(None, (tasks.insert(task(1)),)))
    assert len(await claim(store, holder=Holder("a", 1))) == 1
    assert await claim(store, holder=Holder("b", 1)) == []
    assert len(await claim(store, holder=Holder("a", 2))) == 1, "the next start of the same node"
    stale = tasks.finish(TaskId(1), 0, Holder("a", 1))
    assert await store.commit(Unit(stale, ())) is LOST
    assert not isinstance(await store.commit(Unit(tasks.finish(TaskId(1), 0, Holder("a", 2)), ())), Lost)
    await store.commit(Unit(None, (tasks.insert(task(2)),)))
    assert len(await claim(store, holder=Holder("a", 2), seconds=-1)) == 1
    assert len(await claim(store, holder=Holder("b", 1))) == 1, "the lease ran out"


async def test_tasks_wait_change_and_go(store: Store) -> None:
    await store.commit(Unit(None, (tasks.insert(task(1), A, (1 << 62)),)))
    back = tasks.put_back(
        TaskId(1), 0, A, due_at=Instant(NOW + 5), next_attempt=1, kind=TaskKind.LINK, payload={"a": "b"}
    )
    assert await store.commit(Unit(back, ())) == [(1,)]
    assert await store.commit(Unit(back, ())) is LOST
    row = tasks.read((await claim(store, now=NOW + 5))[0])
    assert (row.kind, row.attempt, row.payload) == (TaskKind.LINK, 1, {"a": "b"})
    await store.commit(Unit(None, (tasks.hand_back(A),)))
    assert await tasks.lanes_in_use(store) == ["smsc:local"]
    await store.commit(Unit(None, (tasks.drop_delivery(RecipientId(2)),)))
    assert await tasks.lanes_in_use(store) == []


async def test_a_lease_is_held_longer_by_its_holder_alone(store: Store) -> None:
    await store.commit(Unit(None, (tasks.insert(task(1), A, 0), tasks.insert(task(2), A, 0))))
    far = 1 << 62
    for held in (
        tasks.hold_longer(TaskId(1), 0, A, far),
        tasks.hold_longer(TaskId(2), 1, A, far),
        tasks.hold_longer(TaskId(2), 0, Holder("b", 1), far),
    ):
        await store.commit(Unit(None, (held,)))
    assert [row[0] for row in await claim(store, holder=Holder("b", 1))] == [2]


async def test_what_expired_is_put_first_and_what_was_fetched_is_hastened(store: Store) -> None:
    await store.commit(Unit(messages.insert_mm(MM, repeat_key=None, answer=None), ()))
    await store.commit(Unit(None, tuple(tasks.insert(task(number, priority=2)) for number in (1, 2, 3))))
    await store.commit(Unit(None, (tasks.insert(task(4, kind=TaskKind.REPORT_MM7)), tasks.insert(task(5)))))
    await store.commit(Unit(None, (tasks.insert(task(6, due_at=Instant(NOW + 2000), recipient_id=RecipientId(3))),)))
    assert await tasks.expired(store, "smsc:local", NOW, 10) == []
    assert await tasks.expired(store, "smsc:other", MM.expires_at, 10) == []
    assert sorted(await tasks.expired(store, "smsc:local", MM.expires_at, 10)) == [1, 2, 3, 5]
    deliver = task(7, kind=TaskKind.DELIVER_MM7, recipient_id=None, lane="vasp:news")
    await store.commit(Unit(None, (tasks.insert(deliver),)))
    assert await tasks.expired(store, "vasp:news", MM.expires_at, 10) == [7]
    await store.commit(Unit(None, (tasks.put_first(TaskId(5)),)))
    assert sorted(await tasks.expired(store, "smsc:local", MM.expires_at, 10)) == [1, 2, 3]
    assert (await claim(store, 1))[0][0] == 5
    for sooner in (NOW + 1500, NOW + 1800):
        await store.commit(Unit(None, (tasks.hasten_delivery(RecipientId(3), Instant(sooner)),)))
    assert [row[5] for row in await claim(store, now=NOW + 1500) if row[0] == 6] == [NOW + 1500]


async def test_a_repeat_key_is_given_up_when_its_window_is_over(store: Store) -> None:
    await store.commit(Unit(messages.insert_mm(MM, repeat_key=b"r", answer=None), ()))
    await store.commit(Unit(None, (messages.forget_repeat(b"r", NOW),)))
    assert await messages.answer_to_repeat(store, b"r") is not None
    await store.commit(Unit(None, (messages.forget_repeat(b"r", Instant(NOW + 1)),)))
    assert await messages.answer_to_repeat(store, b"r") is None


async def test_the_small_tables(store: Store) -> None:
    await store.commit(Unit(None, (sms.insert("smsc:local", "id1", 1, 2, "link", NOW),)))
    assert await sms.find(store, "smsc:local", "id1") == (1, 2, "link")
    await store.commit(Unit(None, (neighbours.upsert("vasp", "news", "config", "{}", NOW),)))
    await store.commit(Unit(None, (neighbours.drop("vasp", "news"),)))
    assert await neighbours.all_of(store) == []
    await store.commit(Unit(None, (meta.write("k", "1"),)))
    await store.commit(Unit(None, (meta.write("k", "2"),)))
    assert await meta.read(store, "k") == "2"
    assert await meta.highest_id(store) == 0
    event = trace.Event(5, 1, 2, None, NOW, NOW, trace.MmFetched("Lab/1.0"))
    await store.commit(Unit(None, (event_sql.insert(event),)))
    assert await meta.highest_id(store) == 5
    (row,) = await event_sql.of_mm(store, 1)
    assert trace.read_data(str(row[5]), str(row[6])) == event.data
    assert store.counters.units >= 6
