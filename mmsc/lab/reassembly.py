"""Segments into whole messages, in every form that SMPP v3.4 knows: user data headers (3GPP TS 23.040 9.2.3.24), sar_
TLVs (5.3.2.22 to 5.3.2.24) and message_payload (5.3.2.32). What waits for a rest that never comes is bounded."""

from collections import OrderedDict
from typing import Final

from protocols.errors import DecodeError
from protocols.records import record
from protocols.smpp import DataSm, DeliverSm, EsmClass, SubmitSm, Tag
from protocols.sms.push import PORT_WAP_PUSH
from protocols.sms.segment import split_header
from protocols.sms.text import decode_text

_MAXIMUM_OPEN_MESSAGES: Final = 10_000  # segmented messages whose rest has not come
_MAXIMUM_OPEN_OCTETS: Final = 16 << 20  # of all of them together: a message_payload may hold 64 KB


@record(frozen=True, slots=True)
class Received:
    """A whole message for a number: a WAP push (to port 2948) or a text."""

    number: str
    push: bytes | None
    text: str | None


class Reassembly:
    """Keeps segments until their message is whole."""

    def __init__(self) -> None:
        self._segments: OrderedDict[tuple[str, str, int, int], dict[int, bytes]] = OrderedDict()
        self.octets = 0

    def take(self, pdu: SubmitSm | DeliverSm | DataSm) -> Received | None:
        """The message that this segment completes, None while others are missing. Raises DecodeError."""
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

    def forget(self) -> None:
        """Messages that are not whole never will be: their ESME died. A handset does so after some minutes."""
        self._segments.clear()
        self.octets = 0

    def _join(self, pdu: SubmitSm | DeliverSm | DataSm, part: tuple[int, int, int], data: bytes) -> bytes | None:
        reference, total, number = part
        if not 1 <= number <= total:
            raise DecodeError(f"segment {number} of {total}", clause="3GPP TS 23.040 9.2.3.24.1")
        key = (pdu.source_addr, pdu.destination_addr, reference, total)
        pieces = self._segments.setdefault(key, {})
        self.octets += len(data) - len(pieces.get(number, b""))
        pieces[number] = data
        if len(pieces) == total:
            self._forget(key)
            return b"".join(pieces[one] for one in sorted(pieces))
        while len(self._segments) > _MAXIMUM_OPEN_MESSAGES or self.octets > _MAXIMUM_OPEN_OCTETS:
            self._forget(next(iter(self._segments)))
        return None

    def _forget(self, key: tuple[str, str, int, int]) -> None:
        self.octets -= sum(map(len, self._segments.pop(key).values()))


def _sar(pdu: SubmitSm | DeliverSm | DataSm) -> tuple[int, int, int] | None:
    reference, total, number = (
        pdu.tlv(tag) for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    )
    if reference is None or not total or not number:
        return None
    return int.from_bytes(reference), total[0], number[0]
