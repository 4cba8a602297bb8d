"""An ESME that only receives, for a handset whose pushes come from somebody's SMSC: what that delivers to the account
(deliver_sm, data_sm) is the handset's. SMPP v3.4.

The session ends with the SMSC: nothing is bound again, so that a wrong account is seen at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from mmsc.lab.reassembly import Reassembly
from mmsc.lab.spawned import Spawned
from protocols import smpp
from protocols.errors import DecodeError
from protocols.smpp import CommandStatus, DataSm, DeliverSm, Framer, Pdu, SmppError
from protocols.smpp.enums import MESSAGE_TYPE_MASK
from protocols.smpp.session import Sequence

ANSWER_SECONDS: Final = 10.0  # how long a bind waits for its answer
ENQUIRE_SECONDS: Final = 30.0  # between two enquire_link of ours (SMPP v3.4 7.2: enquire_link_timer)
_READ_OCTETS: Final = 65_536
_VERSION: Final = 0x34


class SmppReceiver:
    """A receiver session. `bind`, then `run` until it ends."""

    def __init__(
        self,
        host: str,
        port: int,
        system_id: str,
        password: str,
        on_push: Callable[[bytes], Awaitable[None]],
        on_sms: Callable[[str], Awaitable[None]],
    ) -> None:
        self._place = (host, port)
        self._account = (system_id, password)
        self._on_push = on_push
        self._on_sms = on_sms
        self._framer = Framer()
        self._sequence = Sequence()
        self._reassembly = Reassembly()
        self._spawned = Spawned()
        self._pending: list[bytes] = []
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._enquired = False  # an enquire_link of ours has no answer yet

    async def bind(self) -> None:
        """Connect and bind. Raises OSError, with the SMSC's word where it refused."""
        self._streams = await asyncio.open_connection(*self._place)
        system_id, password = self._account
        try:
            self._write(
                smpp.BindReceiver(
                    sequence_number=self._sequence.next(),
                    system_id=system_id,
                    password=password,
                    interface_version=_VERSION,
                )
            )
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._next()
        except TimeoutError:
            raise ConnectionError(f"no answer to bind_receiver in {ANSWER_SECONDS:g} s") from None
        if not isinstance(answer, smpp.BindReceiverResp):
            name = "the end of the connection" if answer is None else type(answer).__name__
            raise ConnectionError(f"the SMSC answered bind_receiver with {name}")
        if answer.command_status is not CommandStatus.ESME_ROK:
            raise ConnectionError(f"the SMSC refused bind_receiver with {answer.command_status.name}")

    async def run(self) -> None:
        """Take what comes, until the SMSC ends the session. Raises OSError."""
        while True:
            try:
                async with asyncio.timeout(ENQUIRE_SECONDS):
                    pdu = await self._next()
            except TimeoutError:
                if self._enquired:
                    raise ConnectionError("the SMSC answers no enquire_link") from None
                self._enquired = True
                self._write(smpp.EnquireLink(sequence_number=self._sequence.next()))
                continue
            if pdu is None or isinstance(pdu, smpp.Unbind):
                if pdu is not None:
                    self._write(smpp.UnbindResp(sequence_number=pdu.sequence_number))
                return
            self._enquired = False
            self._answer(pdu)

    async def close(self) -> None:
        """End the session and what pushes began."""
        if self._streams is not None:
            if not self._streams[1].is_closing():
                self._write(smpp.Unbind(sequence_number=self._sequence.next()))
            self._streams[1].close()
        await self._spawned.close()

    def _answer(self, pdu: Pdu) -> None:
        number = pdu.sequence_number
        match pdu:
            case DeliverSm():
                self._write(smpp.DeliverSmResp(sequence_number=number, command_status=self._take(pdu)))
            case DataSm():
                self._write(smpp.DataSmResp(sequence_number=number, command_status=self._take(pdu)))
            case smpp.EnquireLink():
                self._write(smpp.EnquireLinkResp(sequence_number=number))
            case _ if not pdu.command_id & smpp.RESPONSE:
                self._write(smpp.GenericNack(sequence_number=number, command_status=CommandStatus.ESME_RINVCMDID))

    def _take(self, pdu: DeliverSm | DataSm) -> CommandStatus:
        if pdu.esm_class & MESSAGE_TYPE_MASK:  # a receipt or an acknowledgement (5.2.12)
            return CommandStatus.ESME_ROK
        try:
            whole = self._reassembly.take(pdu)
        except DecodeError:
            return CommandStatus.ESME_RINVESMCLASS
        if whole is None:
            return CommandStatus.ESME_ROK
        push, text = whole.push, whole.text or ""
        begun = self._spawned.spawn((lambda: self._on_sms(text)) if push is None else (lambda: self._on_push(push)))
        return CommandStatus.ESME_ROK if begun else CommandStatus.ESME_RMSGQFUL

    async def _next(self) -> Pdu | None:
        """The next PDU that can be read, None at the end. Raises OSError for what is no SMPP."""
        assert self._streams is not None
        while True:
            while self._pending:
                try:
                    return smpp.decode(self._pending.pop(0)).message
                except SmppError as error:
                    refusal = smpp.refusal(error)
                    if refusal is not None:
                        self._write(refusal)
            octets = await self._streams[0].read(_READ_OCTETS)
            if not octets:
                return None
            try:
                self._pending += self._framer.feed(octets)
            except SmppError as error:
                raise ConnectionError(f"the SMSC sends no SMPP: {error}") from error

    def _write(self, pdu: Pdu) -> None:
        assert self._streams is not None
        self._streams[1].write(smpp.encode(pdu))
