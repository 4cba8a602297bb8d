"""The SMSC: takes every bind, answers each submit_sm at once (SMPP v3.4 4.4), hands whole WAP pushes on.

It sends no delivery receipts, checks no password, and delivers no texts. It counts what it cannot read."""

import asyncio
import struct
from collections.abc import Callable
from typing import Final, cast

MAXIMUM_PDU_OCTETS: Final = 70_000  # message_payload has 64 KB at most (SMPP v3.4 5.3.2.32)
MAXIMUM_PARTIAL_PUSHES: Final = 10_000  # beyond that the oldest is forgotten

_BINDS: Final = (0x00000001, 0x00000002, 0x00000009)
_SUBMIT_SM: Final = 0x00000004
_REQUESTS_ANSWERED_ALIKE: Final = (0x00000006, 0x00000015)  # unbind, enquire_link
_GENERIC_NACK: Final = 0x80000000
_RESPONSE: Final = 0x80000000
_ESME_RINVMSGLEN: Final = 0x00000001
_ESME_RINVCMDID: Final = 0x00000003
_MESSAGE_PAYLOAD: Final = 0x0424
_HEADER: Final = struct.Struct(">IIII")
_TLV: Final = struct.Struct(">HH")
_SYSTEM_ID: Final = b"load\x00"
_CONCATENATED: Final = {0x00: struct.Struct(">BBB"), 0x08: struct.Struct(">HBB")}  # TS 23.040 9.2.3.24

Pushed = Callable[[bytes, bytes], None]
"""Called with (destination_addr, the whole push)."""


class Smsc:
    """What all SMPP connections share. `held` leaves binds unanswered, so that no push can leave the MMSC."""

    def __init__(self, pushed: Pushed, *, held: bool = False) -> None:
        self.held = held
        self.bound = asyncio.Event()
        self.segments = 0
        self.texts = 0
        self.unreadable = 0
        self._pushed = pushed
        self._parts: dict[tuple[bytes, int], dict[int, bytes]] = {}
        self._whole: list[tuple[bytes, bytes]] = []

    def connection(self) -> "SmscConnection":
        """The protocol of a new connection."""
        return SmscConnection(self)

    def submit_sm(self, body: bytes) -> bytes:
        """Take the short message of a submit_sm (SMPP v3.4 4.4.1); returns our message_id.

        Raises ValueError, IndexError or struct.error for what cannot be read."""
        at = body.index(0) + 3  # service_type; source TON and NPI
        at = body.index(0, at) + 3  # source_addr; destination TON and NPI
        end = body.index(0, at)
        destination = body[at:end]
        esm_class = body[end + 1]
        at = body.index(0, end + 4) + 1  # esm_class, protocol_id, priority_flag; schedule_delivery_time
        at = body.index(0, at) + 6  # validity_period; registered_delivery up to sm_length
        short_message = body[at : at + body[at - 1]] or _payload(body, at)
        if esm_class & 0x40:
            self._take(destination, short_message)
        else:
            self.texts += 1
        self.segments += 1
        return b"%d" % self.segments

    def hand_over(self) -> None:
        """Hand the whole pushes on: after their last submit_sm_resp was written."""
        if self._whole:
            whole, self._whole = self._whole, []
            for destination, push in whole:
                self._pushed(destination, push)

    def _take(self, destination: bytes, short_message: bytes) -> None:
        user_data = short_message[short_message[0] + 1 :]
        place = _place_in_message(short_message)
        if place is None:
            self._whole.append((destination, user_data))
            return
        reference, total, number = place
        parts = self._parts.setdefault((destination, reference), {})
        parts[number] = user_data
        if len(parts) == total:
            del self._parts[destination, reference]
            self._whole.append((destination, b"".join(parts[n] for n in sorted(parts))))
        elif len(self._parts) > MAXIMUM_PARTIAL_PUSHES:
            del self._parts[next(iter(self._parts))]


def _payload(body: bytes, at: int) -> bytes:
    """The message_payload among the optional parameters; empty when it is not there."""
    while at + 4 <= len(body):
        tag, length = _TLV.unpack_from(body, at)
        if tag == _MESSAGE_PAYLOAD:
            return body[at + 4 : at + 4 + length]
        at += 4 + length
    return b""


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

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """asyncio: octets came."""
        assert self._transport is not None
        buffer = self._buffer
        buffer += data
        answers = bytearray()
        while len(buffer) >= 16:
            length, command, _, sequence = _HEADER.unpack_from(buffer)
            if not 16 <= length <= MAXIMUM_PDU_OCTETS:
                self._smsc.unreadable += 1
                self._transport.close()  # nobody knows where the next PDU begins
                return
            if len(buffer) < length:
                break
            body = bytes(buffer[16:length])
            del buffer[:length]
            answers += self._answer(command, sequence, body)
        if answers:
            self._transport.write(bytes(answers))
        self._smsc.hand_over()

    def _answer(self, command: int, sequence: int, body: bytes) -> bytes:
        if command == _SUBMIT_SM:
            try:
                return _pdu(command, sequence, self._smsc.submit_sm(body) + b"\x00")
            except (ValueError, IndexError, struct.error):
                self._smsc.unreadable += 1
                return _HEADER.pack(16, command | _RESPONSE, _ESME_RINVMSGLEN, sequence)
        if command in _BINDS:
            if self._smsc.held:
                return b""
            self._smsc.bound.set()
            return _pdu(command, sequence, _SYSTEM_ID)
        if command in _REQUESTS_ANSWERED_ALIKE:
            return _pdu(command, sequence, b"")
        if command & _RESPONSE:
            return b""
        return _HEADER.pack(16, _GENERIC_NACK, _ESME_RINVCMDID, sequence)


def _pdu(command: int, sequence: int, body: bytes) -> bytes:
    return _HEADER.pack(16 + len(body), command | _RESPONSE, 0, sequence) + body
