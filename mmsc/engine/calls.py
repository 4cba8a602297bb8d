"""What calls to neighbours came to: counted by kind of neighbour, for whoever asks."""

from collections import defaultdict

from mmsc.domain.durations import Durations
from mmsc.engine.ports import Outcome


class Calls:
    """Counts by the first four letters of the lane: smsc, peer, vasp."""

    def __init__(self) -> None:
        self.times: defaultdict[str, Durations] = defaultdict(Durations)
        self.outcomes: defaultdict[tuple[str, type[Outcome]], int] = defaultdict(int)

    def note(self, lane: str, outcome: Outcome, micros: int) -> None:
        """A call on this lane took so many µs of real time."""
        kind = lane[:4]
        self.times[kind].note(micros)
        self.outcomes[kind, type(outcome)] += 1
