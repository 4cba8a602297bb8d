"""What applications on EAIF say later about messages that they took with 202: each recipient moves once, in a unit of
its own, before the application is answered."""

from typing import Final

from mmsc.domain.message import MmId, on_lane
from mmsc.domain.states import FINAL, Happening, RecipientState
from mmsc.engine.delivery import Desk
from mmsc.engine.ports import Gone, GoneBecause
from mmsc.engine.transitions import Circumstances
from mmsc.ids import from_text
from mmsc.store import messages as sql
from mmsc.store import tasks as task_sql
from mmsc.store.core import StoreBusy, StoreUnavailable
from mmsc.trace import events as trace

_SOURCE: Final = "EAIF"


def happening_of(status: int) -> Happening:
    """What an X-NOKIA-MMSC-Status means for the recipients."""
    if 200 <= status < 300:
        return Happening.RETRIEVED
    return Happening.REJECTED if 400 <= status < 500 else Happening.UNDELIVERABLE


class ApplicationNews:
    """Implements `ports.ApplicationAnswers`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def application_answered(self, vasp: str, message_id: str, *, status: int) -> bool | Gone:
        """An asynchronous answer; returns after the commit."""
        try:
            return await self._heed(vasp, message_id, status)
        except (StoreBusy, StoreUnavailable):
            return Gone(GoneBecause.STORE_AWAY)

    async def _heed(self, vasp: str, message_id: str, status: int) -> bool:
        try:
            mm_id = MmId(from_text(message_id.partition("@")[0]))
        except ValueError:
            return False
        desk, lane = self._desk, f"vasp:{vasp}"
        found = await sql.with_recipients(desk.store, mm_id)
        ours = on_lane(lane, () if found is None else found[1])
        if found is None or not any(one.state is not RecipientState.SCHEDULED for one in ours):
            return False  # nothing of this id went to it yet
        await desk.store.commit(desk.chronicle.note(trace.ApplicationAnswered(vasp, status), mm_id=mm_id))
        because = f"the application answered {status}"
        how = Circumstances(
            because=because,
            text="" if 200 <= status < 300 else because,
            source=_SOURCE,
            also=await self._told(mm_id, lane, status),
        )
        for one in ours:
            if one.state not in FINAL:
                await desk.transitions.apply(found[0], one, happening_of(status), how)
        await desk.store.commit(desk.chronicle.unit(None, (task_sql.drop_answered(mm_id, lane),), ()))
        return True

    async def _told(self, mm_id: MmId, lane: str, status: int) -> tuple[trace.Data, ...]:
        """What the trace has of every answer to a message for a VASP; nothing when none is owed any more."""
        task = await task_sql.delivery_to(self._desk.store, mm_id, lane)
        if task is None:
            return ()
        payload, attempt = task
        taken = 200 <= status < 300
        vasp, note = lane.removeprefix("vasp:"), f"X-NOKIA-MMSC-Status {status}"
        ids = payload.get("linked_id", ""), payload.get("transaction_id", "")
        return (trace.DeliverAnswered(vasp, attempt + 1, taken, 0, note, "", *ids),)
