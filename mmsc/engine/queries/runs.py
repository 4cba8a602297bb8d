"""Run tags: which there are, and what became of the MMs of one."""

from collections import Counter
from typing import Final

import msgspec

from mmsc.domain.instant import Instant
from mmsc.domain.message import MmId
from mmsc.domain.states import Cause, RecipientState
from mmsc.store import runs as sql
from mmsc.store.reports import Source
from mmsc.trace.events import FindingNoted, SubmissionRefused
from protocols.records import record

COUNTED_AT_MOST: Final = 10_000  # MMs of a run, the newest
FAILURES_AT_MOST: Final = 100
_FINDINGS_AT_MOST: Final = 20_000
REFUSALS_LOOKED_AT: Final = 10_000
_REFUSALS_AT_ONCE: Final = 1000
_LATEST: Final = 2**63 - 1
_refused: Final = msgspec.json.Decoder(SubmissionRefused).decode
_finding: Final = msgspec.json.Decoder(FindingNoted).decode


@record(frozen=True, slots=True)
class RunSeen:
    """A run: its MMs (as far as they are counted), when the first and the last was submitted (service time, µs), and
    its recipients by state."""

    name: str
    messages: int
    first_at: Instant
    last_at: Instant
    states: dict[RecipientState, int]


@record(frozen=True, slots=True)
class Failure:
    """A recipient that did not get its MM."""

    mm_id: MmId
    recipient: str
    state: RecipientState
    cause: Cause
    at: Instant


@record(frozen=True, slots=True)
class Refusals:
    """What of a run was refused, and so is no MM: how often by reason, and the first and the last time (service time,
    µs)."""

    counts: dict[tuple[str, str, str], int]  # (interface, neighbour, reason and why)
    first_at: Instant
    last_at: Instant


class RunQueries:
    """Everything raises StoreUnavailable."""

    def __init__(self, source: Source) -> None:
        self._source = source

    async def names(self, after: str, limit: int) -> list[str]:
        """The tags that come after one, in order."""
        return await sql.names(self._source, after, limit)

    async def one(self, name: str) -> RunSeen | None:
        """A run, None when no MM has its tag."""
        messages, first, last = await sql.ends(self._source, name, COUNTED_AT_MOST)
        if not messages:
            return None
        states = await sql.states(self._source, name, COUNTED_AT_MOST)
        return RunSeen(name, messages, Instant(first), Instant(last), states)

    async def findings(self, name: str) -> dict[tuple[str, str], int]:
        """How often which rule was broken by whom."""
        found = await sql.findings(self._source, name, COUNTED_AT_MOST, _FINDINGS_AT_MOST)
        noted = [_finding(data) for data in found]
        return dict(Counter((one.rule, one.source) for one in noted).most_common())

    async def refusals(self, name: str) -> Refusals | None:
        """What of a run was refused, among the last `REFUSALS_LOOKED_AT` refusals; None when nothing was."""
        counts: Counter[tuple[str, str, str]] = Counter()
        times: list[int] = []
        needle = f'"run":"{name}"'
        before = _LATEST
        for _ in range(REFUSALS_LOOKED_AT // _REFUSALS_AT_ONCE):
            found = await sql.refusals(self._source, before, _REFUSALS_AT_ONCE)
            for before, at, data in found:  # noqa: B007 (the last one is where the next page begins)
                one = _refused(data) if needle in data else None
                if one is not None and one.run == name:
                    counts[one.interface, one.neighbour, f"{one.reason}: {one.because}"] += one.times
                    times.append(at)
            if len(found) < _REFUSALS_AT_ONCE:
                break
        return Refusals(dict(counts.most_common()), Instant(times[-1]), Instant(times[0])) if times else None

    async def failures(self, name: str) -> list[Failure]:
        """The first recipients that did not get their MMs."""
        rows = await sql.failures(self._source, name, COUNTED_AT_MOST, FAILURES_AT_MOST)
        return [
            Failure(
                MmId(int(str(mm_id))),
                str(address),
                RecipientState(str(state)),
                Cause(str(cause or "")),
                Instant(int(str(at))),
            )
            for mm_id, address, state, cause, at in rows
        ]
