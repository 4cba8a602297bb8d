"""What a store holds, in numbers."""

from typing import Any, Final

from mmsc.store import housekeeping
from mmsc.store.core import Row
from mmsc.store.reading import Reader, SqliteReader, on_disk
from mmsc.store.space import PAGES
from protocols.records import record

TABLES: Final = ("mm", "recipient", "content", "object", "mmbox", "task", "event", "sms", "cdr", "config", "node")


@record(frozen=True, slots=True, kw_only=True)
class LaneTasks:
    """Tasks of one kind in one lane. Times are service time (µs); `oldest` is when the first of them was due."""

    lane: str
    kind: str
    state: str
    count: int
    oldest: int


@record(frozen=True, slots=True, kw_only=True)
class Node:
    """A node that has been here: its state, its starts, and when it was last heard of (real time, µs)."""

    name: str
    state: str
    starts: int
    seen_at: int


@record(frozen=True, slots=True, kw_only=True)
class Stats:
    """All of it. Octets of what is not known are left out of `octets`."""

    store: str
    rows: dict[str, int]
    mms: dict[str, int]  # open, ended: by whether a recipient has not ended
    recipients: dict[str, int]  # by state
    tasks: tuple[LaneTasks, ...]
    events: dict[str, int]
    octets: dict[str, int]
    nodes: tuple[Node, ...]
    bodies_taken_up_to: int  # the id of the youngest MM whose body retention took, 0: none


async def stats(reader: Reader) -> Stats:
    """Count. Reads whole tables: seconds for a million MMs. Raises `StoreUnavailable`."""
    rows = {table: _number(await reader.fetch(f"SELECT count(*) FROM {table}")) for table in TABLES}
    recipients = await _by(reader, "SELECT state, count(*) FROM recipient GROUP BY state ORDER BY state")
    open_mms = _number(await reader.fetch(f"SELECT count(DISTINCT mm_id) FROM recipient WHERE {_NOT_ENDED}"))
    tasks = await reader.fetch(
        "SELECT lane, kind, state, count(*), min(due_at) FROM task GROUP BY lane, kind, state ORDER BY 1, 2, 3"
    )
    nodes = await reader.fetch("SELECT name, state, start_no, seen_at FROM node ORDER BY name")
    taken = await reader.fetch("SELECT value FROM meta WHERE key = $1", housekeeping.BODIES_KEY)
    return Stats(
        store=reader.name,
        rows=rows,
        mms={"open": open_mms, "ended": rows["mm"] - open_mms},
        recipients=recipients,
        tasks=tuple(
            LaneTasks(lane=str(lane), kind=str(kind), state=str(state), count=_int(count), oldest=_int(due))
            for lane, kind, state, count, due in tasks
        ),
        events=await _by(reader, "SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind"),
        octets=await _octets(reader),
        nodes=tuple(
            Node(name=str(name), state=str(state), starts=_int(no), seen_at=_int(seen))
            for name, state, no, seen in nodes
        ),
        bodies_taken_up_to=int(str(taken[0][0])) if taken else 0,
    )


_NOT_ENDED: Final = f"state NOT IN ({housekeeping.ENDED})"


async def _by(reader: Reader, sql: str) -> dict[str, int]:
    return {str(name): _int(count) for name, count in await reader.fetch(sql)}


async def _octets(reader: Reader) -> dict[str, int]:
    bodies = _number(await reader.fetch("SELECT coalesce(sum(length(body)), 0) FROM content"))
    objects = _number(await reader.fetch("SELECT coalesce(sum(size), 0) FROM object"))
    found = {"bodies": bodies, "objects": objects}
    if isinstance(reader, SqliteReader):
        return found | await _file(reader)
    ((file,),) = await reader.fetch(
        "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class"
        " WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
    )
    return found | {"file": _int(file)}


async def _file(reader: SqliteReader) -> dict[str, int]:
    ((pages, free, size),) = await reader.fetch(PAGES)
    file, log = on_disk(reader.path)
    used, left = (_int(pages) - _int(free)) * _int(size), _int(free) * _int(size)
    return {"file": file, "log": log, "used": used, "free": left}


def _number(rows: list[Row]) -> int:
    return _int(rows[0][0])


def _int(value: Any) -> int:
    return int(value)
