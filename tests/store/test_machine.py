"""Hypothesis drives a model, SQLite and PostgreSQL together through the verbs that the engine uses: the same rows, the
same winners and the same losers on all of them after each step."""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mmsc.domain.instant import Instant
from mmsc.domain.message import MmId, RecipientId, TaskId, TaskKind
from mmsc.domain.states import Cause, Happening, RecipientState
from mmsc.lab.database import DatabaseError
from mmsc.store import messages, sms, tasks
from mmsc.store.core import Lost, Row, Statement, Store, Unit
from mmsc.store.postgres import PostgresStore
from mmsc.store.sqlite import SqliteOptions, SqliteStore
from mmsc.store.tasks import Holder, TaskRow
from tests import postgres
from tests.store.model import Model, Task
from tests.store.test_contract import MM, NOW, RECIPIENT

HOLDERS: Final = (Holder("a", 1), Holder("a", 2), Holder("b", 1))
LANES: Final = ("smsc:local", "peer:other", "vasp:news")
KEYS: Final = (None, b"k1", b"k2")
KINDS: Final = (
    TaskKind.NOTIFY,
    TaskKind.LINK,
    TaskKind.FORWARD,
    TaskKind.DELIVER_MM7,
    TaskKind.REPORT_MM7,
    TaskKind.RES_MM4,
)
PAYLOADS: Final[tuple[dict[str, str], ...]] = ({}, {"plain": "1"}, {tasks.ASKED_TO_WAIT: "1"})
TABLES: Final = ("mm", "recipient", "task", "sms")
MINUTE: Final = 60_000_000
pick = st.integers(0, 1 << 16)


class Stores:
    """Both stores, opened once and emptied for each run."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.all: list[Store] = [SqliteStore(":memory:", SqliteOptions(synchronous="OFF", inline=True))]
        try:
            self.all.append(PostgresStore(postgres.server(), schema=f"machine_{os.getpid()}"))
        except (pytest.skip.Exception, DatabaseError):
            if os.environ.get("CI"):
                raise
        for store in self.all:
            self.run(store.open())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """On the stores' own loop."""
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        """Let go."""
        for store in self.all:
            self.run(store.close())
        self.loop.close()


