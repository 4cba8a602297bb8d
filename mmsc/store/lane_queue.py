"""SQL of what waits on one lane, for whoever looks at it: as many rows as are shown, in the index' own order."""

from typing import Final

from mmsc.domain.instant import Instant
from mmsc.store.core import Row
from mmsc.store.reports import Source
from protocols.records import record

_PEOPLE: Final = (
    "SELECT queued.id, mm.id, recipient.address, mm.sender, queued.kind, queued.due_at, queued.attempt, queued.owner"
    " FROM ({}) queued"
    " LEFT JOIN recipient ON recipient.id = queued.recipient_id"
    " LEFT JOIN mm ON mm.id = COALESCE(queued.mm_id, recipient.mm_id)"
)
_TASK: Final = "id, mm_id, recipient_id, kind, due_at, attempt, owner FROM task WHERE lane = $1"
_WAITING: Final = _PEOPLE.format(f"SELECT {_TASK} AND state = 'ready' ORDER BY priority, owner, due_at LIMIT $2")
_IN_HANDS: Final = _PEOPLE.format(f"SELECT {_TASK} AND state = 'leased' ORDER BY lease_until LIMIT $2")


@record(frozen=True, slots=True, kw_only=True)
class QueuedTask:
    """One task of a lane. `due_at` is service time (µs); `mm_id` None: it is about no MM. `recipient` "": about all."""

    id: int
    mm_id: int | None
    recipient: str
    sender: str
    kind: str
    due_at: Instant
    attempt: int
    owner: str
    in_hands: bool


async def tasks(source: Source, lane: str, limit: int) -> list[QueuedTask]:
    """Those in somebody's hands, then those that wait, the first ones by priority, owner and time."""
    found: list[QueuedTask] = []
    for sql in (_IN_HANDS, _WAITING):
        rows = await source.fetch(sql, lane, max(0, limit - len(found)))
        found += sorted((_task(row, in_hands=sql is _IN_HANDS) for row in rows), key=lambda one: one.due_at)
    return found


def _task(row: Row, *, in_hands: bool) -> QueuedTask:
    task_id, mm_id, address, sender, kind, due_at, attempt, owner = row
    assert isinstance(task_id, int)
    assert isinstance(due_at, int)
    assert isinstance(attempt, int)
    return QueuedTask(
        id=task_id,
        mm_id=mm_id if isinstance(mm_id, int) else None,
        recipient=str(address or ""),
        sender=str(sender or ""),
        kind=str(kind),
        due_at=Instant(due_at),
        attempt=attempt,
        owner=str(owner),
        in_hands=in_hands,
    )
