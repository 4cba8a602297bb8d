"""The neighbours that a lab brings, as programs drive them: VASPs that submit and listen, the SMSC's moods; and whether
everything that was begun has come to rest.

They speak to the server over its own sockets, like anybody else; nothing here reaches past them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mmsc.domain.instant import Instant
from mmsc.engine.engine import Engine
from mmsc.lab.behaviour import Behaviour
from mmsc.lab.phones import Phones
from mmsc.lab.smsc import VirtualSmsc
from mmsc.lab.vasp_driven import DrivenVasp
from protocols.records import record
from protocols.smpp import CommandStatus, MessageState


@record(frozen=True, slots=True)
class Stillness:
    """Whether nothing is under way and nothing is due; `now` and `next_due` are service time (µs)."""

    idle: bool
    now: Instant
    next_due: Instant | None


@dataclass(slots=True, kw_only=True)
class Neighbours:
    """Those of one lab. `engines` are all MMSCs in it, the one that is looked at first."""

    engines: Sequence[Engine]
    vasps: dict[str, DrivenVasp] = field(default_factory=dict)
    smscs: dict[str, VirtualSmsc] = field(default_factory=dict)
    far_smscs: list[VirtualSmsc] = field(default_factory=list)
    phones: Phones | None = None
    numbers: Mapping[str, str] = field(default_factory=dict)  # number -> whose it is: "home", or the peer's name

    async def stillness(self) -> Stillness:
        """Raises StoreUnavailable."""
        now = self.engines[0].clock.now()
        due = [one for engine in self.engines if (one := await engine.backlog.next_due()) is not None]
        working = any(engine.lanes.in_hands for engine in self.engines)
        working = working or any(len(one.under_way) > one.sweeping for one in (*self.smscs.values(), *self.far_smscs))
        first = min(due, default=None)
        return Stillness(not working and (first is None or first > now), now, first)

    def forget(self) -> None:
        """As if the lab had just begun: nothing received, nobody in a mood."""
        for vasp in self.vasps.values():
            vasp.forget()
        if self.phones is not None:
            self.phones.reset()
        for smsc in self.smscs.values():
            smsc.behaviour = Behaviour()
            smsc.submitted.clear()


def set_mood(smsc: VirtualSmsc, told: Mapping[str, object]) -> None:
    """What an SMSC does from now on: fields of `Behaviour`, statuses by their names. Raises ValueError."""
    mood = Behaviour()
    for name, value in told.items():
        match name:
            case "statuses":
                mood.statuses.extend(map(_status, _listed(value)))
            case "numbers":
                assert isinstance(value, Mapping)
                mood.numbers = {str(number).lstrip("+"): _status(one) for number, one in value.items()}
            case "receipt_state":
                mood.receipt_state = _receipt(value)
            case _:
                setattr(mood, name, value)
    smsc.behaviour = mood


def _listed(value: object) -> Sequence[object]:
    assert isinstance(value, list | tuple)
    return value


def _status(name: object) -> CommandStatus:
    try:
        return CommandStatus[str(name)]
    except KeyError:
        raise ValueError(f"{str(name)[:40]!r} is no command_status of SMPP v3.4, as ESME_RTHROTTLED") from None


def _receipt(name: object) -> MessageState:
    try:
        return MessageState[str(name)]
    except KeyError:
        raise ValueError(f"{str(name)[:40]!r} is none of {', '.join(MessageState.__members__)}") from None
