"""What an operator did to a lane."""

from typing import ClassVar

from mmsc.trace.data import Data


class LaneActed(Data, frozen=True, omit_defaults=True):
    """Somebody stopped a lane, let it go, or had it try now."""

    kind: ClassVar[str] = "lane.acted"
    lane: str
    what: str  # stop, go, retry, drop_back_off
    who: str  # console, rest, scenario
