"""SQL of charging: events whose records are not in a file yet, and how far the files of a node are."""

from collections.abc import Sequence

from mmsc.store.core import Row, Statement, Store, Unit
from mmsc.store.messages import MM_COLUMNS

_INSERT = "INSERT INTO cdr (node, event_id) VALUES ($1, $2)"
_DONE = "DELETE FROM cdr WHERE node = $1 AND event_id = $2"
_WAITING = (
    "SELECT event.id, event.at_service, event.kind, event.data, event.recipient_id, recipient.address,"
    " CASE WHEN recipient.route = 'peer' THEN recipient.target END, content.parts, mm.answer,"
    f" {MM_COLUMNS} FROM cdr JOIN event ON event.id = cdr.event_id LEFT JOIN recipient"
    " ON recipient.id = event.recipient_id LEFT JOIN mm ON mm.id = event.mm_id LEFT JOIN content"
    " ON content.id = mm.content_id WHERE cdr.node = $1 ORDER BY cdr.event_id LIMIT $2"
)
EVENT_WIDTH = 9


def owed(node: str, event_id: int) -> Statement:
    """The event's records are owed: an effect of the unit that writes the event."""
    return Statement(_INSERT, (node, event_id))


def done(node: str, event_id: int) -> Statement:
    """The event's records are in a file, durably."""
    return Statement(_DONE, (node, event_id))


async def waiting(store: Store, node: str, limit: int) -> list[Row]:
    """Events that owe records, oldest first: (id, at_service, kind, data, recipient id, its address, the peer
    that it is at, parts, the answer to repeats) and the columns of the MM; None where there is none."""
    return await store.fetch(_WAITING, node, limit)


async def gone(store: Store, node: str, limit: int) -> list[int]:
    """Owed events that are in the database no more."""
    rows = await store.fetch(
        "SELECT event_id FROM cdr WHERE node = $1 AND NOT EXISTS (SELECT 1 FROM event WHERE event.id = cdr.event_id)"
        " LIMIT $2",
        node,
        limit,
    )
    return [row[0] for row in rows if isinstance(row[0], int)]


async def recipients(store: Store, mm_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """(address, role) of the recipients of these MMs, in order."""
    found: dict[int, list[tuple[str, str]]] = {}
    for mm_id in mm_ids:
        rows = await store.fetch("SELECT address, role FROM recipient WHERE mm_id = $1 ORDER BY id", mm_id)
        found[mm_id] = [(str(row[0]), str(row[1])) for row in rows]
    return found


async def nodes(store: Store) -> list[tuple[str, int]]:
    """Every node that owes records, and of how many events."""
    rows = await store.fetch("SELECT node, count(*) FROM cdr GROUP BY node ORDER BY node")
    return [(str(row[0]), row[1]) for row in rows if isinstance(row[1], int)]


async def count(store: Store, node: str) -> int:
    """Of how many events a node owes records."""
    row = await store.fetch_one("SELECT count(*) FROM cdr WHERE node = $1", node)
    assert row is not None
    assert isinstance(row[0], int)
    return row[0]


def first_position(node: str, value: str) -> Unit:
    """Begin the files of a node, where nobody did."""
    statement = Statement(
        "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING RETURNING key", (_key(node), value)
    )
    return Unit(statement, ())


def move_position(node: str, before: str, after: str) -> Statement:
    """A guard: how far the files are, if nobody else moved it. Who lost it knows that its files are not its own any
    more, or that its last unit was carried out after all."""
    return Statement(
        "UPDATE meta SET value = $3 WHERE key = $1 AND value = $2 RETURNING key", (_key(node), before, after)
    )


async def position(store: Store, node: str) -> str | None:
    """How far the files of a node are (JSON), None when they were never begun."""
    row = await store.fetch_one("SELECT value FROM meta WHERE key = $1", _key(node))
    return None if row is None else str(row[0])


def _key(node: str) -> str:
    return f"cdr:{node}"
