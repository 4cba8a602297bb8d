"""Why to look at a message: faults that bit it, rules that were broken, attempts that failed, repeats."""

from collections.abc import Sequence
from typing import Final

import msgspec

from mmsc.trace.events import Event
from mmsc.trace.stored import kind_of

_RETRIES: Final = frozenset(("attempt.failed", "task.given_up"))
_REPEATS: Final = frozenset(("submission.repeated",))


class Marks(msgspec.Struct, frozen=True):
    """How many of each."""

    fault: int = 0
    finding: int = 0
    retry: int = 0
    repeat: int = 0

    @property
    def any(self) -> bool:
        """Whether there is a reason at all."""
        return bool(self.fault or self.finding or self.retry or self.repeat)


def marks_of(events: Sequence[Event]) -> Marks:
    """Those of a message."""
    kinds = [kind_of(event.data) for event in events]
    return Marks(
        fault=kinds.count("fault.hit"),
        finding=kinds.count("finding.noted"),
        retry=sum(kind in _RETRIES for kind in kinds),
        repeat=sum(kind in _REPEATS for kind in kinds),
    )
