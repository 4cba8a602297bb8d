"""Whose request is looked at next: so many at once, and of those that wait one VASP's after the other's.

A request of a flood costs as much to read as any other, and what was read is committed first come, first served. So
few are read before they are stored or refused that whoever comes beside a flood is behind a handful of it, not behind
all of it. Whoever has none that is looked at does not wait: what keeps all of one VASP's under way (object storage,
say) keeps nobody else. How many wait is bounded by the listener's connections and the octets in memory.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from typing import Final

AT_ONCE: Final = 128  # a batch of that many is as cheap a unit as a larger one
BESIDE: Final = 128  # more, each the only one of its owner


class Turns:
    """Let each request in by `enter`, and out by `leave`."""

    def __init__(self, at_once: int = AT_ONCE, beside: int = BESIDE) -> None:
        self._at_once = at_once
        self._most = at_once + beside
        self._of: Counter[str] = Counter()  # of each owner that are looked at
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()  # whose turn is next stands first
        self.looked_at = 0

    async def enter(self, owner: str) -> None:
        """Wait for this owner's turn."""
        if self.looked_at < self._at_once or (self.looked_at < self._most and not self._of[owner]):
            self._begin(owner)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(owner, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had its turn already
                self.leave(owner)
            raise

    def leave(self, owner: str) -> None:
        """A request that was let in is stored or refused."""
        self.looked_at -= 1
        if self._of[owner] > 1:
            self._of[owner] -= 1
        else:
            del self._of[owner]
        while self._lines and self.looked_at < self._at_once:
            self._next()

    def _begin(self, owner: str) -> None:
        self.looked_at += 1
        self._of[owner] += 1

    def _next(self) -> None:
        """Whose turn it is: those behind it are behind all others now."""
        owner, line = self._lines.popitem(last=False)
        turn = line.popleft()
        if line:
            self._lines[owner] = line
        if not turn.done():
            self._begin(owner)
            turn.set_result(None)
