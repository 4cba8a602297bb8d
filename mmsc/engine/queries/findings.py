"""What neighbours get wrong, counted by rule and client.

Counted when somebody looks, newest first, and remembered: a second look reads only what came since. However many there
are, one look reads for `PATIENCE`, says whether it is through, and the next one goes on. Nothing is counted while
messages go through.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from mmsc.domain.instant import HOUR, SECOND, Instant
from mmsc.engine.queries.messages import PATIENCE
from mmsc.ids import NODE_BITS
from mmsc.store import findings as sql
from mmsc.store.findings import Noted as Noted
from mmsc.store.reports import FOR_EVER, Source
from protocols.records import record

_PAGE: Final = 2000
_SETTLED_AFTER: Final = 10 * SECOND  # real time: younger events may still become durable out of order
_COUNTED_ANEW_AFTER: Final = HOUR  # what retention took is no longer counted then
_KINDS: Final = ("vasp", "peer", "smsc")
HANDSETS: Final = "handsets"  # the client of what user agents did


@record(frozen=True, slots=True, kw_only=True)
class Count:
    """How often a client broke a rule. Times are service time (µs); `newest` is the last one."""

    rule: str
    client: str
    count: int
    first: Instant
    last: Instant
    newest: Noted

    def plus(self, noted: Noted) -> "Count":
        """With one more."""
        return replace(
            self,
            count=self.count + 1,
            first=min(self.first, noted.at_service),
            last=max(self.last, noted.at_service),
            newest=noted if noted.event_id > self.newest.event_id else self.newest,
        )


@record(frozen=True, slots=True)
class Counts:
    """All of them, the most frequent first. `through`: every finding that is stored was counted; `looked_at` were."""

    rows: tuple[Count, ...]
    looked_at: int
    through: bool


_Groups = dict[tuple[str, str], Count]


class Findings:
    """Questions about findings. `real_now` is the host's time (µs)."""

    def __init__(self, source: Source, real_now: Callable[[], int], patience: int = PATIENCE) -> None:
        self._source = source
        self._real_now = real_now
        self._patience = patience
        self._one_at_a_time = asyncio.Lock()
        self._begun_at = -_COUNTED_ANEW_AFTER
        self._groups: _Groups = {}
        self._low = self._high = 0  # event ids: what lies from one to the other was counted
        self._counted = 0

    def forget(self) -> None:
        """Count anew at the next look."""
        self._begun_at = -_COUNTED_ANEW_AFTER

    async def counts(self) -> Counts:
        """As they stand now. Raises `StoreUnavailable`."""
        async with self._one_at_a_time:
            begun = self._real_now()
            settled = max(0, begun - _SETTLED_AFTER) << NODE_BITS
            if begun - self._begun_at >= _COUNTED_ANEW_AFTER:
                self._begun_at, self._groups, self._counted = begun, {}, 0
                self._low = self._high = settled
            late, through = await self._count_newer(settled, begun)
            through = await self._count_older(begun) and through
            groups = dict(self._groups)
            for noted in late:
                _add(groups, noted)
            rows = sorted(groups.values(), key=lambda one: (-one.count, one.rule, one.client))
            return Counts(tuple(rows), self._counted + len(late), through)

    async def samples(self, rule: str, client: str = "", most: int = 10) -> list[Noted]:
        """The last times that a rule was broken, by a client where one is named. Raises `StoreUnavailable`."""
        begun, below = self._real_now(), int(FOR_EVER)
        found: list[Noted] = []
        while len(found) < most and self._real_now() - begun < self._patience:
            page = await sql.of_rule(self._source, rule, below, _PAGE if client else most)
            found += [one for one in page if not client or client_of(one.finding.source) == client]
            if len(page) < (_PAGE if client else most):
                break
            below = page[-1].event_id
        return found[:most]

    async def _count_newer(self, settled: int, begun: int) -> tuple[list[Noted], bool]:
        """Those that are not remembered yet, because others may still come before them; and whether that is all."""
        late: list[Noted] = []
        above = self._high
        while True:
            page = await sql.newer(self._source, above, _PAGE)
            for noted in page:
                if noted.event_id <= settled:
                    self._remember((noted,))
                    self._high = noted.event_id
                else:
                    late.append(noted)
            if len(page) < _PAGE:
                self._high = max(self._high, settled)
                return late, True
            if self._is_late(begun):
                return late, False
            above = page[-1].event_id

    async def _count_older(self, begun: int) -> bool:
        while self._low > 0:
            page = await sql.older(self._source, self._low + 1, _PAGE)
            self._remember(page)
            self._low = page[-1].event_id - 1 if len(page) == _PAGE else 0
            if self._low and self._is_late(begun):
                return False
        return True

    def _is_late(self, begun: int) -> bool:
        return self._real_now() - begun >= self._patience

    def _remember(self, some: Sequence[Noted]) -> None:
        for noted in some:
            _add(self._groups, noted)
        self._counted += len(some)


def client_of(source: str) -> str:
    """The neighbour's name in a finding's source (`vasp:news`); user agents are one client."""
    kind, _, name = source.partition(":")
    return name if kind in _KINDS and name else HANDSETS


def _add(groups: _Groups, noted: Noted) -> None:
    client = client_of(noted.finding.source)
    key = noted.finding.rule, client
    known = groups.get(key)
    if known is None:
        at = noted.at_service
        groups[key] = Count(rule=key[0], client=client, count=1, first=at, last=at, newest=noted)
    else:
        groups[key] = known.plus(noted)
