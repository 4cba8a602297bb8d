"""SQL of what is due next, for people who turn the clock: the first tasks of the owners whose turn comes first."""

from typing import Final

import msgspec

from mmsc.domain.instant import Instant
from mmsc.domain.message import TaskKind
from mmsc.domain.states import RecipientState
from mmsc.store.core import Row, SqlValue, Store
from mmsc.store.tasks import OWNERS, next_due
from protocols.records import record

GROUPS: Final = 40  # (lane, priority, owner) that are looked into


class _Details(msgspec.Struct, frozen=True):
    subject: str = ""


_decode: Final = msgspec.json.Decoder(_Details).decode

_FIRST: Final = f"""WITH RECURSIVE {OWNERS}
SELECT lane, priority, name, due_at FROM (SELECT owners.lane AS lane, owners.priority AS priority, owners.name AS name,
    (SELECT due_at FROM task WHERE state = 'ready' AND lane = owners.lane AND priority = owners.priority
    AND owner = owners.name ORDER BY due_at LIMIT 1) AS due_at
    FROM owners WHERE name IS NOT NULL) AS firsts ORDER BY due_at LIMIT {GROUPS}"""
_OF_GROUP: Final = (
    "SELECT task.id, task.mm_id, task.kind, task.lane, task.due_at, task.attempt, mm.sender, mm.details, mm.expires_at,"
    " mm.deliver_at, recipient.address, recipient.state, recipient.fetched_at, recipient.pushes FROM task"
    " LEFT JOIN mm ON mm.id = task.mm_id LEFT JOIN recipient ON recipient.id = task.recipient_id"
    " WHERE task.state = 'ready' AND task.lane = $1 AND task.priority = $2 AND task.owner = $3 AND task.due_at > $4"
    " ORDER BY task.due_at LIMIT $5"
)
_COUNT: Final = "SELECT COUNT(*) FROM (SELECT 1 FROM task WHERE state = 'ready' AND lane = $1 LIMIT $2) AS waiting"
_ANY: Final = "SELECT MAX(id) FROM mm"


@record(frozen=True, slots=True, kw_only=True)
class DueTask:
    """A task that waits for its time, and whom it is for. Times are service time; `state` None: about no recipient."""

    task_id: int
    mm_id: int | None
    kind: TaskKind
    lane: str
    due_at: Instant
    attempt: int
    sender: str = ""
    subject: str = ""
    expires_at: int | None = None
    deliver_at: int | None = None
    address: str = ""
    state: RecipientState | None = None
    fetched: bool = False
    pushes: int = 0


async def due_next(store: Store, after: Instant, limit: int) -> list[DueTask]:
    """The first `limit` tasks that are due behind `after`, in order of time. Of more than `GROUPS` owners with work
    those that are first in the queue are looked at."""
    tasks: list[DueTask] = []
    for lane, priority, owner, _ in await store.fetch(_FIRST):
        tasks += map(_task, await store.fetch(_OF_GROUP, lane, priority, owner, after, limit))
    return sorted(tasks, key=lambda task: (task.due_at, task.task_id))[:limit]


async def waiting(store: Store, most: int) -> int:
    """How many tasks wait, at most `most`."""
    found = 0
    for lane in await next_due(store):
        row = await store.fetch_one(_COUNT, lane, most - found)
        found += row[0] if row is not None and isinstance(row[0], int) else 0
        if found >= most:
            break
    return found


async def has_mms(store: Store) -> bool:
    """Whether any MM is stored."""
    row = await store.fetch_one(_ANY)
    return row is not None and row[0] is not None


def _task(row: Row) -> DueTask:
    details = _decode(str(row[7])) if row[7] is not None else _Details()
    return DueTask(
        task_id=_whole(row[0]),
        mm_id=None if row[1] is None else _whole(row[1]),
        kind=TaskKind(str(row[2])),
        lane=str(row[3]),
        due_at=Instant(_whole(row[4])),
        attempt=_whole(row[5]),
        sender=str(row[6] or ""),
        subject=details.subject,
        expires_at=None if row[8] is None else _whole(row[8]),
        deliver_at=None if row[9] is None else _whole(row[9]),
        address=str(row[10] or ""),
        state=None if row[11] is None else RecipientState(str(row[11])),
        fetched=row[12] is not None,
        pushes=_whole(row[13] or 0),
    )


def _whole(value: SqlValue) -> int:
    assert isinstance(value, int), value
    return value
