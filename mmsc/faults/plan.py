"""Which faults are on, and whether one bites here and now.

`decide` is asked by the edges with what they know. Whom a fault meets and how its dice fall is pure (`misses`,
`drawn`): the same seed gives the same hits. Counts, and what was hit last, are kept here; nothing of it is stored.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from zlib import crc32

import msgspec

from mmsc.clock import Clock
from mmsc.faults.catalogue import checked, fault_named
from mmsc.faults.magic import Magic, MagicTable
from mmsc.faults.marks import Marks
from mmsc.faults.parameters import MATCHES, Setting
from mmsc.faults.points import NOTHING, Facts, Point
from mmsc.faults.row import Fault
from mmsc.trace.fault_events import FaultCleared, FaultHit, FaultSet
from protocols.records import record

MAXIMUM_TRANSACTIONS: Final = 10_000  # remembered for `each`, those of longest ago forgotten first
_PREFIXES: Final = ("number", "transaction")
_DRAWS: Final = 1 << 32


@record(frozen=True, slots=True)
class Hit:
    """A fault bites. `setting` has every parameter of the fault's own; `number` counts its hits from 1; `magic` is the
    end of the recipient's number that brought it about, "" for a fault that somebody switched on."""

    fault: Fault
    setting: Setting
    number: int
    facts: Facts
    magic: str = ""

    @property
    def name(self) -> str:
        """The fault's."""
        return self.fault.name

    @property
    def told(self) -> FaultHit:
        """The event."""
        facts = self.facts
        number = facts.numbers[0] if facts.numbers else ""
        return FaultHit(self.name, self.fault.interface, facts.neighbour, number, facts.operation, self.magic)

    def of(self, parameter: str) -> Any:
        """The value of a parameter of the fault's own."""
        return getattr(self.setting, parameter)


@dataclass(slots=True)
class Bitten:
    """How often a fault bit since it was set, and the last time: when (µs, real and service time), and what."""

    hits: int = 0
    at_real: int = 0
    at_service: int = 0
    mm_id: int | None = None
    exchange: int = 0


@dataclass(slots=True)
class Active:
    """A fault that is on. `expires_at` is real time (µs), 0 for never; `passed` counts what came by and was not meant,
    `missed` says why of the last one."""

    fault: Fault
    setting: Setting
    since: int
    expires_at: int
    bitten: Bitten = field(default_factory=Bitten)
    matched: int = 0
    passed: int = 0
    missed: str = ""
    from_file: bool = False
    spent: bool = False  # it bit as often as it was asked to
    each: "OrderedDict[str, int]" = field(default_factory=OrderedDict)


def misses(setting: Setting, facts: Facts) -> str:
    """Why a setting does not mean these facts, "" when it does."""
    for name in MATCHES:
        wanted = getattr(setting, name)
        if not wanted:
            continue
        seen: Sequence[str] = facts.numbers if name == "number" else (getattr(facts, name),)
        if not any(one.startswith(wanted) if name in _PREFIXES else one == wanted for one in seen):
            return f"{name} is {wanted}, seen {', '.join(filter(None, seen)) or 'none'}"[:200]
    if setting.stage and facts.stage and setting.stage != facts.stage:
        return f"stage is {setting.stage}, seen {facts.stage}"
    return ""


def meets(fault: Fault, facts: Facts) -> bool:
    """Whether a fault is about this operation at all."""
    return not fault.only or facts.operation in fault.only


def drawn(name: str, setting: Setting, number: int) -> bool:
    """Whether the dice fall for match `number` (from 1): the same for the same seed."""
    if setting.rate >= 1.0:
        return True
    return crc32(f"{name}/{setting.seed}/{number}".encode()) * 2654435761 % _DRAWS < setting.rate * _DRAWS


Told = FaultSet | FaultCleared | FaultHit
Tell = Callable[[Told, int | None], None]  # what happened, and to which MM


