"""Read reports (TS 23.140 8.1.6, 8.7.6; OMA-TS-MMS_ENC 6.6): what a handset says became of an MM, told to the
originator who asked for it. What a handset says of somebody else's MM, or in somebody else's name, is remarked and goes
no further."""

import asyncio
from typing import Final, NamedTuple

from mmsc.clock import Moment
from mmsc.domain.address import Address, NotAnAddress
from mmsc.domain.instant import Instant
from mmsc.domain.message import Interface, Mm, Recipient, TaskId, TaskKind
from mmsc.domain.reports import NO_READ_REPORT_BEFORE, NoReport, is_automatic
from mmsc.domain.states import FINAL, Happening
from mmsc.engine.delivery import Desk
from mmsc.engine.directory import Neighbours
from mmsc.engine.ports import Gone, GoneBecause, Numbers, ReadSaid
from mmsc.engine.transitions import Circumstances
from mmsc.ids import Ids, id_in, to_text
from mmsc.store import events as event_sql
from mmsc.store import messages as sql
from mmsc.store import tasks as task_sql
from mmsc.store.core import StoreBusy, StoreUnavailable
from mmsc.store.tasks import TaskRow
from mmsc.trace import events as trace

_CLAUSE: Final = "OMA-TS-MMS_ENC 6.6.1"
_TURNS: Final = 64  # read reports about as many recipients are noted at the same time
_QUOTED: Final = 100  # characters of a stranger's text in a remark


class _Way(NamedTuple):
    """How a report reaches the originator: its task's kind and lane; or why there is none."""

    kind: TaskKind | None = None
    lane: str = ""
    why_not: str = ""


