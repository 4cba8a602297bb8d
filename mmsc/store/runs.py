"""SQL of run tags: which there are, and what became of the MMs of one. Bounded questions that indexes answer."""

from typing import Final

from mmsc.domain.states import FINAL, RecipientState
from mmsc.store.core import Row
from mmsc.store.looking import integer
from mmsc.store.reports import Source

_S: Final = RecipientState
_GOOD: Final = (_S.RETRIEVED, _S.FORWARDED, _S.LINK_VIEWED, _S.CANCELLED)
_FAILED: Final = ", ".join(f"'{state}'" for state in sorted(FINAL) if state not in _GOOD)
# From one tag to the next by the index: as many steps as there are tags, however many MMs they have.
_NAMES: Final = (
    "WITH RECURSIVE runs (run) AS (SELECT min(run) FROM mm WHERE run > $1 UNION ALL"
    " SELECT (SELECT min(mm.run) FROM mm WHERE mm.run > runs.run) FROM runs WHERE runs.run IS NOT NULL)"
    " SELECT run FROM runs WHERE run IS NOT NULL LIMIT $2"
)
_NEWEST: Final = "SELECT id FROM mm WHERE run = $1 ORDER BY id DESC LIMIT $2"
_ENDS: Final = (
    f"SELECT (SELECT count(*) FROM ({_NEWEST}) counted),"
    " (SELECT submitted_at FROM mm WHERE run = $1 ORDER BY id LIMIT 1),"
    " (SELECT submitted_at FROM mm WHERE run = $1 ORDER BY id DESC LIMIT 1)"
)
_STATES: Final = (
    f"SELECT recipient.state, count(*) FROM ({_NEWEST}) newest JOIN recipient ON recipient.mm_id = newest.id"
    " GROUP BY recipient.state"
)
_FINDINGS: Final = (
    f"SELECT event.data FROM ({_NEWEST}) newest JOIN event ON event.mm_id = newest.id"
    " WHERE event.kind = 'finding.noted' LIMIT $3"
)
_REFUSALS: Final = (
    "SELECT id, at_service, data FROM event WHERE kind = 'submission.refused' AND id < $1 ORDER BY id DESC LIMIT $2"
)
_FAILURES: Final = (
    "SELECT recipient.mm_id, recipient.address, recipient.state, recipient.cause, recipient.state_at"
    f" FROM ({_NEWEST}) newest JOIN recipient ON recipient.mm_id = newest.id"
    f" WHERE recipient.state IN ({_FAILED}) ORDER BY recipient.id LIMIT $3"
)


async def names(source: Source, after: str, limit: int) -> list[str]:
    """The tags that come after one, in order."""
    return [str(run) for (run,) in await source.fetch(_NAMES, after, limit)]


async def ends(source: Source, run: str, at_most: int) -> tuple[int, int, int]:
    """(MMs as far as they are counted, when the first and the last was submitted); 0 of them where there are none."""
    ((count, first, last),) = await source.fetch(_ENDS, run, at_most)
    return integer(count), integer(first or 0), integer(last or 0)


async def states(source: Source, run: str, at_most: int) -> dict[RecipientState, int]:
    """Recipients by state, of the newest MMs."""
    return {RecipientState(str(state)): integer(count) for state, count in await source.fetch(_STATES, run, at_most)}


async def findings(source: Source, run: str, at_most: int, limit: int) -> list[str]:
    """What was noted about the newest MMs: the events' JSON."""
    return [str(data) for (data,) in await source.fetch(_FINDINGS, run, at_most, limit)]


async def refusals(source: Source, before: int, limit: int) -> list[tuple[int, int, str]]:
    """(id, service time, JSON) of the last refusals with ids below `before`, of whatever run, newest first."""
    return [(integer(id_), integer(at), str(data)) for id_, at, data in await source.fetch(_REFUSALS, before, limit)]


async def failures(source: Source, run: str, at_most: int, limit: int) -> list[Row]:
    """(mm_id, address, state, cause, state_at) of recipients that did not get the newest MMs."""
    return await source.fetch(_FAILURES, run, at_most, limit)
