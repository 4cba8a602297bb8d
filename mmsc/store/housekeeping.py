"""SQL of retention: what may go, found by index from the oldest on, and the units that remove it.

Ids grow with time, so every walk begins at the lowest and ends at the first row that is too young; what an earlier walk
removed is not met again. A page of a walk looks at a bounded number of rows, each by index.
"""

from typing import Final

from mmsc.domain.instant import Instant
from mmsc.domain.message import ContentId
from mmsc.domain.states import FINAL, RecipientState
from mmsc.store.bodies import drop
from mmsc.store.core import SqlValue, Statement, Store
from mmsc.trace.events import MmDeleted
from protocols.records import record

LEASE_KEY: Final = "housekeeping"  # in meta: until when (real time), and which node
BODIES_KEY: Final = "bodies taken up to"  # in meta: no younger MM has lost its body to retention
_DIGITS: Final = 19  # of a 63-bit number, so that texts compare as numbers do

ENDED: Final = ", ".join(f"'{state.value}'" for state in sorted(FINAL))
_SHOWN: Final = ", ".join(f"'{state.value}'" for state in (RecipientState.INDETERMINATE, RecipientState.LINK_VIEWED))
_STANDING: Final = (
    f"(SELECT count(*) FROM recipient WHERE recipient.mm_id = mm.id AND recipient.state NOT IN ({ENDED})),"
    " (SELECT max(recipient.state_at) FROM recipient WHERE recipient.mm_id = mm.id),"
    f" (SELECT count(*) FROM recipient WHERE recipient.mm_id = mm.id AND recipient.state IN ({_SHOWN})),"
    " (SELECT count(*) FROM task WHERE task.mm_id = mm.id AND task.recipient_id IS NULL)"
    " + (SELECT count(*) FROM recipient JOIN task ON task.recipient_id = recipient.id WHERE recipient.mm_id = mm.id)"
    " + (SELECT count(*) FROM event JOIN node ON true JOIN cdr ON cdr.node = node.name AND cdr.event_id = event.id"
    " WHERE event.mm_id = mm.id)"  # charging records that are owed: they are made out of the MM
)
# `size` stands behind the body: reading it would walk through the body's pages, its length does not (nor does TOAST).
_BODIES: Final = (
    f"SELECT body.id, body.octets, body.elsewhere, body.boxes, mm.submitted_at, mm.expires_at, {_STANDING} FROM"
    " (SELECT id, coalesce(boxes, 0) AS boxes, coalesce(length(body), size) AS octets,"
    " CASE WHEN body IS NULL THEN 1 ELSE 0 END AS elsewhere"
    " FROM content WHERE id > $1 ORDER BY id LIMIT $2) body"
    " LEFT JOIN mm ON mm.id = body.id WHERE mm.id IS NULL OR mm.submitted_at <= $3 ORDER BY body.id"
)
_OLD: Final = (
    f"SELECT mm.id, mm.content_id, mm.submitted_at, mm.expires_at, {_STANDING},"
    " (SELECT count(*) FROM recipient WHERE recipient.mm_id = mm.id),"
    " (SELECT count(*) FROM event WHERE event.mm_id = mm.id),"
    " (SELECT count(*) FROM recipient JOIN sms ON sms.recipient_id = recipient.id WHERE recipient.mm_id = mm.id),"
    " (SELECT count(*) FROM recipient JOIN sms ON sms.recipient_id = recipient.id WHERE recipient.mm_id = mm.id"
    " AND sms.purpose IN ('link', 'notification') AND sms.sent_at > $4),"
    " (SELECT count(*) FROM mm AS same WHERE same.repeat_key = mm.repeat_key)"  # a look that only warms its page
    " FROM (SELECT id FROM mm WHERE id > $1 ORDER BY id LIMIT $2) page JOIN mm ON mm.id = page.id"
    " WHERE mm.submitted_at <= $3 ORDER BY page.id"
)
_NOTES: Final = (
    "SELECT note.id, mm.id FROM"
    " (SELECT id, mm_id, at_service FROM event WHERE id > $1 ORDER BY id LIMIT $2) note"
    " LEFT JOIN mm ON mm.id = note.mm_id WHERE note.at_service <= $3 ORDER BY note.id"
)
_NOTHING_OWED: Final = (  # to MM $1: neither work nor charging records
    "NOT EXISTS (SELECT 1 FROM task WHERE task.mm_id = $1 AND task.recipient_id IS NULL) AND NOT EXISTS"
    " (SELECT 1 FROM recipient JOIN task ON task.recipient_id = recipient.id WHERE recipient.mm_id = $1) AND NOT EXISTS"
    " (SELECT 1 FROM event JOIN node ON true JOIN cdr ON cdr.node = node.name AND cdr.event_id = event.id"
    " WHERE event.mm_id = $1)"
)
_FIRST_RECIPIENTS: Final = "(SELECT id FROM recipient WHERE mm_id = $1 ORDER BY id LIMIT $2)"


@record(frozen=True, slots=True)
class Standing:
    """Where an MM stands. `open` recipients have not ended, the last that did ended at `ended_at` (None: no recipient
    is left); `shown` ones may still be looked at while the MM is valid; `tasks` are owed."""

    submitted_at: Instant
    expires_at: Instant
    open: int
    ended_at: Instant | None
    shown: int
    tasks: int


