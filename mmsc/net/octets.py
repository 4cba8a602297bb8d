"""One budget for the octets that all listeners hold in memory: requests on their way in, and large answers on their way
out. Beyond it the answer is the protocol's "later", at once, and what is under way goes on."""

from typing import Final

MAXIMUM_OCTETS_IN_MEMORY: Final = 256 * 1024 * 1024


class OctetBudget:
    """Counts what is held; who took octets gives them back. `maximum` is in octets."""

    def __init__(self, maximum: int = MAXIMUM_OCTETS_IN_MEMORY) -> None:
        self.maximum = maximum
        self.held = 0

    def has_room(self, octets: int) -> bool:
        """Whether so many more would fit now. Nothing is taken: what is announced costs nothing until it comes."""
        return self.held + octets <= self.maximum

    def take(self, octets: int) -> bool:
        """Count so many more; False, and nothing is counted, when they do not fit."""
        if self.held + octets > self.maximum:
            return False
        self.held += octets
        return True

    def give(self, octets: int) -> None:
        """They are gone."""
        self.held -= octets
