"""Whether the server can be given work: what /readyz says."""

from collections.abc import Callable
from enum import StrEnum


class Phase(StrEnum):
    """Where the server stands in its life."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


class Readiness:
    """Its phase, and what else must hold: a check returns why not, "" when all is well."""

    def __init__(self) -> None:
        self.phase = Phase.STARTING
        self._checks: dict[str, Callable[[], str]] = {}

    def add(self, name: str, check: Callable[[], str]) -> None:
        """Not ready while `check` says why not."""
        self._checks[name] = check

    def obstacles(self) -> dict[str, str]:
        """What is not ready, and why; empty when the server is."""
        found = {} if self.phase is Phase.RUNNING else {"server": str(self.phase)}
        for name, check in self._checks.items():
            if why := check():
                found[name] = why
        return found
