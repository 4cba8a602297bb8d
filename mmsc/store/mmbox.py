"""SQL of the MMBoxes: entries of subscribers, each with the content that it shows.

An entry is made by one statement that looks at the quota and takes the owner's next number. Two that are made at once,
on two nodes, want the same number: one of them is not made, and whoever wanted it looks again. Content is shared with
its MM; `content.boxes` counts the entries that show it. An entry that goes leaves its content behind: housekeeping
takes what neither an MM nor an entry has.

Effects of a batch run grouped by their text, so those that must run in order have texts of their own for each way in
which an entry is made.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from mmsc.domain.address import Address
from mmsc.domain.box_entry import BoxEntry, BoxId, Told
from mmsc.domain.instant import Instant
from mmsc.domain.message import ContentId
from mmsc.domain.mmbox import BoxPolicy, BoxState, BoxTotals
from mmsc.store.core import Row, SqlValue, Statement, Store
from protocols.records import record

_encode: Final = msgspec.json.Encoder().encode
_told: Final = msgspec.json.Decoder(Told).decode
_flags: Final = msgspec.json.Decoder(tuple[str, ...]).decode

_COLUMNS: Final = "id, owner, token, source, content_id, state, flags, stored_at, size, told"
_OWN: Final = "FROM mmbox AS own WHERE own.owner = CAST($2 AS TEXT)"
_INSERT: Final = (
    f"INSERT INTO mmbox ({_COLUMNS}, number)"
    " SELECT CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT),"
    " CAST($6 AS TEXT), CAST($7 AS TEXT), CAST($8 AS BIGINT), CAST($9 AS BIGINT), CAST($10 AS TEXT),"
    f" (SELECT coalesce(max(own.number), 0) + 1 {_OWN})"
    f" WHERE (SELECT count(*) {_OWN}) < CAST($11 AS BIGINT)"
    f" AND (SELECT coalesce(sum(own.size), 0) {_OWN}) + CAST($9 AS BIGINT) <= CAST($12 AS BIGINT){{}}"
    " ON CONFLICT DO NOTHING RETURNING id"
)
_THERE: Final = " AND EXISTS (SELECT 1 FROM content WHERE content.id = CAST($5 AS BIGINT))"
_INSERT_SHARED: Final = _INSERT.format(_THERE)
_INSERT_UPLOADED: Final = _INSERT.format("")
_INSERT_SENT: Final = _INSERT.format(" AND CAST($1 AS BIGINT) > 0")  # the same, in a text of its own
_SHOW: Final = "UPDATE content SET boxes = coalesce(boxes, 0) + 1 WHERE id = $1"
_SHOW_UPLOADED: Final = _SHOW + " AND boxes IS NULL"
_SHOW_SENT: Final = _SHOW + " AND EXISTS (SELECT 1 FROM mmbox WHERE mmbox.id = $2)"
_HIDE: Final = "UPDATE content SET boxes = boxes - 1 WHERE id = $1"
_UNLESS_GONE: Final = (  # retention was faster
    "DELETE FROM mmbox WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM content WHERE content.id = mmbox.content_id)"
)
_UNBOXED: Final = (
    "SELECT content.id, CASE WHEN content.body IS NULL THEN 1 ELSE 0 END, coalesce(length(content.body), content.size)"
    " FROM content WHERE content.boxes = 0 AND content.id > $1"
    " AND NOT EXISTS (SELECT 1 FROM mm WHERE mm.id = content.id) ORDER BY content.id LIMIT $2"
)


def _params(entry: BoxEntry, policy: BoxPolicy) -> tuple[SqlValue, ...]:
    return (
        entry.id,
        entry.owner.value,
        entry.token,
        entry.source,
        entry.content_id,
        str(entry.state),
        _encode(entry.flags).decode(),
        entry.stored_at,
        entry.size,
        _encode(entry.told).decode(),
        policy.quota_messages,
        policy.quota_octets,
    )


def keep_shared(entry: BoxEntry, policy: BoxPolicy) -> tuple[Statement, tuple[Statement, ...]]:
    """An entry of content that is stored: a guard, lost when the box is full, the source has an entry, the content is
    gone, or another node was faster; and its effects."""
    effects = (Statement(_SHOW, (entry.content_id,)), Statement(_UNLESS_GONE, (entry.id,)))
    return Statement(_INSERT_SHARED, _params(entry, policy)), effects


def keep_uploaded(
    entry: BoxEntry, policy: BoxPolicy, body: Sequence[Statement]
) -> tuple[Statement, tuple[Statement, ...]]:
    """An entry with content of its own, which `body` writes: guard and effects, as `keep_shared`."""
    return Statement(_INSERT_UPLOADED, _params(entry, policy)), (
        *body,
        Statement(_SHOW_UPLOADED, (entry.content_id,)),
    )


def keep_sent(entry: BoxEntry, policy: BoxPolicy) -> tuple[Statement, ...]:
    """Effects behind those that write the content of an MM: an entry for its sender, unless his box is full."""
    return (
        Statement(_INSERT_SENT, _params(entry, policy)),
        Statement(_SHOW_SENT, (entry.content_id, entry.id)),
    )


def change(entry: BoxEntry, state: BoxState, flags: tuple[str, ...]) -> Statement:
    """Another state and other flags: a guard, lost when they are not what they were, or the entry is gone."""
    return Statement(
        "UPDATE mmbox SET state = $2, flags = $3 WHERE id = $1 AND state = $4 AND flags = $5 RETURNING id",
        (entry.id, str(state), _encode(flags).decode(), str(entry.state), _encode(entry.flags).decode()),
    )


def read_once(source: str) -> Statement:
    """What was new is retrieved: a guard, lost when it is not new, or not kept."""
    return Statement("UPDATE mmbox SET state = 'retrieved' WHERE source = $1 AND state = 'new' RETURNING id", (source,))


def delete(entry_id: int, content_id: int) -> tuple[Statement, tuple[Statement, ...]]:
    """An entry goes: a guard, lost when it is gone already; and its effects."""
    guard = Statement("DELETE FROM mmbox WHERE id = $1 RETURNING id", (entry_id,))
    return guard, (Statement(_HIDE, (content_id,)),)


def withdraw(entry: BoxEntry) -> tuple[Statement, tuple[Statement, ...]]:
    """An entry goes that its owner has not looked at: a guard, lost when he has, or it is gone; and its effects."""
    guard = Statement("DELETE FROM mmbox WHERE id = $1 AND state = 'new' RETURNING id", (entry.id,))
    return guard, (Statement(_HIDE, (entry.content_id,)),)


def retold(content_id: ContentId, size: int, told: Told) -> Statement:
    """An effect: the MM behind this content was replaced, and so is what its recipients' boxes tell of it."""
    return Statement(
        "UPDATE mmbox SET size = $2, told = $3 WHERE content_id = $1 AND source LIKE 'received %'",
        (content_id, size, _encode(told).decode()),
    )


