"""Writes the records that committed events owe into files, each exactly once.

An event that owes records puts a row into the table `cdr` in its own unit. Here such rows are read, their records are
appended to the open file, the disk is waited for, and then one unit deletes the rows and moves the file's confirmed
length (`position.py`). A crash before that unit leaves the rows, and the next start cuts the file to the confirmed
length; a crash after it leaves nothing to do. Rows may be committed in any order, by units of any age.

When the disk refuses, messages go on, `problem` says so, and the rows wait in the store.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from mmsc.cdr import position as positions
from mmsc.cdr.files import Files, FolderInUse, stem_of
from mmsc.cdr.happened import House
from mmsc.cdr.lines import CSV, JSON_LINES, Record, csv_header, csv_lines, json_lines
from mmsc.cdr.owed import happened_of, made_of
from mmsc.cdr.position import Position
from mmsc.clock import Clock
from mmsc.domain.instant import MINUTE, Instant
from mmsc.store import charging
from mmsc.store.core import Lost, Row, Store, StoreBusy, StoreUnavailable, Unit
from protocols.records import record

EVENTS_AT_ONCE: Final = 200  # in memory, in one append and in one unit
_LONGEST_PAUSE_SECONDS: Final = 60.0
_PASSES_AT_STOP: Final = 20  # what is left then is written after the next start
_WRITERS: Final[Mapping[str, Callable[[Sequence[Record]], bytes]]] = {JSON_LINES: json_lines, CSV: csv_lines}
_STOP_SECONDS: Final = 10.0  # and the same of a store that is away
_TROUBLE: Final = (StoreBusy, StoreUnavailable, OSError)
_log: Final = logging.getLogger(__name__)
T = TypeVar("T")


@record(frozen=True, slots=True, kw_only=True)
class ChargingPolicy:
    """Whose files, where, in which formats, and when the next one begins (real µs, octets). Records are looked for
    every `write_seconds`: each time costs the disk a sync."""

    house: House
    folder: Path
    endings: tuple[str, ...] = (JSON_LINES,)
    rotate_after: int = 15 * MINUTE
    rotate_octets: int = 16 << 20
    write_seconds: float = 1.0


class Stuck(Exception):
    """Events of which no record can be made fill a whole read; a version that can make them goes on."""


class TakenOver(Exception):
    """Another process took over the files of this node: this one must not touch them again."""


class Writer:
    """The one who writes the files of this node."""

    def __init__(self, store: Store, clock: Clock, policy: ChargingPolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._node = policy.house.node
        self._files = Files(policy.folder, self._node)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cdr")  # one, so that nothing overtakes an append
        self._position: Position | None = None  # None: as the store has it
        self._begun: Position | None = None  # a file of which nothing is confirmed yet
        self._unmakeable: set[int] = set()  # bounded: a read that holds nothing else is Stuck
        self._stop = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._taken_over = False
        self.problem = ""

    def start(self) -> "asyncio.Task[None]":
        """Write from now on."""
        self._running = asyncio.create_task(self._run(), name="cdr")
        return self._running

    async def close(self) -> None:
        """Write what is owed by now, and give the open file its final name; what fails is done by the next start."""
        self._stop.set()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                if self._running is not None:
                    await asyncio.gather(self._running, return_exceptions=True)
                if not self._taken_over:
                    await self.write(passes=_PASSES_AT_STOP)
                    await self.finish()
        except Exception as error:  # whatever it is, the others that stop must stop
            expected = isinstance(error, (*_TROUBLE, FolderInUse, Stuck, TakenOver))
            _log.warning("CDRs: the rest is written after the next start: %s", error, exc_info=not expected)
        finally:
            await self._do(self._files.let_go)
            self._thread.shutdown()

    async def write(self, passes: int = 1 << 30) -> int:
        """Write what is owed now; how many records that were. Raises what store and disk raise, and TakenOver."""
        count = 0
        for _ in range(passes):
            position = self._position or await self._take()
            rows = await charging.waiting(self._store, self._node, EVENTS_AT_ONCE)
            fresh = [row for row in rows if row[0] not in self._unmakeable]
            if len(rows) == EVENTS_AT_ONCE and not fresh:
                raise Stuck(f"no record can be made of the first {len(rows)} events that are owed; see the log")
            if fresh:
                count += await self._write(position, fresh)
            if self._position is not None and self._is_due(self._position):
                await self.finish()
            if not fresh or len(rows) < EVENTS_AT_ONCE:
                break
        return count

    async def finish(self) -> None:
        """Give the open file its final name, if there is one."""
        position = self._position or await self._take()
        if position.stem:
            await self._finished(position)

    async def _finished(self, position: Position) -> Position:
        await self._do(self._files.finish, position)
        closed = msgspec.structs.replace(position, stem="", octets={})
        await self._move(position, closed)
        return closed

    async def _run(self) -> None:
        pause = self._policy.write_seconds
        while not self._stop.is_set():
            try:
                await self.write()
            except TakenOver as error:
                self._taken_over = True
                self._tell(f"{error}; this one writes none any more")
                await self._stop.wait()
            except (*_TROUBLE, FolderInUse, Stuck) as error:
                self._tell(str(error))
                pause = min(max(1.0, 2 * pause), _LONGEST_PAUSE_SECONDS)
            except Exception as error:  # ours: messages go on all the same
                _log.exception("CDRs: internal error")
                self._tell(f"internal error: {error}")
                pause = _LONGEST_PAUSE_SECONDS
            else:
                self._tell("")
                pause = self._policy.write_seconds
            await self._sleep(pause)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    def _tell(self, problem: str) -> None:
        """Say once that records wait, and once that they are written again."""
        if problem and not self.problem:
            _log.error("CDRs are not written, they wait in the store: %s", problem)
        elif self.problem and not problem:
            _log.warning("CDRs are written again")
        self.problem = problem

    async def _do(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    # --- the position ---

    async def _take(self) -> Position:
        """Hold the folder, and go on from where the store says. The epoch ends all that an earlier writer, or a unit
        of ours whose outcome nobody knows, might still do."""
        await self._do(self._files.hold)
        text = await charging.position(self._store, self._node)
        if text is None:
            await self._store.commit(charging.first_position(self._node, positions.written(positions.START)))
            text = await charging.position(self._store, self._node) or positions.written(positions.START)
        before = positions.read(text)
        position = msgspec.structs.replace(before, epoch=before.epoch + 1)
        guard = charging.move_position(self._node, text, positions.written(position))
        if isinstance(await self._store.commit(Unit(guard, ())), Lost):
            raise StoreBusy("the position of the CDR files moved while it was read")
        self._position = position
        await self._forget_gone()
        whole = await self._do(self._files.settle, position)
        if position.stem and (not whole or set(position.octets) != set(self._policy.endings)):
            return await self._finished(position)
        return position

    async def _forget_gone(self) -> None:
        while ids := await charging.gone(self._store, self._node, EVENTS_AT_ONCE):
            _log.error("CDRs: %d events are gone from the store before their records were written", len(ids))
            await self._store.commit(Unit(None, tuple(charging.done(self._node, one) for one in ids)))

    async def _move(self, before: Position, after: Position, done: Sequence[int] = ()) -> None:
        """Confirm what was written."""
        guard = charging.move_position(self._node, positions.written(before), positions.written(after))
        self._position = None  # until the outcome is known
        effects = tuple(charging.done(self._node, one) for one in done)
        if isinstance(await self._store.commit(Unit(guard, effects)), Lost):
            text = await charging.position(self._store, self._node)
            if text is None or positions.read(text).epoch != before.epoch:
                raise TakenOver(f"another process writes the CDRs of node {self._node}")
            raise StoreBusy("the position of the CDR files moved by itself")
        self._position = after

    # --- records ---

    async def _write(self, position: Position, rows: Sequence[Row]) -> int:
        happened = await happened_of(self._store, rows)
        made = await self._do(made_of, happened, self._policy.house)
        self._unmakeable.update(made.unmakeable)
        records = made.records
        for number, one in enumerate(records, position.records + 1):
            extensions = one.pop("recordExtensions")
            one["localSequenceNumber"] = number
            one["recordExtensions"] = extensions
        if not records:
            await self._move(position, position, made.done)
            return 0
        here = position if position.stem else self._next(position)
        texts = {ending: _WRITERS[ending](records) for ending in self._policy.endings}
        if CSV in texts and not here.octets.get(CSV):
            texts[CSV] = csv_header() + texts[CSV]
        self._position = None  # whatever goes wrong now, the folder is looked at before the next attempt
        await self._do(self._files.append, here, texts)
        octets = {ending: here.octets.get(ending, 0) + len(text) for ending, text in texts.items()}
        after = msgspec.structs.replace(here, octets=octets, records=position.records + len(records))
        await self._move(position, after, made.done)
        return len(records)

    def _next(self, position: Position) -> Position:
        """The next file. An attempt that failed is tried again under the same name, or its file would stay."""
        if self._begun is None or self._begun.number != position.number + 1:
            now, number = self._clock.real_now(), position.number + 1
            stem = stem_of(self._node, number, now)
            self._begun = msgspec.structs.replace(position, number=number, stem=stem, opened_at=now, octets={})
        return msgspec.structs.replace(self._begun, epoch=position.epoch, records=position.records)

    def _is_due(self, position: Position) -> bool:
        """A clock that was set back behind the file's beginning ends it, too: nobody knows how old it is."""
        if not position.stem:
            return False
        age = Instant(self._clock.real_now() - position.opened_at)
        largest = max(position.octets.values(), default=0)
        return not 0 <= age < self._policy.rotate_after or largest >= self._policy.rotate_octets
