"""Removes what is kept no longer: what lay in MMBoxes for too long, bodies, then whole MMs with all that hangs on them,
then notes without an MM.

A round runs every few minutes of service time, in small units that wait for one another: what the store takes for a
unit, the next one waits several times as long, so a busy store is left alone. Units hold a lease in the store, so one
node of many keeps house.

Never removed: an MM with a recipient that has not ended, with anything still owed (a task), within the repeat window,
or with an SMS whose receipt may still come; and no body that an MMBox shows.
"""

import asyncio
import itertools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from mmsc.clock import Clock
from mmsc.domain.instant import DAY, HOUR, MINUTE, SECOND, Instant
from mmsc.domain.message import ContentId, Interface, Mm, Recipient
from mmsc.engine.chronicle import Chronicle
from mmsc.engine.pause import real_pause
from mmsc.engine.retention_units import fitting, together
from mmsc.store import housekeeping as sql
from mmsc.store import messages
from mmsc.store import mmbox as boxes
from mmsc.store.bodies import Bodies, drop
from mmsc.store.core import Lost, Room, Statement, Store, StoreBusy, StoreUnavailable, Unit
from mmsc.trace import events as trace
from protocols.records import record

ROWS_AT_ONCE: Final = 200  # in one unit: a batch holds the event loop for its statements
FEWEST_ROWS: Final = 50
OCTETS_AT_ONCE: Final = 4 << 20  # of bodies in one unit: SQLite walks through the pages that it frees
GIVEN_BACK_AT_ONCE: Final = 256 << 10
LONG_UNIT: Final = SECOND // 20  # a unit that took longer (with its wait for the disk) is followed by a smaller one
RECEIPT_PATIENCE: Final = 30 * DAY  # an SMSC that has not told what became of an SMS by then never will
LONGEST_PAST_EXPIRY: Final = 7 * DAY  # a recipient's end is believed no later than this: another MMSC may date it
_REPEAT_MARGIN: Final = HOUR  # a repeat that is judged now was within its window a moment ago
_PAGE: Final = 50  # MMs looked at together
_SHORTEST_REST: Final = 0.01  # seconds between two units
_RESTS: Final = 4  # times what the unit took ...
_SHORT_RESTS: Final = 1  # ... or that, while the store holds more than it may
_BETWEEN_ROUNDS: Final = 0.5  # real seconds at least, however fast service time runs
_LEASE: Final = MINUTE  # real time
_FIRST_ROUND: Final = MINUTE  # after the start
_KEPT_FREE: Final = 64 << 20  # free octets that a file keeps for what comes, or a quarter of what it uses
_STRAYS_EVERY: Final = DAY
_WARNED_FOR: Final = HOUR
_log: Final = logging.getLogger(__name__)