async def by_token(store: Store, token: str) -> BoxEntry | None:
    """The entry behind a Content-Location."""
    return _entry(await store.fetch_one(f"SELECT {_COLUMNS} FROM mmbox WHERE token = $1", token))


async def by_source(store: Store, source: str) -> BoxEntry | None:
    """The entry that was made of something."""
    return _entry(await store.fetch_one(f"SELECT {_COLUMNS} FROM mmbox WHERE source = $1", source))


async def by_id(store: Store, entry_id: int) -> BoxEntry | None:
    """An entry."""
    return _entry(await store.fetch_one(f"SELECT {_COLUMNS} FROM mmbox WHERE id = $1", entry_id))


async def has_content(store: Store, content_id: int) -> bool:
    """Whether there is such content."""
    return await store.fetch_one("SELECT 1 FROM content WHERE id = $1", content_id) is not None


async def totals(store: Store, owner: Address) -> BoxTotals:
    """How full a box is."""
    row = await store.fetch_one(
        "SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM mmbox WHERE owner = $1", owner.value
    )
    return BoxTotals(0, 0) if row is None else BoxTotals(_integer(row[0]), _integer(row[1]))


async def listed(store: Store, owner: Address) -> list[tuple[BoxId, BoxState, tuple[str, ...]]]:
    """(id, state, flags) of all that is in a box, the oldest first. The quota bounds it."""
    rows = await store.fetch("SELECT id, state, flags FROM mmbox WHERE owner = $1 ORDER BY id", owner.value)
    return [(BoxId(_integer(row[0])), BoxState(str(row[1])), _flags(str(row[2]))) for row in rows]


async def older(store: Store, after: int, before: Instant, limit: int) -> list[tuple[int, int, bool]]:
    """(id, content, whether it may go) of the first entries above id `after`; those stored before a time may go.
    Nothing: there are no more."""
    rows = await store.fetch(
        "SELECT id, content_id, stored_at FROM mmbox WHERE id > $1 ORDER BY id LIMIT $2", after, limit
    )
    return [(_integer(row[0]), _integer(row[1]), _integer(row[2]) <= before) for row in rows]


@record(frozen=True, slots=True)
class Unboxed:
    """Content that neither an MM nor an entry shows any more."""

    id: int
    elsewhere: bool  # in object storage
    octets: int


async def unboxed(store: Store, after: int, limit: int) -> list[Unboxed]:
    """The first of them above id `after`."""
    rows = await store.fetch(_UNBOXED, after, limit)
    return [Unboxed(_integer(row[0]), bool(row[1]), _integer(row[2])) for row in rows]


def _integer(value: SqlValue) -> int:
    assert isinstance(value, int), f"an id, a size or a time is {value!r}"
    return value


def _entry(row: Row | None) -> BoxEntry | None:
    if row is None:
        return None
    return BoxEntry(
        id=BoxId(_integer(row[0])),
        owner=Address.of(str(row[1])),
        token=str(row[2]),
        source=str(row[3]),
        content_id=ContentId(_integer(row[4])),
        state=BoxState(str(row[5])),
        flags=_flags(str(row[6])),
        stored_at=Instant(_integer(row[7])),
        size=_integer(row[8]),
        told=_told(str(row[9])),
    )
