"""Whose request is looked at next: so many at once, and of those that wait one neighbour's after the other's.

A request of a flood costs as much to read as any other, and what was read is committed first come, first served. So
few are read before they are stored or refused that whoever comes beside a flood is behind a handful of it, not behind
all of it. Whoever has none that is looked at does not wait: what keeps all of one neighbour's under way (object
storage, say) keeps nobody else. How many wait is bounded by the listeners' connections and the octets in memory; whose
client hangs up waits no longer.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from typing import Final

AT_ONCE: Final = 128  # a batch of that many is as cheap a unit as a larger one
OCTETS_AT_ONCE: Final = 48 * 1024 * 1024  # of their bodies: less than may wait for the store
BESIDE: Final = 128  # more, each the only one of its owner
SUBSCRIBERS: Final = ""  # all of them are one owner

_Entry = tuple["asyncio.Future[bool]", int]  # whether it is its turn, and how long its body is


class Turns:
    """Let each request in by `enter`, and out by `leave`."""

    def __init__(self, at_once: int = AT_ONCE, beside: int = BESIDE, octets: int = OCTETS_AT_ONCE) -> None:
        self._most, self._most_beside, self._most_octets = at_once, beside, octets
        self._octets = 0
        self._of: Counter[str] = Counter()  # of each owner that are looked at
        self._beside: set[str] = set()  # owners one of whose has no part in `at_once`
        self._lines: OrderedDict[str, deque[_Entry]] = OrderedDict()  # whose turn is next stands first
        self._closed = False
        self.looked_at = 0

    async def enter(self, owner: str, octets: int = 0, gone: "asyncio.Future[None] | None" = None) -> bool:
        """Wait for this owner's turn. False: later, because the server stops, or because the client is `gone`."""
        if owner not in self._lines and self._may_begin(owner, octets):
            self._begin(owner, octets)
            return True
        if self._closed:
            return False
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        entry = (turn, octets)
        self._lines.setdefault(owner, deque()).append(entry)

        def hung_up(_: object) -> None:
            if not turn.done():
                turn.set_result(False)

        if gone is not None:
            gone.add_done_callback(hung_up)
        try:
            begun = await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.result():  # it had its turn already
                self.leave(owner, octets)
            else:
                self._strike(owner, entry)
            raise
        finally:
            if gone is not None:
                gone.remove_done_callback(hung_up)
        if not begun:
            self._strike(owner, entry)
        return begun

    def leave(self, owner: str, octets: int = 0) -> None:
        """A request that was let in is stored or refused."""
        self.looked_at -= 1
        self._octets -= octets
        self._beside.discard(owner)
        if self._of[owner] > 1:
            self._of[owner] -= 1
        else:
            del self._of[owner]
        while self._lines and self._next(next(iter(self._lines))):
            pass
        if owner in self._lines and not self._of[owner]:  # then it may have one beside the others
            self._next(owner)

    async def close(self) -> None:
        """The server stops: what is looked at is served, and who waits is told later."""
        self._closed = True
        for line in self._lines.values():
            for turn, _ in line:
                if not turn.done():
                    turn.set_result(False)

    def _has_room(self, octets: int) -> bool:
        return self.looked_at - len(self._beside) < self._most and self._octets + octets <= self._most_octets

    def _may_begin(self, owner: str, octets: int) -> bool:
        return self._has_room(octets) or (not self._of[owner] and len(self._beside) < self._most_beside)

    def _begin(self, owner: str, octets: int) -> None:
        if not self._has_room(octets):
            self._beside.add(owner)
        self.looked_at += 1
        self._octets += octets
        self._of[owner] += 1

    def _next(self, owner: str) -> bool:
        """Let the first of a line in, which is behind all other lines then; False when it has to wait."""
        line = self._lines[owner]
        turn, octets = line[0]
        if not turn.done():
            if not self._may_begin(owner, octets):
                return False
            self._begin(owner, octets)
            turn.set_result(True)
        line.popleft()
        del self._lines[owner]
        if line:
            self._lines[owner] = line
        return True

    def _strike(self, owner: str, entry: _Entry) -> None:
        """It waits no longer."""
        line = self._lines.get(owner)
        if line is not None and entry in line:
            line.remove(entry)
            if not line:
                del self._lines[owner]