@record(frozen=True, slots=True)
class KeptBody:
    """A body that is still there. One without an MM is nobody's to remove: `mmsc store verify` tells it, unless an
    MMBox shows it, or did."""

    id: int
    octets: int
    elsewhere: bool  # in object storage
    mm: Standing | None  # None also while an MMBox shows it


@record(frozen=True, slots=True)
class OldMm:
    """An MM and how many rows hang on it; `receipts` are SMS about which the SMSC still owes one."""

    id: int
    content_id: int
    mm: Standing
    recipients: int
    events: int
    sms: int
    receipts: int

    @property
    def rows(self) -> int:
        """How many rows go: the MM and what hangs on it, its body apart."""
        return self.recipients + self.events + self.sms + 1


def _integer(value: SqlValue) -> int:
    assert isinstance(value, int), f"a count or an id is {value!r}"
    return value


def _standing(row: tuple[SqlValue, ...]) -> Standing:
    submitted_at, expires_at, open_, ended_at, shown, tasks = row
    return Standing(
        Instant(_integer(submitted_at)),
        Instant(_integer(expires_at)),
        _integer(open_),
        None if ended_at is None else Instant(_integer(ended_at)),
        _integer(shown),
        _integer(tasks),
    )


async def bodies(store: Store, after: int, before: Instant, limit: int) -> list[KeptBody]:
    """Bodies of MMs above id `after` that were submitted before a time. Nothing: there are no more."""
    rows = await store.fetch(_BODIES, after, limit, before)
    return [
        KeptBody(
            _integer(row[0]),
            _integer(row[1]),
            bool(row[2]),
            None if row[3] or row[4] is None else _standing(row[4:10]),
        )
        for row in rows
    ]


async def old(store: Store, after: int, before: Instant, receipts_since: Instant, limit: int) -> list[OldMm]:
    """MMs above id `after` that were submitted before a time. Nothing: there are no more."""
    rows = await store.fetch(_OLD, after, limit, before, receipts_since)
    return [
        OldMm(_integer(row[0]), _integer(row[1]), _standing(row[2:8]), *(_integer(value) for value in row[8:12]))
        for row in rows
    ]


async def notes(store: Store, after: int, before: Instant, limit: int) -> list[tuple[int, bool]]:
    """(id, whether its MM is there) of events above id `after` from before a time. Nothing: no more."""
    rows = await store.fetch(_NOTES, after, limit, before)
    return [(_integer(row[0]), row[1] is not None) for row in rows]


def lease(node: str, until: int, now: int) -> Statement:
    """A guard: this node keeps house until then (real time, µs); lost while another does."""
    return Statement(
        "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        f" WHERE meta.value < $3 OR substr(meta.value, {_DIGITS + 2}) = $4 RETURNING key",
        (LEASE_KEY, f"{until:0{_DIGITS}} {node}", f"{now:0{_DIGITS}}", node),
    )


def bodies_taken(up_to: int) -> Statement:
    """Remember the youngest MM that retention has taken a body from."""
    return Statement(
        "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        " WHERE meta.value < excluded.value",
        (BODIES_KEY, f"{up_to:0{_DIGITS}}"),
    )


def drop_mm(one: OldMm, real_now: int) -> tuple[Statement, tuple[Statement, ...]]:
    """An MM goes with all that hangs on it, unless a task or charging records are owed meanwhile: then the unit of this
    guard and these effects is lost. The event that tells it stays: effects of a batch run grouped by their text."""
    guard = Statement(f"DELETE FROM mm WHERE id = $1 AND {_NOTHING_OWED} RETURNING id", (one.id,))
    effects = (
        Statement(f"DELETE FROM event WHERE mm_id = $1 AND kind <> '{MmDeleted.kind}'", (one.id,)),
        Statement("DELETE FROM sms WHERE recipient_id IN (SELECT id FROM recipient WHERE mm_id = $1)", (one.id,)),
        Statement("DELETE FROM recipient WHERE mm_id = $1", (one.id,)),
        *drop(ContentId(one.content_id), real_now),
    )
    return guard, effects


def thin_events(mm_id: int, limit: int) -> Statement:
    """The first events of an MM that has too many for one unit, unless something is owed meanwhile."""
    first = "SELECT id FROM event WHERE mm_id = $1 ORDER BY id LIMIT $2"
    return Statement(f"DELETE FROM event WHERE id IN ({first}) AND {_NOTHING_OWED}", (mm_id, limit))


def thin_recipients(mm_id: int, limit: int) -> tuple[Statement, ...]:
    """The first recipients of an MM that has too many for one unit, and their SMS, unless something is owed."""
    return (
        Statement(f"DELETE FROM sms WHERE recipient_id IN {_FIRST_RECIPIENTS} AND {_NOTHING_OWED}", (mm_id, limit)),
        Statement(f"DELETE FROM recipient WHERE id IN {_FIRST_RECIPIENTS} AND {_NOTHING_OWED}", (mm_id, limit)),
    )


def drop_event(event_id: int) -> Statement:
    """An event goes, unless its charging records are owed."""
    owed = "SELECT 1 FROM node JOIN cdr ON cdr.node = node.name AND cdr.event_id = $1"
    return Statement(f"DELETE FROM event WHERE id = $1 AND NOT EXISTS ({owed})", (event_id,))
