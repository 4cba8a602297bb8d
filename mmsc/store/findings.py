"""SQL of the rules that neighbours broke: the events `finding.noted`, found by an index of their own."""

from typing import Final

from mmsc.domain.instant import Instant
from mmsc.store.core import Row
from mmsc.store.looking import integer
from mmsc.store.reports import Source
from mmsc.trace.events import FindingNoted, read_data
from protocols.records import record

_EVENTS: Final = f"id, mm_id, at_service, at_real, data FROM event WHERE kind = '{FindingNoted.kind}'"
_NEWER: Final = f"SELECT {_EVENTS} AND id > $1 ORDER BY id LIMIT $2"
_OLDER: Final = f"SELECT {_EVENTS} AND id < $1 ORDER BY id DESC LIMIT $2"
_OLDER_OF_RULE: Final = f"SELECT {_EVENTS} AND id < $1 AND data LIKE $3 ORDER BY id DESC LIMIT $2"


@record(frozen=True, slots=True)
class Noted:
    """One breach, as it was noted."""

    event_id: int
    mm_id: int | None
    at_service: Instant
    at_real: Instant
    finding: FindingNoted


async def newer(source: Source, above: int, limit: int) -> list[Noted]:
    """The next ones above an event id, oldest first. Raises `StoreUnavailable`, as all of these do."""
    return [_noted(row) for row in await source.fetch(_NEWER, above, limit)]


async def older(source: Source, below: int, limit: int) -> list[Noted]:
    """The next ones below an event id, newest first."""
    return [_noted(row) for row in await source.fetch(_OLDER, below, limit)]


async def of_rule(source: Source, rule: str, below: int, limit: int) -> list[Noted]:
    """Those of one rule below an event id, newest first. `rule` is a name of ours."""
    return [_noted(row) for row in await source.fetch(_OLDER_OF_RULE, below, limit, f'%"rule":"{rule}"%')]


def _noted(row: Row) -> Noted:
    event_id, mm_id, at_service, at_real, text = row
    finding = read_data(FindingNoted.kind, str(text))
    assert isinstance(finding, FindingNoted), "the kind is known"
    return Noted(
        integer(event_id),
        None if mm_id is None else integer(mm_id),
        Instant(integer(at_service)),
        Instant(integer(at_real)),
        finding,
    )
