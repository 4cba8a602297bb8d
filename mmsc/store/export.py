"""MMs as JSON, one a line: for other programs, and to keep what retention will remove.

The first line is {"format": "mmsc export", "version": 1, "schema": HASH}. Every other line is an MM with all that is
known of it:

    {"mm": {"id": ID, "message_id": ..., "submitted_at": TIME, ...},
     "recipients": [{...}], "events": [{...}], "mmbox": [{...}],
     "content": {"content_type": ..., "size": N, "parts": [{...}], "body": BASE64 or "file": NAME}}

Ids are 13 letters (`mmsc.ids`), times RFC 3339 in UTC with microseconds. `content` is null when retention took it;
`object` stands in place of `body` and `file` when it is in object storage. `mmbox` are the entries of subscribers'
boxes that show it; what was uploaded to one is of no MM and not here. Keys are added within a version, never changed.
Secrets of links and notifications are in it: whoever has the file can open what is still open.
"""

import base64
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from mmsc.domain.instant import Instant, to_datetime
from mmsc.store import schema
from mmsc.store.core import Row, SqlValue
from mmsc.store.reading import Reader
from protocols.records import record

VERSION: Final = 1
_PAGE: Final = 100  # MMs looked at together
_PAGE_WITH_BODIES: Final = 10  # the lines of a page are in memory
_MM: Final = (
    "id", "origin", "neighbour", "sender", "foreign_id", "submitted_at", "deliver_at", "expires_at", "priority",
    "details",
)  # fmt: skip
_RECIPIENT: Final = (
    "id", "address", "role", "route", "target", "state", "state_at", "cause", "transaction_id", "token", "link_token",
    "fetched_at", "pushes", "replied_at",
)  # fmt: skip
_EVENT: Final = ("id", "recipient_id", "task_id", "at_service", "at_real", "kind", "data")
_ENTRY: Final = ("id", "owner", "state", "flags", "token", "stored_at")
_PAGE_OF_MMS: Final = f"SELECT {', '.join(_MM)}, content_id FROM mm WHERE id > $1 ORDER BY id LIMIT $2"
_OF_MMS: Final = "SELECT {}, mm_id FROM {} WHERE mm_id >= $1 AND mm_id <= $2 ORDER BY mm_id, id"
_ENTRIES: Final = f"SELECT {', '.join(_ENTRY)} FROM mmbox WHERE content_id = $1 ORDER BY id"
_TIMES: Final = frozenset(
    (
        "stored_at",
        "submitted_at",
        "deliver_at",
        "expires_at",
        "state_at",
        "fetched_at",
        "replied_at",
        "at_service",
        "at_real",
        "date",
    )
)
_IDS: Final = frozenset(("id", "recipient_id", "task_id"))
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode


