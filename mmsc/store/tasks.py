"""SQL of the tasks: our work, leased to one node at a time.

A claim is a lease: `state`, `attempt`, `node` and `start_no` must still be ours when the outcome is written, else
somebody else was first and the outcome is only recorded.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from mmsc.domain.instant import Instant
from mmsc.domain.message import MmId, RecipientId, TaskId, TaskKind
from mmsc.store.core import TASK_PRIORITIES, Row, Statement, Store
from protocols.records import record

ASKED_TO_WAIT: Final = "asked_to_wait"  # in a payload: its neighbour said when to come again
ERRORS: Final = "errors"  # likewise: how often it failed by an error of ours, which hastens and keeps nothing else
_NO_ERRORS: Final = f"(payload IS NULL OR payload NOT LIKE '%\"{ERRORS}\":%')"
AWAITED: Final = "awaited"  # in a payload: its neighbour has the MM, and its word is still to come
HAS_IT: Final = f"(task.state = 'leased' OR task.payload LIKE '%\"{AWAITED}\":%')"  # a neighbour, or perhaps
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(dict[str, str]).decode

_INSERT = (
    "INSERT INTO task (id, mm_id, recipient_id, kind, lane, owner, state, due_at, priority, attempt, node,"
    " start_no, lease_until, payload) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
)


# By jumping in the index from lane to lane and from owner to owner: as many looks as there are of them. Not by MIN:
# where nothing is known of the table yet, PostgreSQL's planner takes what waits for a few rows, and reads them all.
def _lanes(state: str) -> str:
    return f"""lanes (name) AS (
    SELECT (SELECT lane FROM task WHERE state = '{state}' AND lane > '' ORDER BY lane LIMIT 1)
    UNION ALL
    SELECT (SELECT lane FROM task WHERE state = '{state}' AND lane > lanes.name ORDER BY lane LIMIT 1)
    FROM lanes WHERE name IS NOT NULL)"""


_LANES_WITH = tuple(
    f"WITH RECURSIVE {_lanes(state)} SELECT name FROM lanes WHERE name IS NOT NULL" for state in ("ready", "leased")
)
_DUE_IN = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM task WHERE state = 'ready' AND lane = $1 AND due_at <= $2 LIMIT $3) AS due"
)
OWNERS = f"""{_lanes("ready")},
urgency (priority) AS (VALUES {", ".join(f"({priority})" for priority in TASK_PRIORITIES)}),
owners (lane, priority, name) AS (
    SELECT lanes.name, urgency.priority, (SELECT owner FROM task WHERE state = 'ready'
        AND lane = lanes.name AND priority = urgency.priority ORDER BY owner LIMIT 1)
        FROM lanes, urgency WHERE lanes.name IS NOT NULL
    UNION ALL
    SELECT lane, priority, (SELECT owner FROM task WHERE state = 'ready'
        AND lane = owners.lane AND priority = owners.priority AND owner > owners.name ORDER BY owner LIMIT 1)
    FROM owners WHERE name IS NOT NULL)"""
_NEXT_DUE = f"""
WITH RECURSIVE {OWNERS}
SELECT lane, MIN(due_at) FROM (SELECT owners.lane, (SELECT due_at FROM task WHERE state = 'ready'
    AND lane = owners.lane AND priority = owners.priority AND owner = owners.name
    ORDER BY due_at LIMIT 1) AS due_at
    FROM owners WHERE name IS NOT NULL) AS first GROUP BY lane"""
_HELD = "id = $1 AND state = 'leased' AND attempt = $2 AND node = $3 AND start_no = $4"


def _payload(payload: Mapping[str, str]) -> str | None:
    return _encode(dict(payload)).decode() if payload else None


@record(frozen=True, slots=True)
class Holder:
    """A node and which of its starts: what a lease is held by."""

    node: str
    start_no: int


@record(frozen=True, slots=True)
class TaskRow:
    """A task as stored. `lease_until` is real time (µs), everything else service time."""

    id: TaskId
    mm_id: MmId | None
    recipient_id: RecipientId | None
    kind: TaskKind
    lane: str
    due_at: Instant
    priority: int
    payload: Mapping[str, str]
    attempt: int = 0
    owner: str = ""  # whose work it is: the neighbour that handed the MM in; owners are served in turn


def insert(task: TaskRow, holder: Holder | None = None, lease_until: int | None = None) -> Statement:
    """Write a task: leased to `holder` when it has a seat, ready for whoever claims it otherwise."""
    state = "leased" if holder else "ready"
    node, start_no = (holder.node, holder.start_no) if holder else (None, None)
    return Statement(
        _INSERT,
        (
            task.id,
            task.mm_id,
            task.recipient_id,
            str(task.kind),
            task.lane,
            task.owner,
            state,
            task.due_at,
            task.priority,
            task.attempt,
            node,
            start_no,
            lease_until if holder else None,
            _payload(task.payload),
        ),
        None if holder else task.lane,
    )


def finish(task_id: TaskId, attempt: int, holder: Holder) -> Statement:
    """A guard: the task is done and goes, if it is still ours."""
    return Statement(f"DELETE FROM task WHERE {_HELD} RETURNING id", (task_id, attempt, holder.node, holder.start_no))


def put_back(
    task_id: TaskId,
    attempt: int,
    holder: Holder,
    *,
    due_at: Instant,
    next_attempt: int,
    kind: TaskKind,
    payload: Mapping[str, str],
) -> Statement:
    """A guard: the task waits until `due_at`, perhaps as another kind, if it is still ours."""
    return Statement(
        "UPDATE task SET state = 'ready', node = NULL, start_no = NULL, lease_until = NULL, due_at = $5,"
        f" attempt = $6, kind = $7, payload = $8 WHERE {_HELD} RETURNING id",
        (task_id, attempt, holder.node, holder.start_no, due_at, next_attempt, str(kind), _payload(payload)),
    )


def drop_delivery(recipient_id: RecipientId) -> Statement:
    """The recipient ended: nothing more is pushed to it, whoever holds the task."""
    return Statement("DELETE FROM task WHERE recipient_id = $1 AND kind IN ('notify', 'link')", (recipient_id,))


def postpone_delivery(recipient_id: RecipientId, due_at: Instant) -> Statement:
    """The recipient asked for time: its waiting task sleeps until then."""
    return Statement(
        "UPDATE task SET due_at = $2 WHERE recipient_id = $1 AND kind = 'notify' AND state = 'ready'",
        (recipient_id, due_at),
    )


def hasten_delivery(recipient_id: RecipientId, due_at: Instant) -> Statement:
    """The recipient's waiting task is due no later than that."""
    return Statement(
        "UPDATE task SET due_at = $2 WHERE recipient_id = $1 AND kind = 'notify' AND state = 'ready' AND due_at > $2",
        (recipient_id, due_at),
    )


