"""SQL of the nodes: who works on this database, under which number, and whether it still lives.

Each start of a node has its own number (`start_no`), so that it takes back its own leases at once and who ran under the
name before has none any more. Times are the database's own (`real_now()`): hosts' clocks may differ.
"""

from typing import Final

from mmsc.store.core import Lost, Row, Statement, Store, Unit
from protocols.records import record

MAXIMUM_NUMBER: Final = 1023  # NODE_BITS of `mmsc.ids`
ANY_NUMBER: Final = -1
KEPT_MICROS: Final = 30 * 24 * 3600 * 1_000_000  # a node that was not seen for so long gives its number back

_ENTERED: Final = " RETURNING start_no, number, seen_at"
_AGAIN: Final = (
    "UPDATE node SET start_no = start_no + 1, seen_at = real_now(), state = 'up', settings = $3"
    " WHERE name = $1 AND (state = 'down' OR seen_at = $2)" + _ENTERED
)
_FREE: Final = (
    "SELECT MIN(candidate) AS number FROM (SELECT 0 AS candidate UNION ALL SELECT number + 1 FROM node) AS candidates"
    f" WHERE candidate NOT IN (SELECT number FROM node) AND candidate <= {MAXIMUM_NUMBER} AND CAST($2 AS BIGINT) < 0"
    " UNION ALL SELECT CAST($2 AS BIGINT) WHERE CAST($2 AS BIGINT) >= 0"
)
_NEW: Final = (
    "INSERT INTO node (name, number, start_no, seen_at, state, settings)"
    f" SELECT $1, free.number, 1, real_now(), 'up', $3 FROM ({_FREE}) AS free WHERE free.number IS NOT NULL"
    " ON CONFLICT DO NOTHING" + _ENTERED
)


@record(frozen=True, slots=True)
class Entered:
    """A node's place: this start of it, its number among the nodes, and what time the database has (µs)."""

    start_no: int
    number: int
    now: int


@record(frozen=True, slots=True)
class Known:
    """A node as its row says. `seen_at` changes with each heartbeat."""

    name: str
    number: int
    start_no: int
    seen_at: int
    is_up: bool
    settings: str


async def known(store: Store) -> list[Known]:
    """All nodes."""
    rows = await store.fetch("SELECT name, number, start_no, seen_at, state, settings FROM node ORDER BY name")
    return [_known(row) for row in rows]


async def forget_old(store: Store, myself: str) -> None:
    """Nodes that nobody saw for a month go, and their numbers are free. Not the one that starts, whose start number
    goes on, and none that owes charging records."""
    old = Statement(
        "DELETE FROM node WHERE seen_at < real_now() - $1 AND name <> $2"
        " AND NOT EXISTS (SELECT 1 FROM cdr WHERE cdr.node = node.name)",
        (KEPT_MICROS, myself),
    )
    await store.commit(Unit(None, (old,)))


async def enter_again(store: Store, name: str, last_seen: int, settings: str) -> Entered | None:
    """Start a node that is known. None when it is not, or when it gave a sign of life after `last_seen`."""
    return await _enter(store, Statement(_AGAIN, (name, last_seen, settings)))


async def enter_new(store: Store, name: str, number: int, settings: str) -> Entered | None:
    """Start a node for the first time, with the lowest free number (`ANY_NUMBER`) or a given one. None when somebody
    was first with the name or the number, or none is left."""
    return await _enter(store, Statement(_NEW, (name, number, settings)))


async def renumber(store: Store, name: str, number: int) -> bool:
    """Give a node another number; False when it is another node's."""
    free = "NOT EXISTS (SELECT 1 FROM node WHERE number = $2)"
    guard = Statement(f"UPDATE node SET number = $2 WHERE name = $1 AND {free} RETURNING name", (name, number))
    return not isinstance(await store.commit(Unit(guard, ())), Lost)


def is_alive(name: str, start_no: int) -> Statement:
    """A guard, the heartbeat: rows hold the database's time. Lost: taken for dead, or started again elsewhere."""
    return Statement(
        "UPDATE node SET seen_at = real_now() WHERE name = $1 AND start_no = $2 AND state = 'up' RETURNING seen_at",
        (name, start_no),
    )


def is_back(name: str, start_no: int) -> Statement:
    """A guard: a node that was taken for dead is alive. Lost: it was started again elsewhere."""
    return Statement(
        "UPDATE node SET seen_at = real_now(), state = 'up' WHERE name = $1 AND start_no = $2 RETURNING seen_at",
        (name, start_no),
    )


def agrees(name: str, start_no: int, settings: str) -> Statement:
    """The node runs with other settings from now on."""
    return Statement("UPDATE node SET settings = $3 WHERE name = $1 AND start_no = $2", (name, start_no, settings))


def leaves(name: str, start_no: int) -> Statement:
    """The node stops."""
    return Statement("UPDATE node SET state = 'down' WHERE name = $1 AND start_no = $2", (name, start_no))


async def silent(store: Store, micros: int) -> list[tuple[str, int, int]]:
    """(name, start number, tasks it holds) of nodes that should live and gave no sign of it for so long."""
    rows = await store.fetch(
        "SELECT name, start_no, (SELECT COUNT(*) FROM task WHERE state = 'leased' AND task.node = node.name)"
        " FROM node WHERE state = 'up' AND seen_at < real_now() - $1",
        micros,
    )
    return [(str(name), _integer(start_no), _integer(tasks)) for name, start_no, tasks in rows]


def is_dead(name: str, start_no: int, micros: int) -> Statement:
    """A guard: that start of a node is dead, if it is still silent and nobody else noticed before."""
    return Statement(
        "UPDATE node SET state = 'down' WHERE name = $1 AND start_no = $2 AND state = 'up'"
        " AND seen_at < real_now() - $3 RETURNING name",
        (name, start_no, micros),
    )


async def _enter(store: Store, guard: Statement) -> Entered | None:
    rows = await store.commit(Unit(guard, ()))
    if isinstance(rows, Lost):
        return None
    start_no, number, now = rows[0]
    return Entered(_integer(start_no), _integer(number), _integer(now))


def _known(row: Row) -> Known:
    name, number, start_no, seen_at, state, settings = row
    return Known(str(name), _integer(number), _integer(start_no), _integer(seen_at), state == "up", str(settings))


def _integer(value: object) -> int:
    assert isinstance(value, int), f"an integer column holds {value!r}"
    return value
