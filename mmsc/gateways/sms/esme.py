"""An ESME session: bound, kept alive and bound again, with a window of requests (SMPP v3.4 2.2, 2.7, 7.2).

No task per message: a request is written, together with others of its turn, and its response resolves a future.
enquire_link does not queue behind the window. What the SMSC does is a value; `SmscGone` says that there is no session
or no answer.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final, NamedTuple, cast

from mmsc.domain.neighbours import Smsc
from mmsc.gateways.sms.marked import Marked
from mmsc.gateways.sms.sessions import EsmeTimers as EsmeTimers
from mmsc.gateways.sms.sessions import SmscGone as SmscGone
from mmsc.gateways.sms.sessions import Told
from mmsc.net.connecting import not_connected
from mmsc.net.deadlines import Deadlines
from mmsc.net.http_received import place_of
from mmsc.net.turns import TurnWriter, settle
from mmsc.trace.captures import Direction, WireTap, new_exchange, new_subject
from protocols import smpp
from protocols.errors import EncodeError
from protocols.records import record
from protocols.smpp import CommandId, CommandStatus, DataSm, DeliverSm, Framer, Pdu, SmppError
from protocols.smpp.session import Sequence

_log: Final = logging.getLogger(__name__)
_BINDS: Final = {"transceiver": smpp.BindTransceiver, "transmitter": smpp.BindTransmitter}
_BIND_RESPS: Final = (smpp.BindTransceiverResp, smpp.BindTransmitterResp, smpp.BindReceiverResp)
_UNUSABLE: Final = (EncodeError, UnicodeError)  # a setting that SMPP has no place for; a host name that is none
_INBOX: Final = 1000  # requests of the SMSC that wait; beyond it ESME_RMSGQFUL
_BOUND_ALREADY: Final = CommandStatus.ESME_RALYBND
_LOOK_AGAIN_SECONDS: Final = (0.05, 0.25, 1.0, 3.0)  # together within an SMSC's response timer


OnMessage = Callable[[DeliverSm | DataSm], Awaitable[CommandStatus | None]]
"""The status to answer with, None for "not known yet, ask again": a receipt may overtake our note of its message."""


@record(frozen=True, slots=True)
class _Incoming:
    """A request of the SMSC, the connection that it came on, and how often it was looked at."""

    pdu: DeliverSm | DataSm
    transport: asyncio.Transport | None
    looked: int = 0


class _Asked(NamedTuple):
    """A request of ours that waits for its response so many seconds."""

    future: asyncio.Future[Pdu]
    seconds: float
    mm_id: int | None


class Esme(asyncio.Protocol):
    """One session to one SMSC. `run` keeps it up until cancelled."""

    def __init__(
        self,
        smsc: Smsc,
        on_message: OnMessage,
        on_bound: Callable[[], None],
        tap: WireTap,
        timers: EsmeTimers | None = None,
    ) -> None:
        self._smsc = smsc
        self._on_message = on_message
        self._on_bound = on_bound
        self._tap = tap
        self.timers = timers or EsmeTimers()
        self._window = asyncio.Semaphore(smsc.window)
        self._transport: asyncio.Transport | None = None
        self._writer: TurnWriter | None = None
        self._framer = Framer()
        self._sequence = Sequence()
        self._pending: dict[int, _Asked] = {}
        self._deadlines = Deadlines(self._too_late)
        self._closed = asyncio.Event()
        self._incoming: asyncio.Queue[_Incoming] = asyncio.Queue(maxsize=_INBOX)
        self._exchanges: dict[int, int] = {}
        self._looking_again = 0
        self._ended = False
        self._told = Told(smsc.name)
        self._last_heard = 0.0
        self._place = place_of((smsc.host, smsc.port))
        self._local = ""
        self.bound = False
        self.why_not = "not connected yet"
        self.marked: Marked | None = None  # faults of the SMSC, where that is the built-in one

    # --- the session ---

    async def run(self) -> None:
        """Connect, bind, keep alive, and again: 1 s to 60 s between tries, with jitter."""
        wait = self.timers.first_reconnect
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take_messages(), name=f"esme {self._smsc.name} in")
            while not self._ended:
                try:
                    await self._connect_and_bind()
                    wait = self.timers.first_reconnect
                    self._told.bound()
                    self._on_bound()
                    await self._keep_alive()
                except (OSError, TimeoutError, SmscGone, *_UNUSABLE) as error:
                    self.why_not = str(error) or type(error).__name__
                    if not self._ended:
                        self._told.lost(self.why_not)
                finally:  # also when it is cancelled: a connection that nobody looks after would stay bound
                    self._drop(self.why_not)
                await asyncio.sleep(wait * random.uniform(0.8, 1.2))
                wait = min(wait * 2, self.timers.longest_reconnect)

    async def close(self) -> None:
        """Unbind politely, then close; `run` makes no new session."""
        self._ended = True
        if self.bound:
            with suppress(SmscGone):
                await self._call(smpp.Unbind(sequence_number=0), self.timers.unbind)
        self._drop("closed")

    async def leave(self) -> None:
        """Unbind when what is under way was answered. The caller hands nothing new over, and ends `run` afterwards."""
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * self.timers.response):
                while self.bound and self._pending:
                    await asyncio.wait([one.future for one in self._pending.values()])
                    await settle()  # whoever waits for the window, or has another segment, has its turn
        await self.close()

    def mark(self, marked: Marked | None) -> None:
        """From now on this one knows what the SMSC does wrong on purpose; None: it does nothing wrong."""
        self.marked = marked
        if marked is not None and self._local:
            marked.joined(self._local)

    def rebind(self, why: str) -> None:
        """Give the session up; `run` makes a new one."""
        _log.warning("SMSC %s: %s", self._smsc.name, why, extra=self._told.about)
        if self._writer is not None:
            self._writer.abort()

    async def _connect_and_bind(self) -> None:
        self._framer = Framer()
        self._closed.clear()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.timers.connect):
                await loop.create_connection(lambda: self, self._smsc.host, self._smsc.port)
        except OSError as error:  # TimeoutError is one
            raise SmscGone(not_connected(self._place, error), sent=False) from error
        if self._ended:
            raise SmscGone("closed", sent=False)
        bind = _BINDS[self._smsc.bind](
            sequence_number=0,
            system_id=self._smsc.system_id,
            password=self._smsc.password,
            system_type=self._smsc.system_type,
        )
        answer = await self._call(bind, self.timers.response)
        refused = answer.command_status not in (CommandStatus.ESME_ROK, _BOUND_ALREADY)
        if refused or not isinstance(answer, _BIND_RESPS):
            raise SmscGone(f"bind refused: {answer.command_status.name}", sent=True)
        self.bound = True

    async def _keep_alive(self) -> None:
        """enquire_link when nothing was heard for a while; ends when the connection does."""
        loop = asyncio.get_running_loop()
        while not self._closed.is_set():
            quiet = loop.time() - self._last_heard
            if quiet >= self.timers.enquire_link:
                await self._call(smpp.EnquireLink(sequence_number=0), self.timers.response)
                continue
            try:
                async with asyncio.timeout(self.timers.enquire_link - quiet):
                    await self._closed.wait()
            except TimeoutError:
                continue
        raise SmscGone("the SMSC closed the connection", sent=True)

    def _drop(self, why: str) -> None:
        """The session is over: whoever waits for an answer learns it."""
        self.bound = False
        self.why_not = why
        if self._writer is not None:
            self._writer.abort()
            self._transport = self._writer = None
        self._fail_all(why)
        self._pending.clear()
        self._deadlines.close()
        self._exchanges.clear()

    def _fail_all(self, why: str) -> None:
        for one in self._pending.values():
            if not one.future.done():
                one.future.set_exception(SmscGone(why, sent=True))
                one.future.exception()

    # --- requests ---

    async def request(self, pdu: Pdu, *, mm_id: int | None = None) -> Pdu:
        """Send a request within the window; its response. Raises SmscGone."""
        async with self._window:
            if not self.bound:
                raise SmscGone(f"not bound: {self.why_not}", sent=False)
            return await self._call(pdu, self.timers.response, mm_id)

    async def _call(self, pdu: Pdu, seconds: float, mm_id: int | None = None) -> Pdu:
        """Send a request under the next sequence number; its response."""
        if self._transport is None:
            raise SmscGone(self.why_not, sent=False)
        future: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        number = self._sequence.next()
        if self.marked:
            self.marked.sent(number, mm_id)
        self._write(pdu, number, mm_id)
        self._pending[number] = _Asked(future, seconds, mm_id)
        self._deadlines.set(number, seconds)
        try:
            return await future
        finally:
            self._deadlines.clear(number)
            if self.marked:
                self.marked.hit(number, mm_id)
            self._pending.pop(number, None)
            self._exchanges.pop(number, None)

    def _too_late(self, number: int) -> None:
        asked = self._pending.pop(number, None)
        if asked is not None and not asked.future.done():
            asked.future.set_exception(SmscGone("no response in time", sent=True))
            exchange = self._exchanges.get(number, 0)
            if exchange and self._tap.is_on:
                why = f"no response in {asked.seconds:g} s"
                self._saw(Direction.IN, b"", exchange, asked.mm_id, number, why)

    def _write(self, pdu: Pdu, number: int | None = None, mm_id: int | None = None) -> None:
        """Write a PDU, a request under `number`."""
        if self._writer is None:
            return
        octets = smpp.encode(pdu, number)
        self._writer.write(octets)
        if self._tap.is_on:
            if number is None:
                exchange = self._exchanges.pop(-pdu.sequence_number, 0) or new_exchange()
            else:
                exchange = self._exchanges[number] = new_exchange()
            self._saw(Direction.OUT, octets, exchange, mm_id)

    def _saw(
        self, way: Direction, octets: bytes, exchange: int, mm_id: int | None = None, number: int = 0, note: str = ""
    ) -> None:
        self._tap.saw(
            way,
            octets,
            local=self._local,
            remote=self._place,
            exchange=exchange,
            neighbour=self._smsc.name,
            mm_id=mm_id,
            note=note,
            fault=self.marked.name(number) if self.marked else "",
        )

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is up."""
        transport = cast("asyncio.Transport", transport)  # other loops have transports of their own
        self._transport, self._writer = transport, TurnWriter(transport)
        self._local = place_of(transport.get_extra_info("sockname"))
        self._last_heard = asyncio.get_running_loop().time()
        if self.marked is not None:
            self.marked.joined(self._local)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.bound = False
        self._closed.set()
        self._fail_all("the connection was lost")

    def pause_writing(self) -> None:
        """The SMSC does not read: what it asks meanwhile would only make more that it does not read. An SMSC that
        stays so answers no enquire_link either, and the session ends."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._transport is not None:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Octets from the SMSC."""
        self._last_heard = asyncio.get_running_loop().time()
        try:
            pdus = self._framer.feed(data)
        except SmppError as error:
            for octets in error.before:
                self._received(octets)
            _log.warning("SMSC %s: %s; the connection is closed", self._smsc.name, error, extra=self._told.about)
            self._write(smpp.GenericNack(sequence_number=error.sequence_number, command_status=error.status))
            if self._writer is not None:
                self._writer.close()
            return
        for octets in pdus:
            self._received(octets)

    def _received(self, octets: bytes) -> None:
        try:
            pdu = smpp.decode(octets).message
        except SmppError as error:
            refusal = smpp.refusal(error)
            if refusal is not None:
                self._write(refusal)
                return
            # A response that we do not know: its status still answers the request.
            status = CommandStatus(int.from_bytes(octets[8:12]))
            pdu = smpp.GenericNack(sequence_number=error.sequence_number, command_status=status)
        number = pdu.sequence_number
        if pdu.command_id & smpp.RESPONSE:
            if self._tap.is_on:
                self._saw(Direction.IN, octets, self._exchanges.pop(number, 0) or new_exchange(), number=number)
            asked = self._pending.get(number)
            if asked is not None and not asked.future.done():
                asked.future.set_result(pdu)
            return
        if self._tap.is_on:
            exchange = self._exchanges[-number] = new_exchange()
            self._saw(Direction.IN, octets, exchange, number=-number)
        self._requested(pdu)

    def _requested(self, pdu: Pdu) -> None:
        number = pdu.sequence_number
        match pdu:
            case smpp.EnquireLink():
                self._write(smpp.EnquireLinkResp(sequence_number=number))
            case smpp.Unbind():
                self._write(smpp.UnbindResp(sequence_number=number))
                self.bound = False
                if self._writer is not None:
                    self._writer.close()
            case DeliverSm() | DataSm():
                self._queue(_Incoming(pdu, self._transport))
            case _:
                self._write(smpp.GenericNack(sequence_number=number, command_status=CommandStatus.ESME_RINVCMDID))

    def _queue(self, incoming: _Incoming) -> None:
        try:
            self._incoming.put_nowait(incoming)
        except asyncio.QueueFull:
            self._answer(incoming, CommandStatus.ESME_RMSGQFUL)

    def _look_again(self, incoming: _Incoming) -> None:
        self._looking_again -= 1
        self._queue(incoming)

    async def _take_messages(self) -> None:
        """deliver_sm in the order in which they came; each is answered once it is durable."""
        loop = asyncio.get_running_loop()
        while True:
            incoming = await self._incoming.get()
            subject = new_subject()
            try:
                status = await self._on_message(incoming.pdu)
            except Exception:
                _log.exception("deliver_sm from SMSC %s failed", self._smsc.name, extra=self._told.about)
                status = CommandStatus.ESME_RX_T_APPN
            if status is not None:
                self._answer(incoming, status, subject.mm_id)
            elif incoming.looked < len(_LOOK_AGAIN_SECONDS):
                seconds = _LOOK_AGAIN_SECONDS[incoming.looked]
                if self._looking_again < _INBOX:
                    self._looking_again += 1
                    loop.call_later(seconds, self._look_again, replace(incoming, looked=incoming.looked + 1))
                else:
                    self._answer(incoming, CommandStatus.ESME_RMSGQFUL)
            else:  # nobody's: anything but ROK would bring it back for ever
                self._answer(incoming, CommandStatus.ESME_ROK)

    def _answer(self, incoming: _Incoming, status: CommandStatus, mm_id: int | None = None) -> None:
        if self.marked:  # only now it is known whose the message was
            self.marked.hit(-incoming.pdu.sequence_number, mm_id)
        if incoming.transport is not self._transport:
            return  # another session numbers its requests anew; the SMSC repeats what was not answered
        pdu = incoming.pdu
        deliver = pdu.command_id is CommandId.DELIVER_SM
        answer = smpp.DeliverSmResp if deliver else smpp.DataSmResp
        self._write(answer(sequence_number=pdu.sequence_number, command_status=status), mm_id=mm_id)
