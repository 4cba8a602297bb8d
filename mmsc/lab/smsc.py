"""A virtual SMSC: an SMPP v3.4 server that hands what it gets to handsets by number. It works for any ESME.

It checks passwords and states, answers as told (`Behaviour`), reassembles segments in every form, keeps what is for
handsets without coverage (`Coverage`), and sends receipts. Who does not bind, end a PDU, or read its answers is cut or
waits (SMPP v3.4 7.2).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, cast

from mmsc.lab.behaviour import Behaviour, login
from mmsc.lab.coverage import Coverage
from mmsc.lab.deliver_sms import BIND_RESPS, ENROUTE_IS_WANTED, out_of_state, receipt_of, text_of
from mmsc.lab.faulty_smsc import FaultySmsc
from mmsc.lab.reassembly import Reassembly, Received
from mmsc.net.http_received import place_of
from mmsc.net.listening import BACKLOG, port_of
from mmsc.net.turns import settle
from protocols import smpp
from protocols.errors import DecodeError
from protocols.smpp import (
    CommandStatus,
    DataSm,
    DeliverSm,
    Framer,
    MessageState,
    Pdu,
    SmppError,
    SubmitSm,
    Tag,
)
from protocols.smpp.session import BIND_STATES, Sequence, SessionState, may_send
from protocols.sms.segment import segment_text

_log: Final = logging.getLogger(__name__)
_SESSION_INIT_SECONDS: Final = 10.0  # SMPP v3.4 7.2: from the connection to the bind
_PARTIAL_PDU_SECONDS: Final = 30.0  # from a PDU's first octets to its last
_SWEEP_SECONDS: Final = 1.0  # how often the validity of what waits is looked at
_UNANSWERED_SECONDS: Final = 10.0  # how long a deliver_sm of ours waits for its response
OnPush = Callable[[bytes], Awaitable[None]]
OnText = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class _Handset:
    on_push: OnPush
    on_sms: OnText


class VirtualSmsc:
    """One listening socket; `accounts` maps system_id to password (empty: anybody)."""

    def __init__(self, accounts: dict[str, str] | None = None, system_id: str = "SMSC") -> None:
        self.accounts = accounts or {}
        self.system_id = system_id
        self.behaviour = Behaviour()
        self.faults: FaultySmsc | None = None
        self.session_init_seconds = _SESSION_INIT_SECONDS
        self.partial_pdu_seconds = _PARTIAL_PDU_SECONDS
        self.submitted: deque[SubmitSm | DataSm] = deque(maxlen=1000)
        self.port = 0
        self._handsets: dict[str, _Handset] = {}
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()
        self.reassembly = Reassembly()
        self.coverage = Coverage()
        self.switch_on: Callable[[str], None] = lambda number: None  # asked to register a number (digits) that has none
        self._next_id = 0
        self._received: asyncio.Queue[Received] = asyncio.Queue(maxsize=10_000)
        self.under_way: set[asyncio.Task[None]] = set()  # deliveries and receipts
        self.sweeping = False  # one of `under_way` looks at what is held, and nothing else

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Session(self), host, port, backlog=BACKLOG)
        self.port = port_of(self._server)

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
            await settle()
            for session in tuple(self._sessions):
                session.abort()
            await self._server.wait_closed()
            await settle()
        for task in tuple(self.under_way):
            task.cancel()
        await asyncio.gather(*self.under_way, return_exceptions=True)

    def register(self, number: str, on_push: OnPush, on_sms: OnText) -> None:
        """A handset with this number (`+15550100123`) is switched on."""
        self._handsets[number.lstrip("+")] = _Handset(on_push, on_sms)

    def unregister(self, number: str) -> None:
        """A handset is switched off."""
        self._handsets.pop(number.lstrip("+"), None)

    def lose_coverage(self, number: str) -> None:
        """A handset cannot be reached: what is for it waits here."""
        self.coverage.lose(number.lstrip("+"))

    def regain_coverage(self, number: str) -> None:
        """It can be reached again, and gets what waited, in order; the receipts follow."""
        for one in self.coverage.regain(number.lstrip("+")):
            if one.message is not None:
                self.spawn(self._deliver(one.message))
            one.done(self.behaviour.receipt_state)

    async def expect(self) -> Received:
        """The next whole message, in order of arrival."""
        return await self._received.get()

    async def originate(self, number: str, to: str, text: str) -> list[CommandStatus]:
        """A text that the handset `number` sends to an ESME (`to`, a short code): the answers, one a segment.

        ConnectionError when nobody is bound to receive; TimeoutError when the ESME does not answer."""
        receivers = [one for one in self._sessions if one.receives]
        if not receivers:
            raise ConnectionError("no ESME is bound to receive")
        self._next_id += 1
        data_coding, has_header, pieces = segment_text(text, self._next_id)
        return [
            await receivers[0].deliver(
                text_of(number, to, receivers[0].next_number(), data_coding, piece, has_header=has_header)
            )
            for piece in pieces
        ]

    def drop_sessions(self) -> None:
        """Cut every connection."""
        for session in tuple(self._sessions):
            session.abort()

    def joined(self, session: "_Session") -> None:
        """A connection came."""
        self._sessions.add(session)

    def left(self, session: "_Session") -> None:
        """A connection went."""
        self._sessions.discard(session)

    def checks(self, system_id: str, password: str) -> CommandStatus:
        """The answer to a bind."""
        if self.behaviour.refuse_binds or (self.faults is not None and self.faults.is_down()):
            return CommandStatus.ESME_RBINDFAIL
        return login(self.accounts, system_id, password)

    def take(self, session: "_Session", pdu: SubmitSm | DataSm) -> Pdu:
        """The answer to a submit_sm or data_sm; what it completes goes to its handset."""
        answer = smpp.SubmitSmResp if isinstance(pdu, SubmitSm) else smpp.DataSmResp
        number = pdu.sequence_number
        status = self._judge(pdu.destination_addr)
        if status is not CommandStatus.ESME_ROK:
            return answer(sequence_number=number, command_status=status)
        try:
            whole = self.reassembly.take(pdu)
        except DecodeError:
            return answer(sequence_number=number, command_status=CommandStatus.ESME_RINVESMCLASS)
        self._next_id += 1
        message_id = f"{self._next_id:08X}"
        self.submitted.append(pdu)
        lost = self.behaviour.lost or (self.faults is not None and self.faults.loses(session, pdu))
        self._pass_on(session, pdu, message_id, None if lost else whole)
        return answer(sequence_number=number, message_id=message_id)

    def _judge(self, number: str) -> CommandStatus:
        """What the behaviour says to a message for this number."""
        behaviour = self.behaviour
        if behaviour.statuses:
            return behaviour.statuses.popleft()
        if self.coverage.is_full(number):
            return CommandStatus.ESME_RMSGQFUL
        if behaviour.throttles(int(asyncio.get_running_loop().time())):
            return CommandStatus.ESME_RTHROTTLED
        return behaviour.numbers.get(number, CommandStatus.ESME_ROK)

    def spawn(self, work: Awaitable[None]) -> None:
        """Do something beside the session; waited for at `stop`."""
        task = asyncio.ensure_future(work)
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    def _pass_on(self, session: "_Session", pdu: SubmitSm | DataSm, message_id: str, whole: Received | None) -> None:
        """To its handset, now or when that can be reached."""

        def done(state: MessageState) -> None:
            if self.behaviour.owes_receipt(pdu.registered_delivery, state):
                self.spawn(self._receipt(session, pdu, message_id, state))

        if self.coverage.hold(pdu, whole, done):
            if pdu.registered_delivery & ENROUTE_IS_WANTED:
                self.spawn(self._receipt(session, pdu, message_id, MessageState.ENROUTE))
            if not self.sweeping:
                self.sweeping = True
                self.spawn(self._sweep())
            return
        if whole is not None:
            self.spawn(self._deliver(whole))
        done(self.behaviour.receipt_state)

    async def _sweep(self) -> None:
        """Looks at the validity of what waits until nothing does."""
        while self.coverage.is_holding:
            await asyncio.sleep(_SWEEP_SECONDS)
            self.coverage.expire()
        self.sweeping = False

    async def _deliver(self, message: Received) -> None:
        if message.number not in self._handsets:
            self.switch_on(message.number)
        handset = self._handsets.get(message.number)
        if not self._received.full():
            self._received.put_nowait(message)
        if handset is None:
            return
        try:
            if message.push is not None:
                await handset.on_push(message.push)
            elif message.text is not None:
                await handset.on_sms(message.text)
        except Exception:
            _log.exception("the handset %s failed", message.number)

    def _receiver(self, session: "_Session") -> "_Session | None":
        """Who may get a deliver_sm for this session's account (SMPP v3.4 2.3), itself first."""
        account = (one for one in self._sessions if one.system_id == session.system_id)
        return next((one for one in (session, *account) if one.receives), None)

    async def _receipt(self, sender: "_Session", pdu: SubmitSm | DataSm, message_id: str, state: MessageState) -> None:
        session = self._receiver(sender)
        if session is None or (self.faults is not None and await self.faults.tells(session, pdu, message_id, state)):
            return
        session.send(receipt_of(pdu, message_id, state, session.next_number()))


