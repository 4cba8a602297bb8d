"""What is due next, for people who turn the clock: time, what, for whom."""

from typing import Final

from mmsc.domain.instant import Instant
from mmsc.domain.message import TaskKind
from mmsc.domain.states import RecipientState
from mmsc.store import due as sql
from mmsc.store.core import Store
from mmsc.store.due import DueTask
from protocols.records import record

COUNTED: Final = 1000  # more than so many that wait are "1,000 or more"
_REPORTS: Final = {
    TaskKind.REPORT_MM7: "DeliveryReportReq again",
    TaskKind.READ_MM7: "ReadReplyReq again",
    TaskKind.DELIVER_MM7: "DeliverReq",
    TaskKind.REPORT_MM1: "m-delivery-ind",
    TaskKind.READ_MM1: "m-read-orig-ind",
    TaskKind.CANCEL_MM1: "m-cancel-req",
    TaskKind.REPORT_MM4: "MM4_delivery_report.REQ",
    TaskKind.RES_MM4: "MM4_forward.RES",
    TaskKind.FORWARD: "MM4_forward.REQ",
    TaskKind.WATCH: "End of the wait for the peer's report",
    TaskKind.LINK: "SMS with the link",
}
S = RecipientState


@record(frozen=True, slots=True)
class Due:
    """Something that happens at `at` (service time, µs), if nothing happens before. `about` says for whom, and why it
    waits."""

    at: Instant
    what: str
    about: str
    lane: str
    mm_id: int | None


async def due_next(store: Store, after: Instant, limit: int) -> list[Due]:
    """What is due behind `after`, the first `limit`. Raises StoreUnavailable."""
    return [
        Due(one.due_at, what(one), about(one), one.lane, one.mm_id) for one in await sql.due_next(store, after, limit)
    ]


async def timers(store: Store) -> int:
    """How many tasks wait, at most `COUNTED`. Raises StoreUnavailable."""
    return await sql.waiting(store, COUNTED)


def what(task: DueTask) -> str:
    """What happens."""
    if task.kind is not TaskKind.NOTIFY:
        return _REPORTS.get(task.kind, str(task.kind))
    if task.state is S.SCHEDULED and task.due_at == task.deliver_at:
        return "Delivery time"
    if task.due_at == task.expires_at:
        return "Expiry"
    if task.fetched:
        return "Counts as retrieved: never acknowledged"
    return "Push again" if task.pushes else "submit_sm (m-notification-ind)"


def about(task: DueTask) -> str:
    """For whom, and why it waits."""
    whom = " → ".join(filter(None, (task.sender, task.address)))
    return ", ".join(filter(None, (whom or task.lane, _why(task))))


def _why(task: DueTask) -> str:
    if task.attempt and task.kind is not TaskKind.WATCH:
        return f"attempt {task.attempt + 1}"
    if task.kind is TaskKind.NOTIFY and task.state is S.NOTIFIED and not task.fetched:
        return "no GET yet"
    if task.state in (S.DEFERRED, S.LINK_SENT):
        return str(task.state).replace("_", " ")
    return f"“{task.subject[:40]}”" if task.subject else ""
