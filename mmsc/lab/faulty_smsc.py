"""What the virtual SMSC does wrong on purpose (`mmsc.faults`): its answers, what becomes of messages, its receipts."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from mmsc.faults.plan import Hit, Plan
from mmsc.faults.points import Facts, Point
from mmsc.lab.deliver_sms import receipt_of
from protocols import smpp
from protocols.smpp import CommandStatus, DataSm, MessageState, Pdu, SubmitSm

_REFUSED: Final = {
    "smsc-throttle": CommandStatus.ESME_RTHROTTLED,
    "smsc-queue-full": CommandStatus.ESME_RMSGQFUL,
}
_FORMS: Final[dict[str, Callable[[str], str]]] = {
    "decimal": lambda text: str(int(text, 16)),
    "hex-small": str.lower,
    "hex-bare": lambda text: text.lstrip("0") or "0",
    "unknown": lambda _: "a-message-of-somebody-else",
}
Message = SubmitSm | DataSm


class EsmeSession(Protocol):
    """One ESME's connection, as this sees it."""

    peer: str

    def send(self, pdu: Pdu) -> None:
        """Write a PDU."""
        ...

    def next_number(self) -> int:
        """The next sequence number of the SMSC."""
        ...

    def abort(self) -> None:
        """Cut the connection."""
        ...


S = TypeVar("S", bound=EsmeSession)


class FaultySmsc:
    """Asks the plan at each of the SMSC's points."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def is_down(self) -> bool:
        """Whether a bind is refused."""
        hit = self._plan.decide(Point.SMSC_BIND) if self._plan.on else None
        if hit is not None:
            self._plan.note(hit)
        return hit is not None

    def answers(self, session: S, pdu: Message, take: Callable[[S, Message], Pdu]) -> bool:
        """Whether a message got its answer here, or none."""
        hit = self._plan.decide(Point.SMSC_ANSWER, facts_of(pdu)) if self._plan.on else None
        if hit is None:
            return False
        self._mark(hit, session, pdu.sequence_number)
        asyncio.get_running_loop().call_later(hit.setting.delay_seconds, self._answer, hit, session, pdu, take)
        return True

    def _answer(self, hit: Hit, session: S, pdu: Message, take: Callable[[S, Message], Pdu]) -> None:
        match hit.name:
            case "smsc-silence":
                take(session, pdu)
            case "smsc-slow":
                answer = take(session, pdu)
                asyncio.get_running_loop().call_later(hit.of("seconds"), session.send, answer)
            case "smsc-unbind":
                session.send(smpp.Unbind(sequence_number=session.next_number()))  # the ESME answers, and hangs up
            case "smsc-cut":
                session.abort()
            case _:
                status = _REFUSED.get(hit.name) or CommandStatus(hit.of("status"))
                answered = smpp.SubmitSmResp if isinstance(pdu, SubmitSm) else smpp.DataSmResp
                session.send(answered(sequence_number=pdu.sequence_number, command_status=status))

    def loses(self, session: EsmeSession, pdu: Message) -> bool:
        """Whether a message that was taken never reaches its handset."""
        hit = self._plan.decide(Point.SMSC_DELIVERY, facts_of(pdu)) if self._plan.on else None
        if hit is not None:
            self._mark(hit, session, pdu.sequence_number)
        return hit is not None

    async def tells(self, session: EsmeSession, pdu: Message, message_id: str, state: MessageState) -> bool:
        """Whether a receipt was sent here, wrongly, or lost."""
        hit = self._plan.decide(Point.SMSC_RECEIPT, facts_of(pdu)) if self._plan.on else None
        if hit is None:
            return False
        seconds = hit.setting.delay_seconds
        times = 1
        match hit.name:
            case "smsc-no-receipt":
                self._plan.note(hit, self._plan.marks.whose((session.peer, pdu.sequence_number)))
                return True
            case "smsc-receipt-late":
                seconds += hit.of("seconds")
            case "smsc-receipt-twice":
                times = 2
            case "smsc-receipt-state":
                state = MessageState[hit.of("state")]
            case "smsc-receipt-id":
                message_id = _FORMS[hit.of("form")](message_id)
        await asyncio.sleep(seconds)
        for _ in range(times):
            number = session.next_number()
            self._mark(hit, session, -number)
            session.send(receipt_of(pdu, message_id, state, number))
        return True

    def _mark(self, hit: Hit, session: EsmeSession, number: int) -> None:
        """The ESME of this process tells which MM it was; nobody knows it of another's."""
        if not self._plan.marks.put((session.peer, number), hit):
            self._plan.note(hit)


def facts_of(pdu: Message) -> Facts:
    """What an SMSC knows of a message."""
    number = pdu.destination_addr
    return Facts(numbers=(f"+{number}" if pdu.dest_addr_ton == 1 else number,), operation=type(pdu).__name__)