@record(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which MMs: one, or those submitted from `since` up to before `until` (service time, µs) of which a recipient is
    in `state`. `bodies` is the folder their bodies are written to, `inline` puts them into the lines; `id_text` writes
    an id as people read it."""

    id_text: Callable[[int], str]

    mm_id: int | None = None
    since: Instant | None = None
    until: Instant | None = None
    state: str = ""
    bodies: Path | None = None
    inline: bool = False


def header() -> bytes:
    """The first line."""
    return _encode({"format": "mmsc export", "version": VERSION, "schema": schema.HASH}) + b"\n"


async def lines(reader: Reader, wanted: Wanted) -> AsyncIterator[tuple[int, bytes]]:
    """(how many MMs were looked at, the next line). Each MM is seen at one moment. Raises `StoreUnavailable`, and
    OSError where a body cannot be written."""
    above, seen = (wanted.mm_id or 1) - 1, 0
    size = 1 if wanted.mm_id is not None else _PAGE_WITH_BODIES if wanted.inline else _PAGE
    while True:
        async with reader.snapshot():
            page = await reader.fetch(_PAGE_OF_MMS, above, size)
            if not page or (wanted.mm_id is not None and page[0][0] != wanted.mm_id):
                return
            found = [line async for line in _lines(reader, page, wanted)]
        above, seen = _int(page[-1][0]), seen + len(page)
        for line in found:
            yield seen, line
        if wanted.mm_id is not None:
            return


async def _lines(reader: Reader, page: list[Row], wanted: Wanted) -> AsyncIterator[bytes]:
    """The lines of those MMs of a page that are wanted."""
    chosen = [row for row in page if _in_time(_int(row[5]), wanted)]
    if not chosen:
        return
    between = (_int(chosen[0][0]), _int(chosen[-1][0]))
    recipients = _by_mm(await reader.fetch(_OF_MMS.format(", ".join(_RECIPIENT), "recipient"), *between))
    events = _by_mm(await reader.fetch(_OF_MMS.format(", ".join(_EVENT), "event"), *between))
    for row in chosen:
        mm_id = _int(row[0])
        own = recipients[mm_id]
        if wanted.state and all(one[5] != wanted.state for one in own):
            continue
        mm = _named(_MM, row[:-1], wanted)
        del mm["details"]
        told = {
            "mm": {**mm, **_details(str(row[9]))},
            "recipients": [_named(_RECIPIENT, one, wanted) for one in own],
            "events": [{**_named(_EVENT, one, wanted), "data": _decode(str(one[6]))} for one in events[mm_id]],
            "mmbox": [_boxed(one, wanted) for one in await reader.fetch(_ENTRIES, _int(row[-1]))],
            "content": await _content(reader, _int(row[-1]), wanted),
        }
        yield _encode(told) + b"\n"


def _boxed(row: Row, wanted: Wanted) -> dict[str, Any]:
    return {**_named(_ENTRY, row, wanted), "flags": _decode(str(row[3]))}


def _in_time(submitted_at: int, wanted: Wanted) -> bool:
    early = wanted.since is not None and submitted_at < wanted.since
    late = wanted.until is not None and submitted_at >= wanted.until
    return not early and not late


def _by_mm(rows: list[Row]) -> defaultdict[int, list[Row]]:
    """Rows by the MM they belong to, which is their last column."""
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[_int(row[-1])].append(row[:-1])
    return found


def _details(text: str) -> dict[str, Any]:
    """What is stored with an MM and never searched for; the gateways' own words are under `interface_details`."""
    found: dict[str, Any] = _decode(text)
    found["interface_details"] = found.pop("details", {})
    found["date"] = _time(found["date"])
    return found


async def _content(reader: Reader, content_id: int, wanted: Wanted) -> dict[str, Any] | None:
    read = wanted.inline or wanted.bodies is not None
    rows = await reader.fetch(
        f"SELECT content.content_type, content.size, content.parts, object.name, {'content.body' if read else 'NULL'}"
        " FROM content LEFT JOIN object ON object.digest = content.object WHERE content.id = $1",
        content_id,
    )
    if not rows:
        return None
    content_type, size, parts, name, body = rows[0]
    found: dict[str, Any] = {"content_type": content_type, "size": size, "parts": _decode(str(parts))}
    if name is not None:
        found["object"] = name
    elif isinstance(body, bytes) and wanted.bodies is not None:
        file = wanted.bodies / f"{wanted.id_text(content_id)}.body"
        file.write_bytes(body)
        found["file"] = file.name
    elif isinstance(body, bytes):
        found["body"] = base64.b64encode(body).decode("ascii")
    return found


def _named(columns: Sequence[str], row: Sequence[SqlValue], wanted: Wanted) -> dict[str, Any]:
    return {name: _told(name, value, wanted) for name, value in zip(columns, row, strict=True) if value is not None}


def _told(name: str, value: SqlValue, wanted: Wanted) -> Any:
    if isinstance(value, int) and name in _TIMES:
        return _time(value)
    return wanted.id_text(value) if isinstance(value, int) and name in _IDS else value


def _time(micros: int) -> str:
    return to_datetime(Instant(micros)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _int(value: SqlValue) -> int:
    assert isinstance(value, int), f"an id or a time is {value!r}"
    return value
