"""Concatenation references (3GPP TS 23.040 9.2.3.24.1) that a handset cannot confuse.

Eight bits tell the messages to one number apart. Two nodes that push to one number at once must never use the same one:
their segments come mixed, and the handset joins a head with the other's end. So each node has every fourth reference,
and nodes that share a quarter are turns apart. A random one meets a half message, which a server left behind when it
died, once in 256 times. These follow time, so that what is sent after a restart differs from what was sent before it,
and for one number each is the next: none comes again within 64 messages of a node, nor within half a minute.
"""

from collections import OrderedDict
from typing import Final

from mmsc.clock import Clock
from mmsc.ids import Ids

_TICK_BITS: Final = 19  # of µs: half a second, less than any restart takes
_QUARTERS: Final = 4
_TURNS: Final = 16  # between the nodes of one quarter: a quarter of the 64 references that it has
_NUMBERS: Final = 10_000  # remembered; who is forgotten goes on by time


class References:
    """Gives each message to a number its reference. Nodes of different quarters never give the same; of 16 nodes none
    gives what another gives at that time, while no number gets 16 messages more than one each half second."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        """`ids` knows which node this is, once it has joined the others."""
        self._clock = clock
        self._ids = ids
        self._last: OrderedDict[str, int] = OrderedDict()

    def next(self, number: str) -> int:
        """A reference for a message to `number`: 16 bits, of which an 8-bit one takes the lower ones."""
        turn = max(self._clock.real_now() >> _TICK_BITS, self._last.get(number, 0) + 1)
        self._last[number] = turn
        self._last.move_to_end(number)
        if len(self._last) > _NUMBERS:
            self._last.popitem(last=False)
        sharing, quarter = divmod(self._ids.node, _QUARTERS)
        return (turn + _TURNS * sharing) * _QUARTERS + quarter & 0xFFFF
