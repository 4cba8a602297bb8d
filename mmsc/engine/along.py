"""What becomes durable together with a new MM, or neither: the mark of a charged reply, the move of who forwards."""

from collections.abc import Callable, Sequence
from typing import Final

from mmsc.domain.message import Mm
from mmsc.domain.refusal import RefusalReason, Refused
from mmsc.store.core import Unit
from mmsc.trace.events import Event
from protocols.records import record

Told = Callable[[Mm], Sequence[Event]]

# The guard was lost to somebody whose doing has to be looked at: nothing is refused yet, and nothing recorded.
LOOK_AGAIN: Final = Refused(RefusalReason.BUSY, "the MM is being fetched, answered or forwarded at the same time")


@record(frozen=True, slots=True)
class Along:
    """`unit` has a guard, and holds no seats. `told` are events about the pair, once the new MM is known; `lost` is the
    answer when the guard was lost, and not to a request that this one repeats."""

    unit: Unit
    told: Told
    lost: Refused
