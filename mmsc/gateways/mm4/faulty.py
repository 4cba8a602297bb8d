"""MM4 gone wrong on purpose, at the gateway's edges (`mmsc.faults`): our SMTP replies, RES and mails. Stands in the way
only while a fault is on, or where magic numbers are."""

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Final

from mmsc.domain.message import Job, TaskKind
from mmsc.engine.ports import Delivered, Directory, Later, Outcome
from mmsc.faults import wrong_mail as wrong
from mmsc.faults.marks import sent_wrongly
from mmsc.faults.plan import Hit, Plan
from mmsc.faults.points import Facts, Point
from mmsc.net.manner import pause
from mmsc.net.smtp import Reply, Sent
from mmsc.net.smtp_spoiling import Mailing
from protocols.address import read

OTHER_TRANSACTION: Final = "a-transaction-that-nobody-began"
_job: Final[ContextVar[Job | None]] = ContextVar("job", default=None)  # that a mail is sent for


class FaultyReplies:
    """Our replies to another MMSC; implements `net.smtp.Spoiling`. The peer is known from MAIL on."""

    def __init__(self, plan: Plan, directory: Directory) -> None:
        self._plan = plan
        self._directory = directory

    async def reply(self, stage: str, mail_from: str, recipients: Sequence[str]) -> tuple[str, str] | None:
        """(reply, fault) instead of ours, None to go on."""
        hit = self._plan.decide(Point.MM4_ANSWER, self._facts(stage, "reply", mail_from, recipients))
        if hit is None:
            return None
        self._plan.note(hit)
        if hit.name == "mm4-slow":
            await pause(hit.of("seconds") + hit.setting.delay_seconds)
            return None
        if hit.setting.delay_seconds:
            await pause(hit.setting.delay_seconds)
        return f"{hit.of('status')} {hit.of('text')}".strip(), hit.name

    def answer_lost(self, mail_from: str, recipients: Sequence[str]) -> str:
        """The fault's name when a mail that was taken gets no reply."""
        hit = self._plan.decide(Point.MM4_ANSWER, self._facts("end", "taken", mail_from, recipients))
        if hit is None:
            return ""
        self._plan.note(hit)
        return hit.name

    def _facts(self, stage: str, operation: str, mail_from: str, recipients: Sequence[str]) -> Facts:
        domain = mail_from.rpartition("@")[2].lower()
        peers = self._directory.peers.values()
        return Facts(
            peer=next((peer.name for peer in peers if domain and peer.domain.lower() == domain), ""),
            numbers=tuple(read(one).value for one in recipients),
            operation=operation,
            stage=stage,
        )


class FaultyMm4:
    """In front of the MM4 courier."""

    def __init__(self, deliver: Callable[[Job], Awaitable[Outcome]], plan: Plan) -> None:
        self._deliver = deliver
        self._plan = plan
        self._held: set[int] = set()  # RES that a fault held back once

    async def deliver(self, job: Job) -> Outcome:
        """One attempt, which goes wrong if a fault says so."""
        _job.set(job)
        if job.kind is not TaskKind.RES_MM4 or job.task_id in self._held:
            self._held.discard(job.task_id)
            return await self._deliver(job)
        hit = self._plan.decide(Point.MM4_RES, _facts_of_res(job))
        if hit is None:
            return await self._deliver(job)
        self._plan.note(hit)
        if hit.setting.delay_seconds:
            await pause(hit.setting.delay_seconds)
        with self._plan.marks.sending(hit.name):
            return await self._wrong_res(hit, job)

    async def _wrong_res(self, hit: Hit, job: Job) -> Outcome:
        payload = dict(job.payload)
        match hit.name:
            case "mm4-res-lost":
                return Delivered(note=f"not sent ({hit.name})")
            case "mm4-res-late":
                self._held.add(job.task_id)
                return Later(hit.of("seconds"), f"held back ({hit.name})")
            case "mm4-res-twice":
                await self._deliver(job)
            case "mm4-res-status":
                payload["status"] = hit.of("status")
            case "mm4-res-transaction":
                payload["transaction_id"] = OTHER_TRANSACTION
        return await self._deliver(job._replace(payload=payload))


def _facts_of_res(job: Job) -> Facts:
    payload = job.payload
    about = payload.get("recipients", "")
    return Facts(
        peer=job.lane.removeprefix("peer:"),
        numbers=tuple(read(one).value for one in about.split(",")) if about else (),
        transaction=payload.get("transaction_id", ""),
        operation=payload.get("kind", ""),
        mm_id=None if job.mm is None else job.mm.id,
    )


class FaultySender:
    """In front of the connections to one peer; implements `net.smtp.Mailing`."""

    def __init__(self, sender: Mailing, plan: Plan, peer: str) -> None:
        self._sender = sender
        self._plan = plan
        self._peer = peer

    async def close(self) -> None:
        """Close all connections."""
        await self._sender.close()

    async def send(
        self,
        mail_from: str,
        recipients: Sequence[str],
        octets: bytes,
        *,
        neighbour: str = "",
        mm_id: int | None = None,
        fault: str = "",
    ) -> Sent:
        """Send one mail, wrongly if a fault says so. Raises SmtpUnavailable."""
        hit = self._plan.decide(Point.MM4_MAIL, self._facts(recipients, octets)) if self._plan.on else None
        if hit is None:
            fault = fault or sent_wrongly()
            return await self._sender.send(mail_from, recipients, octets, neighbour=neighbour, mm_id=mm_id, fault=fault)
        self._plan.note(hit)
        if hit.setting.delay_seconds:
            await pause(hit.setting.delay_seconds)
        match hit.name:
            case "mm4-mail-lost":
                return Sent({}, Reply(250, f"not sent ({hit.name})"))
            case "mm4-peer-smtp":
                return Sent({}, Reply(hit.of("status"), f"({hit.name})"))
            case "mm4-mail-twice":
                await self._sender.send(mail_from, recipients, octets, neighbour=neighbour, mm_id=mm_id, fault=hit.name)
            case "mm4-mail-cut":
                octets = octets[: hit.of("octets")]
            case "mm4-mail-jpeg":
                octets = wrong.with_damaged_pictures(octets)
            case "mm4-mail-id":
                octets = wrong.with_other_message_id(octets)
        return await self._sender.send(mail_from, recipients, octets, neighbour=neighbour, mm_id=mm_id, fault=hit.name)

    def _facts(self, recipients: Sequence[str], octets: bytes) -> Facts:
        head, job = _fields(octets), _job.get()
        mm = None if job is None else job.mm
        return Facts(
            peer=self._peer,
            numbers=tuple(read(one).value for one in recipients),
            transaction=head.get("x-mms-transaction-id", "").strip('"'),
            run="" if mm is None else mm.details.get("run", ""),
            operation=head.get("x-mms-message-type", ""),
            mm_id=None if mm is None else mm.id,
        )


def _fields(mail: bytes) -> dict[str, str]:
    head = mail.partition(b"\r\n\r\n")[0].decode("latin-1")
    pairs = (line.partition(":") for line in head.splitlines() if line[:1] not in (" ", "\t"))
    return {name.lower(): value.strip() for name, _, value in pairs}