def _nobody(_: Told, __: int | None) -> None: ...


class Plan:
    """The faults of one server, or of one lab. Belongs to the event loop's thread. `on`: somebody has to be asked at
    all; who keeps it in `armed` is told when that changes, so that what is off costs nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._active: dict[str, Active] = {}
        self._earlier: dict[str, Bitten] = {}
        self._magic: MagicTable | None = None
        self._cycles: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._armed: list[Callable[[bool], None]] = []
        self._watchers: list[Callable[[], None]] = []
        self.tell: Tell = _nobody
        self.marks = Marks()
        self.on = False

    # --- switches ---

    def set(self, name: str, setting: Setting | None = None, *, from_file: bool = False) -> Active:
        """Switch a fault on, or change it; its count begins anew. Raises UnknownFault, WrongParameter."""
        given = setting or Setting()
        whole = checked(name, given)
        now = self._clock.real_now()
        expires_at = now + round(given.expires_after_seconds * 1_000_000) if given.expires_after_seconds else 0
        made = Active(fault_named(name), whole, now, expires_at, from_file=from_file)
        self._active[name] = made
        told = tuple((key, str(value)) for key, value in parameters_of(given).items())
        self.tell(FaultSet(name, told, expires_at), None)
        self._changed()
        return made

    def clear(self, name: str | None = None, *, because: str = "") -> tuple[str, ...]:
        """Switch one off, or all; the names of those that were on. Raises UnknownFault."""
        if name is not None:
            fault_named(name)
        gone = tuple(one for one in self._active if name in (None, one))
        for one in gone:
            active = self._active.pop(one)
            self._earlier[one] = active.bitten
            self.tell(FaultCleared(one, because, active.bitten.hits), None)
        if gone:
            self._changed()
        return gone

    def take_over(self, wanted: Mapping[str, Setting]) -> None:
        """Those of the settings file, from now on: what stood in it before and stands there no more goes off; what
        somebody switched on otherwise stays as it is."""
        for name in [one for one, active in self._active.items() if active.from_file and one not in wanted]:
            self.clear(name, because="it left the settings")
        for name, setting in wanted.items():
            active = self._active.get(name)
            if active is None or active.setting != checked(name, setting):
                self.set(name, setting, from_file=True)

    def enchant(self, magic: MagicTable | None) -> None:
        """Magic numbers from now on, None for none."""
        self._magic = magic
        self._changed()

    def arm(self, armed: Callable[[bool], None]) -> None:
        """Be told whether anything may bite, now and whenever that changes."""
        self._armed.append(armed)
        armed(self.on)

    def watch(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call `on_change` when a fault was set, cleared or bit; returns the way to stop that."""
        self._watchers.append(on_change)
        return lambda: self._watchers.remove(on_change) if on_change in self._watchers else None

    def _changed(self) -> None:
        on = bool(self._active) or self._magic is not None
        if on is not self.on:
            self.on = on
            for armed in self._armed:
                armed(on)
        self._say()

    def _say(self) -> None:
        for on_change in tuple(self._watchers):
            on_change()

    # --- looking ---

    @property
    def magic(self) -> MagicTable | None:
        """The magic numbers, None when they are off."""
        return self._magic

    def active(self) -> tuple[Active, ...]:
        """Those that are on, in the order in which they were set."""
        self._expire()
        return tuple(self._active.values())

    def bitten(self, name: str) -> Bitten:
        """How often a fault bit since it was last set."""
        active = self._active.get(name)
        return self._earlier.get(name, Bitten()) if active is None else active.bitten

    def outcome(self, number: str) -> Magic | None:
        """What the end of a number stands for, None for an ordinary one."""
        return None if self._magic is None else self._magic.of(number)

    def concerns(self, octets: bytes) -> bool:
        """Whether a request can be meant at all, before it is read: a fault is on, or it may name a magic number."""
        return bool(self._active) or (self._magic is not None and self._magic.mentioned_in(octets))

    # --- biting ---

    def decide(self, point: Point, facts: Facts = NOTHING) -> Hit | None:
        """Whether a fault bites at a point: the first one that was set and means these facts, else what a magic number
        among them stands for. A hit is counted; say `note` when it is known what it hit."""
        if self._active:
            self._expire()
            for active in tuple(self._active.values()):
                if active.fault.point is point and not active.spent and meets(active.fault, facts):
                    hit = self._decide(active, facts)
                    if hit is not None:
                        return hit
        return None if self._magic is None else self._by_number(self._magic, point, facts)

    def note(self, hit: Hit, mm_id: int | None = None, exchange: int = 0, *, silently: bool = False) -> None:
        """What a hit hit: an event of the MM, where that is known; `silently`: none. Once for each hit."""
        mm_id = hit.facts.mm_id if mm_id is None else mm_id
        active = self._active.get(hit.name)
        bitten = self._earlier.get(hit.name) if active is None else active.bitten
        if bitten is not None and not hit.magic:
            bitten.mm_id, bitten.exchange = mm_id or bitten.mm_id, exchange or bitten.exchange
        if not silently:
            self.tell(hit.told, mm_id)
        if active is not None and active.spent:
            self.clear(hit.name, because="that was asked for")
        self._say()

    def _decide(self, active: Active, facts: Facts) -> Hit | None:
        setting = active.setting
        missed = misses(setting, facts)
        if missed:
            active.passed += 1
            active.missed = missed
            return None
        active.matched += 1
        if not drawn(active.fault.name, setting, active.matched) or not self._is_due(active, facts):
            return None
        bitten = active.bitten
        bitten.hits += 1
        moment = self._clock.moment()
        bitten.at_real, bitten.at_service, bitten.mm_id, bitten.exchange = moment.real, moment.service, None, 0
        hit = Hit(active.fault, setting, bitten.hits, facts)
        if setting.times and bitten.hits >= setting.times:
            active.spent = True
        return hit

    def _is_due(self, active: Active, facts: Facts) -> bool:
        """Whether one more hit of the same transaction is wanted."""
        if not active.setting.each:
            return True
        key = facts.transaction or (facts.numbers[0] if facts.numbers else "")
        count = active.each.pop(key, 0) + 1
        active.each[key] = count
        if len(active.each) > MAXIMUM_TRANSACTIONS:
            active.each.popitem(last=False)
        return count <= active.setting.each

    def _by_number(self, table: MagicTable, point: Point, facts: Facts) -> Hit | None:
        for number in facts.numbers:
            magic = table.of(number)
            for name, given in magic.faults if magic is not None else ():
                fault = fault_named(name)
                if (
                    fault.point is not point
                    or not meets(fault, facts)
                    or misses(given, replace(facts, numbers=(number,)))
                ):
                    continue
                if self._in_turn(name, facts.transaction or number, given.each):
                    assert magic is not None
                    return Hit(fault, checked(name, given), 1, facts, magic.ending)
        return None

    def _in_turn(self, name: str, key: str, each: int) -> bool:
        """A magic number's fault bites `each` times, then lets one through, and so on: the next test begins anew."""
        if not each:
            return True
        count = self._cycles.pop((name, key), 0) + 1
        if count <= each:
            self._cycles[name, key] = count
        if len(self._cycles) > MAXIMUM_TRANSACTIONS:
            self._cycles.popitem(last=False)
        return count <= each

    def _expire(self) -> None:
        now = self._clock.real_now()
        for name, active in tuple(self._active.items()):
            if active.expires_at and now >= active.expires_at:
                self.clear(name, because="its time was over")


def parameters_of(setting: Setting) -> dict[str, object]:
    """What is said in a setting, as JSON and TOML write it."""
    found: dict[str, object] = msgspec.to_builtins(setting)
    return found
