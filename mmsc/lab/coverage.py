"""What a virtual SMSC keeps for handsets without coverage: until they are back, or the message's validity ends
(SMPP v3.4 5.2.16). Until then its state is ENROUTE, and its receipt waits with it."""

import re
from collections import deque
from collections.abc import Callable
from typing import Final

from mmsc.clock import host_now
from mmsc.domain.instant import SECOND, Instant
from mmsc.lab.reassembly import Received
from protocols.records import record
from protocols.smpp import DataSm, MessageState, SubmitSm

MAXIMUM_HELD: Final = 1000  # messages (segments) for one handset; then the SMSC says that its queue is full
_RELATIVE: Final = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\d\d\dR", re.ASCII)
_UNITS: Final = (365 * 86_400, 30 * 86_400, 86_400, 3600, 60, 1)  # of a relative time (SMPP v3.4 7.1.1.2)

Done = Callable[[MessageState], None]


@record(frozen=True, slots=True)
class Held:
    """A segment that waits: `message` is what it completed, None for others; `done` is told how it ended."""

    message: Received | None
    done: Done
    valid_until: Instant | None


class Coverage:
    """Which handsets are away, since when, and what waits for them. `now` is the time that validity counts in."""

    def __init__(self) -> None:
        self.now: Callable[[], Instant] = host_now
        self._since: dict[str, Instant] = {}
        self._held: dict[str, deque[Held]] = {}

    @property
    def is_holding(self) -> bool:
        """Whether anything waits for anybody."""
        return bool(self._held)

    def since(self, number: str) -> Instant | None:
        """When a handset (digits) lost coverage, None while it has it."""
        return self._since.get(number)

    def waiting(self, number: str) -> int:
        """How many whole messages wait for it."""
        return sum(one.message is not None for one in self._held.get(number, ()))

    def is_full(self, number: str) -> bool:
        """Whether no more is kept for it."""
        return number in self._since and len(self._held.get(number, ())) >= MAXIMUM_HELD

    def lose(self, number: str) -> None:
        """It is out of reach from now on."""
        self._since.setdefault(number, self.now())

    def hold(self, pdu: SubmitSm | DataSm, message: Received | None, done: Done) -> bool:
        """Keep it if its handset is away; False: it is not."""
        number = pdu.destination_addr
        if number not in self._since:
            return False
        seconds = relative_seconds(getattr(pdu, "validity_period", ""))
        until = None if seconds is None else Instant(self.now() + seconds * SECOND)
        self._held.setdefault(number, deque()).append(Held(message, done, until))
        return True

    def regain(self, number: str) -> tuple[Held, ...]:
        """It is back: what waited and is still valid, in order. What is not valid any more is told so."""
        self.expire()
        self._since.pop(number, None)
        return tuple(self._held.pop(number, ()))

    def expire(self) -> None:
        """What has waited too long is given up."""
        now = self.now()
        for number, held in tuple(self._held.items()):
            over = [one for one in held if one.valid_until is not None and one.valid_until <= now]
            kept = deque(one for one in held if one.valid_until is None or one.valid_until > now)
            if kept:
                self._held[number] = kept
            else:
                del self._held[number]
            for one in over:
                one.done(MessageState.EXPIRED)


def relative_seconds(validity_period: str) -> int | None:
    """How long a message is valid; None where that is the SMSC's affair. Absolute times are, too: our ESME writes
    none."""
    found = _RELATIVE.fullmatch(validity_period)
    if found is None:
        return None
    return sum(int(one) * unit for one, unit in zip(found.groups(), _UNITS, strict=True))
