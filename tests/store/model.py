"""What a store is to its users, in dictionaries: the rows that matter, and for each verb who wins and who is lost.

It knows no SQL; the moves of a recipient are the grid of `tests/domain/test_states.py`.
"""

from dataclasses import dataclass, field
from typing import Final

from mmsc.domain.instant import Instant
from mmsc.store.tasks import Holder
from tests.domain.test_states import CELLS

_AFTER: Final = {(state, happening): after for state, happening, after in CELLS if after != "."}
_REPORTS: Final = ("report_mm7", "report_mm1", "report_mm4", "res_mm4", "read_mm7", "deliver_mm7")


@dataclass
class Recipient:
    """A row of `recipient`, as far as it changes."""

    state: str
    state_at: int
    pushes: int = 0
    fetched_at: int | None = None
    cause: str | None = None


@dataclass
class Task:
    """A row of `task`; `over`: its lease has run out."""

    mm_id: int
    recipient_id: int | None
    kind: str
    lane: str
    due_at: int
    priority: int
    payload: dict[str, str]
    attempt: int = 0
    holder: Holder | None = None
    over: bool = False

    def free(self) -> None:
        """Whoever claims it may have it."""
        self.holder, self.over = None, False


@dataclass
class Model:
    """All rows by their id."""

    mms: dict[int, bytes | None] = field(default_factory=dict)
    submitted_at: dict[int, int] = field(default_factory=dict)
    recipients: dict[int, Recipient] = field(default_factory=dict)
    tasks: dict[int, Task] = field(default_factory=dict)
    sms: dict[str, tuple[int, str, int]] = field(default_factory=dict)  # by message_id: recipient, purpose, sent at

    # --- each returns whether the unit won ---

    def submit(
        self, mm_id: int, key: bytes | None, at: int, recipients: dict[int, str], tasks: dict[int, Task]
    ) -> bool:
        """An MM with all that belongs to it; lost when its repeat key is known."""
        if key is not None and key in self.mms.values():
            return False
        self.mms[mm_id] = key
        self.submitted_at[mm_id] = at
        self.recipients |= {number: Recipient(state, at) for number, state in recipients.items()}
        self.tasks |= tasks
        return True

    def move(
        self, recipient_id: int, happening: str, at: int, cause: str, *, leaving: bool, waiting: bool = False
    ) -> bool:
        """A happening, where the grid has it; `waiting` not to those who have the MM, or are being sent it."""
        one = self.recipients[recipient_id]
        if waiting and one.fetched_at is not None:
            return False
        after = _AFTER.get((one.state, happening))
        if after is None or (leaving and after == one.state):
            return False
        if after != one.state:
            one.state, one.state_at = after, at
        one.cause = cause or None
        one.pushes += happening in ("pushed", "link_sent")
        one.fetched_at = at if happening == "fetched" else one.fetched_at
        return True

    def held(self, task_id: int, attempt: int, holder: Holder) -> Task | None:
        """The task, if this attempt of it is held by that start of a node."""
        one = self.tasks.get(task_id)
        return one if one is not None and one.holder == holder and one.attempt == attempt else None

    def claimable(self, lane: str, holder: Holder, now: int) -> list[int]:
        """Who may be claimed, in the order of serving."""

        def due(one: Task) -> bool:
            if one.holder is None:
                return one.due_at <= now
            return one.over or (one.holder.node == holder.node and one.holder.start_no < holder.start_no)

        found = [number for number, one in self.tasks.items() if one.lane == lane and due(one)]
        return sorted(found, key=lambda number: (-self.tasks[number].priority, self.tasks[number].due_at, number))

    def claim(self, task_ids: list[int], holder: Holder) -> None:
        """Lease them."""
        for number in task_ids:
            self.tasks[number].holder, self.tasks[number].over = holder, False

    def finish(self, task_id: int, attempt: int, holder: Holder) -> bool:
        """The task is done."""
        return self.held(task_id, attempt, holder) is not None and self.tasks.pop(task_id) is not None

    def put_back(self, task_id: int, attempt: int, holder: Holder, due_at: int, payload: dict[str, str]) -> bool:
        """The task waits, one attempt later."""
        one = self.held(task_id, attempt, holder)
        if one is None:
            return False
        one.free()
        one.due_at, one.attempt, one.payload = due_at, attempt + 1, payload
        return True

    # --- effects, which never lose ---

    def _of(self, recipient_id: int, *kinds: str) -> list[Task]:
        return [one for one in self.tasks.values() if one.recipient_id == recipient_id and one.kind in kinds]

    def drop_delivery(self, recipient_id: int) -> None:
        """Nothing more is brought to a recipient."""
        gone = self._of(recipient_id, "notify", "link")
        self.tasks = {number: one for number, one in self.tasks.items() if one not in gone}

    def postpone(self, recipient_id: int, due_at: int, *, only_sooner: bool) -> None:
        """Its waiting task is due then (or no later than then)."""
        for one in self._of(recipient_id, "notify"):
            if one.holder is None and (not only_sooner or one.due_at > due_at):
                one.due_at = due_at

    def redo(self, recipient_id: int, due_at: int, payload: dict[str, str]) -> bool:
        """Its task is due again with another payload; whoever holds it has lost it."""
        found = self._of(recipient_id, "notify")
        for one in found:
            one.free()
            one.due_at, one.payload, one.attempt = due_at, payload, one.attempt + 1
        return bool(found)

    def watch(self, mm_id: int, lane: str, due_at: int) -> None:
        """A forward only waits for reports."""
        for one in self.tasks.values():
            if one.mm_id == mm_id and one.lane == lane and one.kind in ("forward", "watch"):
                one.free()
                one.kind, one.due_at = "watch", due_at

    def resume(self, lane: str, now: int) -> None:
        """What only waits for another attempt is due; not what was asked to wait."""
        for one in self.tasks.values():
            again = one.lane == lane and one.holder is None and one.attempt > 0 and one.kind in _REPORTS
            if again and one.due_at > now and "asked_to_wait" not in one.payload:
                one.due_at = now

    def hand_back(self, holder: Holder) -> None:
        """What a start of a node holds is free."""
        for one in self.tasks.values():
            if one.holder == holder:
                one.free()

    def forget_repeat(self, key: bytes, before: Instant) -> None:
        """A request like an old one is new."""
        for number, known in self.mms.items():
            if known == key and self.submitted_at[number] < before:
                self.mms[number] = None

    def open_since(self, recipient_id: int, purpose: str) -> int | None:
        """The last SMS of this purpose that is not settled."""
        found = [at for owner, known, at in self.sms.values() if (owner, known) == (recipient_id, purpose)]
        return max(found, default=None)

    def earlier_report(self, recipient_id: int, task_id: int) -> int | None:
        """When the latest of the reports before this one is due."""
        found = [
            one.due_at
            for number, one in self.tasks.items()
            if one.recipient_id == recipient_id and number < task_id and one.kind in _REPORTS[:3]
        ]
        return max(found, default=None)