def hasten(task_id: TaskId, lane: str, due_at: Instant) -> Statement:
    """A guard: a waiting task is due at that time, which is now; lost while somebody has it."""
    return Statement(
        "UPDATE task SET due_at = $2 WHERE id = $1 AND state = 'ready' RETURNING id", (task_id, due_at), lane
    )


def hasten_for_all(mm_id: MmId, lane: str, due_at: Instant) -> Statement:
    """The waiting task for all recipients of an MM at one neighbour looks again no later than that."""
    return Statement(
        "UPDATE task SET due_at = $3 WHERE mm_id = $1 AND recipient_id IS NULL AND lane = $2 AND state = 'ready'"
        " AND due_at > $3",
        (mm_id, lane, due_at),
        lane,
    )


def redo_delivery(recipient_id: RecipientId, due_at: Instant, payload: Mapping[str, str]) -> Statement:
    """A guard: the recipient's task is due again with another payload, and whoever holds it now has lost it."""
    return Statement(
        "UPDATE task SET state = 'ready', node = NULL, start_no = NULL, lease_until = NULL, due_at = $2, payload = $3,"
        " attempt = attempt + 1 WHERE recipient_id = $1 AND kind = 'notify' RETURNING id",
        (recipient_id, due_at, _payload(payload)),
    )


async def payload_of_delivery(store: Store, recipient_id: RecipientId) -> Mapping[str, str] | None:
    """The payload of the recipient's waiting task; None when it has none."""
    row = await store.fetch_one("SELECT payload FROM task WHERE recipient_id = $1 AND kind = 'notify'", recipient_id)
    if row is None:
        return None
    return _decode(row[0]) if isinstance(row[0], str) else {}


async def is_there(store: Store, recipient_id: RecipientId, kind: TaskKind) -> bool:
    """Whether a task of this kind waits or is under way for a recipient."""
    sql = "SELECT id FROM task WHERE recipient_id = $1 AND kind = $2 LIMIT 1"
    return await store.fetch_one(sql, recipient_id, str(kind)) is not None


def watch_forward(mm_id: MmId, lane: str, due_at: Instant) -> Statement:
    """A guard: the RES came, so the forward only waits for reports until `due_at`."""
    return Statement(
        "UPDATE task SET state = 'ready', node = NULL, start_no = NULL, lease_until = NULL, kind = 'watch',"
        " due_at = $3 WHERE mm_id = $1 AND recipient_id IS NULL AND lane = $2 AND kind IN ('forward', 'watch')"
        " RETURNING id",
        (mm_id, lane, due_at),
    )


