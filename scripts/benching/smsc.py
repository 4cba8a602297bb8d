"""The SMSC: takes binds, answers each submit_sm at once (SMPP v3.4 clause 4.4), hands whole WAP pushes to handsets."""

import asyncio
import struct
from collections.abc import Callable
from typing import Final, cast

_BINDS: Final = (0x00000001, 0x00000002, 0x00000009)
_SUBMIT_SM: Final = 0x00000004
_REQUESTS_ANSWERED_ALIKE: Final = (0x00000006, 0x00000015)  # unbind, enquire_link
_RESPONSE: Final = 0x80000000
_HEADER: Final = struct.Struct(">IIII")
_SYSTEM_ID: Final = b"bench\x00"
_CONCATENATED: Final = {0x00: struct.Struct(">BBB"), 0x08: struct.Struct(">HBB")}  # TS 23.040 clause 9.2.3.24

Pushed = Callable[[bytes], None]


class Smsc:
    """What all SMPP connections share. `held` leaves binds unanswered, so that no push can leave the MMSC."""

    def __init__(self, pushed: Pushed, *, held: bool) -> None:
        self.held = held
        self.bound = asyncio.Event()
        self.segments = 0
        self._pushed = pushed
        self._parts: dict[tuple[bytes, int], dict[int, bytes]] = {}
        self._whole: list[bytes] = []

    def connection(self) -> "SmscConnection":
        """The protocol of a new connection."""
        return SmscConnection(self)

    def submit_sm(self, body: bytes) -> bytes:
        """Take the mandatory fields' short_message (SMPP v3.4 clause 4.4.1); returns our message_id."""
        self.segments += 1
        at = body.index(0) + 3  # service_type; source TON and NPI
        at = body.index(0, at) + 3  # source_addr; destination TON and NPI
        end = body.index(0, at)
        destination = body[at:end]
        esm_class = body[end + 1]
        at = body.index(0, end + 4) + 1  # esm_class, protocol_id, priority_flag; schedule_delivery_time
        at = body.index(0, at) + 6  # validity_period; registered_delivery up to sm_length
        short_message = body[at : at + body[at - 1]]
        self._take(destination, short_message, with_header=bool(esm_class & 0x40))
        return b"%d" % self.segments

    def hand_over(self) -> None:
        """Give the pushes that are whole to the handsets: after their last submit_sm_resp was written."""
        whole, self._whole = self._whole, []
        for push in whole:
            self._pushed(push)

    def _take(self, destination: bytes, short_message: bytes, *, with_header: bool) -> None:
        if not with_header:
            return  # a text message: the bench waits for none, so its MM will count as lost
        user_data = short_message[short_message[0] + 1 :]
        place = _place_in_message(short_message)
        if place is None:
            self._whole.append(user_data)
            return
        reference, total, number = place
        parts = self._parts.setdefault((destination, reference), {})
        parts[number] = user_data
        if len(parts) == total:
            del self._parts[destination, reference]
            self._whole.append(b"".join(parts[n] for n in range(1, total + 1)))


def _place_in_message(short_message: bytes) -> tuple[int, int, int] | None:
    """(reference, total, number) of the concatenation element; None when the push is a single SMS."""
    at = 1
    while at <= short_message[0]:
        form = _CONCATENATED.get(short_message[at])
        if form is not None:
            reference, total, number = form.unpack_from(short_message, at + 2)
            return reference, total, number
        at += 2 + short_message[at + 1]
    return None


class SmscConnection(asyncio.Protocol):
    """One ESME's connection."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        buffer = self._buffer
        buffer += data
        answers = bytearray()
        while len(buffer) >= 16:
            length, command, _, sequence = _HEADER.unpack_from(buffer)
            if len(buffer) < length:
                break
            body = bytes(buffer[16:length])
            del buffer[:length]
            answers += self._answer(command, sequence, body)
        if answers:
            self._transport.write(answers)
        self._smsc.hand_over()

    def _answer(self, command: int, sequence: int, body: bytes) -> bytes:
        if command == _SUBMIT_SM:
            return _pdu(command, sequence, self._smsc.submit_sm(body) + b"\x00")
        if command in _BINDS and not self._smsc.held:
            self._smsc.bound.set()
            return _pdu(command, sequence, _SYSTEM_ID)
        return _pdu(command, sequence, b"") if command in _REQUESTS_ANSWERED_ALIKE else b""


def _pdu(command: int, sequence: int, body: bytes) -> bytes:
    return _HEADER.pack(16 + len(body), command | _RESPONSE, 0, sequence) + body
