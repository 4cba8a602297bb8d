"""What became of the delivery reports to VASPs: the report ledger, page by page."""

from collections.abc import AsyncIterator
from typing import Final

from mmsc.domain.instant import Instant
from mmsc.domain.ledger import Entry, ReportStatus, entry_of
from mmsc.domain.states import RecipientState
from mmsc.store import reports as sql
from mmsc.store.reports import CLOCKS_DIFFER, FOR_EVER, Source, Whose
from protocols.records import record

PAGE: Final = 2000  # rows looked at together by who asks for all of them
SCREEN: Final = 200  # ... and by a server that has other work to do
LARGEST_PAGE: Final = 10_000


@record(frozen=True, slots=True, kw_only=True)
class ReportsWanted:
    """Which lines of the report ledger: of a VASP ("": of all), of one MM, of MMs submitted from `since` up to before
    `until` (service time, µs); with these report statuses and recipient states (empty: any), with `missing` only those
    without a report. `unasked_too`: also MMs that asked for none."""

    vasp: str = ""
    mm_id: int | None = None
    since: Instant | None = None
    until: Instant | None = None
    statuses: frozenset[ReportStatus] = frozenset()
    states: frozenset[RecipientState] = frozenset()
    missing: bool = False
    unasked_too: bool = False

    def has(self, entry: Entry) -> bool:
        """Whether a line of such an MM is one of them."""
        return (
            (not self.statuses or entry.status in self.statuses)
            and (not self.states or entry.state in self.states)
            and (not self.missing or entry.status is not ReportStatus.SENT)
        )


@record(frozen=True, slots=True)
class ReportsPage:
    """Some lines, and where the next page begins (None: this is the last). `looked_at` rows were read for them,
    `recipients` of which belong to MMs that are wanted, whatever their status and state."""

    entries: tuple[Entry, ...]
    looked_at: int
    recipients: int
    next: int | None


class ReportLedger:
    """Delivery reports to VASPs (TS 23.140 8.7): who has one, who has none, and why."""

    def __init__(self, source: Source) -> None:
        self._source = source

    async def vasps(self) -> dict[str, bool]:
        """The VASPs that are configured now, and whether each has an address for reports."""
        return await sql.vasps(self._source)

    async def page(self, wanted: ReportsWanted, after: int = 0, limit: int = SCREEN) -> ReportsPage:
        """The lines behind `after`, which is `next` of the page before (0: from the beginning). `limit` rows are looked
        at, however few of them are wanted; ValueError outside 1 to `LARGEST_PAGE`. Raises `StoreUnavailable`."""
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"a page has 1 to {LARGEST_PAGE} rows, not {limit}")
        above, up_to = await self._bounds(wanted)
        return await self._page(wanted, max(after, above), up_to, limit)

    async def pages(self, wanted: ReportsWanted) -> AsyncIterator[ReportsPage]:
        """All pages, one after the other. Raises `StoreUnavailable`."""
        after, up_to = await self._bounds(wanted)
        while True:
            page = await self._page(wanted, after, up_to, PAGE)
            yield page
            if page.next is None:
                return
            after = page.next

    async def _bounds(self, wanted: ReportsWanted) -> tuple[int, int]:
        """(above, up to) of the ids that pages go through; the times of what lies between are looked at, too."""
        above, up_to = 0, FOR_EVER
        if wanted.mm_id is not None:
            return await sql.recipients_of(self._source, wanted.mm_id) or (FOR_EVER, FOR_EVER)
        if _only_open(wanted):
            return above, up_to
        if wanted.since is not None:
            first = await sql.first_from(self._source, Instant(wanted.since - CLOCKS_DIFFER))
            above = FOR_EVER if first is None else first
        if wanted.until is not None:
            first = await sql.first_from(self._source, Instant(wanted.until + CLOCKS_DIFFER))
            up_to = FOR_EVER if first is None else Instant(first)
        return above, up_to

    async def _page(self, wanted: ReportsWanted, above: int, up_to: int, limit: int) -> ReportsPage:
        walk = sql.TASKS if _only_open(wanted) else sql.RECIPIENTS
        end = await sql.page_end(self._source, walk, above, up_to, limit)
        if end is None:
            return ReportsPage((), 0, 0, None)
        last, looked_at = end
        whose = Whose(
            vasp=wanted.vasp,
            since=wanted.since or Instant(0),
            until=FOR_EVER if wanted.until is None else wanted.until,
            unasked_too=wanted.unasked_too,
        )
        cases = await sql.cases(self._source, walk, above, last, whose, await self.vasps())
        if wanted.mm_id is not None:
            cases = [case for case in cases if case.mm_id == wanted.mm_id]
        entries = tuple(entry for case in cases if wanted.has(entry := entry_of(case)))
        return ReportsPage(entries, looked_at, len(cases), None if looked_at < limit else last)


def _only_open(wanted: ReportsWanted) -> bool:
    """Whether reports that are queued are enough: they are few where the MMs are many."""
    return wanted.mm_id is None and wanted.statuses == {ReportStatus.OWED}