class Machine(RuleBasedStateMachine):
    """One run."""

    stores: Stores

    @initialize()
    def empty(self) -> None:
        self.model = Model()
        self.now = int(NOW)
        self.ids = 0
        for table in TABLES:
            self.commit(Unit(None, (Statement(f"DELETE FROM {table}"),)))

    # --- helpers ---

    def next(self) -> int:
        self.ids += 1
        return self.ids

    def moment(self) -> Instant:
        """Later than all before: no two tasks are due at one moment."""
        self.now += 1000
        return Instant(self.now)

    def commit(self, *units: Unit) -> list[bool]:
        """In one batch; who won, which all stores must agree about."""
        told = [self.stores.run(_together(store, units)) for store in self.stores.all]
        assert all(one == told[0] for one in told), told
        found: list[bool] = told[0]
        return found

    def ask(self, question: Any, *about: Any) -> Any:
        """What all stores must answer alike."""
        told = [self.stores.run(question(store, *about)) for store in self.stores.all]
        assert all(one == told[0] for one in told), told
        return told[0]

    def some(self, table: dict[int, Any], number: int) -> int:
        return list(table)[number % len(table)]

    def has_recipients(self) -> bool:
        return bool(self.model.recipients)

    def has_tasks(self) -> bool:
        return bool(self.model.tasks)

    # --- rules ---

    @rule(key=st.sampled_from(KEYS), kinds=st.lists(st.sampled_from(KINDS), max_size=3), number=pick)
    def submit(self, key: bytes | None, kinds: list[TaskKind], number: int) -> None:
        at, mm_id, recipient_id = self.moment(), self.next(), self.next()
        state = (RecipientState.ACCEPTED, RecipientState.SCHEDULED)[number % 2]
        one = RECIPIENT._replace(
            id=RecipientId(recipient_id),
            mm_id=MmId(mm_id),
            state=state,
            state_at=at,
            transaction_id=f"t{mm_id}",
            token=f"o{mm_id}",
            link_token=f"l{mm_id}",
        )
        holder = (None, *HOLDERS)[number % 4]
        rows, known = [], {}
        for index, kind in enumerate(kinds):
            task_id, lane, priority = self.next(), LANES[(number + index) % 3], (number + index) % 3
            due_at, payload = self.moment(), PAYLOADS[number % 3]
            owner = (
                None
                if kind in (TaskKind.FORWARD, TaskKind.DELIVER_MM7, TaskKind.RES_MM4)
                else RecipientId(recipient_id)
            )
            row = TaskRow(TaskId(task_id), MmId(mm_id), owner, kind, lane, due_at, priority, payload)
            rows.append(tasks.insert(row, holder, 1 << 60))
            known[task_id] = Task(mm_id, owner, str(kind), lane, due_at, priority, dict(payload), holder=holder)
        guard = messages.insert_mm(MM._replace(id=MmId(mm_id), submitted_at=at), repeat_key=key, answer=None)
        won = self.commit(Unit(guard, (messages.insert_recipient(one), *rows)))
        assert won == [self.model.submit(mm_id, key, at, {recipient_id: str(state)}, known)]

    @precondition(has_recipients)
    @rule(number=pick, happening=st.sampled_from(Happening), cause=st.sampled_from(Cause), leaving=st.booleans())
    def move(self, number: int, happening: Happening, cause: Cause, leaving: bool) -> None:
        leaving = leaving and happening in messages._LEAVE
        recipient_id, at = self.some(self.model.recipients, number), self.moment()
        guard = messages.move_recipient(RecipientId(recipient_id), happening, at, cause, leaving=leaving)
        won = self.model.move(recipient_id, str(happening), at, str(cause), leaving=leaving)
        assert self.commit(Unit(guard, ())) == [won]

    @precondition(has_recipients)
    @rule(number=pick)
    def expire_waiting(self, number: int) -> None:
        recipient_id, at = self.some(self.model.recipients, number), self.moment()
        won = self.model.move(recipient_id, str(Happening.EXPIRED), at, "", leaving=True, waiting=True)
        assert self.commit(Unit(messages.expire_waiting(RecipientId(recipient_id), at), ())) == [won]

    @rule(lane=st.sampled_from(LANES), holder=st.sampled_from(HOLDERS), seats=st.sampled_from((1, 2, 50)))
    def claim(self, lane: str, holder: Holder, seats: int) -> None:
        now = self.moment()
        wanted = self.model.claimable(lane, holder, now)
        ended = sum(self.model.tasks[number].holder is not None for number in wanted)
        seats = 50 if ended > 1 else seats  # which of several that ran out comes first is nobody's promise
        wanted = wanted[:seats]
        rows = self.ask(_claimed, lane, seats, holder, now)
        assert [row[0] for row in rows] == wanted
        self.model.claim(wanted, holder)

    @precondition(has_tasks)
    @rule(number=pick, holder=st.sampled_from(HOLDERS), late=st.booleans(), twice=st.booleans())
    def finish(self, number: int, holder: Holder, late: bool, twice: bool) -> None:
        task_id = self.some(self.model.tasks, number)
        one = self.model.tasks[task_id]
        holder = one.holder or holder if number % 2 else holder
        attempt = one.attempt + late
        units = [Unit(tasks.finish(TaskId(task_id), attempt, holder), ())] * (2 if twice else 1)
        won = self.commit(*units)
        assert won == [self.model.finish(task_id, attempt, holder) for _ in units], "the first in a batch wins"

    @precondition(has_tasks)
    @rule(number=pick, holder=st.sampled_from(HOLDERS), payload=st.sampled_from(PAYLOADS), wait=st.integers(-5, 50))
    def put_back(self, number: int, holder: Holder, payload: dict[str, str], wait: int) -> None:
        task_id = self.some(self.model.tasks, number)
        one = self.model.tasks[task_id]
        holder = one.holder or holder if number % 4 else holder
        due_at = Instant(self.moment() + wait * 1000 + task_id)
        guard = tasks.put_back(
            TaskId(task_id),
            one.attempt,
            holder,
            due_at=due_at,
            next_attempt=one.attempt + 1,
            kind=TaskKind(one.kind),
            payload=payload,
        )
        assert self.commit(Unit(guard, ())) == [
            self.model.put_back(task_id, one.attempt, holder, due_at, dict(payload))
        ]

    @precondition(has_tasks)
    @rule(number=pick)
    def lease_runs_out(self, number: int) -> None:
        task_id = self.some(self.model.tasks, number)
        over = Statement("UPDATE task SET lease_until = 1 WHERE id = $1 AND state = 'leased'", (task_id,))
        self.commit(Unit(None, (over,)))
        self.model.tasks[task_id].over = self.model.tasks[task_id].holder is not None

    @precondition(has_tasks)
    @rule(number=pick, holder=st.sampled_from(HOLDERS))
    def hold_longer(self, number: int, holder: Holder) -> None:
        task_id = self.some(self.model.tasks, number)
        one = self.model.tasks[task_id]
        held = self.model.held(task_id, one.attempt, holder)
        won = self.commit(Unit(tasks.hold_longer(TaskId(task_id), one.attempt, holder, 1000 * MINUTE), ()))
        assert won == [held is not None]
        if held is not None:
            held.over = False

    @precondition(has_recipients)
    @rule(number=pick, wait=st.integers(-20, 20))
    def recipient_ends_or_waits(self, number: int, wait: int) -> None:
        recipient_id = self.some(self.model.recipients, number)
        owner, due_at = RecipientId(recipient_id), Instant(self.moment() + wait * 1000 + number % 500)
        match number % 4:
            case 0:
                self.model.drop_delivery(recipient_id)
                effect = tasks.drop_delivery(owner)
            case 1:
                self.model.postpone(recipient_id, due_at, only_sooner=False)
                effect = tasks.postpone_delivery(owner, due_at)
            case 2:
                self.model.postpone(recipient_id, due_at, only_sooner=True)
                effect = tasks.hasten_delivery(owner, due_at)
            case _:
                won = self.model.redo(recipient_id, due_at, {"plain": "1"})
                guard = tasks.redo_delivery(owner, due_at, {"plain": "1"})
                assert self.commit(Unit(guard, ())) == [won]
                return
        self.commit(Unit(None, (effect,)))

    @rule(lane=st.sampled_from(LANES), holder=st.sampled_from(HOLDERS), number=pick)
    def lane_or_node(self, lane: str, holder: Holder, number: int) -> None:
        now = self.moment()
        if number % 3 == 0:
            self.model.hand_back(holder)
            self.commit(Unit(None, (tasks.hand_back(holder),)))
        elif number % 3 == 1:
            self.model.resume(lane, now)
            self.commit(Unit(None, (tasks.resume_lane(lane, now),)))
        elif self.model.mms:
            mm_id = self.some(self.model.mms, number)
            self.model.watch(mm_id, lane, now)
            self.commit(Unit(None, (tasks.watch_forward(MmId(mm_id), lane, now),)))

    @rule(key=st.sampled_from(KEYS[1:]), back=st.integers(0, 20))
    def forget_repeat(self, key: bytes, back: int) -> None:
        before = Instant(self.moment() - back * 1000)
        self.model.forget_repeat(key, before)
        self.commit(Unit(None, (messages.forget_repeat(key, before),)))

    @precondition(has_recipients)
    @rule(number=pick, name=st.sampled_from("xyz"), purpose=st.sampled_from(("link", "notification")))
    def sms_sent_or_settled(self, number: int, name: str, purpose: str) -> None:
        recipient_id, at = self.some(self.model.recipients, number), self.moment()
        if number % 2:
            self.model.sms[name] = (recipient_id, purpose, at)
            self.commit(Unit(None, (sms.insert(LANES[0], name, 1, recipient_id, purpose, at),)))
            return
        owner, known, sent_at = self.model.sms.get(name, (0, "", 0))
        if known == purpose:
            self.model.sms[name] = (owner, f"{purpose} settled", sent_at)
        self.commit(Unit(None, (sms.settled(LANES[0], name, purpose),)))

    # --- what must hold after each step ---

    @invariant()
    def same_rows(self) -> None:
        if not hasattr(self, "model"):
            return
        model = self.model
        mms = [(number, key) for number, key in sorted(model.mms.items())]
        assert self.ask(_rows, "SELECT id, repeat_key FROM mm ORDER BY id") == mms
        rows = self.ask(_rows, "SELECT id, state, state_at, pushes, fetched_at, cause FROM recipient ORDER BY id")
        assert rows == [
            (number, one.state, one.state_at, one.pushes, one.fetched_at, one.cause)
            for number, one in sorted(model.recipients.items())
        ]
        columns = "id, kind, lane, state, due_at, priority, attempt, node, start_no, payload"
        assert self.ask(_rows, f"SELECT {columns} FROM task ORDER BY id") == [
            (
                number,
                one.kind,
                one.lane,
                "leased" if one.holder else "ready",
                one.due_at,
                one.priority,
                one.attempt,
                one.holder.node if one.holder else None,
                one.holder.start_no if one.holder else None,
                msgspec.json.encode(one.payload).decode() if one.payload else None,
            )
            for number, one in sorted(model.tasks.items())
        ]

    @invariant()
    def same_answers(self) -> None:
        if not hasattr(self, "model"):
            return
        for recipient_id in list(self.model.recipients)[:2]:
            for purpose in ("link", "notification"):
                assert self.ask(sms.open_since, recipient_id, purpose) == self.model.open_since(recipient_id, purpose)
            wanted = self.model.earlier_report(recipient_id, self.ids)
            assert self.ask(tasks.earlier_report, recipient_id, self.ids) == wanted
        waiting = [(one.lane, one.due_at) for one in self.model.tasks.values() if one.holder is None]
        assert self.ask(tasks.next_due) == dict(sorted(waiting, reverse=True))
        assert sorted(self.ask(_lanes)) == sorted({one.lane for one in self.model.tasks.values()})


async def _together(store: Store, units: tuple[Unit, ...]) -> list[bool]:
    told = await asyncio.gather(*(store.commit(unit) for unit in units))
    return [not isinstance(one, Lost) for one in told]


async def _claimed(store: Store, lane: str, seats: int, holder: Holder, now: Instant) -> list[Row]:
    return await store.claim([(lane, seats)], node=holder.node, start=holder.start_no, now=now, lease_seconds=60_000)


async def _rows(store: Store, query: str) -> list[Row]:
    return await store.fetch(query)


async def _lanes(store: Store) -> list[str]:
    return sorted(await tasks.lanes_in_use(store))


@pytest.fixture(scope="module")
def stores() -> Iterator[Stores]:
    made = Stores()
    yield made
    made.close()


@pytest.mark.slow
def test_the_stores_do_what_the_model_does(stores: Stores) -> None:
    Machine.stores = stores
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
