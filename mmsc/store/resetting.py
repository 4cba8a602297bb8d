"""SQL that takes MMs away at once, whatever is still owed to them: for a lab that begins again."""

from typing import Final

from mmsc.domain.message import ContentId
from mmsc.store.bodies import drop
from mmsc.store.core import Statement, Store
from mmsc.store.looking import integer
from mmsc.store.messages import CHANGED

_ALL: Final = "SELECT id, content_id FROM mm WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3"
_OF_RUN: Final = "SELECT id, content_id FROM mm WHERE run = $4 AND id > $1 AND id <= $2 ORDER BY id LIMIT $3"
# Of an MM that was stored meanwhile its events stay, though their ids were given out before.
_NOTES: Final = (
    "SELECT id FROM event WHERE id > $1 AND id <= $2 AND (mm_id IS NULL OR NOT EXISTS"
    " (SELECT 1 FROM mm WHERE mm.id = event.mm_id)) ORDER BY id LIMIT $3"
)
_BOXES: Final = "SELECT id, content_id FROM mmbox WHERE id > $1 ORDER BY id LIMIT $2"
_OWED: Final = "SELECT 1 FROM node JOIN cdr ON cdr.node = node.name AND cdr.event_id = event.id"  # charging records
_OF_RECIPIENTS: Final = "recipient_id IN (SELECT id FROM recipient WHERE mm_id = $1)"
_DELETES: Final = (
    f"DELETE FROM task WHERE {_OF_RECIPIENTS}",
    "DELETE FROM task WHERE mm_id = $1 AND recipient_id IS NULL",
    f"DELETE FROM sms WHERE {_OF_RECIPIENTS}",
    f"DELETE FROM event WHERE mm_id = $1 AND NOT EXISTS ({_OWED})",
    "DELETE FROM recipient WHERE mm_id = $1 AND id > 0",  # a text of its own: it runs behind those above
    "DELETE FROM mm WHERE id = $1",
)
_DELETE_NOTE: Final = f"DELETE FROM event WHERE id = $1 AND NOT EXISTS ({_OWED})"


async def page(store: Store, after: int, up_to: int, limit: int, run: str = "") -> list[tuple[int, ContentId]]:
    """(id, content id) of the next MMs; of a run alone where one is named."""
    values = (after, up_to, limit, run) if run else (after, up_to, limit)
    rows = await store.fetch(_OF_RUN if run else _ALL, *values)
    return [(integer(row[0]), ContentId(integer(row[1]))) for row in rows]


def take_away(mms: list[tuple[int, ContentId]], real_now: int) -> tuple[Statement, ...]:
    """These MMs go with all that hangs on them. Events whose charging records are owed stay for their writer."""
    effects = [Statement(sql, (mm_id,)) for sql in _DELETES for mm_id, _ in mms]
    for _, content_id in mms:
        effects += drop(content_id, real_now)
    effects[0] = Statement(effects[0].sql, effects[0].params, CHANGED)  # other nodes forget what they remember
    return tuple(effects)


async def notes(store: Store, after: int, up_to: int, limit: int) -> list[int]:
    """Ids of the next events."""
    return [integer(row[0]) for row in await store.fetch(_NOTES, after, up_to, limit)]


def take_notes_away(ids: list[int]) -> tuple[Statement, ...]:
    """Events go; not those whose charging records are owed."""
    return tuple(Statement(_DELETE_NOTE, (one,)) for one in ids)


async def boxed(store: Store, after: int, limit: int) -> list[tuple[int, int]]:
    """(id, content id) of the next entries of MMBoxes."""
    return [(integer(row[0]), integer(row[1])) for row in await store.fetch(_BOXES, after, limit)]
