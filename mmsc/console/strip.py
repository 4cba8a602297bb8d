"""What stands under the top bar of every page, and only when the lab is not as the world is (console.md 3)."""

from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Final

from mmsc.console.words import several, span
from mmsc.control import Control
from mmsc.domain.instant import SECOND
from protocols.records import record

_UNNOTICED_SECONDS: Final = 1.0  # the clock may be off by that and is not told of
NAMES_AT_MOST: Final = 4


@record(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that is not as usual: bold words, names with what is said of each, and where it is changed."""

    text: str
    icon: str
    icon_class: str = "fault"
    names: tuple[tuple[str, str], ...] = field(default_factory=tuple)
    link: str = ""
    link_text: str = ""


def notices(control: Control, run: str = "") -> tuple[Notice, ...]:
    """All of them; () when nothing is the matter. `run`: the page shows the messages of one test run alone."""
    found = [notice for source in SOURCES for notice in source(control)]
    if run:
        found.append(
            Notice(text="Only run", icon="flag", names=((run[:60], ""),), link="/messages", link_text="All runs")
        )
    return tuple(found)


def _clock(control: Control) -> Iterator[Notice]:
    ahead = control.clock.offset_seconds()
    state = control.clock.state
    said = [f"ahead {span(ahead * SECOND)}"] if ahead > _UNNOTICED_SECONDS else []
    said += ["paused"] if state.paused else [f"x{state.speed:g}"] if state.speed != 1 else []
    if said:
        yield Notice(
            text=f"Clock {', '.join(said)}", icon="clock", icon_class="wait", link="/faults", link_text="Clock"
        )


def _faults(control: Control) -> Iterator[Notice]:
    active = control.faults.active() if control.faults is not None else ()
    if active:
        names = tuple((one.fault.name, several(one.bitten.hits, "hit")) for one in active[:NAMES_AT_MOST])
        text = f"{several(len(active), 'fault')} on"
        yield Notice(text=text, icon="bolt", names=names, link="/faults", link_text="Faults")


def _door(control: Control) -> Iterator[Notice]:
    if not control.engine.store.available:
        yield Notice(text="Nothing is accepted: the store takes nothing", icon="door", icon_class="bad")


def _trace(control: Control) -> Iterator[Notice]:
    lost = control.captures.lost if control.captures is not None else 0
    if lost:
        yield Notice(
            text=f"The trace lost {several(lost, 'capture')}: the disk did not take them",
            icon="cross",
            icon_class="bad",
        )


def _lanes(control: Control) -> Iterator[Notice]:
    if control.engine.lanes.held and not control.engine.lanes.closing:
        yield Notice(
            text="All lanes are held: nothing leaves", icon="pause", icon_class="wait", link="/lanes", link_text="Lanes"
        )


SOURCES: Final[list[Callable[[Control], Iterator[Notice]]]] = [_faults, _clock, _door, _lanes, _trace]
