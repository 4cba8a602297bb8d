"""From rows of the store to records: what events owe."""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from mmsc.cdr.happened import Happened, House
from mmsc.cdr.lines import Record
from mmsc.cdr.making import records_of
from mmsc.domain.message import Mm, Part
from mmsc.store import charging
from mmsc.store.core import Row, SqlValue, Store
from mmsc.store.messages import mm_of
from mmsc.trace import events as trace
from mmsc.trace.events import read_data
from protocols.records import record

_log: Final = logging.getLogger(__name__)
_parts: Final = msgspec.json.Decoder(tuple[Part, ...]).decode


@record(frozen=True, slots=True)
class Made:
    """The records of some events. `done` are the events that owe nothing more; `unmakeable` those of which our own code
    could not make records: they stay owed, for a version that can."""

    records: list[Record]
    done: list[int]
    unmakeable: list[int]


async def happened_of(store: Store, rows: Sequence[Row]) -> list[tuple[int, Happened | None]]:
    """The rows of `charging.waiting` as (event id, what happened); None for kinds that this version does not know."""
    accepted = trace.MmAccepted.kind
    mm_ids = [row[charging.EVENT_WIDTH] for row in rows if row[2] == accepted]
    recipients = await charging.recipients(store, [one for one in mm_ids if isinstance(one, int)])
    known: dict[SqlValue, tuple[Mm, tuple[Part, ...]]] = {}  # most events of a read are about few MMs
    return [_happened(row, recipients, known) for row in rows]


def _happened(
    row: Row, recipients: dict[int, list[tuple[str, str]]], known: dict[SqlValue, tuple[Mm, tuple[Part, ...]]]
) -> tuple[int, Happened | None]:
    event_id, at, kind, text, recipient_id, recipient, peer, parts, answer = row[: charging.EVENT_WIDTH]
    assert isinstance(event_id, int)
    assert isinstance(at, int)
    data = read_data(str(kind), str(text))
    if isinstance(data, dict):
        return event_id, None
    mm_id = row[charging.EVENT_WIDTH]
    mm: Mm | None = None
    of_content: tuple[Part, ...] = ()
    if mm_id is not None:
        if mm_id not in known:
            known[mm_id] = mm_of(row[charging.EVENT_WIDTH :]), _parts(parts) if isinstance(parts, str) else ()
        mm, of_content = known[mm_id]
    happened = Happened(
        event_id,
        at,
        data,
        mm,
        recipient_id if isinstance(recipient_id, int) else None,
        recipient if isinstance(recipient, str) else "",
        peer if isinstance(peer, str) else "",
        () if mm is None else recipients.get(mm.id, ()),
        of_content,
        bool(answer),
    )
    return event_id, happened


def made_of(events: Sequence[tuple[int, Happened | None]], house: House) -> Made:
    """The records, in the order of the events."""
    made = Made([], [], [])
    for event_id, happened in events:
        if happened is None:
            _log.error("CDRs: event %d is of a kind that this version does not know", event_id)
            made.unmakeable.append(event_id)
            continue
        try:
            found = records_of(happened, house)
        except Exception:
            _log.exception("CDRs: no record can be made of event %d; it stays owed", event_id)
            made.unmakeable.append(event_id)
            continue
        if not found:
            _log.error("CDRs: event %d (%s) makes no record: its MM is gone", event_id, happened.data.kind)
        made.records.extend(found)
        made.done.append(event_id)
    return made
