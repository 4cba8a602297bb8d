"""Forwarding without retrieval beside everything else that may happen to the MM (TS 23.140 8.1.6), on both stores."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mmsc.clock import VirtualClock
from mmsc.domain.address import Address
from mmsc.domain.message import Interface, Origin, Recipient, RecipientSpec, Relative, Submission, TaskKind
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.domain.sendings import Sending, sent_before
from mmsc.domain.states import Happening
from mmsc.engine.ports import Accepted, Evidence, Retrievable
from mmsc.store.core import Lost, Row, StoreUnavailable, Unit
from mmsc.store.postgres import PostgresStore
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from mmsc.trace import events as trace
from tests import postgres
from tests.engine.conftest import CONTENT, FOREIGN, OTHER, PHONE, Bench, benched
from tests.engine.test_changes import cancel, notified
from tests.engine.test_restart import Killed, new_engine

LAB = Evidence(user_agent="Lab/1.0", mms_version=0x12)
WHO = Address.of(PHONE)
_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgres"])
async def town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """A bench on either store."""
    clock = VirtualClock()
    if request.param == "postgres":
        store: Any = PostgresStore(postgres.server(), schema=f"forwards{os.getpid()}_{next(_numbers)}")
    else:
        store = SqliteStore(str(tmp_path / "mmsc.db"), SqliteOptions(synchronous="OFF"), clock.real_now)
    async with benched(store, clock) as bench:
        yield bench


class Asked(Killed):
    """One that says when it was asked for a commit that it will not do."""

    def __init__(self, store: Any, left: int) -> None:
        super().__init__(store, left)
        self.asked = asyncio.Event()

    async def commit(self, unit: Unit) -> list[Row] | Lost:
        if not self._left:
            self.asked.set()
        return await super().commit(unit)


def to(*numbers: str, key: bytes = b"f1", **changes: Any) -> Submission:
    """What a handset asks for."""
    values: dict[str, Any] = {
        "origin": Origin(Interface.MM1, PHONE),
        "sender": PHONE,
        "recipients": tuple(RecipientSpec(one) for one in numbers),
        "content": None,
        "repeat_key": key,
        "details": {"mm1_transaction_id": "f1"},
    }
    return Submission(**{**values, **changes})


def told(bench: Bench) -> Recipient:
    """The recipient as its notification named it."""
    return bench.hands[TaskKind.NOTIFY].jobs[0].recipients[0]


async def forward(bench: Bench, submission: Submission, *, allowed: bool = True) -> Accepted | Refused:
    found = await bench.engine.forwards.forward(told(bench).token, submission, WHO, LAB, report_allowed=allowed)
    if isinstance(found, Accepted):
        found.answered()
    return found


async def retrieved(bench: Bench) -> object:
    transaction_id = told(bench).transaction_id
    answer = bench.engine.retrieval.answer
    return await answer(transaction_id, Happening.RETRIEVED, report_allowed=True, evidence=LAB)


async def count(bench: Bench, what: str) -> int:
    [(number,)] = await bench.store.fetch(f"SELECT COUNT(*) FROM {what}")
    return int(str(number))


async def test_one_unit_holds_the_new_mm_the_move_and_the_report(town: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await notified(town, PHONE)
    units: list[Unit] = []
    commit = town.store.commit

    async def seen(unit: Unit) -> object:
        if unit.guard is not None and unit.guard.sql.startswith("UPDATE recipient SET state"):
            units.append(unit)
        return await commit(unit)

    monkeypatch.setattr(town.store, "commit", seen)
    accepted = await forward(town, to(OTHER))
    assert isinstance(accepted, Accepted)
    texts = [one.sql.split(" (")[0] for one in units[0].effects]
    assert {"INSERT INTO mm", "INSERT INTO content", "INSERT INTO recipient", "INSERT INTO task"} <= set(texts)
    await town.until(trace.NotificationPushed, 2)
    await town.until(trace.ReportDelivered)
    await town.at_rest()
    assert await town.state(PHONE) == "forwarded"
    [job] = town.hands[TaskKind.REPORT_MM7].jobs
    assert job.payload["state"] == "forwarded"
    second = town.hands[TaskKind.NOTIFY].jobs[1]
    assert (second.stored_mm.message_id, second.stored_mm.forward_counter) == (accepted.message_id, 1)
    first = town.hands[TaskKind.NOTIFY].jobs[0].stored_mm
    assert sent_before(second.stored_mm.details) == (Sending("4488", first.date),)
    assert await town.engine.recent.content(second.stored_mm.content_id) == CONTENT
    assert [row[0] for row in await town.tasks()] == ["notify"], "nobody is notified of what he forwarded"


async def test_a_forward_and_an_answer_at_once(town: Bench) -> None:
    """Whoever is first: the recipient ends once, its sender hears once, and the forward is carried out."""
    await notified(town, PHONE)
    outcomes = await asyncio.gather(forward(town, to(OTHER)), retrieved(town), forward(town, to(OTHER)))
    assert all(isinstance(one, Accepted) for one in (outcomes[0], outcomes[2]))
    await town.until(trace.ReportDelivered)
    await town.at_rest()
    state = await town.state(PHONE)
    assert state in ("forwarded", "retrieved")
    assert [job.payload["state"] for job in town.hands[TaskKind.REPORT_MM7].jobs] == [state]
    assert await count(town, "mm") == 2


async def test_who_answered_first_keeps_it_and_sends_a_copy(town: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await notified(town, PHONE)
    commit = town.store.commit
    moved = False

    async def slow(unit: Unit) -> object:
        nonlocal moved
        if not moved and any("INSERT INTO mm " in one.sql for one in unit.effects):
            moved = True
            assert await retrieved(town) is True
        return await commit(unit)

    monkeypatch.setattr(town.store, "commit", slow)
    assert isinstance(await forward(town, to(OTHER)), Accepted)
    assert await town.state(PHONE) == "retrieved"
    assert (await count(town, "mm"), await count(town, "content")) == (2, 2)
    refused = [event for event in town.events if isinstance(event.data, trace.SubmissionRefused)]
    assert refused == [], "it was looked at again, not refused"


async def test_two_forwards_at_once(town: Bench) -> None:
    await notified(town, PHONE)
    outcomes = await asyncio.gather(forward(town, to(OTHER)), forward(town, to(FOREIGN, key=b"f2")))
    accepted = [one for one in outcomes if isinstance(one, Accepted)]
    [refused] = [one for one in outcomes if isinstance(one, Refused)]
    assert (len(accepted), refused.reason) == (1, RefusalReason.MM_UNKNOWN)
    assert await count(town, "mm") == 2


async def test_the_same_forward_at_once_and_later(town: Bench) -> None:
    await notified(town, PHONE)
    outcomes = [*await asyncio.gather(*(forward(town, to(OTHER)) for _ in range(3))), await forward(town, to(OTHER))]
    assert all(isinstance(one, Accepted) for one in outcomes)
    assert len({one.message_id for one in outcomes if isinstance(one, Accepted)}) == 1
    assert sum(one.repeat for one in outcomes if isinstance(one, Accepted)) == 3
    assert await count(town, "mm") == 2


async def test_a_get_that_was_under_way_changes_nothing(town: Bench) -> None:
    await notified(town, PHONE)
    found = await town.engine.retrieval.open(told(town).token, WHO, LAB)
    assert isinstance(found, Retrievable)
    town.engine.retrieval.begun(found)
    assert isinstance(await forward(town, to(OTHER)), Accepted)
    await town.engine.retrieval.fetched(found)
    assert await retrieved(town) is False
    assert await town.state(PHONE) == "forwarded"


async def test_what_was_withdrawn_or_expired_is_not_forwarded(bench: Bench) -> None:
    accepted = await notified(bench, PHONE)
    await cancel(bench, accepted)
    refused = await forward(bench, to(OTHER))
    assert refused == Refused(RefusalReason.MM_UNKNOWN, "the message was withdrawn by its sender")


async def test_nor_is_what_expired(bench: Bench) -> None:
    await bench.submit(PHONE, expires=Relative(60))
    await bench.until(trace.NotificationPushed)
    await bench.at_rest()
    bench.clock.advance(61)
    assert await forward(bench, to(OTHER)) == Refused(RefusalReason.MM_UNKNOWN, "the message expired")


async def test_its_vasp_does_not_withdraw_what_is_forwarded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = await notified(bench, PHONE)
    commit = bench.store.commit
    late: list[object] = []

    async def slow(unit: Unit) -> object:
        if not late and any("INSERT INTO mm " in one.sql for one in unit.effects):
            late.append(None)
            late.append((await cancel(bench, accepted)).late)
        return await commit(unit)

    monkeypatch.setattr(bench.store, "commit", slow)
    assert isinstance(await forward(bench, to(OTHER)), Accepted)
    assert late[1] == ((PHONE, "it is being fetched"),)
    assert await bench.state(PHONE) == "forwarded"


async def test_a_store_that_is_away_keeps_nothing_of_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await notified(bench, PHONE)

    async def away(unit: Unit) -> object:
        raise StoreUnavailable("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "commit", away)
        refused = await forward(bench, to(OTHER))
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.STORE_UNAVAILABLE
    assert (await bench.state(PHONE), await count(bench, "mm")) == ("notified", 1)
    assert isinstance(await forward(bench, to(OTHER)), Accepted)


async def test_a_forward_that_is_refused_moves_nobody(bench: Bench) -> None:
    await notified(bench, PHONE)
    nobody = await forward(bench, to("x!"))
    assert isinstance(nobody, Refused)
    too_late = await forward(bench, to(OTHER, key=b"f2", deliver_at=Relative(1e9)))
    assert isinstance(too_late, Refused)
    assert await bench.state(PHONE) == "notified"
    assert [row[0] for row in await bench.tasks()] == ["notify"]


@pytest.mark.parametrize("durable", [False, True])
async def test_killed_while_it_is_committed(bench: Bench, durable: bool) -> None:
    """Before: nothing is left of it. After: the handset asks again, and gets the answer that it missed."""
    await notified(bench, PHONE)
    recipient = told(bench)
    await bench.stop()
    store = Asked(bench.store, 1 << 30)
    first, running = await new_engine(bench, store)
    store._left = 1 if durable else 0
    work = asyncio.create_task(first.forwards.forward(recipient.token, to(OTHER), WHO, LAB, report_allowed=True))
    if durable:
        await store.killed.wait()
    else:
        await store.asked.wait()
    for task in (work, running):
        task.cancel()
    await asyncio.gather(work, running, return_exceptions=True)
    assert await bench.state(PHONE) == ("forwarded" if durable else "notified")
    assert await count(bench, "mm") == (2 if durable else 1)

    second, running = await new_engine(bench, bench.store)
    accepted = await second.forwards.forward(recipient.token, to(OTHER), WHO, LAB, report_allowed=True)
    assert isinstance(accepted, Accepted)
    assert accepted.repeat is durable
    accepted.answered()
    async with asyncio.timeout(10):
        while len(bench.hands[TaskKind.NOTIFY].jobs) < 2 or not bench.hands[TaskKind.REPORT_MM7].jobs:
            await bench.store.fetch("SELECT 1")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (await bench.state(PHONE), await count(bench, "mm")) == ("forwarded", 2)
    assert {job.payload["state"] for job in bench.hands[TaskKind.REPORT_MM7].jobs} == {"forwarded"}
