"""A node among others on one database: its name and number, its signs of life, and what follows when one is silent.

Every few seconds a node says that it lives. Who is silent for `DEAD_SECONDS` is taken for dead by whoever notices
first, and its tasks are free for all. A node that could not say so itself for that long (its database was away, it was
stopped) carries nothing out until it has looked what is still its own: its outcomes would be refused by the leases,
but its neighbours would get everything twice.
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import msgspec

from mmsc.clock import Clock
from mmsc.domain.instant import SECOND
from mmsc.domain.message import TaskId
from mmsc.engine.chronicle import Chronicle
from mmsc.engine.lanes import Lanes
from mmsc.engine.pause import real_pause
from mmsc.store import nodes
from mmsc.store import tasks as task_sql
from mmsc.store.core import Lost, Statement, Store, StoreBusy, StoreRefused, StoreUnavailable, Unit
from mmsc.store.nodes import Entered, Known
from mmsc.store.tasks import Holder
from mmsc.trace import events as trace

LEASE_SECONDS: Final = 60.0
BEAT_SECONDS: Final = 3.0
DEAD_SECONDS: Final = 10.0
_BEATS_PER_RENEWAL: Final = 6  # leases last three of these
_LOOK_SECONDS: Final = 0.5  # at a name whose last start did not say good-bye
_CHANGED_AT_ONCE: Final = 200  # tasks in one unit: a batch holds the event loop for its statements
_CLOCKS_DIFFER: Final = 1 * SECOND  # less than that is the way to the database
_log: Final = logging.getLogger(__name__)
_decode: Final = msgspec.json.Decoder(dict[str, str]).decode


class Heartbeat:
    """`enter`, then `run` until cancelled, then `leave`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        lanes: Lanes,
        chronicle: Chronicle,
        *,
        name: str,
        number: int = nodes.ANY_NUMBER,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`settings` are digests of what nodes of one database should agree about, by section."""
        self._store = store
        self._clock = clock
        self._lanes = lanes
        self._chronicle = chronicle
        self._name = name
        self._number = number
        self._settings = dict(settings or {})
        self.holder = Holder(name, 0)

    async def enter(self) -> Entered:
        """Take a start number and a node number. Raises `StoreRefused` when a node of this name lives, or when the
        number is another's."""
        await nodes.forget_old(self._store, self._name)
        entered = await self._place()
        self.holder = Holder(self._name, entered.start_no)
        if self._number not in (nodes.ANY_NUMBER, entered.number):
            if not await nodes.renumber(self._store, self._name, self._number):
                raise _taken(self._number)
            entered = Entered(entered.start_no, self._number, entered.now)
        self._set_time(entered.now)
        if self._store.shared:
            self._be_sure()
            self._compare(await nodes.known(self._store))
        return entered

    async def _place(self) -> Entered:
        settings = _encoded(self._settings)
        while True:
            mine = self._mine(await nodes.known(self._store))
            if mine is None:
                entered = await nodes.enter_new(self._store, self._name, self._number, settings)
                if entered is None:
                    self._check_numbers(await nodes.known(self._store))
            else:
                if mine.is_up and self._store.shared:
                    await self._watch(mine)
                entered = await nodes.enter_again(self._store, self._name, mine.seen_at, settings)
            if entered is not None:
                return entered

    def _mine(self, known: list[Known]) -> Known | None:
        return next((one for one in known if one.name == self._name), None)

    def _check_numbers(self, known: list[Known]) -> None:
        """Why there was no place, when it was not a node that started at the same moment."""
        numbers = {one.number for one in known if one.name != self._name}
        if self._number in numbers:
            raise _taken(self._number)
        if len(numbers) > nodes.MAXIMUM_NUMBER:
            raise StoreRefused(f"this database has {len(numbers)} nodes, and no number for another one")

    async def _watch(self, mine: Known) -> None:
        """The last start of this name did not say good-bye: look whether it lives."""
        _log.warning("node %s never stopped: waiting %g s for a sign that it runs", mine.name, DEAD_SECONDS)
        for _ in range(round(DEAD_SECONDS / _LOOK_SECONDS)):
            await real_pause(_LOOK_SECONDS)
            now = self._mine(await nodes.known(self._store))
            if now is None or not now.is_up:
                return
            if now.seen_at != mine.seen_at:
                raise StoreRefused(
                    f"a node named {mine.name} is running on this database (start {now.start_no}): give each node"
                    " its own name (--node NAME, or node.name in the settings)"
                )

    def _compare(self, known: list[Known]) -> None:
        for other in known:
            if other.name != self._name and other.is_up:
                theirs = _decode(other.settings)
                different = sorted(key for key in self._settings if theirs.get(key, "") != self._settings[key])
                if different:
                    _log.warning("node %s runs with other settings: %s", other.name, ", ".join(different))

    def agrees(self, settings: Mapping[str, str] | None) -> tuple[Statement, ...]:
        """Tell the others other digests than those of the start: effects of the unit that takes new settings over."""
        if settings is None or settings == self._settings:
            return ()
        return (nodes.agrees(self._name, self.holder.start_no, _encoded(settings)),)

    async def agreed(self, settings: Mapping[str, str] | None) -> None:
        """They are in force; who runs with others is told in the log."""
        if settings is None or settings == self._settings:
            return
        self._settings = dict(settings)
        if self._store.shared:
            with suppress(StoreBusy, StoreUnavailable):  # only the remark is lost
                self._compare(await nodes.known(self._store))

    async def run(self) -> None:
        """Until cancelled. Raises `StoreRefused` when another process runs under our name."""
        beats = 0  # since the last renewal
        while True:
            await real_pause(BEAT_SECONDS)
            beats += 1
            try:
                if self._store.shared:
                    await self.beat()
                if beats >= _BEATS_PER_RENEWAL:
                    await self.renew()
                    beats = 0
            except (StoreBusy, StoreUnavailable):
                continue  # the next one comes before the leases end

    async def beat(self) -> None:
        """Say that we live; free the tasks of who does not."""
        before = self._clock.real_now()
        rows = await self._store.commit(Unit(nodes.is_alive(self._name, self.holder.start_no), ()))
        doubtful = isinstance(rows, Lost) or before >= self._lanes.sure_until
        if isinstance(rows, Lost):
            self._lanes.sure_until = 0  # until it is known what is ours, however many beats that takes
            rows = await self._store.commit(Unit(nodes.is_back(self._name, self.holder.start_no), ()))
            if isinstance(rows, Lost):
                raise StoreRefused(f"another process runs as node {self._name} on this database: this one stops")
            _log.warning("node %s was taken for dead: what others took over meanwhile is theirs", self._name)
        now = rows[0][0]
        assert isinstance(now, int)
        if doubtful:
            await self._look_what_is_ours()
        self._set_time(now)
        self._lanes.be_sure(before + round(DEAD_SECONDS * SECOND))
        await self._bury()

    async def renew(self) -> None:
        """Hold longer what is in our hands, and nothing else: what got lost on its way here comes back by itself."""
        renewals = [
            task_sql.hold_longer(*held, self.holder, round(LEASE_SECONDS * SECOND)) for held in self._in_hands()
        ]
        for at in range(0, len(renewals), _CHANGED_AT_ONCE):
            await self._store.commit(Unit(None, tuple(renewals[at : at + _CHANGED_AT_ONCE])))

    async def leave(self) -> None:
        """Hand the leases back, so that another node (or the next start) need not wait for them to run out."""
        gone = (task_sql.hand_back(self.holder), nodes.leaves(self._name, self.holder.start_no))
        await self._store.commit(Unit(None, gone))

    def _in_hands(self) -> list[tuple[TaskId, int]]:
        return sorted(self._lanes.in_hands)  # nodes lock rows in one order

    async def _look_what_is_ours(self) -> None:
        before = set(self._lanes.in_hands)
        await self.renew()
        held = await task_sql.held_by(self._store, self.holder)
        self._lanes.drop(before - held)

    def _set_time(self, now: int) -> None:
        """Leases end on the database's clock."""
        ahead = now - self._clock.real_now()
        self._lanes.ahead = ahead if abs(ahead) > _CLOCKS_DIFFER else 0

    def _be_sure(self) -> None:
        self._lanes.be_sure(self._clock.real_now() + round(DEAD_SECONDS * SECOND))

    async def _bury(self) -> None:
        micros = round(DEAD_SECONDS * SECOND)
        for name, start_no, tasks in await nodes.silent(self._store, micros):
            if name == self._name:
                continue
            event = self._chronicle.event(trace.NodeTakenOver(name, self._name, tasks))
            guard = nodes.is_dead(name, start_no, micros)
            unit = self._chronicle.unit(guard, (task_sql.release(name, start_no),), (event,), self._lanes.look_around)
            if not isinstance(await self._store.commit(unit), Lost):
                _log.warning("node %s is dead: the %d tasks that it held are free", name, tasks)


def _encoded(settings: Mapping[str, str]) -> str:
    return msgspec.json.encode(dict(settings)).decode()


def _taken(number: int) -> StoreRefused:
    return StoreRefused(
        f"node number {number} is another node's on this database: leave node.number out, and a free one is taken"
    )
