"""How long a session waits for what, and how it says that there is none (SMPP v3.4 7.2)."""

import logging
from typing import Final

from protocols.records import record

_log: Final = logging.getLogger(__name__)


@record(frozen=True, slots=True, kw_only=True)
class EsmeTimers:
    """Seconds (SMPP v3.4 7.2)."""

    connect: float = 10.0
    response: float = 10.0
    enquire_link: float = 30.0
    unbind: float = 5.0
    first_reconnect: float = 1.0
    longest_reconnect: float = 60.0


class SmscGone(Exception):
    """No session, or no answer in time. `sent` tells a request that the SMSC may have."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent


class Told:
    """What the log says of a session: once that there is none and why, and once that there is one again."""

    def __init__(self, smsc: str) -> None:
        self.about = {"neighbour": f"smsc:{smsc}"}
        self._smsc = smsc
        self._lost = False

    def lost(self, why: str) -> None:
        """There is none; tried again and again, it says so the first time."""
        if not self._lost:
            self._lost = True
            _log.warning("SMSC %s is not bound: %s", self._smsc, why, extra=self.about)

    def bound(self) -> None:
        """There is one."""
        if self._lost:
            self._lost = False
            _log.warning("SMSC %s is bound again", self._smsc, extra=self.about)
