"""The door for new MMs: how many submissions are under way at once, and how many of them of one neighbour.

Whoever has none under way is always let in, so a flood of one VASP keeps nobody out who sends one at a time; and since
commits are first come, first served, nobody waits for more than what the door lets in.
"""

from collections import Counter

from protocols.records import record


@record(frozen=True, slots=True, kw_only=True)
class DoorLimits:
    """Submissions under way at once, all together (one more for each neighbour that has none) and of one owner."""

    maximum: int = 1000
    maximum_of_one: int = 500


class Door:
    """Counts who is inside."""

    def __init__(self, limits: DoorLimits) -> None:
        self._limits = limits
        self._inside: Counter[str] = Counter()
        self.inside = 0

    def enter(self, owner: str) -> bool:
        """Let a submission in, to be followed by `leave`; False: later."""
        own = self._inside[owner]
        if own >= self._limits.maximum_of_one or (own and self.inside >= self._limits.maximum):
            return False
        self._inside[owner] = own + 1
        self.inside += 1
        return True

    def leave(self, owner: str) -> None:
        """It is stored or refused."""
        self.inside -= 1
        if self._inside[owner] > 1:
            self._inside[owner] -= 1
        else:
            del self._inside[owner]
