"""Events as they come back out of the store, also those of kinds that only a later version knows."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmsc.trace.data import Data
from mmsc.trace.events import Event, read_data


class Unknown(Data, frozen=True):
    """What an event of an unknown kind carries: its kind's name and its JSON."""

    name: str
    content: dict[str, Any]


def event_of(row: Sequence[Any]) -> Event:
    """The event in a row: (id, mm_id, recipient_id, task_id, at_service, at_real, kind, data)."""
    event_id, mm_id, recipient_id, task_id, at_service, at_real, kind, text = row
    data = read_data(kind, text)
    known = data if isinstance(data, Data) else Unknown(kind, dict(data))
    return Event(event_id, mm_id, recipient_id, task_id, at_service, at_real, known)


def kind_of(data: Data) -> str:
    """The name of an event's kind, known or not."""
    return data.name if isinstance(data, Unknown) else data.kind


def told(data: Data | Mapping[str, object]) -> Any:
    """What goes into JSON for people and programs."""
    return data.content if isinstance(data, Unknown) else data
