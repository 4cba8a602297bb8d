"""The reason line of a message: one or two sentences that say why it stands as it does, and what comes next."""

from collections.abc import Collection, Sequence
from typing import Final

from mmsc.domain.instant import Instant
from mmsc.domain.message import TaskKind
from mmsc.domain.states import FINAL, RecipientState
from mmsc.engine.queries.messages import Due, Seen
from mmsc.trace import sentences
from mmsc.trace.events import Event
from mmsc.trace.stored import kind_of

# What explains a message, the most telling first: the last event of the first group that is there.
_TELLING: Final = (
    ("attempt.failed", "attempt.postponed", "task.given_up"),
    ("recipient.moved", "report.delivered", "read.reported", "forward.answered", "deliver.answered"),
    ("notification.pushed", "link.sent", "forward.sent", "mm.fetched", "operator.acted"),
)
_HITS: Final = "fault.hit"


def reason_of(seen: Seen, now: Instant) -> str:
    """Why a message stands as it does. A fault that bit it is named, and when something happens next."""
    told = _telling(seen.events)
    parts = [sentences.long(told.data)] if told is not None else ["Taken, and nothing happened to it yet."]
    fault = _fault(seen.events)
    if fault:
        parts.append(f"Fault {fault} did it." if _is_failure(told) else f"Fault {fault} bit it.")
    parts.append(_next(seen, now))
    return " ".join(part for part in parts if part)


def _telling(events: Sequence[Event]) -> Event | None:
    """The event that explains it: a failure counts while nothing better came after it."""
    for event in reversed(events):
        if any(kind_of(event.data) in kinds for kinds in _TELLING[:2]):
            return event
    for event in reversed(events):
        if kind_of(event.data) in _TELLING[2]:
            return event
    return events[-1] if events else None


def _is_failure(event: Event | None) -> bool:
    return event is not None and kind_of(event.data) in _TELLING[0]


def _fault(events: Sequence[Event]) -> str:
    """The name of the last fault that bit it."""
    for event in reversed(events):
        if kind_of(event.data) == _HITS:
            return str(getattr(event.data, "fault", ""))
    return ""


def pending(due: Sequence[Due], states: Collection[RecipientState]) -> list[Due]:
    """Without the watch over a peer that has reported: it ends, and nothing happens."""
    return [one for one in due if one.kind != TaskKind.WATCH or RecipientState.RELAYED in states]


def _next(seen: Seen, now: Instant) -> str:
    """What is due; a sentence that names it already is not said twice."""
    due = pending(seen.due, {group.state for group in seen.groups})
    if not due:
        open_ones = sum(group.count for group in seen.groups if group.state not in FINAL)
        return "" if open_ones else "Nothing more is due."
    first: Due = next((one for one in due if one.under_way), due[0])
    what = sentences.work(first.kind)
    if first.under_way:
        return f"Under way now: {what}."
    if first.at <= now:
        return f"Due: {what}."
    if first.kind == TaskKind.WATCH:
        left = sentences.in_words(first.at - now)
        return f"The peer's report is awaited for {left} more, then the state is indeterminate."
    return f"Next: {what} in {sentences.in_words(first.at - now)}, at {sentences.clock_time(first.at)}."