async def lanes_under_way(store: Store, mm_id: MmId) -> set[str]:
    """The lanes in which somebody holds a task for several recipients of an MM, or a neighbour has it already."""
    rows = await store.fetch(f"SELECT lane FROM task WHERE mm_id = $1 AND recipient_id IS NULL AND {HAS_IT}", mm_id)
    return {str(row[0]) for row in rows}


def reschedule(mm_id: MmId, due_at: Instant) -> tuple[Statement, ...]:
    """The delivery of an MM that waits for its time begins at another one."""
    waits = "state = 'ready' AND attempt = 0 AND kind NOT LIKE 'report%'"
    scheduled = "recipient_id IN (SELECT id FROM recipient WHERE mm_id = $1 AND state = 'scheduled')"
    for_several = "mm_id = $1 AND recipient_id IS NULL"
    move = "UPDATE task SET due_at = $2 WHERE"
    return (
        Statement(f"{move} {scheduled} AND {waits}", (mm_id, due_at)),
        Statement(f"{move} {for_several} AND {waits}", (mm_id, due_at), ""),
    )


def resume_lane(lane: str, now: Instant) -> Statement:
    """A neighbour is back: what only waits for another attempt is due at once. Not what it asked to wait for."""
    return Statement(
        "UPDATE task SET due_at = $2 WHERE lane = $1 AND state = 'ready' AND due_at > $2 AND attempt > 0"
        " AND kind IN ('report_mm7', 'report_mm1', 'report_mm4', 'res_mm4', 'read_mm7', 'deliver_mm7')"
        f" AND (payload IS NULL OR payload NOT LIKE '%\"{ASKED_TO_WAIT}\":%') AND {_NO_ERRORS} RETURNING id",
        (lane, now),
    )


def retry_lane(lane: str, now: Instant) -> Statement:
    """An operator wants no waiting: whatever waits for another attempt is due at once."""
    return Statement(
        "UPDATE task SET due_at = $2 WHERE lane = $1 AND state = 'ready' AND due_at > $2 AND attempt > 0"
        " AND kind <> 'watch' RETURNING id",
        (lane, now),
        lane,
    )


def hold_longer(task_id: TaskId, attempt: int, holder: Holder, micros: int) -> Statement:
    """The lease ends so long after now, if it is still ours (the node's heartbeat)."""
    return Statement(
        f"UPDATE task SET lease_until = real_now() + $5 WHERE {_HELD} RETURNING id",
        (task_id, attempt, holder.node, holder.start_no, micros),
    )


async def is_held(store: Store, task_id: TaskId, attempt: int, holder: Holder) -> bool:
    """Whether a start of a node holds this attempt."""
    return (
        await store.fetch_one(f"SELECT 1 FROM task WHERE {_HELD}", task_id, attempt, holder.node, holder.start_no)
        is not None
    )


async def held_by(store: Store, holder: Holder) -> set[tuple[TaskId, int]]:
    """(task, attempt) of all that a start of a node holds."""
    rows = await store.fetch(
        "SELECT id, attempt FROM task WHERE state = 'leased' AND node = $1 AND start_no = $2",
        holder.node,
        holder.start_no,
    )
    return {(TaskId(row[0]), row[1]) for row in rows if isinstance(row[0], int) and isinstance(row[1], int)}


def release(node: str, start_no: int) -> Statement:
    """A node is dead: what that start of it held, or one before, is ready for others."""
    return Statement(
        "UPDATE task SET state = 'ready', node = NULL, start_no = NULL, lease_until = NULL"
        " WHERE node = $1 AND start_no <= $2 AND state = 'leased' RETURNING id",
        (node, start_no),
        "",
    )


def hand_back(holder: Holder) -> Statement:
    """The node stops: what it holds is ready for others."""
    return Statement(
        "UPDATE task SET state = 'ready', node = NULL, start_no = NULL, lease_until = NULL"
        " WHERE node = $1 AND start_no = $2 AND state = 'leased' RETURNING id",
        (holder.node, holder.start_no),
        "",
    )


async def next_due(store: Store) -> dict[str, Instant]:
    """When the earliest waiting task of each lane that has some is due."""
    return {str(lane): Instant(due_at) for lane, due_at in await store.fetch(_NEXT_DUE) if isinstance(due_at, int)}


