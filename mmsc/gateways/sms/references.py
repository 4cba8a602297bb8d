"""Concatenation references (3GPP TS 23.040 9.2.3.24.1) that a handset cannot confuse.

Eight bits tell the messages to one number apart. A random one meets a half message, which a server left behind when it
died, once in 256 times, and the handset joins the two. These follow time, so that what is sent after a restart differs
from what was sent before it, and for one number each is the next: none comes again within 256 messages, nor within a
minute.
"""

from collections import OrderedDict
from typing import Final

from mmsc.clock import Clock

_TICK_BITS: Final = 18  # of µs: a quarter of a second, less than any restart takes
_NUMBERS: Final = 10_000  # remembered; who is forgotten goes on by time


class References:
    """Gives each message to a number its reference."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: OrderedDict[str, int] = OrderedDict()

    def next(self, number: str) -> int:
        """A reference for a message to `number`: 16 bits, of which an 8-bit one takes the lower ones."""
        reference = max(self._clock.real_now() >> _TICK_BITS, self._last.get(number, 0) + 1)
        self._last[number] = reference
        self._last.move_to_end(number)
        if len(self._last) > _NUMBERS:
            self._last.popitem(last=False)
        return reference & 0xFFFF
