"""Pushes gone wrong on purpose, at the gateway's edge (`mmsc.faults`): lost, doubled, late, with a wrong size or URL,
their segments in reverse order. Stands in the way only while a fault is on, or where magic numbers are."""

from collections.abc import Awaitable, Callable
from typing import Final

from mmsc.domain.message import Job, TaskKind
from mmsc.engine.ports import Delivered, Later, Outcome, Retry
from mmsc.faults import wrong_mm1 as wrong
from mmsc.faults.marks import sent_wrongly
from mmsc.faults.plan import Hit, Plan
from mmsc.faults.points import Facts, Point
from mmsc.net.manner import pause
from protocols.smpp import SubmitSm

_OPERATIONS: Final = {
    TaskKind.NOTIFY: "m-notification-ind",
    TaskKind.REPORT_MM1: "m-delivery-ind",
    TaskKind.READ_MM1: "m-read-orig-ind",
    TaskKind.CANCEL_MM1: "m-cancel-req",
    TaskKind.LINK: "SMS",
}
_OCTETS: Final = ("mm1-notification-size", "mm1-notification-url")
_TWICE: Final = ("mm1-notification-twice", "mm1-delivery-twice")


class SessionMarks:
    """What the built-in SMSC did wrong on one session; implements `esme.Marked`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._address = ""

    def __bool__(self) -> bool:
        return self._plan.on or bool(self._plan.marks)

    def joined(self, address: str) -> None:
        """The session has this end (address:port)."""
        self._address = address
        self._plan.marks.join(address)

    def name(self, number: int) -> str:
        """The fault of a PDU, "" for none."""
        return self._plan.marks.name((self._address, number)) if number else sent_wrongly()

    def sent(self, number: int, mm_id: int | None) -> None:
        """A request about this MM leaves under this number."""
        self._plan.marks.sent((self._address, number), mm_id)

    def hit(self, number: int, mm_id: int | None = None) -> None:
        """It was about this MM."""
        hit = self._plan.marks.take((self._address, number))
        if hit is not None:
            self._plan.note(hit, mm_id)


class FaultySms:
    """In front of the SMS courier, and within it where octets are to be wrong."""

    def __init__(self, deliver: Callable[[Job], Awaitable[Outcome]], plan: Plan) -> None:
        self._deliver = deliver
        self._plan = plan
        self._hits: dict[int, Hit] = {}  # of the jobs under way, by task
        self._held: set[int] = set()  # tasks that a fault held back once

    async def deliver(self, job: Job) -> Outcome:
        """One attempt, which goes wrong if a fault says so."""
        facts = _facts(job)
        if job.task_id in self._held:
            self._held.discard(job.task_id)
            return await self._deliver(job)
        hit = self._plan.decide(Point.MM1_PUSH, facts) or self._plan.decide(Point.SMPP_REQUEST, facts)
        if hit is None:
            return await self._deliver(job)
        self._plan.note(hit)
        if hit.setting.delay_seconds:
            await pause(hit.setting.delay_seconds)
        return await self._wrong(hit, job)

    async def _wrong(self, hit: Hit, job: Job) -> Outcome:
        match hit.name:
            case "mm1-notification-lost" | "mm1-delivery-lost":
                return Delivered(note=f"not sent ({hit.name})")
            case "mm1-notification-late":
                self._held.add(job.task_id)
                return Later(hit.of("seconds"), f"held back ({hit.name})")
            case "smpp-drop":
                return Retry(f"no response in time ({hit.name})")
        self._hits[job.task_id] = hit
        try:
            with self._plan.marks.sending(hit.name):
                if hit.name in _TWICE:
                    await self._deliver(job)
                return await self._deliver(job)
        finally:
            self._hits.pop(job.task_id, None)

    def pushed(self, job: Job, pdu: bytes) -> bytes:
        """The octets of the PDU that is pushed."""
        hit = self._hits.get(job.task_id)
        if hit is None or hit.name not in _OCTETS:
            return pdu
        if hit.name == "mm1-notification-size":
            return wrong.with_size(pdu, hit.of("octets"))
        return wrong.with_url(pdu, hit.of("text"))

    def ordered(self, job: Job, requests: list[SubmitSm]) -> list[SubmitSm]:
        """The submit_sm of one message, as they leave."""
        hit = self._hits.get(job.task_id)
        return requests if hit is None or hit.name != "smpp-reordered" else requests[::-1]


def _facts(job: Job) -> Facts:
    mm = job.mm
    to_sender = job.kind in (TaskKind.REPORT_MM1, TaskKind.READ_MM1)
    numbers = (mm.sender.value,) if to_sender and mm is not None else tuple(one.address.value for one in job.recipients)
    return Facts(
        smsc=job.lane.removeprefix("smsc:"),
        numbers=numbers,
        run="" if mm is None else mm.details.get("run", ""),
        transaction=job.recipients[0].transaction_id if job.kind is TaskKind.NOTIFY else "",
        operation=_OPERATIONS.get(job.kind, ""),
        mm_id=None if mm is None else mm.id,
    )