async def due_in(store: Store, lane: str, now: Instant, limit: int) -> int:
    """How many tasks of a lane are due and wait, at most `limit`."""
    row = await store.fetch_one(_DUE_IN, lane, now, limit)
    return row[0] if row is not None and isinstance(row[0], int) else 0


async def expired(store: Store, lane: str, now: Instant, limit: int) -> list[TaskId]:
    """Waiting tasks of a lane that are due and need no neighbour any more: their MM has expired."""
    rows = await store.fetch(
        "SELECT task.id FROM task JOIN mm ON mm.id = task.mm_id WHERE task.lane = $1 AND task.state = 'ready'"
        " AND task.due_at > 0 AND task.due_at <= $2 AND task.kind IN ('notify', 'forward', 'watch', 'deliver_mm7')"
        " AND mm.expires_at <= $2 LIMIT $3",
        lane,
        now,
        limit,
    )
    return [TaskId(row[0]) for row in rows if isinstance(row[0], int)]


def put_first(task_id: TaskId) -> Statement:
    """The waiting task is claimed before all others of its lane."""
    return Statement(
        f"UPDATE task SET due_at = 0, priority = {TASK_PRIORITIES[0]} WHERE id = $1 AND state = 'ready'", (task_id,)
    )


async def earlier_report(store: Store, recipient_id: RecipientId, task_id: TaskId) -> Instant | None:
    """When an earlier report about this recipient is due, None when there is none: they leave in order."""
    row = await store.fetch_one(
        f"SELECT due_at FROM task WHERE recipient_id = $1 AND id < $2 AND {_NO_ERRORS}"
        " AND kind IN ('report_mm7', 'report_mm1', 'report_mm4') ORDER BY due_at DESC LIMIT 1",
        recipient_id,
        task_id,
    )
    return Instant(row[0]) if row is not None and isinstance(row[0], int) else None


async def forwards_of(store: Store, foreign_id: str, lane: str) -> list[tuple[MmId, str]]:
    """(MM, transaction id) of the open forwards on a lane of MMs that came in with this X-Mms-Message-ID: a mail that
    was split on its way gives several."""
    rows = await store.fetch(
        "SELECT mm.id, task.payload FROM mm JOIN task ON task.mm_id = mm.id WHERE mm.foreign_id = $1 AND task.lane = $2"
        " AND task.recipient_id IS NULL AND task.kind IN ('forward', 'watch') ORDER BY mm.id DESC",
        foreign_id,
        lane,
    )
    return [(MmId(row[0]), _decode(str(row[1])).get("transaction_id", "")) for row in rows if isinstance(row[0], int)]


async def delivery_to(store: Store, mm_id: MmId, lane: str) -> tuple[Mapping[str, str], int] | None:
    """(payload, attempts before this one) of the task that brings an MM to a VASP; None when there is none any more."""
    row = await store.fetch_one(
        "SELECT payload, attempt FROM task WHERE mm_id = $1 AND recipient_id IS NULL AND lane = $2"
        " AND kind = 'deliver_mm7'",
        mm_id,
        lane,
    )
    if row is None:
        return None
    payload, attempt = row
    return _decode(payload) if isinstance(payload, str) else {}, attempt if isinstance(attempt, int) else 0


def drop_answered(mm_id: MmId, lane: str) -> Statement:
    """The VASP has said what became of the MM: the task that waits for it goes; one that is in somebody's hands ends
    there."""
    return Statement(
        "DELETE FROM task WHERE mm_id = $1 AND recipient_id IS NULL AND lane = $2 AND kind = 'deliver_mm7'"
        " AND state = 'ready'",
        (mm_id, lane),
    )


async def lanes_in_use(store: Store) -> list[str]:
    """Every lane that has a task."""
    states = [await store.fetch(sql) for sql in _LANES_WITH]
    return sorted({str(row[0]) for rows in states for row in rows})


def read(row: Row) -> TaskRow:
    """A claimed row: (id, mm_id, recipient_id, kind, lane, due_at, priority, attempt, payload, owner)."""
    task_id, mm_id, recipient_id, kind, lane, due_at, priority, attempt, payload, owner = row
    assert isinstance(task_id, int)
    assert isinstance(due_at, int)
    assert isinstance(priority, int)
    assert isinstance(attempt, int)
    return TaskRow(
        id=TaskId(task_id),
        mm_id=MmId(mm_id) if isinstance(mm_id, int) else None,
        recipient_id=RecipientId(recipient_id) if isinstance(recipient_id, int) else None,
        kind=TaskKind(str(kind)),
        lane=str(lane),
        due_at=Instant(due_at),
        priority=priority,
        attempt=attempt,
        payload=_decode(payload) if isinstance(payload, str) else {},
        owner=str(owner),
    )
