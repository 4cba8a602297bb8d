"""Faults as people switch them: the catalogue, what is on, what was hit; and the events of all that, written beside.

An event of a hit is a commit of its own. Those that come faster than the store takes them wait, `MAXIMUM_WAITING` at
most; more of them are counted with their fault and have no event.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from mmsc.clock import Clock
from mmsc.domain.instant import SECOND
from mmsc.engine.away import STORE_AWAY
from mmsc.engine.chronicle import Chronicle
from mmsc.engine.notes import Notes
from mmsc.faults.catalogue import FAULTS, MATCHED, UnknownFault, WrongParameter, fault_named
from mmsc.faults.magic import ROWS, Magic
from mmsc.faults.parameters import DOSES, MATCHES, Kind, Parameter, Setting
from mmsc.faults.plan import Active, Bitten, Plan, Told, parameters_of
from mmsc.faults.points import Group
from mmsc.faults.row import Fault
from mmsc.faults.toml import as_config
from protocols.records import record

MAXIMUM_WAITING: Final = 10_000
AT_ONCE: Final = 100  # events in one unit
NO_MATCH_SECONDS: Final = 60


@record(frozen=True, slots=True, kw_only=True)
class FaultView:
    """A fault as it stands: `setting` None for off; `bitten` of this time, or of the last time it was on. `hint` says
    why it had no hits for a while though something came by."""

    fault: Fault
    setting: Setting | None
    bitten: Bitten
    expires_at: int = 0
    since: int = 0
    from_file: bool = False
    hint: str = ""

    @property
    def is_on(self) -> bool:
        """Whether it is on."""
        return self.setting is not None

    @property
    def matches(self) -> tuple[str, ...]:
        """By what it may be told whom it meets."""
        return MATCHED[self.fault.point]

    @property
    def said(self) -> str:
        """What was said about it that is not as it would be anyway, in a line."""
        return described(self.fault, self.setting) if self.setting is not None else _by_default(self.fault)


class Faults:
    """Of one server. `run` until cancelled writes the events."""

    def __init__(self, plan: Plan, clock: Clock, chronicle: Chronicle, notes: Notes) -> None:
        self.plan = plan
        self._clock = clock
        self._chronicle = chronicle
        self._notes = notes
        self._waiting: asyncio.Queue[tuple[Told, int | None]] = asyncio.Queue(maxsize=MAXIMUM_WAITING)
        self._version = 0
        plan.tell = self._told
        plan.watch(self._changed)

    @property
    def version(self) -> int:
        """Another number whenever something changed or was hit: for pages that look again."""
        return self._version

    def catalogue(self) -> tuple[FaultView, ...]:
        """All faults, in the catalogue's order."""
        on = {active.fault.name: active for active in self.plan.active()}
        return tuple(self._view(fault, on.get(fault.name)) for fault in FAULTS)

    def groups(self) -> list[tuple[Group, list[FaultView]]]:
        """The catalogue by its headings."""
        found: dict[Group, list[FaultView]] = {}
        for view in self.catalogue():
            found.setdefault(view.fault.group, []).append(view)
        return list(found.items())

    def active(self) -> tuple[FaultView, ...]:
        """Those that are on, in the order in which they were set."""
        return tuple(self._view(active.fault, active) for active in self.plan.active())

    def one(self, name: str) -> FaultView:
        """Raises UnknownFault."""
        fault = fault_named(name)
        return self._view(fault, next((one for one in self.plan.active() if one.fault is fault), None))

    def set(self, name: str, setting: Setting | None = None) -> FaultView:
        """Switch one on, or change it. Raises UnknownFault, WrongParameter."""
        active = self.plan.set(name, setting)
        return self._view(active.fault, active)

    def clear(self, name: str | None = None) -> tuple[str, ...]:
        """Switch one off, or all: those that were on. Raises UnknownFault."""
        return self.plan.clear(name)

    def config(self) -> str:
        """Those that are on as tables of a settings file."""
        return as_config((active.fault.name, active.setting) for active in self.plan.active())

    @property
    def prefix(self) -> str:
        """What magic numbers begin with, "" where there are none."""
        return "" if self.plan.magic is None else self.plan.magic.prefix

    def magic(self) -> tuple[tuple[Magic, str], ...]:
        """The table of magic numbers, each with an example; () where they are off."""
        table = self.plan.magic
        return () if table is None else tuple((one, table.example(one)) for one in ROWS)

    async def run(self) -> None:
        """Write what happened, until cancelled."""
        while True:
            told = [await self._waiting.get()]
            while len(told) < AT_ONCE and not self._waiting.empty():
                told.append(self._waiting.get_nowait())
            events = [self._chronicle.event(data, mm_id=mm_id) for data, mm_id in told]
            try:
                await self._notes.write(events)
            except STORE_AWAY:
                continue  # a fault may be the reason; its hits are counted all the same

    def watch(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call `on_change` when something was set, cleared or hit; returns the way to stop that."""
        return self.plan.watch(on_change)

    def _told(self, data: Told, mm_id: int | None) -> None:
        if not self._waiting.full():
            self._waiting.put_nowait((data, mm_id))

    def _changed(self) -> None:
        self._version += 1

    def _view(self, fault: Fault, active: Active | None) -> FaultView:
        if active is None:
            return FaultView(fault=fault, setting=None, bitten=self.plan.bitten(fault.name))
        return FaultView(
            fault=fault,
            setting=active.setting,
            bitten=active.bitten,
            expires_at=active.expires_at,
            since=active.since,
            from_file=active.from_file,
            hint=self._hint(active),
        )

    def _hint(self, active: Active) -> str:
        waited = self._clock.real_now() - active.since >= NO_MATCH_SECONDS * SECOND
        if active.bitten.hits or active.matched or not active.passed or not waited:
            return ""
        return f"no match so far: {active.missed}"


def described(fault: Fault, setting: Setting) -> str:
    """What a setting says, in a line: its fault's own parameters, then whom it meets, then how often."""
    own = ", ".join(
        _own(one, getattr(setting, one.name)) for one in fault.parameters if getattr(setting, one.name) != ""
    )
    whom = ", ".join(f"{name} {getattr(setting, name)}" for name in MATCHES if getattr(setting, name))
    doses = [f"{setting.rate:.0%}".replace("%", " %")] if setting.rate < 1 else []
    doses += [f"seed {setting.seed}"] if setting.seed else []
    doses += [f"{setting.times} times"] if setting.times else []
    doses += [f"{setting.each} of each"] if setting.each else []
    doses += [f"after {setting.delay_seconds:g} s"] if setting.delay_seconds else []
    return "; ".join(filter(None, (own, whom, ", ".join(doses))))


def _by_default(fault: Fault) -> str:
    return ", ".join(_own(one, one.default) for one in fault.parameters if one.default != "")


def _own(parameter: Parameter, value: object) -> str:
    shown, unit = parameter.shown(value), _UNITS.get(parameter.name)
    return f"{shown}{unit}" if unit else f"{parameter.name.replace('_', ' ')} {shown}"


_UNITS: Final = {"seconds": " s", "octets": " octets"}

__all__ = [
    "DOSES",
    "FaultView",
    "Faults",
    "Group",
    "Kind",
    "Setting",
    "UnknownFault",
    "WrongParameter",
    "described",
    "parameters_of",
]