@record(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """How long what is kept (µs after the last recipient ended; 0: for ever), and how much (octets; 0: any)."""

    bodies: int = 0
    messages: int = 0
    maximum_octets: int = 0
    warn_free_octets: int = 0
    every: int = 10 * MINUTE
    boxes: int = 0  # after it was put into an MMBox
    retrieve_grace: int = 10 * MINUTE
    repeat_window: int = DAY


class Stopped(Exception):
    """Another node keeps house, or the store is busy or away: the round ends, and what is left waits for the next."""


class Housekeeper:
    """`run` until cancelled; `round` is one sweep."""

    def __init__(
        self, store: Store, bodies: Bodies, clock: Clock, chronicle: Chronicle, policy: RetentionPolicy, *, node: str
    ) -> None:
        self._store = store
        self._bodies = bodies
        self._clock = clock
        self._chronicle = chronicle
        self._node = node
        self._rows = ROWS_AT_ONCE
        self._rests = _RESTS
        self._turned = asyncio.Event()
        self._warned_until = 0
        self._held_until = 0
        self._strays_at = clock.now() + _STRAYS_EVERY
        self._did: dict[str, int] = {}
        self.policy = policy
        self.totals = trace.StoreTidied()  # since the start

    async def run(self) -> None:
        """A round every `policy.every` of service time, until cancelled."""
        unwatch = self._clock.watch(self._turned.set)
        try:
            next_at = Instant(self._clock.now() + min(_FIRST_ROUND, self.policy.every))
            while True:
                await self._until(next_at)
                await self.round()
                next_at = Instant(self._clock.now() + self.policy.every)
                await real_pause(_BETWEEN_ROUNDS)
        finally:
            unwatch()

    async def _until(self, at: Instant) -> None:
        while True:
            self._turned.clear()
            seconds = self._clock.real_seconds_until(at)
            if seconds == 0:
                return
            try:
                async with asyncio.timeout(seconds):
                    await self._turned.wait()
            except TimeoutError:
                continue

    async def round(self) -> trace.StoreTidied:
        """One sweep; what it did. A store that is busy or away ends it early."""
        self._did, self._rests = {}, _RESTS
        policy, now = self.policy, self._clock.now()
        try:
            if policy.boxes:
                await self._entries(Instant(now - policy.boxes))
            await self._unboxed()
            if policy.bodies:
                await self._take_bodies(now, policy.bodies, None)
            if policy.messages:
                await self._messages(now, policy.messages)
                await self._notes(Instant(now - policy.messages))
            await self._sweep_objects(now)
            await self._make_room(now)
        except (Stopped, StoreBusy, StoreUnavailable) as why:
            _log.info("housekeeping stopped early: %s", why)
        done = self.done
        if self._did:
            self.totals = self.totals.plus(done)
            await self._tell(done)
        return done

    @property
    def done(self) -> trace.StoreTidied:
        """What this round, or the last, has done so far."""
        return trace.StoreTidied(**self._did)

    async def _tell(self, data: trace.StoreTidied | trace.StoreNearlyFull) -> None:
        try:
            await self._store.commit(self._chronicle.note(data))
        except (StoreBusy, StoreUnavailable):
            return  # what was done stays done

    # --- MMBoxes ---

    async def _entries(self, before: Instant) -> None:
        """Entries that were made before a time."""
        after = 0
        while page := await boxes.older(self._store, after, before, self._rows):
            after = page[-1][0]
            for entry_id, content_id, _ in (one for one in page if one[2]):
                await self._hold()
                started = self._clock.real_now()
                event = self._chronicle.event(trace.BoxDeleted(str(entry_id), "", trace.BOX_TOO_OLD))
                await self._store.commit(self._chronicle.unit(*boxes.delete(entry_id, content_id), (event,)))
                self._count(rows=1)
                await self._rest(started)
            if not page[-1][2]:
                return

    async def _unboxed(self) -> None:
        """Bodies of entries that are gone, as far as no MM has them."""
        while page := await boxes.unboxed(self._store, 0, self._rows):
            real_now = self._clock.real_now()
            gone = [drop(ContentId(one.id), real_now, elsewhere=one.elsewhere) for one in page]
            await self._commit(list(itertools.chain.from_iterable(gone)))
            self._count(bodies=len(page), octets=sum(one.octets for one in page))

    # --- bodies ---

    async def _take_bodies(self, now: Instant, age: int, octets: int | None) -> None:
        """Remove bodies of MMs that ended `age` ago, the oldest first; with `octets` no more than that much."""
        after, before = 0, Instant(now - age)
        while octets is None or octets > 0:
            page = await sql.bodies(self._store, after, before, ROWS_AT_ONCE)
            if not page:
                return
            after = page[-1].id
            going = [one for one in page if one.mm is not None and self._body_may_go(one.mm, now, age)]
            if octets is not None:
                going = [one for one in going if not one.elsewhere]  # that would make no room here
            if not going:
                await real_pause(_SHORTEST_REST)
            while going and (octets is None or octets > 0):
                batch = fitting(going, self._rows, OCTETS_AT_ONCE if octets is None else min(octets, OCTETS_AT_ONCE))
                del going[: len(batch)]
                real_now = self._clock.real_now()
                gone = [drop(ContentId(one.id), real_now, elsewhere=one.elsewhere) for one in batch]
                await self._commit([*itertools.chain.from_iterable(gone), sql.bodies_taken(batch[-1].id)])
                taken = sum(one.octets for one in batch)
                octets = None if octets is None else octets - taken
                self._count(bodies=len(batch), octets=taken)

    def _body_may_go(self, mm: sql.Standing, now: Instant, age: int) -> bool:
        still_shown = mm.shown and mm.expires_at > now
        ended = _ended(mm)
        return not mm.open and not mm.tasks and not still_shown and ended <= now - max(age, self.policy.retrieve_grace)

    # --- whole MMs ---

    async def _messages(self, now: Instant, age: int) -> None:
        after, before = 0, Instant(now - age)
        while True:
            page = await sql.old(self._store, after, before, Instant(now - RECEIPT_PATIENCE), _PAGE)
            if not page:
                return
            after = page[-1].id
            going = [one for one in page if self._mm_may_go(one, now, age)]
            if not going:
                await real_pause(_SHORTEST_REST)
            ends = await self._ends_of(going) if self._chronicle.charges else {}
            while going:
                batch = together(going, self._rows)
                if not batch:
                    batch = [await self._thin(going[0])]
                del going[: len(batch)]
                await self._drop(batch, ends)

    async def _ends_of(self, mms: Sequence[sql.OldMm]) -> dict[int, trace.MmDeleted]:
        """What charging records about the end of these MMs are made of, while they are still there."""
        found = {}
        for one in mms:
            stored = await messages.with_recipients(self._store, one.id)
            if stored is not None:
                found[one.id] = _end_of(*stored)
        return found

    def _mm_may_go(self, one: sql.OldMm, now: Instant, age: int) -> bool:
        repeatable = one.mm.submitted_at > now - self.policy.repeat_window - _REPEAT_MARGIN
        return not repeatable and not one.receipts and self._body_may_go(one.mm, now, age)

    async def _thin(self, one: sql.OldMm) -> sql.OldMm:
        """Take an MM with more rows than fit into a unit apart, piece by piece; what is left of it."""
        rows = self._rows
        for left in range(one.events, 0, -rows):
            await self._commit([sql.thin_events(one.id, rows)])
            self._count(rows=min(left, rows))
        step = max(1, rows * one.recipients // (one.recipients + one.sms or 1))
        for _ in range(0, one.recipients, step):
            await self._commit(sql.thin_recipients(one.id, step))
        self._count(rows=one.recipients + one.sms)
        return replace(one, recipients=0, events=0, sms=0)

    async def _drop(self, batch: Sequence[sql.OldMm], ends: Mapping[int, trace.MmDeleted]) -> None:
        """Each MM is a unit of its own, so that what came meanwhile keeps its MM; they share a commit."""
        await self._hold()
        before = self._clock.real_now()
        units = []
        for one in batch:
            events = [self._chronicle.event(ends[one.id], mm_id=one.id)] if one.id in ends else []
            units.append(self._chronicle.unit(*sql.drop_mm(one, before), events))
        results = await asyncio.gather(*map(self._store.commit, units))
        gone = [one for one, result in zip(batch, results, strict=True) if not isinstance(result, Lost)]
        self._count(messages=len(gone), rows=sum(one.rows for one in gone))
        await self._rest(before)

    # --- what belongs to no MM ---

    async def _notes(self, before: Instant) -> None:
        """Events about lanes, refusals and the like, and those that were written about an MM after it had gone."""
        after = 0
        while True:
            page = await sql.notes(self._store, after, before, ROWS_AT_ONCE)
            if not page:
                return
            after = page[-1][0]
            going = [event_id for event_id, has_mm in page if not has_mm]
            if not going:
                await real_pause(_SHORTEST_REST)
            for at in range(0, len(going), self._rows):
                await self._commit([sql.drop_event(one) for one in going[at : at + self._rows]])
            if going:
                self._count(rows=len(going))

    async def _sweep_objects(self, now: Instant) -> None:
        """Objects to which nobody refers any more; once a day also those that a crash left without a row."""
        if not self._bodies.are_outside:
            return
        while True:
            await self._hold()
            before = self._clock.real_now()
            swept = await self._bodies.sweep()
            if not swept:
                break
            self._count(objects=swept)
            await self._rest(before)
        if now >= self._strays_at:
            self._strays_at = now + _STRAYS_EVERY
            if strays := await self._bodies.sweep_strays():
                self._count(objects=strays)

    # --- room ---

    async def _make_room(self, now: Instant) -> None:
        """Keep the bound on octets, give back what is far too much, and say when the disk is nearly full."""
        room = await self._store.room()
        bound = self.policy.maximum_octets
        if bound and room.used > bound:
            before = self._did.get("octets", 0)
            self._rests = _SHORT_RESTS
            await self._take_bodies(now, 0, room.used - bound)
            removed = self._did.get("octets", 0) - before
            if removed < room.used - bound:
                _log.warning(
                    "the store holds %d octets more than retention.maximum_octets: what is left has not ended,"
                    " or is in an MMBox",
                    room.used - bound - removed,
                )
            room = await self._store.room()
        await self._give_back(room)
        await self._warn(room, now)

    async def _give_back(self, room: Room) -> None:
        much = room.free - max(_KEPT_FREE, room.used // 4)
        while much > 0:
            await self._hold()
            before = self._clock.real_now()
            if not await self._store.give_back(min(much, GIVEN_BACK_AT_ONCE)):
                return
            self._count(given_back=min(much, GIVEN_BACK_AT_ONCE))
            much -= GIVEN_BACK_AT_ONCE
            await self._rest(before)

    async def _warn(self, room: Room, now: Instant) -> None:
        if room.disk_free is None or room.disk_free + room.free >= self.policy.warn_free_octets:
            self._warned_until = 0
        elif now >= self._warned_until:
            self._warned_until = now + _WARNED_FOR
            _log.warning(
                "the disk of the store is nearly full: %d MB are left; without room nothing can be accepted. Free some,"
                " or lower retention.body_hours or retention.maximum_octets",
                room.disk_free >> 20,
            )
            await self._tell(trace.StoreNearlyFull(room.disk_free, room.used))

    # --- units ---

    async def _hold(self) -> None:
        """See to it that housekeeping is this node's for a while. Raises `Stopped` when it is another's."""
        if self._clock.real_now() > self._held_until - _LEASE // 2:
            await self._commit(())

    async def _commit(self, effects: Sequence[Statement]) -> None:
        before = self._clock.real_now()
        guard = sql.lease(self._node, before + _LEASE, before)
        if isinstance(await self._store.commit(Unit(guard, tuple(effects))), Lost):
            raise Stopped("another node keeps house")
        self._held_until = before + _LEASE
        await self._rest(before)

    async def _rest(self, before: Instant) -> None:
        """Leave the store to others for several times as long as it has worked for us."""
        took = self._clock.real_now() - before
        self._rows = max(FEWEST_ROWS, self._rows // 2) if took > LONG_UNIT else min(ROWS_AT_ONCE, self._rows * 2)
        await real_pause(max(_SHORTEST_REST, self._rests * took / SECOND))

    def _count(self, **what: int) -> None:
        for key, number in what.items():
            self._did[key] = self._did.get(key, 0) + number


def _ended(mm: sql.Standing) -> Instant:
    """When the last recipient ended, as far as that can be believed."""
    latest = mm.expires_at + LONGEST_PAST_EXPIRY
    return Instant(min(max(mm.ended_at or mm.submitted_at, mm.submitted_at), latest))


def _end_of(mm: Mm, recipients: Sequence[Recipient]) -> trace.MmDeleted:
    """What is told of an MM that goes."""
    system = ""
    if mm.origin.interface is Interface.MM4:
        system = mm.details.get("mm4_originator_system", "").rpartition("@")[2] or mm.origin.neighbour
    states = {str(one.state) for one in recipients}
    state = states.pop() if len(states) == 1 else ""
    return trace.MmDeleted(mm.message_id, str(mm.origin.interface), system, mm.size, state)
