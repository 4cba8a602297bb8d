"""What applications on EAIF say later about messages that they took with 202: each recipient moves once, in a unit of
its own, before the application is answered."""

from typing import Final

from mmsc.domain.message import Recipient, Route
from mmsc.domain.states import Happening
from mmsc.engine.delivery import Desk
from mmsc.engine.ports import Gone, GoneBecause
from mmsc.engine.transitions import Circumstances
from mmsc.ids import from_text
from mmsc.store import messages as sql
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
            mm_id = from_text(message_id.partition("@")[0])
        except ValueError:
            return False
        found = await sql.with_recipients(self._desk.store, mm_id)
        ours = [] if found is None else [one for one in found[1] if _is_at(vasp, one)]
        if found is None or not ours:
            return False
        desk = self._desk
        await desk.store.commit(desk.chronicle.note(trace.ApplicationAnswered(vasp, status), mm_id=mm_id))
        how = Circumstances(because=f"the application answered {status}", source=_SOURCE)
        for one in ours:
            await desk.transitions.apply(found[0], one, happening_of(status), how)
        return True


def _is_at(vasp: str, recipient: Recipient) -> bool:
    return recipient.route is Route.VASP and recipient.target == vasp
