"""Run tags, for people who share a server: which there are, and a report of what became of one."""

from typing import Final

import msgspec

from mmsc.domain.instant import Instant, to_datetime
from mmsc.domain.runs import tag_of
from mmsc.domain.states import FINAL, RecipientState
from mmsc.engine.queries.runs import COUNTED_AT_MOST, Failure, RunQueries, RunSeen

_S: Final = RecipientState
_BAD: Final = FINAL - {_S.RETRIEVED, _S.FORWARDED, _S.LINK_VIEWED, _S.CANCELLED, _S.INDETERMINATE}


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run in a list. `messages` counts up to 10,000 (`all_counted`: these are all of them). `states` are its
    recipients' (of those MMs); `open` of them have not ended, `failed` ended badly. Times are service time, µs UTC."""

    name: str
    messages: int
    all_counted: bool
    first_at: Instant
    last_at: Instant
    states: dict[RecipientState, int]
    open: int
    failed: int


class RunPage(msgspec.Struct, frozen=True):
    """Some runs by name. `next`: the `after` of the next page, "" when this is the last."""

    runs: list[Run]
    next: str


class RunFinding(msgspec.Struct, frozen=True):
    """How often somebody broke a rule."""

    rule: str
    client: str
    count: int


class RunFailure(msgspec.Struct, frozen=True):
    """A recipient that did not get its MM, and why."""

    mm_id: str
    recipient: str
    state: RecipientState
    cause: str
    at: Instant


class RunRefusal(msgspec.Struct, frozen=True):
    """How often a submission of somebody was refused, and why."""

    interface: str
    client: str
    because: str
    count: int


class RunReport(msgspec.Struct, frozen=True):
    """What became of a run. `verdict` is open while something is under way, else failed where somebody did not get his
    MM or everything was refused, else passed. `failures` are the first 100, `refused` those of the last 10,000 refusals
    that have its tag."""

    run: Run
    verdict: str
    findings: list[RunFinding]
    failures: list[RunFailure]
    refused: list[RunRefusal]


class Runs:
    """Everything raises StoreUnavailable."""

    def __init__(self, queries: RunQueries) -> None:
        self._queries = queries

    async def listed(self, after: str = "", limit: int = 50) -> RunPage:
        """Runs behind a name."""
        names = await self._queries.names(after, limit + 1)
        found = [await self._queries.one(name) for name in names[:limit]]
        return RunPage([_run(one) for one in found if one is not None], names[limit - 1] if len(names) > limit else "")

    async def report(self, name: str) -> RunReport | None:
        """What became of one, None when no MM and no refusal has its tag."""
        if tag_of(name) != name or not name:
            return None
        seen, refusals = await self._queries.one(name), await self._queries.refusals(name)
        if seen is None:
            if refusals is None:
                return None
            seen = RunSeen(name, 0, refusals.first_at, refusals.last_at, {})
        run = _run(seen)
        verdict = "open" if run.open else "failed" if run.failed or not run.messages else "passed"
        findings = await self._queries.findings(name)
        failures = await self._queries.failures(name) if run.failed or _S.INDETERMINATE in run.states else []
        told = [RunFinding(rule, client, count) for (rule, client), count in findings.items()]
        refused = [] if refusals is None else [RunRefusal(*what, count) for what, count in refusals.counts.items()]
        return RunReport(run, verdict, told, [_failure(one) for one in failures], refused)


def _run(seen: RunSeen) -> Run:
    return Run(
        name=seen.name,
        messages=seen.messages,
        all_counted=seen.messages < COUNTED_AT_MOST,
        first_at=seen.first_at,
        last_at=seen.last_at,
        states=dict(sorted(seen.states.items())),
        open=sum(count for state, count in seen.states.items() if state not in FINAL),
        failed=sum(count for state, count in seen.states.items() if state in _BAD),
    )


def _failure(one: Failure) -> RunFailure:
    return RunFailure(str(one.mm_id), one.recipient, one.state, str(one.cause), one.at)


def as_text(report: RunReport) -> str:
    """The report for a ticket: 100 columns, no colours."""
    run = report.run
    count = f"{run.messages:,}" if run.all_counted else f"the newest {run.messages:,}"
    lines = [
        f"Run {run.name}: {report.verdict}",
        f"Messages    {count}, submitted {_time(run.first_at)} to {_time(run.last_at)}",
        f"Recipients  {', '.join(f'{number:,} {state}' for state, number in run.states.items()) or 'none'}",
    ]
    if report.failures:
        lines += ["", "Not delivered"]
        lines += [f"  {one.mm_id:>19}  {one.recipient:16}  {one.state} {one.cause}".rstrip() for one in report.failures]
    if report.findings:
        lines += ["", "Findings"]
        lines += [f"  {one.count:6,}  {one.rule:12}  {one.client}" for one in report.findings]
    if report.refused:
        lines += ["", "Refused"]
        lines += [f"  {one.count:6,}  {one.interface:5} {one.client}: {one.because}" for one in report.refused]
    return "\n".join(lines) + "\n"


def _time(at: Instant) -> str:
    return to_datetime(at).strftime("%Y-%m-%d %H:%M:%S UTC")
