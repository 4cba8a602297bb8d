"""The foreign MMSC of a story: takes forwards, answers with RES and reports in its own time, and forwards MMs to us."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from mmsc.net.smtp import Reply, Sent, SmtpUnavailable
from protocols import mime, mm4
from protocols.content_type import ContentType
from protocols.mm4 import (
    DeliveryReportReq,
    ForwardReq,
    ForwardRes,
    Message,
    MmStatusCode,
    RequestStatusCode,
)
from tests.simulation.node import DOMAIN, Cut, Node

if TYPE_CHECKING:
    from tests.simulation.world import World

PEER_DOMAIN: Final = "mms.other.example"
_SYSTEM: Final = f"system-user@{PEER_DOMAIN}"
_STATUSES: Final = tuple(MmStatusCode)
_PARTS: Final = (mime.OutPart(ContentType("text/plain"), b"hello", "text"),)


class Sender:
    """Stands where an `SmtpSender` would."""

    def __init__(self, peer: "Peer", node: Node) -> None:
        self._peer = peer
        self._node = node

    async def close(self) -> None:
        """Nothing to close."""

    async def send(self, mail_from: str, recipients: Sequence[str], octets: bytes, **about: Any) -> Sent:
        """As `SmtpSender.send`."""
        return await self._peer.takes(recipients, octets)


class Peer:
    """`other`."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.reports: list[DeliveryReportReq] = []
        self.res: list[ForwardRes] = []
        self.forwarded: dict[str, tuple[str, ...]] = {}  # what it sent us and we took, by Message-ID
        self.refused_reports: set[str] = set()
        self._count = 0

    def sender(self, node: Node) -> Sender:
        """A node connects."""
        return Sender(self, node)

    # --- what we send it ---

    async def takes(self, recipients: Sequence[str], octets: bytes) -> Sent:
        """A mail of ours."""
        chance = self._world.chance
        await asyncio.sleep(chance.between(0, 0.3))
        if chance.fault(0.05):
            raise SmtpUnavailable("connection refused", begun=chance.happens(0.3))
        if chance.fault(0.03):
            raise SmtpUnavailable("421 too busy", Reply(421, "too busy"))
        message = mm4.decode(octets).message
        if not isinstance(message, ForwardReq):
            return await self._takes_answer(message, recipients)
        refused = {one: Reply(*self._refusal()) for one in recipients if chance.fault(0.1)}
        taken = [one for one in recipients if one not in refused]
        if not taken:
            return Sent(refused, None)
        if chance.fault(0.05):
            return Sent(refused, Reply(chance.pick((451, 452, 554)), "not now"))
        early = chance.fault(0.2)
        if early:
            self._follow_up(message, taken)
            await asyncio.sleep(chance.between(0, 2))
        if chance.fault(0.05):  # it has the mail, and nobody is told
            raise SmtpUnavailable("cut", begun=True)
        if not early:
            self._follow_up(message, taken)
        return Sent(refused, Reply(250, "taken"))

    def _refusal(self) -> tuple[int, str]:
        return self._world.chance.pick(((450, "later"), (452, "too many"), (550, "unknown"), (552, "full")))

    async def _takes_answer(self, message: Message, recipients: Sequence[str]) -> Sent:
        """A report or a RES."""
        chance = self._world.chance
        if chance.fault(0.1):
            return Sent({recipients[0]: Reply(*self._refusal_of(message))}, None)
        if isinstance(message, DeliveryReportReq):
            self._world.say(f"peer report {message.mm_status_code} {message.from_} of {message.message_id}")
            self.reports.append(message)
        elif isinstance(message, ForwardRes):
            self._world.say(f"peer RES {message.request_status_code} of {message.message_id}")
            self.res.append(message)
        if chance.fault(0.05):
            raise SmtpUnavailable("cut behind the data", begun=True)
        return Sent({}, Reply(250, "taken"))

    def _refusal_of(self, message: Message) -> tuple[int, str]:
        code, text = self._refusal()
        if code == 550:
            self.refused_reports.add(message.transaction_id)
        return code, text

    def _follow_up(self, message: ForwardReq, boxes: Sequence[str]) -> None:
        """What it will say about an MM: its RES, and a report for each recipient."""
        chance, world = self._world.chance, self._world
        world.say(f"peer takes {message.message_id} for {len(boxes)}")
        if message.ack_request and not chance.fault(0.2):
            ok = not chance.fault(0.2)
            status = RequestStatusCode.OK if ok else RequestStatusCode.ERROR_SERVICE_DENIED
            names = tuple(one.partition("@")[0] for one in boxes) if chance.happens(0.3) else ()
            res = ForwardRes(
                transaction_id=message.transaction_id,
                message_id=message.message_id,
                sender=_SYSTEM,
                to=(message.originator_system,),
                request_status_code=status,
                request_recipients=names,
            )
            for _ in range(2 if chance.fault(0.1) else 1):
                world.spawn(self._says(res, chance.between(0, 25 if chance.fault(0.2) else 2)))
        for box in boxes:
            if message.delivery_report and not chance.fault(0.2):
                self._report(message, box)

    def _report(self, message: ForwardReq, box: str) -> None:
        chance = self._world.chance
        for _ in range(2 if chance.fault(0.1) else 1):
            report = DeliveryReportReq(
                transaction_id=self._next("r"),
                message_id=message.message_id,
                sender=_SYSTEM,
                from_=box.partition("@")[0],
                to=(message.from_,),
                date=datetime.fromtimestamp(self._world.wall() // 1_000_000, UTC),
                mm_status_code=chance.pick(_STATUSES) if chance.happens(0.3) else MmStatusCode.RETRIEVED,
                forward_to_originator_ua=True,
                ack_request=chance.happens(0.5),
            )
            self._world.spawn(self._says(report, chance.between(0, 60)))

    def _next(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    async def _says(self, message: Message, delay: float) -> None:
        """A mail of the peer, again until it is answered for good."""
        await asyncio.sleep(delay)
        to = message.to[0]
        box = to if "@" in to else f"{to}@{DOMAIN}"
        if not await self._until_answered((box,), mm4.encode(message)):
            self._world.object_to(f"{type(message).__name__} to {box} was refused")

    async def _until_answered(self, boxes: tuple[str, ...], octets: bytes) -> bool:
        while True:
            node = await self._world.any_node()
            try:
                _, reply = await node.mail(_SYSTEM, boxes, octets)
            except Cut:
                reply = "421 cut"
            if not reply.startswith("4"):
                return reply.startswith("250")
            await asyncio.sleep(self._world.chance.between(1, 6))

    # --- what it sends us ---

    async def forward(self, to: tuple[str, ...]) -> None:
        """An MM for subscribers of ours, in one mail or several, again until it is answered; perhaps once more."""
        chance = self._world.chance
        message_id = f"{self._next('m')}@{PEER_DOMAIN}"
        message = ForwardReq(
            transaction_id=self._next("t"),
            message_id=message_id,
            sender=_SYSTEM,
            from_="+16660100999/TYPE=PLMN",
            to=tuple(f"{one}/TYPE=PLMN" for one in to),
            date=datetime.fromtimestamp(self._world.wall() // 1_000_000, UTC),
            originator_system=_SYSTEM,
            message_class="Personal",
            expiry=self._world.options.validity_seconds,
            delivery_report=True,
            ack_request=True,
        )
        octets = mm4.encode(message, (ContentType("multipart/mixed"), _PARTS))
        boxes = tuple(f"{one}/TYPE=PLMN@{DOMAIN}" for one in to)
        split = chance.fault(0.3)
        mails = [(box,) for box in boxes] if split else [boxes]
        taken = [await self._until_answered(mail, octets) for mail in mails]
        if all(taken):
            self.forwarded[message_id] = to
        if chance.fault(0.3):
            await self._until_answered(boxes, octets)
