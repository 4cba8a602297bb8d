"""The VASP of a story: submits over MM7 until it is answered, repeats itself, and takes reports as it likes."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from multidict import CIMultiDict, CIMultiDictProxy

from mmsc.net.http_client import HttpReply, HttpUnavailable
from protocols import mime, mm7
from protocols.content_type import ContentType
from protocols.mm7 import (
    Address,
    DeliverReq,
    DeliverRsp,
    DeliveryReportReq,
    DeliveryReportRsp,
    Envelope,
    Fault,
    ReadReplyReq,
    ReadReplyRsp,
    Status,
    StatusCode,
    SubmitReq,
    SubmitRsp,
)
from tests.simulation.node import Cut, Node, request
from tests.simulation.operator import RUN

if TYPE_CHECKING:
    from tests.simulation.world import World

_DIALECT: Final = mm7.dialect(mm7.BASE + mm7.LATEST)
_CONTENT: Final = mime.OutPart(ContentType("text/plain", (("charset", "us-ascii"),)), b"hello", "text")
_RESPONSES: Final[dict[type, Any]] = {
    DeliveryReportReq: DeliveryReportRsp,
    DeliverReq: DeliverRsp,
    ReadReplyReq: ReadReplyRsp,
}
_ANSWERED_BY: Final = 50.0  # seconds: an answer that took longer may be overtaken (the lease ran out)


class Client:
    """Stands where an `HttpClient` would."""

    def __init__(self, vasp: "Vasp", node: Node) -> None:
        self._vasp = vasp
        self._node = node

    async def close(self) -> None:
        """Nothing to close."""

    async def send(self, method: str, url: str, *, headers: Any, body: bytes, **about: Any) -> HttpReply:
        """As `HttpClient.send`."""
        return await self._vasp.takes(headers["Content-Type"], body)


class Vasp:
    """`news`, who wants reports."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.message_ids: dict[str, str] = {}  # by TransactionID
        self.refused_reports: set[str] = set()  # TransactionIDs that it answered with a code that is final
        self.reports: list[tuple[str, DeliveryReportReq]] = []
        self.linked_ids: list[str] = []  # of the MMs that it took
        self._told: dict[str, DeliveryReportReq | DeliverReq | ReadReplyReq] = {}
        self._open: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()
        self._began: dict[str, float] = {}

    def client(self, node: Node) -> Client:
        """A node connects."""
        return Client(self, node)

    # --- submitting ---

    async def submit(self, transaction_id: str, to: tuple[str, ...], deliver_in: int) -> None:
        """One MM, again until it is answered, and perhaps once more for nothing."""
        world = self._world
        while True:
            status, message_id = await self._once(transaction_id, to, deliver_in)
            if status in (1000, 1100):
                self._keep(transaction_id, message_id, to)
                if not world.chance.fault(0.2):
                    return
            await asyncio.sleep(world.chance.between(0, 5))

    def _keep(self, transaction_id: str, message_id: str, to: tuple[str, ...]) -> None:
        known = self.message_ids.setdefault(transaction_id, message_id)
        if known in self._world.watch.removed:
            known = self.message_ids[transaction_id] = message_id
        if known != message_id:
            self._world.object_to(f"SubmitReq {transaction_id} was answered with {known}, and then {message_id}")
        self._world.accepted(message_id, to)

    async def _once(self, transaction_id: str, to: tuple[str, ...], deliver_in: int) -> tuple[int, str]:
        """(StatusCode, MessageID); (0, "") when nobody answered."""
        assert _DIALECT is not None
        world = self._world
        message = SubmitReq(
            vasp_id="news",
            to=tuple(map(Address, to)),
            expiry_date=f"PT{world.options.validity_seconds + deliver_in}S",
            earliest_delivery_time=f"PT{deliver_in}S" if deliver_in else "",
            delivery_report=True,
            read_reply=True,
            content_href="cid:text",
        )
        envelope = Envelope(transaction_id, _DIALECT, message)
        content_type, body = mm7.encode_with_content(envelope, _CONTENT, transaction_id)
        node = await world.any_node()
        run = {"X_MMSC_Run": RUN} if int(transaction_id[1:]) % 2 else {}
        self._began.setdefault(transaction_id, world.loop.time())
        self._open[transaction_id] += 1
        try:
            answer = await node.http(node.mm7, request("POST", "/mm7", body, Content_Type=content_type, **run))
        except Cut:
            return 0, ""
        finally:
            self._open[transaction_id] -= 1
            self._ended[transaction_id] += 1
        if not answer.body:
            return 0, ""
        rsp = mm7.decode(answer.content_type, answer.body).message.message
        assert isinstance(rsp, SubmitRsp | Fault)
        world.say(f"VASP {transaction_id} {type(rsp).__name__} {int(rsp.status.code)}")
        return int(rsp.status.code), getattr(rsp, "message_id", "")

    # --- reports, and MMs for its short code ---

    async def takes(self, content_type: str, body: bytes) -> HttpReply:
        """A DeliveryReportReq, ReadReplyReq or DeliverReq."""
        chance = self._world.chance
        await asyncio.sleep(chance.between(0, 0.2))
        if chance.fault(0.05):
            raise HttpUnavailable("connection refused", connected=False)
        envelope = mm7.decode(content_type, body).message
        message = envelope.message
        assert isinstance(message, DeliveryReportReq | DeliverReq | ReadReplyReq)
        lost = chance.fault(0.1)
        if lost and chance.happens(0.5):
            raise HttpUnavailable("cut before it was read", connected=True)
        if chance.fault(0.1):
            return self._odd(envelope)
        self._note(envelope.transaction_id, message)
        if lost:
            await asyncio.sleep(chance.between(0, 20))
            raise HttpUnavailable("no answer in time", connected=True)
        return self._rsp(envelope, StatusCode.SUCCESS)

    def _odd(self, envelope: Envelope) -> HttpReply:
        """An answer that is not a success."""
        chance = self._world.chance
        kind = chance.pick(("3000", "4006", "500", "503", "garbage", "empty", "4004", "401"))
        if kind in ("3000", "4006"):
            return self._rsp(envelope, StatusCode(int(kind)))
        if kind == "4004" and chance.happens(0.3):
            self.refused_reports.add(envelope.transaction_id)
            return self._rsp(envelope, StatusCode(4004))
        status = {"500": 500, "503": 503, "401": 401}.get(kind, 200)
        headers = {"Retry-After": "7"} if kind == "503" else {}
        body = b"<html>hello</html>" if kind == "garbage" else b""
        return HttpReply(500 if kind == "4004" else status, CIMultiDictProxy(CIMultiDict(headers)), body)

    def _rsp(self, envelope: Envelope, code: StatusCode) -> HttpReply:
        rsp = _RESPONSES[type(envelope.message)](status=Status(code, code.text))
        content_type, body = mm7.encode(Envelope(envelope.transaction_id, envelope.dialect, rsp))
        return HttpReply(200, CIMultiDictProxy(CIMultiDict({"Content-Type": content_type})), body)

    def _note(self, transaction_id: str, message: DeliveryReportReq | DeliverReq | ReadReplyReq) -> None:
        if isinstance(message, DeliverReq):  # what another node learned of the sender's handset is not known at once
            message = replace(message, ua_prof="", ua_time_stamp="")
        before = self._told.setdefault(transaction_id, message)
        if before != message:
            self._world.object_to(f"{transaction_id} was repeated with other words: {before}, {message}")
        if isinstance(message, DeliverReq):
            self._note_mm(message)
        elif isinstance(message, ReadReplyReq):
            self._note_read(message)
        else:
            self._note_report(transaction_id, message)

    def _note_mm(self, message: DeliverReq) -> None:
        world = self._world
        sender = message.sender.value if message.sender is not None else ""
        world.say(f"VASP DeliverReq {message.linked_id} from {sender}")
        self.linked_ids.append(message.linked_id)
        if [one.value for one in (*message.to, *message.cc) if not one.display_only] != ["4488"]:
            world.object_to(f"the VASP is sent an MM for {message.to}, {message.cc}")

    def _note_read(self, message: ReadReplyReq) -> None:
        world = self._world
        world.say(f"VASP read report {message.mm_status} {message.recipient.value} of {message.message_id}")
        handset = world.handsets[message.recipient.value]
        if message.message_id not in handset.read:
            world.object_to(f"{message.recipient.value} never said that it read {message.message_id}")
        told = {one.recipient.value for _, one in self.reports if one.message_id == message.message_id}
        given_up = self.refused_reports or handset.denies
        silent = world.is_silent(message.message_id, message.recipient.value)
        if message.recipient.value not in told and not given_up and not silent:
            world.object_to(f"a read report of {message.recipient.value} came before its delivery report")

    def _note_report(self, transaction_id: str, report: DeliveryReportReq) -> None:
        world = self._world
        world.say(f"VASP report {report.mm_status} {report.recipient.value} of {report.message_id}")
        self.reports.append((transaction_id, report))
        submitted = world.transaction_of(report.message_id)
        removed = report.message_id in world.watch.removed
        if removed or report.message_id in self.message_ids.values() or self._ended[submitted]:
            return
        if world.loop.time() - self._began[submitted] < _ANSWERED_BY:
            world.object_to(f"a report about {submitted} came before its SubmitRsp")
