"""SQL of what lists and pages show of MMs that were found: their rows, recipients, latest events and next tasks.

All of a page is read by a handful of statements over `AT_ONCE` ids; an MM with very many recipients is read by itself,
and as far as is shown.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from mmsc.domain.instant import Instant
from mmsc.domain.message import Mm
from mmsc.domain.states import RecipientState
from mmsc.store.core import Row, SqlValue
from mmsc.store.messages import MM_COLUMNS, RECIPIENT_COLUMNS, mm_of
from mmsc.store.reports import Source
from protocols.records import record

AT_ONCE: Final = 50  # MMs
MANY: Final = 40  # recipients: the events of such an MM are read by itself
LATEST: Final = 100  # of such an MM's events are looked at
_LISTED: Final = ", ".join(f"${number}" for number in range(1, AT_ONCE + 1))
_MMS: Final = f"SELECT {MM_COLUMNS} FROM mm WHERE mm.id IN ({_LISTED}) ORDER BY mm.id DESC"
_GROUPS: Final = (
    "SELECT mm_id, state, route, target, count(*), min(id), max(id) FROM recipient"
    f" WHERE mm_id IN ({_LISTED}) GROUP BY mm_id, state, route, target"
)
_ADDRESSES: Final = f"SELECT id, address FROM recipient WHERE id IN ({_LISTED})"
_EVENT: Final = "id, mm_id, recipient_id, task_id, at_service, at_real, kind, data"
_EVENTS: Final = f"SELECT {_EVENT} FROM event WHERE mm_id IN ({_LISTED}) ORDER BY id"
_LATEST_EVENTS: Final = f"SELECT {_EVENT} FROM event WHERE mm_id = $1 ORDER BY id DESC LIMIT $2"
_PAGE_OF_EVENTS: Final = f"SELECT {_EVENT} FROM event WHERE mm_id = $1 AND id > $2 ORDER BY id LIMIT $3"
_EXPLAINING: Final = (
    f"SELECT {_EVENT} FROM event WHERE mm_id = $1 AND recipient_id >= $2 AND recipient_id <= $3 AND kind IN"
    " ('recipient.moved', 'capability.decided', 'notification.pushed', 'link.sent') ORDER BY id"
)
_DUE: Final = "task.kind, task.state, task.lane, min(task.due_at), max(task.attempt), count(*)"
_DUE_FOR_ONE: Final = (
    f"SELECT recipient.mm_id, {_DUE} FROM recipient JOIN task ON task.recipient_id = recipient.id"
    f" WHERE recipient.mm_id IN ({_LISTED}) GROUP BY recipient.mm_id, task.kind, task.state, task.lane"
)
_DUE_FOR_ALL: Final = (
    f"SELECT task.mm_id, {_DUE} FROM task WHERE task.mm_id IN ({_LISTED}) AND task.recipient_id IS NULL"
    " GROUP BY task.mm_id, task.kind, task.state, task.lane"
)
_TASK: Final = "task.id, task.recipient_id, task.kind, task.state, task.lane, task.due_at, task.attempt, task.mm_id"
_TASKS_FOR_ONE: Final = (
    f"SELECT {_TASK} FROM recipient JOIN task ON task.recipient_id = recipient.id WHERE recipient.mm_id = $1"
    " AND recipient.id > $2 AND recipient.id <= $3 ORDER BY task.due_at"
)
_TASKS_FOR_ALL: Final = (
    f"SELECT {_TASK} FROM task WHERE task.mm_id = $1 AND task.recipient_id IS NULL ORDER BY task.due_at"
)
_RECIPIENTS: Final = f"SELECT {RECIPIENT_COLUMNS} FROM recipient WHERE mm_id = $1 AND id > $2 ORDER BY id LIMIT $3"
_MOVES: Final = "SELECT recipient_id, data FROM event WHERE mm_id = $1 AND kind = 'recipient.moved' ORDER BY id"
_KINDS: Final = "SELECT DISTINCT kind FROM event WHERE mm_id = $1"
_STATES: Final = "SELECT id, state FROM recipient WHERE mm_id = $1"
_FIRST: Final = "SELECT min(id) FROM mm"
_DELETED: Final = (
    "SELECT at_service FROM event WHERE mm_id = $1 AND kind = 'mm.deleted' ORDER BY id DESC LIMIT 1"  # what is left
)


@record(frozen=True, slots=True)
class Group:
    """The recipients of an MM that stand alike. `addresses` are the first and the last of them."""

    state: RecipientState
    route: str
    target: str
    count: int
    addresses: tuple[str, ...]


@record(frozen=True, slots=True)
class Due:
    """Tasks that are alike, and when the first of them is due (service time, µs). `under_way`: somebody has them."""

    kind: str
    lane: str
    at: Instant
    attempt: int
    count: int
    under_way: bool


@record(frozen=True, slots=True)
class TaskSeen:
    """One task as it stands."""

    id: int
    recipient_id: int | None
    kind: str
    lane: str
    due_at: Instant
    attempt: int
    under_way: bool


def padded(ids: Sequence[int]) -> tuple[int, ...]:
    """Exactly `AT_ONCE` ids, of which the last ones may be there twice."""
    assert 0 < len(ids) <= AT_ONCE, f"{len(ids)} ids at once"
    return (*ids, *[ids[-1]] * (AT_ONCE - len(ids)))


async def mms(source: Source, ids: Sequence[int]) -> list[Mm]:
    """These MMs, newest first. Raises `StoreUnavailable`, as all of these do."""
    return [mm_of(row) for row in await source.fetch(_MMS, *padded(ids))]


async def groups(source: Source, ids: Sequence[int]) -> dict[int, list[Group]]:
    """The recipients of these MMs, by MM."""
    rows = await source.fetch(_GROUPS, *padded(ids))
    wanted = sorted({integer(value) for row in rows for value in row[5:7]})
    texts: dict[int, str] = {}
    for start in range(0, len(wanted), AT_ONCE):
        found = await source.fetch(_ADDRESSES, *padded(wanted[start : start + AT_ONCE]))
        texts |= {integer(row[0]): str(row[1]) for row in found}
    told: defaultdict[int, list[Group]] = defaultdict(list)
    for mm_id, state, route, target, count, first, last in rows:
        ends = dict.fromkeys((integer(first), integer(last)))
        addresses = tuple(texts[one] for one in ends if one in texts)
        told[integer(mm_id)].append(
            Group(RecipientState(str(state)), str(route), str(target), integer(count), addresses)
        )
    return told


async def events(source: Source, ids: Sequence[int], many: Sequence[int]) -> dict[int, list[Row]]:
    """The events of these MMs, oldest first; of `many` among them the latest ones alone."""
    told: defaultdict[int, list[Row]] = defaultdict(list)
    few = [one for one in ids if one not in many]
    if few:
        for row in await source.fetch(_EVENTS, *padded(few)):
            told[integer(row[1])].append(row)
    for one in many:
        told[one] = list(reversed(await source.fetch(_LATEST_EVENTS, one, LATEST)))
    return told


async def due(source: Source, ids: Sequence[int]) -> dict[int, list[Due]]:
    """What is still to be done about these MMs, by MM."""
    told: defaultdict[int, list[Due]] = defaultdict(list)
    for sql in (_DUE_FOR_ONE, _DUE_FOR_ALL):
        for mm_id, kind, state, lane, at, attempt, count in await source.fetch(sql, *padded(ids)):
            told[integer(mm_id)].append(
                Due(str(kind), str(lane), Instant(integer(at)), integer(attempt), integer(count), state == "leased")
            )
    return told


async def recipients(source: Source, mm_id: int, after: int, limit: int) -> list[Row]:
    """Rows of an MM's recipients above an id, as `messages.recipient_of` reads them."""
    return await source.fetch(_RECIPIENTS, mm_id, after, limit)


