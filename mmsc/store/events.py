"""SQL of the event table."""

from mmsc.store.core import Row, Statement, Store
from mmsc.trace.events import Event

_INSERT = (
    "INSERT INTO event (id, mm_id, recipient_id, task_id, at_service, at_real, kind, data)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)


def insert(event: Event) -> Statement:
    """Write one event."""
    return Statement(_INSERT, event.row())


async def of_mm(store: Store, mm_id: int) -> list[Row]:
    """All events of an MM in order: (id, recipient_id, task_id, at_service, at_real, kind, data)."""
    return await store.fetch(
        "SELECT id, recipient_id, task_id, at_service, at_real, kind, data FROM event WHERE mm_id = $1 ORDER BY id",
        mm_id,
    )


async def of_kind(store: Store, mm_id: int, kind: str) -> list[str]:
    """What the events of this kind about an MM carry (JSON), in order."""
    rows = await store.fetch("SELECT data FROM event WHERE mm_id = $1 AND kind = $2 ORDER BY id", mm_id, kind)
    return [str(row[0]) for row in rows]


async def has(store: Store, mm_id: int, recipient_id: int, kind: str) -> bool:
    """Whether an event of this kind is there about a recipient."""
    row = await store.fetch_one(
        "SELECT id FROM event WHERE mm_id = $1 AND recipient_id = $2 AND kind = $3 LIMIT 1", mm_id, recipient_id, kind
    )
    return row is not None
