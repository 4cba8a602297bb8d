"""Begins again: takes away all MMs, or those of one run, with their recipients, tasks and events.

What waits in memory is dropped first. What is being carried out ends by its guard: its task is gone, so nothing of it
is written but a note. A submission that is being stored meanwhile comes before or after, whole.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from mmsc.domain.message import MmId
from mmsc.engine.delivery import Desk
from mmsc.engine.submit import Submitter
from mmsc.ids import Ids
from mmsc.store import mmbox as box_sql
from mmsc.store import resetting as sql
from mmsc.store.core import Unit
from protocols.records import record

_AT_ONCE: Final = 100  # MMs in one unit: a batch holds the event loop for its statements
_AT_ONCE_SHARED: Final = 20  # where other nodes may wait for the same rows
_NOTES_AT_ONCE: Final = 500


@record(frozen=True, slots=True)
class Taken:
    """What was taken away; of a run also the MMs' ids."""

    messages: int
    boxed: int = 0
    ids: frozenset[int] = frozenset()


class Resetter:
    """Of one engine."""

    def __init__(self, desk: Desk, submit: Submitter, ids: Ids) -> None:
        self._desk = desk
        self._submit = submit
        self._ids = ids

    async def everything(self) -> Taken:
        """All MMs, what is kept in MMBoxes, and the events of lanes and nodes. Neighbours stay, and so do the
        clock and the identifiers: none is given out twice. Raises `StoreUnavailable` and `StoreBusy`."""
        up_to = self._ids.new_id()
        boxed = await self._boxes()
        messages = await self._mms(up_to)
        after = 0
        while ids := await sql.notes(self._desk.store, after, up_to, _NOTES_AT_ONCE):
            await self._desk.store.commit(Unit(None, sql.take_notes_away(ids)))
            after = ids[-1]
        self._submit.forget()
        return Taken(messages, boxed)

    async def of_run(self, run: str) -> Taken:
        """The MMs of one run. Raises `StoreUnavailable` and `StoreBusy`."""
        ids: set[int] = set()
        messages = await self._mms(self._ids.new_id(), run, ids.update)
        return Taken(messages, ids=frozenset(ids))

    async def _mms(self, up_to: int, run: str = "", told: Callable[[Iterable[int]], None] = lambda _: None) -> int:
        """How many went. Again until there are none: one that is stored meanwhile may have an id from before."""
        count = 0
        while gone := await self._pass(up_to, run, told):
            count += gone
        return count

    async def _pass(self, up_to: int, run: str, told: Callable[[Iterable[int]], None]) -> int:
        store = self._desk.store
        count = after = 0
        limit = _AT_ONCE_SHARED if store.shared else _AT_ONCE
        while mms := await sql.page(store, after, up_to, limit, run):
            ids = [mm_id for mm_id, _ in mms]
            self._let_go(ids)
            await store.commit(Unit(None, sql.take_away(mms, self._desk.clock.real_now())))
            self._let_go(ids)  # what was handed over meanwhile
            self._desk.recent.forget_all()
            told(ids)
            count += len(mms)
            after = ids[-1]
        return count

    def _let_go(self, mm_ids: Iterable[int]) -> None:
        self._desk.lanes.let_go(frozenset(map(MmId, mm_ids)))

    async def _boxes(self) -> int:
        store = self._desk.store
        count = after = 0
        while entries := await sql.boxed(store, after, _AT_ONCE):
            await asyncio.gather(*(store.commit(Unit(*box_sql.delete(*entry))) for entry in entries))
            count += len(entries)
            after = entries[-1][0]
        return count
