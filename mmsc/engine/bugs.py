"""How often tasks failed by an error of ours, and for how long each is left alone then.

What a neighbour was sent before the error is sent again after it, so the pauses grow quickly: of the three days that a
report has, one that fails each time it was delivered is told seven times. Counted in memory: a server that starts anew
may be a better one.
"""

from collections import OrderedDict
from typing import Final

from mmsc.domain.message import TaskId, TaskKind

MOST: Final = 8  # errors; then what concerns nobody's state is given up
_FIRST_SECONDS: Final = 60.0
_FACTOR: Final = 8.0
_LONGEST_SECONDS: Final = 86_400.0
_REMEMBERED: Final = 1000  # tasks
_ABOUT_STATES: Final = frozenset(
    {TaskKind.NOTIFY, TaskKind.LINK, TaskKind.FORWARD, TaskKind.WATCH, TaskKind.DELIVER_MM7}
)  # they end with their MM, and only they can end it


class Bugs:
    """Counts them."""

    def __init__(self) -> None:
        self._errors: OrderedDict[TaskId, int] = OrderedDict()

    def note(self, task_id: TaskId, kind: TaskKind) -> float | None:
        """One more: seconds until the task is tried again, None when it is given up."""
        errors = self._errors.pop(task_id, 0) + 1
        if errors >= MOST and kind not in _ABOUT_STATES:
            return None
        self._errors[task_id] = errors
        if len(self._errors) > _REMEMBERED:
            self._errors.popitem(last=False)
        return min(_FIRST_SECONDS * _FACTOR ** min(errors - 1, MOST), _LONGEST_SECONDS)
