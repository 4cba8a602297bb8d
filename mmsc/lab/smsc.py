"""A virtual SMSC: an SMPP v3.4 server that hands what it gets to handsets by number. It works for any ESME.

It checks passwords and states, answers as told (`answers`: a queue of statuses), reassembles segments in every form,
and sends receipts when they are asked for.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, cast

from protocols import smpp
from protocols.errors import DecodeError
from protocols.smpp import CommandStatus, DeliverSm, EsmClass, Framer, MessageState, Pdu, SmppError, SubmitSm, Tag
from protocols.smpp.receipt import receipt_text
from protocols.smpp.session import BIND_STATES, Sequence, SessionState, may_send
from protocols.sms.push import PORT_WAP_PUSH
from protocols.sms.segment import split_header
from protocols.sms.text import decode_text

_log: Final = logging.getLogger(__name__)
_MAXIMUM_OPEN_MESSAGES: Final = 10_000  # segmented messages whose rest has not come
_BIND_RESPS: Final = {
    smpp.BindTransceiver: smpp.BindTransceiverResp,
    smpp.BindTransmitter: smpp.BindTransmitterResp,
    smpp.BindReceiver: smpp.BindReceiverResp,
}

OnPush = Callable[[bytes], Awaitable[None]]
OnText = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class _Handset:
    on_push: OnPush
    on_sms: OnText


@dataclass(frozen=True, slots=True)
class Received:
    """A whole message for a number: a WAP push (to port 2948) or a text."""

    number: str
    push: bytes | None
    text: str | None


@dataclass(slots=True)
class Behaviour:
    """What the SMSC does other than saying yes. `statuses` are used up one by one; `delay_seconds` before each answer;
    `refuse_binds` keeps everybody out; `lost` takes messages and delivers none."""

    statuses: deque[CommandStatus] = field(default_factory=deque)
    delay_seconds: float = 0.0
    refuse_binds: bool = False
    lost: bool = False
    receipt_state: MessageState = MessageState.DELIVERED


class VirtualSmsc:
    """One listening socket; `accounts` maps system_id to password (empty: anybody)."""

    def __init__(self, accounts: dict[str, str] | None = None, system_id: str = "SMSC") -> None:
        self.accounts = accounts or {}
        self.system_id = system_id
        self.behaviour = Behaviour()
        self.submitted: deque[SubmitSm] = deque(maxlen=1000)
        self.port = 0
        self._handsets: dict[str, _Handset] = {}
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()
        self._segments: OrderedDict[tuple[str, str, int], dict[int, bytes]] = OrderedDict()
        self._next_id = 0
        self._received: asyncio.Queue[Received] = asyncio.Queue(maxsize=10_000)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Session(self), host, port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
            for session in tuple(self._sessions):
                session.abort()
            await self._server.wait_closed()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def register(self, number: str, on_push: OnPush, on_sms: OnText) -> None:
        """A handset with this number (`+15550100123`) is switched on."""
        self._handsets[number.lstrip("+")] = _Handset(on_push, on_sms)

    def unregister(self, number: str) -> None:
        """A handset is switched off."""
        self._handsets.pop(number.lstrip("+"), None)

    async def expect(self) -> Received:
        """The next whole message, in order of arrival."""
        return await self._received.get()

    def drop_sessions(self) -> None:
        """Cut every connection."""
        for session in tuple(self._sessions):
            session.abort()

    # --- called by sessions ---

    def joined(self, session: "_Session") -> None:
        """A connection came."""
        self._sessions.add(session)

    def left(self, session: "_Session") -> None:
        """A connection went."""
        self._sessions.discard(session)

    def checks(self, system_id: str, password: str) -> CommandStatus:
        """The answer to a bind."""
        if self.behaviour.refuse_binds:
            return CommandStatus.ESME_RBINDFAIL
        if not self.accounts:
            return CommandStatus.ESME_ROK
        if system_id not in self.accounts:
            return CommandStatus.ESME_RINVSYSID
        ok = self.accounts[system_id] == password
        return CommandStatus.ESME_ROK if ok else CommandStatus.ESME_RINVPASWD

    def take(self, session: "_Session", pdu: SubmitSm) -> Pdu:
        """The answer to a submit_sm; what it completes goes to its handset."""
        status = self.behaviour.statuses.popleft() if self.behaviour.statuses else CommandStatus.ESME_ROK
        number = pdu.sequence_number
        if status is not CommandStatus.ESME_ROK:
            return smpp.SubmitSmResp(sequence_number=number, command_status=status)
        try:
            whole = self._whole(pdu)
        except DecodeError:
            return smpp.SubmitSmResp(sequence_number=number, command_status=CommandStatus.ESME_RINVESMCLASS)
        self._next_id += 1
        message_id = f"{self._next_id:08X}"
        self.submitted.append(pdu)
        if whole is not None and not self.behaviour.lost:
            self.spawn(self._deliver(whole))
        if pdu.registered_delivery & 1:
            self.spawn(self._receipt(session, pdu, message_id))
        return smpp.SubmitSmResp(sequence_number=number, message_id=message_id)

    def spawn(self, work: Awaitable[None]) -> None:
        """Do something beside the session; waited for at `stop`."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _whole(self, pdu: SubmitSm) -> Received | None:
        """The message that this segment completes, None while others are missing."""
        data = pdu.user_data
        ports, part = None, None
        if pdu.esm_class & EsmClass.UDHI:
            header, data = split_header(data)
            ports = header.ports[0] if header.ports else None
            if header.concatenation is not None:
                one = header.concatenation
                part = (one.reference, one.total, one.number)
        else:
            port = pdu.tlv(Tag.DESTINATION_PORT)
            ports = int.from_bytes(port) if port else None
            part = _sar(pdu)
        if part is not None:
            joined = self._join(pdu, part, data)
            if joined is None:
                return None
            data = joined
        if ports == PORT_WAP_PUSH:
            return Received(pdu.destination_addr, data, None)
        return Received(pdu.destination_addr, None, decode_text(pdu.data_coding, data))

    def _join(self, pdu: SubmitSm, part: tuple[int, int, int], data: bytes) -> bytes | None:
        reference, total, number = part
        key = (pdu.source_addr, pdu.destination_addr, reference)
        pieces = self._segments.setdefault(key, {})
        pieces[number] = data
        while len(self._segments) > _MAXIMUM_OPEN_MESSAGES:
            self._segments.popitem(last=False)
        if len(pieces) < total:
            return None
        del self._segments[key]
        return b"".join(pieces[one] for one in sorted(pieces))

    async def _deliver(self, message: Received) -> None:
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

    async def _receipt(self, session: "_Session", pdu: SubmitSm, message_id: str) -> None:
        state = self.behaviour.receipt_state
        text = receipt_text(message_id, state, datetime.now(UTC).strftime("%y%m%d%H%M"))
        session.send(
            DeliverSm(
                sequence_number=session.next_number(),
                source_addr_ton=pdu.dest_addr_ton,
                source_addr_npi=pdu.dest_addr_npi,
                source_addr=pdu.destination_addr,
                dest_addr_ton=pdu.source_addr_ton,
                dest_addr_npi=pdu.source_addr_npi,
                destination_addr=pdu.source_addr,
                esm_class=EsmClass.DELIVERY_RECEIPT,
                short_message=text.encode("latin-1"),
                tlvs=(
                    (Tag.RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0"),
                    (Tag.MESSAGE_STATE, bytes((state,))),
                ),
            )
        )


def _sar(pdu: SubmitSm) -> tuple[int, int, int] | None:
    reference, total, number = (
        pdu.tlv(tag) for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    )
    if reference is None or not total or not number:
        return None
    return int.from_bytes(reference), total[0], number[0]


class _Session(asyncio.Protocol):
    """One ESME's connection."""

    def __init__(self, smsc: VirtualSmsc) -> None:
        self._smsc = smsc
        self._framer = Framer()
        self._state = SessionState.OPEN
        self._sequence = Sequence()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connected."""
        transport = cast("asyncio.Transport", transport)  # other loops have transports of their own
        self._transport = transport
        self._smsc.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        self._state = SessionState.CLOSED
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
            self.send(smpp.GenericNack(sequence_number=error.sequence_number, command_status=error.status))
            if self._transport is not None:
                self._transport.close()
            return
        for octets in frames:
            self._received(octets)

    def _received(self, octets: bytes) -> None:
        try:
            pdu = smpp.decode(octets).message
        except SmppError as error:
            self.send(smpp.GenericNack(sequence_number=error.sequence_number, command_status=error.status))
            return
        if pdu.command_id & smpp.RESPONSE:
            return
        delay = self._smsc.behaviour.delay_seconds
        if delay and isinstance(pdu, SubmitSm):
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
            case SubmitSm():
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
        if status is CommandStatus.ESME_ROK:
            self._state = BIND_STATES[pdu.command_id]
        version = ((Tag.SC_INTERFACE_VERSION, b"\x34"),)
        answer = _BIND_RESPS[type(pdu)](
            sequence_number=pdu.sequence_number,
            command_status=status,
            system_id=self._smsc.system_id,
            tlvs=version,
        )
        self.send(answer)
        if status is not CommandStatus.ESME_ROK and self._transport is not None:
            self._transport.close()

    def _out_of_state(self, pdu: Pdu) -> None:
        """ESME_RINVBNDSTS in the request's own response (SMPP v3.4 5.1.3)."""
        already = pdu.command_id in BIND_STATES
        status = CommandStatus.ESME_RALYBND if already else CommandStatus.ESME_RINVBNDSTS
        if isinstance(pdu, SubmitSm):
            self.send(smpp.SubmitSmResp(sequence_number=pdu.sequence_number, command_status=status))
        elif type(pdu) in _BIND_RESPS:
            response = _BIND_RESPS[type(pdu)]  # type: ignore[index]
            self.send(response(sequence_number=pdu.sequence_number, command_status=status))
        else:
            self.send(smpp.GenericNack(sequence_number=pdu.sequence_number, command_status=status))
