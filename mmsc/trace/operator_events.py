"""The events of what people do by hand, over console, REST or a scenario. Part of the closed list in `events.py`."""

from typing import ClassVar

from mmsc.trace.data import Data


class OperatorActed(Data, frozen=True, omit_defaults=True):
    """Somebody did something by hand about an MM, or to its recipient: `retry`, `expire` or `cancel`."""

    kind: ClassVar[str] = "operator.acted"
    action: str
    who: str  # console, rest, scenario
    task: str = ""  # the kind of the task that was made due
    lane: str = ""