class _Session(asyncio.Protocol):
    """One ESME's connection."""

    def __init__(self, smsc: VirtualSmsc) -> None:
        self._smsc = smsc
        self._framer = Framer()
        self._state = SessionState.OPEN
        self._sequence = Sequence()
        self._transport: asyncio.Transport | None = None
        self._pending: dict[int, asyncio.Future[CommandStatus]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.system_id = ""
        self.peer = ""  # address:port of the ESME

    @property
    def receives(self) -> bool:
        """Whether deliver_sm may be sent to it."""
        return may_send(smpp.CommandId.DELIVER_SM, self._state, esme=False)

    async def deliver(self, pdu: DeliverSm) -> CommandStatus:
        """A deliver_sm and the ESME's answer."""
        self._pending[pdu.sequence_number] = asyncio.get_running_loop().create_future()
        self.send(pdu)
        try:
            async with asyncio.timeout(_UNANSWERED_SECONDS):
                return await self._pending[pdu.sequence_number]
        finally:
            del self._pending[pdu.sequence_number]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connected."""
        transport = cast("asyncio.Transport", transport)  # other loops have transports of their own
        self._transport = transport
        self.peer = place_of(transport.get_extra_info("peername"))
        self._smsc.joined(self)
        self._watch(self._smsc.session_init_seconds)

    def _watch(self, seconds: float) -> None:
        """Cut the connection after so long, unless something better happens."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.abort)

    def _all_well(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def pause_writing(self) -> None:
        """It does not read its answers: its next requests wait."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._transport is not None:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        self._state = SessionState.CLOSED
        self._all_well()
        self._smsc.left(self)

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def next_number(self) -> int:
        """The next sequence number of this direction."""
        return self._sequence.next()

    def send(self, pdu: Pdu) -> None:
        """Write a PDU, if the connection still stands."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(smpp.encode(pdu))

    def data_received(self, data: bytes) -> None:
        """Octets from the ESME."""
        try:
            frames = self._framer.feed(data)
        except SmppError as error:
            for octets in error.before:
                self._received(octets)
            self.send(smpp.GenericNack(sequence_number=error.sequence_number, command_status=error.status))
            if self._transport is not None:
                self._transport.close()
            return
        for octets in frames:
            self._received(octets)
        if frames and self._state is not SessionState.OPEN:
            self._all_well()
        if self._framer.waiting:
            self._watch(self._smsc.partial_pdu_seconds)

    def _received(self, octets: bytes) -> None:
        try:
            pdu = smpp.decode(octets).message
        except SmppError as error:
            refusal = smpp.refusal(error)
            if refusal is not None:
                self.send(refusal)
            return
        if pdu.command_id & smpp.RESPONSE:
            waiting = self._pending.get(pdu.sequence_number)
            if waiting is not None and not waiting.done():
                waiting.set_result(pdu.command_status)
            return
        delay = self._smsc.behaviour.delay_seconds
        if delay and isinstance(pdu, SubmitSm | DataSm):
            asyncio.get_running_loop().call_later(delay, self._answer, pdu)
        else:
            self._answer(pdu)

    def _answer(self, pdu: Pdu) -> None:
        number = pdu.sequence_number
        if not may_send(pdu.command_id, self._state, esme=True):
            self._out_of_state(pdu)
            return
        match pdu:
            case smpp.BindTransceiver() | smpp.BindTransmitter() | smpp.BindReceiver():
                self._bind(pdu)
            case SubmitSm() | DataSm():
                faults = self._smsc.faults
                if faults is None or not faults.answers(self, pdu, self._smsc.take):
                    self.send(self._smsc.take(self, pdu))
            case smpp.EnquireLink():
                self.send(smpp.EnquireLinkResp(sequence_number=number))
            case smpp.Unbind():
                self._state = SessionState.UNBOUND
                self.send(smpp.UnbindResp(sequence_number=number))
                if self._transport is not None:
                    self._transport.close()
            case _:
                self.send(smpp.GenericNack(sequence_number=number, command_status=CommandStatus.ESME_RINVCMDID))

    def _bind(self, pdu: smpp.BindTransceiver | smpp.BindTransmitter | smpp.BindReceiver) -> None:
        status = self._smsc.checks(pdu.system_id, pdu.password)
        answer, number = BIND_RESPS[type(pdu)], pdu.sequence_number
        if status is not CommandStatus.ESME_ROK:
            self.send(answer(sequence_number=number, command_status=status))
            if self._transport is not None:
                self._transport.close()
            return
        self._state = BIND_STATES[pdu.command_id]
        self.system_id = pdu.system_id
        version = ((Tag.SC_INTERFACE_VERSION, b"\x34"),)
        self.send(answer(sequence_number=number, system_id=self._smsc.system_id, tlvs=version))

    def _out_of_state(self, pdu: Pdu) -> None:
        """ESME_RINVBNDSTS in the request's own response (SMPP v3.4 5.1.3)."""
        already = pdu.command_id in BIND_STATES
        status = CommandStatus.ESME_RALYBND if already else CommandStatus.ESME_RINVBNDSTS
        self.send(out_of_state(pdu, status))
