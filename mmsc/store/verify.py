"""Checks that a store says nothing contradictory: every reference leads somewhere, every open recipient has work that
will end it, every report that was owed is there or told of, and every part lies within its body.

Each check is a statement over some rows at a time, found by index, so a server beside it is not disturbed and each page
is seen at one moment.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec

from mmsc.domain.message import Part, Role, Route, TaskKind
from mmsc.domain.mmbox import BoxState
from mmsc.domain.states import RecipientState
from mmsc.store import housekeeping
from mmsc.store.core import StoreUnavailable
from mmsc.store.reading import Reader, SqliteReader, after_each
from mmsc.trace.events import MmAccepted
from protocols.records import record

PAGE: Final = 2000
_parts: Final = msgspec.json.Decoder(tuple[Part, ...]).decode


@record(frozen=True, slots=True)
class Finding:
    """What is wrong with which row."""

    table: str
    id: int
    what: str


def _listed(*values: str) -> str:
    return ", ".join(f"'{value}'" for value in values)


_STATES: Final = _listed(*(state.value for state in RecipientState))
_ENDED: Final = housekeeping.ENDED
_NO_BODY: Final = "NOT EXISTS (SELECT 1 FROM content WHERE content.id = page.content_id)"
_SOMEBODY_OPEN: Final = (
    f"EXISTS (SELECT 1 FROM recipient WHERE recipient.mm_id = page.id AND recipient.state NOT IN ({_ENDED}))"
)
_PUSHED: Final = "EXISTS (SELECT 1 FROM task WHERE task.recipient_id = page.id AND task.kind IN ('notify', 'link'))"
_FORWARDED: Final = (
    "EXISTS (SELECT 1 FROM task WHERE task.mm_id = page.mm_id AND task.recipient_id IS NULL"
    " AND task.kind IN ('forward', 'watch', 'deliver_mm7'))"
)
_NO_OWN_MM: Final = "NOT EXISTS (SELECT 1 FROM mm WHERE mm.id = page.id AND mm.content_id = page.id)"
_ENTRIES: Final = "(SELECT count(*) FROM mmbox WHERE mmbox.content_id = page.id)"
_NO_OBJECT: Final = "NOT EXISTS (SELECT 1 FROM object WHERE object.digest = page.object)"
_NO_RECIPIENT: Final = (
    "NOT EXISTS (SELECT 1 FROM recipient WHERE recipient.id = page.recipient_id AND recipient.mm_id = page.mm_id)"
)
_NO_MM: Final = "NOT EXISTS (SELECT 1 FROM mm WHERE mm.id = page.mm_id)"
# Every MM begins with a recipient and the event that tells of it. Retention takes one with very many rows apart, oldest
# events first, recipients after them: what still has its first event is whole. What it takes owes no work.
_WHOLE: Final = f"EXISTS (SELECT 1 FROM event first WHERE first.mm_id = {{}} AND first.kind = '{MmAccepted.kind}')"
_WHOLE_MM: Final = f"{_WHOLE.format('page.mm_id')} AND EXISTS (SELECT 1 FROM mm WHERE mm.id = page.mm_id)"
_FOR_ALL: Final = "EXISTS (SELECT 1 FROM task WHERE task.mm_id = page.id AND task.recipient_id IS NULL)"
_NOBODY: Final = "NOT EXISTS (SELECT 1 FROM recipient WHERE recipient.mm_id = page.id)"
_LOST_RECIPIENT: Final = f"page.recipient_id IS NOT NULL AND {_NO_RECIPIENT}"
_UNLEASED: Final = "page.node IS NULL OR page.start_no IS NULL OR page.lease_until IS NULL"
_UNTOLD: Final = (
    "NOT EXISTS (SELECT 1 FROM task WHERE task.id = page.task_id)"
    " AND NOT EXISTS (SELECT 1 FROM event later WHERE later.mm_id = page.mm_id AND later.task_id = page.task_id"
    " AND later.kind IN ('report.delivered', 'read.reported', 'task.given_up'))"
)
_OWED: Final = (
    "page.kind IN ('recipient.moved', 'mm.read') AND page.task_id IS NOT NULL AND page.data LIKE '%\"report\":\"%'"
)

# Table -> (what is wrong, the condition of a row of that page). The rows are `page`, $3 is up to where retention went.
CHECKS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "mm": (
        ("its body is missing, and retention did not take it", f"page.id > $3 AND {_NO_BODY}"),
        ("its body is missing, and a recipient has not ended", f"page.id <= $3 AND {_NO_BODY} AND {_SOMEBODY_OPEN}"),
        ("it ends before it began", "page.expires_at < page.submitted_at"),
        ("it has no recipients", f"{_NOBODY} AND ({_WHOLE.format('page.id')} OR {_FOR_ALL})"),
    ),
    "recipient": (
        ("its MM is missing", _NO_MM),
        ("its state is unknown", f"page.state NOT IN ({_STATES})"),
        ("its route is unknown", f"page.route NOT IN ({_listed(*(one.value for one in Route))})"),
        ("its role is unknown", f"page.role NOT IN ({_listed(*(one.value for one in Role))})"),
        ("it has ended, and something would still be pushed to it", f"page.state IN ({_ENDED}) AND {_PUSHED}"),
        (
            "it has not ended, and nothing will ever end it",
            f"page.state NOT IN ({_ENDED}) AND NOT {_PUSHED} AND NOT {_FORWARDED}",
        ),
    ),
    "content": (
        ("its MM is missing, and no MMBox ever showed it", f"page.boxes IS NULL AND {_NO_OWN_MM}"),
        ("its count of entries that show it is wrong", f"coalesce(page.boxes, 0) <> {_ENTRIES}"),
        ("its object is not recorded", f"page.object IS NOT NULL AND {_NO_OBJECT}"),
        ("it has no body", "page.body IS NULL AND page.object IS NULL"),
    ),
    "mmbox": (
        ("its content is missing", _NO_BODY),
        ("its state is unknown", f"page.state NOT IN ({_listed(*(one.value for one in BoxState))})"),
    ),
    "task": (
        ("its MM is missing", f"page.mm_id IS NOT NULL AND {_NO_MM}"),
        ("its recipient is missing", _LOST_RECIPIENT),
        ("it has no MM, and is no answer", "page.mm_id IS NULL AND page.kind <> 'res_mm4'"),
        ("its kind is unknown", f"page.kind NOT IN ({_listed(*(kind.value for kind in TaskKind))})"),
        ("its state is unknown", "page.state NOT IN ('ready', 'leased')"),
        ("it is leased to nobody", f"page.state = 'leased' AND ({_UNLEASED})"),
        ("it is in no lane", "page.lane = ''"),
    ),
    "event": (
        ("a report was owed, and it is neither waiting nor told of", f"{_OWED} AND {_UNTOLD}"),
        # Of an MM that is gone events may be left: those that tell its end, or came after it.
        ("its recipient is missing, and its MM is not", f"{_LOST_RECIPIENT} AND {_WHOLE_MM}"),
    ),
}
_SMS: Final = (
    "SELECT sms.recipient_id FROM sms LEFT JOIN recipient ON recipient.id = sms.recipient_id"
    " WHERE recipient.id IS NULL AND sms.recipient_id > $1 AND sms.recipient_id <= $2"
)
_NEXT_OWING: Final = "SELECT min(node) FROM cdr WHERE node > $1"
_UNKNOWN_NODE: Final = (  # retention sees only what nodes of the table `node` owe
    "SELECT page.event_id FROM cdr page WHERE page.node = $1 AND NOT EXISTS"
    " (SELECT 1 FROM node WHERE node.name = page.node) ORDER BY page.event_id LIMIT 1"
)
_CHARGED_PAGE: Final = (
    "SELECT max(event_id) FROM (SELECT event_id FROM cdr WHERE node = $1 AND event_id > $2 ORDER BY event_id LIMIT $3)"
    " page"
)
# Retention explains no event that is missing here: it leaves alone what owes records.
_UNCHARGEABLE: Final = (
    "SELECT page.event_id FROM cdr page WHERE page.node = $1 AND page.event_id > $2 AND page.event_id <= $3"
    " AND NOT EXISTS (SELECT 1 FROM event WHERE event.id = page.event_id)"
)


# One statement, so that both numbers are of one moment; it reads all of content, and only where there are objects.
_MISCOUNTED: Final = (
    "SELECT object.name, object.refs, coalesce(kept.count, 0) FROM object LEFT JOIN"
    " (SELECT object AS digest, count(*) AS count FROM content WHERE object IS NOT NULL GROUP BY object) kept"
    " ON kept.digest = object.digest WHERE object.refs <> coalesce(kept.count, 0)"
)


async def verify(reader: Reader, *, quick: bool, told: Callable[[str, int], None]) -> AsyncIterator[Finding]:
    """What is wrong, as it is found. `told` hears which table is looked at and how many of its rows are done. `quick`
    leaves out whether each index agrees with its table. Raises `StoreUnavailable`."""
    async for finding in _file(reader, quick=quick, told=told):
        yield finding
    taken = await reader.fetch("SELECT value FROM meta WHERE key = $1", housekeeping.BODIES_KEY)
    up_to = int(str(taken[0][0])) if taken else 0
    for table, checks in CHECKS.items():
        done = 0
        async for above, last in after_each(reader, table, "id", PAGE):
            for what, wrong in checks:
                for row in await reader.fetch(_statement(table, wrong), *_values(wrong, above, last, up_to)):
                    yield Finding(table, _int(row[0]), what)
            if table == "content":
                async for finding in _layouts(reader, above, last):
                    yield finding
            done += PAGE
            told(table, done)
    if await reader.fetch("SELECT 1 FROM object LIMIT 1"):
        for name, refs, count in await reader.fetch(_MISCOUNTED):
            yield Finding("object", 0, f"{_text(name)} counts {_int(refs)} references, and there are {_int(count)}")
    async for above, last in after_each(reader, "sms", "recipient_id", PAGE):
        for row in await reader.fetch(_SMS, above, last):
            yield Finding("sms", _int(row[0]), "its recipient (this id) is missing")
    async for finding in _charged(reader, told):
        yield finding


async def _charged(reader: Reader, told: Callable[[str, int], None]) -> AsyncIterator[Finding]:
    """Charging records that are owed, node by node: each is made of an event."""
    node, done = "", 0
    while (owing := (await reader.fetch(_NEXT_OWING, node))[0][0]) is not None:
        node, above = str(owing), 0
        for row in await reader.fetch(_UNKNOWN_NODE, node):
            yield Finding("cdr", _int(row[0]), f"node {node} owes charging records, and is not recorded as a node")
        while (last := (await reader.fetch(_CHARGED_PAGE, node, above, PAGE))[0][0]) is not None:
            for row in await reader.fetch(_UNCHARGEABLE, node, above, _int(last)):
                what = f"its event (this id), of which node {node} owes charging records, is missing"
                yield Finding("cdr", _int(row[0]), what)
            above, done = _int(last), done + PAGE
            told("cdr", done)


def _statement(table: str, wrong: str) -> str:
    return f"SELECT page.id FROM {table} page WHERE page.id > $1 AND page.id <= $2 AND ({wrong})"


def _values(wrong: str, above: int, last: int, up_to: int) -> tuple[int, ...]:
    return (above, last, up_to) if "$3" in wrong else (above, last)


async def _file(reader: Reader, *, quick: bool, told: Callable[[str, int], None]) -> AsyncIterator[Finding]:
    """SQLite's own check of pages, rows and indexes. PostgreSQL has it as an extension: `pg_amcheck`."""
    if not isinstance(reader, SqliteReader):
        return
    told("file", 0)
    pragma = "quick_check" if quick else "integrity_check"
    try:
        rows = await reader.fetch(f"PRAGMA {pragma}(100)")
    except StoreUnavailable as error:
        if isinstance(error.__cause__, sqlite3.OperationalError):
            raise
        rows = [(str(error),)]
    for (text,) in rows:
        if text != "ok":
            yield Finding("file", 0, str(text))


async def _layouts(reader: Reader, above: int, last: int) -> AsyncIterator[Finding]:
    rows = await reader.fetch(
        "SELECT id, coalesce(length(body), size), size, parts FROM content WHERE id > $1 AND id <= $2", above, last
    )
    for content_id, octets, size, parts in rows:
        wrong = _wrong_layout(_int(octets), _int(size), str(parts))
        if wrong:
            yield Finding("content", _int(content_id), wrong)


def _wrong_layout(octets: int, size: int, parts: str) -> str:
    if octets != size:
        return f"its body has {octets} octets, and should have {size}"
    try:
        layout = _parts(parts)
    except msgspec.MsgspecError as error:
        return f"its parts cannot be read: {error}"
    outside = [
        number for number, part in enumerate(layout) if not 0 <= part.offset <= part.offset + part.length <= size
    ]
    return f"its part {outside[0]} lies outside its body" if outside else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _int(value: object) -> int:
    assert isinstance(value, int), f"an id or a size is {value!r}"
    return value