async def tasks(source: Source, mm_id: int, after: int, up_to: int) -> list[TaskSeen]:
    """The tasks of the recipients between two ids, and of the MM as a whole."""
    rows = await source.fetch(_TASKS_FOR_ONE, mm_id, after, up_to)
    rows += await source.fetch(_TASKS_FOR_ALL, mm_id)
    return [_task(row) for row in rows]


async def page_of_events(source: Source, mm_id: int, after: int, limit: int) -> list[Row]:
    """Events of an MM above an id, oldest first: (id, mm_id, recipient_id, task_id, at_service, at_real, kind,
    data)."""
    return await source.fetch(_PAGE_OF_EVENTS, mm_id, after, limit)


async def latest_events(source: Source, mm_id: int, limit: int) -> list[Row]:
    """The last events of an MM, newest first."""
    return await source.fetch(_LATEST_EVENTS, mm_id, limit)


async def explaining(source: Source, mm_id: int, first: int, last: int) -> list[Row]:
    """Events that say why recipients with ids from `first` to `last` stand as they do, oldest first."""
    return await source.fetch(_EXPLAINING, mm_id, first, last)


async def moves(source: Source, mm_id: int) -> list[tuple[int, str]]:
    """(recipient, JSON of the move) of all moves of an MM's recipients, in order."""
    return [(integer(row[0]), str(row[1])) for row in await source.fetch(_MOVES, mm_id) if row[0] is not None]


async def kinds(source: Source, mm_id: int) -> set[str]:
    """What kinds of events an MM has."""
    return {str(row[0]) for row in await source.fetch(_KINDS, mm_id)}


async def states(source: Source, mm_id: int) -> dict[int, str]:
    """The states of an MM's recipients, by recipient."""
    return {integer(row[0]): str(row[1]) for row in await source.fetch(_STATES, mm_id)}


async def first(source: Source) -> int:
    """The id of the oldest MM that is there; 0 in an empty store."""
    ((found,),) = await source.fetch(_FIRST)
    return 0 if found is None else integer(found)


async def removed_at(source: Source, mm_id: int) -> Instant | None:
    """When retention removed an MM (service time), as far as its last event is still there."""
    row = next(iter(await source.fetch(_DELETED, mm_id)), None)
    return None if row is None else Instant(integer(row[0]))


def integer(value: SqlValue) -> int:
    """The number in a column of ids, times or counts."""
    assert isinstance(value, int), f"an id, a time or a count is {value!r}"
    return value


def _task(row: Row) -> TaskSeen:
    task_id, recipient_id, kind, state, lane, due_at, attempt, _ = row
    return TaskSeen(
        integer(task_id),
        None if recipient_id is None else integer(recipient_id),
        str(kind),
        str(lane),
        Instant(integer(due_at)),
        integer(attempt),
        state == "leased",
    )
