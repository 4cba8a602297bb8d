"""Read reports to a VASP (TS 23.140 8.7.6): owed when its SubmitReq asked for them and a handset says what became of
the MM."""

from typing import Final

from mmsc.domain.instant import Instant
from mmsc.domain.message import Interface, Mm, Recipient, TaskId, TaskKind
from mmsc.engine.directory import Neighbours
from mmsc.ids import Ids, to_text
from mmsc.store.tasks import TaskRow
from mmsc.trace.events import Event

_NO_REPORTS: Final = "auto"  # class Auto has none (OMA-TS-MMS_ENC 7.3.27)


class ReadReports:
    """Makes the task of a ReadReplyReq."""

    def __init__(self, neighbours: Neighbours, ids: Ids) -> None:
        self._neighbours = neighbours
        self._ids = ids

    def owed(self, mm: Mm, recipient: Recipient, event: Event, *, read: bool) -> TaskRow | None:
        """The task that the event (an MM was read, or deleted unread) owes to the VASP; None for nobody else's and
        unasked ones. It waits for earlier reports about the recipient. The TransactionID is the recipient's own, so
        that a handset that says it twice at once makes a repeat."""
        vasp = self._neighbours.vasps.get(mm.origin.neighbour) if mm.origin.interface is Interface.MM7 else None
        if vasp is None or not vasp.report_url or not mm.read_report or mm.message_class.lower() == _NO_REPORTS:
            return None
        now = Instant(event.at_service)
        payload = {
            "read": "1" if read else "0",
            "date": str(now),
            "born": str(now),
            "transaction_id": f"read-{to_text(recipient.id)}",
            "in_order": "1",
        }
        task_id = TaskId(self._ids.new_id(event.at_real))
        lane, priority, owner = f"vasp:{vasp.name}", int(mm.priority), mm.origin.owner
        return TaskRow(task_id, mm.id, recipient.id, TaskKind.READ_MM7, lane, now, priority, payload, 0, owner)
