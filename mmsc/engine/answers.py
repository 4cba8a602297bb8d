"""The task that sends a MM4 RES: the same whether it answers a forward or a delivery report."""

from mmsc.domain.instant import Instant
from mmsc.domain.message import MmId, Priority, TaskId, TaskKind
from mmsc.engine.ports import ResMm4
from mmsc.ids import Ids
from mmsc.store.tasks import TaskRow


def res_task(ids: Ids, now: Instant, res: ResMm4, mm_id: MmId | None) -> TaskRow:
    """A task of now, ahead of what else waits for the peer."""
    return TaskRow(
        id=TaskId(ids.new_id()),
        mm_id=mm_id,
        recipient_id=None,
        kind=TaskKind.RES_MM4,
        lane=f"peer:{res.peer}",
        due_at=now,
        priority=int(Priority.HIGH),
        payload={**res.payload, "born": str(now)},
        owner=f"peer:{res.peer}",
    )