class ReadReports:
    """Hears of them, and makes the task that tells the originator."""

    def __init__(self, desk: Desk, neighbours: Neighbours, ids: Ids, numbers: Numbers) -> None:
        self._desk = desk
        self._neighbours = neighbours
        self._ids = ids
        self._numbers = numbers
        self._turns = tuple(asyncio.Lock() for _ in range(_TURNS))  # a handset may say it twice at once

    async def heard(self, message_id: str, reader: Address | None, said: ReadSaid) -> bool | Gone:
        """An m-read-rec-ind; returns after the commit (see `ports.Retrieval.read_by`)."""
        try:
            return await self._heard(message_id, reader, said)
        except (StoreBusy, StoreUnavailable):
            return Gone(GoneBecause.STORE_AWAY)

    async def _heard(self, message_id: str, reader: Address | None, said: ReadSaid) -> bool:
        desk = self._desk
        if reader is None:
            await self._remark("MM1-H902", f"a read report about {message_id[:_QUOTED]} from nobody we know")
            return False
        found = await sql.told_to(desk.store, message_id, reader, id_in(message_id))
        found = found or await sql.told_to(desk.store, message_id, reader)
        if found is None:
            await self._remark("MM1-H903", f"{reader} was told of no MM {message_id[:_QUOTED]}")
            return False
        mm, recipient = found
        refused = self._why_not_believed(mm, reader, said)
        if refused is not None:
            await self._remark(*refused, mm.id, recipient.id)
            return False
        async with self._turns[recipient.id % _TURNS]:
            if not await event_sql.has(desk.store, mm.id, recipient.id, trace.MmRead.kind):  # else its 200 was lost
                await self._note(mm, recipient, said)
        return True

    def _why_not_believed(self, mm: Mm, reader: Address, said: ReadSaid) -> tuple[str, str] | None:
        """The rule that it breaks, and how: in another's name, or to somebody who did not send the MM."""
        if said.in_name_of and not self._is(said.in_name_of, reader):
            return "MM1-H905", f"{reader} says that {said.in_name_of[:_QUOTED]} read it: not passed on"
        if not said.to or mm.sender_hidden:  # whom it does not know it cannot name
            return None
        if any(self._is(one, mm.sender) for one in said.to):
            return None
        return "MM1-H904", f"a read report to {said.to[0][:_QUOTED]}, who is not the MM's sender: not passed on"

    def _is(self, text: str, address: Address) -> bool:
        found = self._numbers.normalise(text)
        return not isinstance(found, NotAnAddress) and found.address == address

    async def _remark(self, rule: str, text: str, mm_id: int | None = None, recipient_id: int | None = None) -> None:
        finding = trace.FindingNoted("mm1", rule, _CLAUSE, -1, text)
        await self._desk.store.commit(self._desk.chronicle.note(finding, mm_id=mm_id, recipient_id=recipient_id))

    async def _note(self, mm: Mm, recipient: Recipient, said: ReadSaid) -> None:
        """Who read it has it: what that owes comes first, and reports leave in order (TS 23.140 8.7.6)."""
        desk = self._desk
        if recipient.state not in FINAL:
            how = Circumstances(because="its user's read report proves it", source="mm1")
            await desk.transitions.apply(mm, recipient, Happening.RETRIEVED, how)
        now = desk.clock.now()
        at = said.date if said.date is not None and mm.submitted_at <= said.date <= now else now
        way, moment = self._way(mm), desk.clock.moment()
        report = None if way.kind is None else self._task(mm, recipient, way.kind, way.lane, moment, at, read=said.read)
        told = trace.MmRead(said.read, way.lane, way.why_not, at)
        owed = None if report is None else report.id
        events = [desk.chronicle.event(told, mm_id=mm.id, recipient_id=recipient.id, task_id=owed, moment=moment)]
        if not mm.read_report:
            remark = trace.FindingNoted("mm1", "MM1-H906", _CLAUSE, -1, "a read report that nobody asked for")
            events.append(desk.chronicle.event(remark, mm_id=mm.id, recipient_id=recipient.id))
        if report is None:
            await desk.store.commit(desk.chronicle.unit(None, (), events))
            return
        desk.lanes.get(report.lane)  # the scheduler looks after every lane that has work
        unit = desk.chronicle.unit(None, (task_sql.insert(report),), events, lambda: desk.planned(report.due_at))
        await desk.store.commit(unit)

    def _way(self, mm: Mm) -> _Way:
        """How the originator hears of it, or why not."""
        if not mm.read_report:
            return _Way(why_not=NoReport.READ_NOT_ASKED)
        if is_automatic(mm.message_class):
            return _Way(why_not=NoReport.CLASS_AUTO)
        match mm.origin.interface:
            case Interface.MM7:
                vasp = self._neighbours.vasps.get(mm.origin.neighbour)
                if vasp is None or not vasp.report_url:
                    return _Way(why_not=f"{mm.origin.neighbour} has no address for reports")
                return _Way(TaskKind.READ_MM7, f"vasp:{vasp.name}")
            case Interface.MM1:
                return self._way_to_handset(mm)
            case other:
                return _Way(why_not=f"no read report leaves over {other}")

    def _way_to_handset(self, mm: Mm) -> _Way:
        version = self._neighbours.subscriber(mm.sender).mms_version or int(mm.details.get("mms_version", "0"))
        if 0 < version < NO_READ_REPORT_BEFORE:
            return _Way(why_not=NoReport.READ_TOO_OLD)
        smsc = self._neighbours.smsc_of(mm.sender)
        return _Way(TaskKind.READ_MM1, f"smsc:{smsc}") if smsc else _Way(why_not=f"no SMSC reaches {mm.sender}")

    def _task(
        self, mm: Mm, recipient: Recipient, kind: TaskKind, lane: str, moment: Moment, at: Instant, *, read: bool
    ) -> TaskRow:
        """It waits for earlier reports about the recipient. The TransactionID is the recipient's own, so that a handset
        that says it at two nodes makes a repeat."""
        now, real = moment
        payload = {
            "read": "1" if read else "0",
            "date": str(at),
            "born": str(now),
            "transaction_id": f"read-{to_text(recipient.id)}",
            "in_order": "1",
        }
        task_id = TaskId(self._ids.new_id(real))
        return TaskRow(task_id, mm.id, recipient.id, kind, lane, now, int(mm.priority), payload, 0, mm.origin.owner)
