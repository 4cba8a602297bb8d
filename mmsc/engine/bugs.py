"""For how long a task is left alone that failed by an error of ours.

What a neighbour was sent before the error is sent again after it, so the pauses grow quickly: a report that fails each
time it was delivered is told eight times in four days, and then given up. The task's own payload counts.
"""

from typing import Final

from mmsc.domain.message import TaskKind

MOST: Final = 8  # errors; then what concerns nobody's state is given up
_FIRST_SECONDS: Final = 60.0
_FACTOR: Final = 8.0
_LONGEST_SECONDS: Final = 86_400.0
_ABOUT_STATES: Final = frozenset(
    {TaskKind.NOTIFY, TaskKind.LINK, TaskKind.FORWARD, TaskKind.WATCH, TaskKind.DELIVER_MM7}
)  # they end with their MM, and only they can end it


def pause_after(errors: int, kind: TaskKind) -> float | None:
    """Seconds until a task is tried again that failed so often, None when it is given up."""
    if errors >= MOST and kind not in _ABOUT_STATES:
        return None
    return min(_FIRST_SECONDS * _FACTOR ** min(errors - 1, MOST), _LONGEST_SECONDS)
