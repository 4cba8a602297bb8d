"""The invariants. It reads the database and what neighbours saw, by means of its own: triggers tell each change of a
recipient and each report that is owed, statement by statement, and only what is committed counts.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mmsc.domain.message import Job, TaskKind
from tests.domain.test_states import CELLS, ENDS

if TYPE_CHECKING:
    from tests.simulation.node import Node

_ALLOWED: Final = {(state, after) for state, _, after in CELLS if after != "."}
_HEARD_OF_SECONDS: Final = 6.0  # the longest after a commit until its node hears of it, and of what it read before
_TRIGGERS: Final = (
    """AFTER UPDATE OF state ON main.recipient WHEN OLD.state <> NEW.state
    BEGIN SELECT w_moved(NEW.id, OLD.state, NEW.state); END""",
    "AFTER UPDATE OF fetched_at ON main.recipient BEGIN SELECT w_moved(NEW.id, OLD.state, 'fetched'); END",
    "AFTER DELETE ON main.recipient BEGIN SELECT w_gone('recipient', OLD.id, OLD.token); END",
    """AFTER DELETE ON main.mm
    BEGIN SELECT w_gone('mm', OLD.id, json_extract(OLD.details, '$.message_id')), w_run(OLD.id, OLD.run); END""",
    "AFTER DELETE ON main.mmbox BEGIN SELECT w_unboxed(OLD.token); END",
    "AFTER DELETE ON main.content BEGIN SELECT w_gone('content', OLD.id, ''); END",
    "AFTER INSERT ON main.task WHEN NEW.kind LIKE 'report%' BEGIN SELECT w_owed(NEW.recipient_id, NEW.payload); END",
)


@dataclass
class Ledger:
    """What was committed since the story began; no crash takes it away."""

    moves: list[tuple[int, str, str]] = field(default_factory=list)
    owed: defaultdict[int, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))


class Watch:
    """Looks on; `object_to` is told what must not be."""

    def __init__(self, object_to: Callable[[str], None], time: Callable[[], float]) -> None:
        self._object_to = object_to
        self._time = time
        self._served: dict[int, tuple[float, str]] = {}  # since when nothing more is brought to a recipient, and why
        self._uncommitted: list[Callable[[], None]] = []
        self._in_flight: Counter[tuple[str, str]] = Counter()
        self._tasks: Counter[tuple[int, int]] = Counter()
        self._resets: list[str] = []  # under way: of runs, "" of everything
        self.removed: dict[str, float] = {}  # names of what resets took away (Message-IDs, tokens), and when
        self.let_go: Counter[tuple[Node, str]] = Counter()  # how often an operator asked for it
        self.stopped: set[tuple[Node, str]] = set()  # lanes of which an operator was told that they are stopped
        self.ledger = Ledger()
        self.shared_work = False  # leases may have run out in somebody's hands: two nodes may carry out one task

    # --- the database ---

    def over(self, connection: sqlite3.Connection) -> None:
        """Look at what this connection does."""
        connection.create_function("w_moved", 3, self._moved)
        connection.create_function("w_gone", 3, self._gone)
        connection.create_function("w_unboxed", 1, self._unboxed)
        connection.create_function("w_run", 2, self._gone_of_run)
        connection.create_function("w_owed", 2, self._owed)
        for number, trigger in enumerate(_TRIGGERS):
            connection.execute(f"CREATE TEMP TRIGGER w_{number} {trigger}")

    def committed(self) -> None:
        """What was seen is durable."""
        seen, self._uncommitted = self._uncommitted, []
        for note in seen:
            note()

    def rolled_back(self) -> None:
        """What was seen did not happen."""
        self._uncommitted.clear()

    def _moved(self, recipient_id: int, before: str, after: str) -> None:
        self._uncommitted.append(lambda: self._note_move(recipient_id, before, after))

    def _note_move(self, recipient_id: int, before: str, after: str) -> None:
        if after == "fetched" or after in ENDS:
            self._served.setdefault(recipient_id, (self._time(), after))
        if after == "fetched":
            return
        self.ledger.moves.append((recipient_id, before, after))
        if (before, after) not in _ALLOWED:
            self._object_to(f"recipient {recipient_id} moved from {before} to {after}")

    def _gone(self, table: str, row: int, name: str | None) -> None:
        self._uncommitted.append(lambda: self._note_gone(table, row, name or ""))

    def _note_gone(self, table: str, row: int, name: str) -> None:
        self.removed[name] = self.removed[str(row)] = self._time()
        if not self._resets:
            self._object_to(f"{table} {row} disappeared")

    def _unboxed(self, token: str) -> None:
        """A reset takes what lies in boxes, too; its owner may just have heard of it."""
        if self._resets:
            self._uncommitted.append(lambda: self.removed.update({token: self._time()}))

    def _gone_of_run(self, row: int, run: str | None) -> None:
        if "" not in self._resets and run not in self._resets:
            self._uncommitted.append(lambda: self._object_to(f"mm {row} of run {run} is no business of a reset"))

    @contextmanager
    def resetting(self, run: str) -> Iterator[None]:
        """What goes meanwhile may go."""
        self._resets.append(run)
        try:
            yield
        finally:
            self._resets.remove(run)

    def _owed(self, recipient_id: int, payload: str) -> None:
        self._uncommitted.append(lambda: self._note_owed(recipient_id, json.loads(payload)))

    def _note_owed(self, recipient_id: int, payload: dict[str, str]) -> None:
        owed = self.ledger.owed[recipient_id]
        owed.append(payload)
        final = [one for one in owed if one["state"] in ENDS]
        if len(final) > 1:
            self._object_to(f"{len(final)} final reports are owed about recipient {recipient_id}: {final}")
        if final and payload not in final:
            self._object_to(f"a report of {payload['state']} is owed after the final one about {recipient_id}")

    # --- the couriers ---

    def stops(self, node: "Node", lane: str) -> None:
        """An operator was told that a lane is stopped."""
        self.stopped.add((node, lane))

    def begins(self, sender: "Node", job: Job, limit: int) -> None:
        """A courier is given a job."""
        node = sender.name
        lane = (node, job.lane)
        if (sender, job.lane) in self.stopped:
            self._object_to(f"{job.kind} leaves over {job.lane} of node {node}, which is stopped")
        if job.mm is not None and self._time() - self.removed.get(str(job.mm.id), 1e9) > _HEARD_OF_SECONDS:
            self._object_to(f"{job.kind} leaves about {job.mm.message_id}, which a reset took away")
        self._in_flight[lane] += 1
        if self._in_flight[lane] > limit:
            self._object_to(f"{self._in_flight[lane]} jobs at once on {job.lane} of node {node}, its limit is {limit}")
        key = (job.task_id, job.attempt)
        self._tasks[key] += 1
        if self._tasks[key] > 1 and not self.shared_work:
            self._object_to(f"task {job.task_id} (attempt {job.attempt}) is carried out twice at once")
        if job.kind in (TaskKind.NOTIFY, TaskKind.LINK):
            at, what = self._served.get(job.recipients[0].id, (self._time(), ""))
            if self._time() - at > _HEARD_OF_SECONDS:
                self._object_to(f"{job.kind} for recipient {job.recipients[0].id}, who has ended: {what}")

    def ends(self, node: str, job: Job) -> None:
        """A courier is through with it, or died."""
        self._in_flight[node, job.lane] -= 1
        self._tasks[job.task_id, job.attempt] -= 1
