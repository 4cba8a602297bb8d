"""What is the same for all recipients of an MM is made once: they hear of it, and fetch it, within seconds."""

from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

from mmsc.domain.message import Mm, MmId

T = TypeVar("T")
_REMEMBERED: Final = 64


def is_for_one(mm: Mm) -> bool:
    """Whether an MM seems to have one recipient alone: then nothing is made for others. Those in Bcc are not seen."""
    return len(mm.shown_to) == 1


class OncePerMm(Generic[T]):
    """What was made of the last MMs, for one of their recipients."""

    def __init__(self) -> None:
        self._made: dict[tuple[MmId, Hashable], tuple[Mm, T]] = {}

    def of(self, mm: Mm, variant: Hashable, make: Callable[[], T]) -> T:
        """What is made of this MM (not of one that it replaces), in this variant: now, or for another recipient."""
        known = self._made.get((mm.id, variant))
        if known is not None and known[0] is mm:
            return known[1]
        made = make()
        self._made[mm.id, variant] = (mm, made)
        if len(self._made) > _REMEMBERED:
            del self._made[next(iter(self._made))]
        return made
