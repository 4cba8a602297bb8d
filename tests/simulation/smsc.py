"""The SMSC of a story. Each PDU is written and read again as octets; what it takes goes to the handsets, some of it
late, twice or in another order; receipts come as it pleases."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from mmsc.gateways.sms.esme import SmscGone
from mmsc.lab.reassembly import Reassembly
from mmsc.store.core import StoreBusy, StoreUnavailable
from protocols import smpp
from protocols.smpp import CommandStatus, DeliverSm, EsmClass, MessageState, Pdu, SubmitSm, SubmitSmResp
from protocols.smpp.receipt import receipt_text
from tests.simulation.node import Cut, Node

if TYPE_CHECKING:
    from tests.simulation.world import World

_S: Final = CommandStatus
_REFUSALS: Final = (_S.ESME_RTHROTTLED, _S.ESME_RMSGQFUL, _S.ESME_RSYSERR, _S.ESME_RSUBMITFAIL, _S.ESME_RINVBNDSTS)
_TIMEOUT_SECONDS: Final = 10.0


class Session:
    """One node's bind; stands where an `Esme` would."""

    def __init__(self, world: "World", smsc: "Smsc", node: Node) -> None:
        self._world = world
        self._smsc = smsc
        self._node = node
        self._window = asyncio.Semaphore(world.options.window)
        self._sequence = 0
        self.bound = True
        self.why_not = ""

    def rebind(self, why: str) -> None:
        """The bind is given up and comes back."""
        self.down(why, self._world.chance.between(1, 5))

    def down(self, why: str, seconds: float) -> None:
        """No bind for a while."""
        self.bound, self.why_not = False, why
        self._world.loop.call_later(seconds, self._back)

    def _back(self) -> None:
        if not self.bound and not self._node.dead:
            self.bound = True
            self._node.engine.lane_is_up("smsc:local")

    async def request(self, pdu: Pdu, *, mm_id: int | None = None) -> Pdu:
        """As `Esme.request`."""
        chance = self._world.chance
        assert isinstance(pdu, SubmitSm)
        async with self._window:
            if not self.bound:
                raise SmscGone(f"not bound: {self.why_not}", sent=False)
            self._sequence += 1
            octets = smpp.encode(pdu, self._sequence)
            await asyncio.sleep(chance.between(0, 0.2))
            if chance.fault(0.03):
                self.down("the connection was lost", chance.between(0.5, 10))
                if chance.happens(0.5):
                    self._smsc.take(octets)
                raise SmscGone("the connection was lost", sent=True)
            if chance.fault(0.05):
                return self._answered(SubmitSmResp(sequence_number=0, command_status=chance.pick(_REFUSALS)))
            if chance.fault(0.01):
                return self._answered(SubmitSmResp(sequence_number=0, command_status=_S.ESME_RINVDSTADR))
            message_id = self._smsc.take(octets)
            if chance.fault(0.03):
                await asyncio.sleep(_TIMEOUT_SECONDS)
                raise SmscGone("no response in time", sent=True)
            await asyncio.sleep(chance.between(0, 2 if chance.fault(0.1) else 0.2))
            return self._answered(SubmitSmResp(sequence_number=0, message_id=message_id))

    def _answered(self, resp: SubmitSmResp) -> Pdu:
        return smpp.decode(smpp.encode(resp, self._sequence)).message


class Smsc:
    """Takes segments, gives whole messages to handsets, and owes receipts."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._reassembly = Reassembly()
        self._messages = 0
        self._sessions: dict[str, Session] = {}

    def session(self, node: Node) -> Session:
        """A node binds."""
        session = self._sessions[node.name] = Session(self._world, self, node)
        return session

    def outage(self, seconds: float) -> None:
        """All binds fall, and come back."""
        for session in self._sessions.values():
            session.down("the SMSC is away", seconds)

    def take(self, octets: bytes) -> str:
        """A submit_sm that the SMSC has; its message_id."""
        world, chance = self._world, self._world.chance
        pdu = smpp.decode(octets).message
        assert isinstance(pdu, SubmitSm)
        self._messages += 1
        message_id = f"{self._messages:08X}"
        whole = self._reassembly.take(pdu)
        if whole is not None:
            number = f"+{whole.number}"
            if whole.push is not None:
                world.look_at_push(number, whole.push)
            for _ in range(2 if chance.fault(0.05) else 1):
                if not chance.fault(0.03):
                    delay = chance.between(0, 60 if chance.fault(0.05) else 1)
                    world.loop.call_later(delay, world.handsets[number].arrives, whole)
        if pdu.registered_delivery & 1 and not chance.fault(0.1):
            state = MessageState.DELIVERED if not chance.fault(0.1) else MessageState.UNDELIVERABLE
            soon = chance.fault(0.1)
            world.spawn(self._receipt(message_id, pdu, state, 0.0 if soon else chance.between(0.3, 15)))
        return message_id

    async def _receipt(self, message_id: str, sent: SubmitSm, state: MessageState, delay: float) -> None:
        """A deliver_sm with the receipt, again until it is answered."""
        world = self._world
        await asyncio.sleep(delay)
        text = receipt_text(message_id, state, "2311141200")
        pdu = DeliverSm(
            sequence_number=1,
            source_addr=sent.destination_addr,
            destination_addr=sent.source_addr,
            esm_class=EsmClass.DELIVERY_RECEIPT,
            short_message=text.encode("ascii"),
        )
        read = smpp.decode(smpp.encode(pdu, 1)).message
        assert isinstance(read, DeliverSm)
        world.say(f"SMSC receipt {message_id} {state.name}")
        for _ in range(2 if world.chance.fault(0.1) else 1):
            await self._until_answered(read)

    async def _until_answered(self, pdu: DeliverSm) -> None:
        looked = 0
        while looked < 4:
            node = await self._world.any_node()
            try:
                status = await node.serve(partial(node.inbox.take, "local", pdu))
            except (Cut, StoreBusy, StoreUnavailable):
                await asyncio.sleep(2)
                continue
            if status is not None:
                return
            looked += 1
            await asyncio.sleep(1)  # as `Esme` looks again
