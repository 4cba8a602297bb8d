"""What is told of messages: the Structs of lists, pages and REST.

Ids are text: a JSON number of 64 bits loses its end in many a reader.
"""

from typing import Any, NewType

import msgspec

from mmsc.control.marks import Marks
from mmsc.domain.instant import Instant
from mmsc.domain.states import RecipientState

Place = NewType("Place", int)  # the id at which a page begins; REST writes it as text


class NextDue(msgspec.Struct, frozen=True):
    """What happens next of itself: when (service time, µs), and in words: from now (`again in 2 s`), and by the clock
    (`again at 14:07:44`). `under_way`: it happens now."""

    at: Instant
    words: str
    planned: str = ""
    under_way: bool = False


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One message in a list. Times are µs UTC. `last` is what happened last, `marks` why to look."""

    mm_id: str
    message_id: str
    at_service: Instant
    at_real: Instant
    sender: str
    recipients: list[str]
    recipient_count: int
    states: dict[RecipientState, int]
    subject: str
    size_octets: int
    origin: str  # interface
    neighbour: str
    path: list[str]  # interfaces, in and out
    run: str
    marks: Marks
    last: str
    next_due: NextDue | None


class MessagePage(msgspec.Struct, frozen=True, kw_only=True):
    """Some messages, newest first. `more`: the `before` of the next page, None when there is none.
    `stopped`: the search took too long and `more` goes on with it."""

    rows: list[MessageRow]
    more: Place | None = None
    stopped: bool = False
    looked_at: int = 0


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is still to be done."""

    id: str
    kind: str
    words: str
    lane: str
    due_at: Instant
    attempt: int
    under_way: bool


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Where the delivery report to the VASP stands (see `mmsc reports`)."""

    status: str
    since: Instant
    why: str
    code: str
    attempts: int
    next_attempt_at: Instant | None


class RecipientDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One recipient. `evidence` is what the decision about its handset rested on, strongest first. `can`: the actions
    that would change something now."""

    id: str
    address: str
    role: str
    route: str
    target: str
    state: RecipientState
    state_at: Instant
    cause: str
    because: str
    verdict: str
    evidence: list[str]
    pushes: int
    fetched_at: Instant | None
    transaction_id: str
    token: str
    report: Report | None
    tasks: list[Task]
    can: list[str]


class RecipientPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some recipients; `tasks` are those for all of them together. `more`: the `after` of the next page."""

    rows: list[RecipientDetail]
    tasks: list[Task] = []
    more: Place | None = None


class MessageDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `reason` says why it stands as it does, and what comes next."""

    row: MessageRow
    reason: str
    date: Instant
    deliver_at: Instant | None
    expires_at: Instant
    priority: str
    message_class: str
    delivery_report: bool
    read_report: bool
    content_type: str
    content_id: str
    foreign_id: str
    details: dict[str, str]
    recipients: list[RecipientDetail]
    tasks: list[Task]
    more_recipients: Place | None


class EventSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One event, with its sentence; `data` as it is stored."""

    id: str
    mm_id: str | None
    recipient_id: str | None
    task_id: str | None
    at_service: Instant
    at_real: Instant
    kind: str
    sentence: str
    short: str
    data: Any
