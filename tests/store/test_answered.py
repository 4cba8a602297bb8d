"""The task that waits for an application's answer, on every store."""

from mmsc.domain.message import TaskId, TaskKind
from mmsc.store import messages, tasks
from mmsc.store.core import Store, Unit
from mmsc.store.tasks import TaskRow
from tests.store.test_contract import MM, NOW, A

LANE = "vasp:games"
PAYLOAD = {"transaction_id": "t", "linked_id": "l"}


def task(number: int, kind: TaskKind, lane: str = LANE) -> TaskRow:
    return TaskRow(TaskId(number), MM.id, None, kind, lane, NOW, 1, PAYLOAD, 2, "mm1")


async def test_only_a_waiting_delivery_to_that_vasp_goes(store: Store) -> None:
    others = (task(11, TaskKind.DELIVER_MM7, "vasp:news"), task(12, TaskKind.FORWARD, LANE))
    inserted = [tasks.insert(one) for one in (task(10, TaskKind.DELIVER_MM7), *others)]
    await store.commit(Unit(messages.insert_mm(MM, repeat_key=None, answer=None), tuple(inserted)))
    assert await tasks.delivery_to(store, MM.id, LANE) == (PAYLOAD, 2)
    assert await tasks.delivery_to(store, MM.id, "vasp:other") is None
    await store.commit(Unit(None, (tasks.drop_answered(MM.id, LANE),)))
    assert await tasks.delivery_to(store, MM.id, LANE) is None
    assert await store.fetch("SELECT id FROM task ORDER BY id") == [(11,), (12,)]


async def test_one_in_somebodys_hands_ends_there(store: Store) -> None:
    leased = tasks.insert(task(10, TaskKind.DELIVER_MM7), A, NOW + 60_000_000)
    await store.commit(Unit(messages.insert_mm(MM, repeat_key=None, answer=None), (leased,)))
    await store.commit(Unit(None, (tasks.drop_answered(MM.id, LANE),)))
    assert await tasks.delivery_to(store, MM.id, LANE) == (PAYLOAD, 2)
