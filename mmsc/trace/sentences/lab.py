"""Sentences of what the lab does on purpose: faults, and the clock that is turned."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from mmsc.domain.instant import DAY, HOUR, MINUTE, SECOND
from mmsc.trace import events as trace
from mmsc.trace.sentences.words import Words, clock_time, with_reason

_UNITS: Final = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"))


def _set(data: trace.FaultSet) -> Words:
    how = ", ".join(f"{name} {value}" for name, value in data.parameters)
    return f"fault {data.fault} on", with_reason(f"Fault {data.fault} was switched on", how)


def _cleared(data: trace.FaultCleared) -> Words:
    told = f"Fault {data.fault} was switched off after {data.hits} hit{'' if data.hits == 1 else 's'}"
    return f"fault {data.fault} off", with_reason(told, data.because)


def _hit(data: trace.FaultHit) -> Words:
    met = data.operation or data.interface
    whom = data.neighbour or data.number
    why = f"the number ends in {data.magic}" if data.magic else ""
    told = f"Made on purpose: {data.fault} met {met}" + (f" of {whom}" if whom else "")
    return f"fault {data.fault}", with_reason(told, why)


def _clock(data: trace.ClockChanged) -> Words:
    now = clock_time(data.service)
    how = data.how.rstrip(".")
    told = f"The clock was turned ({how}): it shows {now}"
    jumped = f", {_span(data.jumped)} further" if data.jumped else ""
    return f"clock: {how}", f"{told}{jumped}"


def _span(micros: int) -> str:
    size, name = next(((size, name) for size, name in _UNITS if micros >= size), _UNITS[-1])
    return f"{micros / size:.3g} {name}"


LAB: Final[Mapping[type, Callable[[Any], Words]]] = {
    trace.FaultSet: _set,
    trace.FaultCleared: _cleared,
    trace.FaultHit: _hit,
    trace.ClockChanged: _clock,
}
