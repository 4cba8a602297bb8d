"""A WAP push as submit_sm bodies: the forms in which SMSCs take it (WAP-259-WDP 6.5; SMPP v3.4 5.3.2)."""

from enum import StrEnum
from typing import Final

from protocols.records import record
from protocols.sms.segment import USER_DATA_OCTETS, UserDataHeader, check_count, encode_header, segment_octets

PORT_WAP_PUSH: Final = 2948
PORT_WAP_WSP: Final = 9200
PORTS: Final = (PORT_WAP_PUSH, PORT_WAP_WSP)
DATA_CODING_8BIT: Final = 0x04
DATA_CODING_8BIT_CLASS_1: Final = 0xF5
ESM_UDHI: Final = 0x40
_SOURCE_PORT: Final = 0x020A
_DESTINATION_PORT: Final = 0x020B
_SAR_REF: Final = 0x020C
_SAR_TOTAL: Final = 0x020E
_SAR_NUMBER: Final = 0x020F
_PAYLOAD: Final = 0x0424
_PORT_TLVS: Final = ((_SOURCE_PORT, PORT_WAP_WSP.to_bytes(2)), (_DESTINATION_PORT, PORT_WAP_PUSH.to_bytes(2)))


class PushForm(StrEnum):
    """How ports and segments are spelled. UDH and port or sar TLVs are never combined."""

    UDH = "udh"
    SAR = "sar"
    PAYLOAD = "payload"
    PAYLOAD_UDH = "payload_udh"


@record(frozen=True, slots=True)
class Segment:
    """What one submit_sm carries."""

    esm_class: int
    short_message: bytes
    tlvs: tuple[tuple[int, bytes], ...] = ()


def push_segments(push: bytes, reference: int, form: PushForm = PushForm.UDH) -> list[Segment]:
    """The segments of a WSP push PDU."""
    match form:
        case PushForm.UDH:
            return [Segment(ESM_UDHI, one) for one in segment_octets(push, reference, PORTS)]
        case PushForm.PAYLOAD:
            return [Segment(0, b"", (*_PORT_TLVS, (_PAYLOAD, push)))]
        case PushForm.PAYLOAD_UDH:
            return [Segment(ESM_UDHI, b"", ((_PAYLOAD, encode_header(UserDataHeader(PORTS)) + push),))]
        case PushForm.SAR:
            return _sar(push, reference)


def _sar(push: bytes, reference: int) -> list[Segment]:
    if len(push) <= USER_DATA_OCTETS - 7:  # the SMSC turns the TLVs into a header: ports alone are 7 octets,
        return [Segment(0, push, _PORT_TLVS)]
    room = USER_DATA_OCTETS - 13  # with a 16-bit reference, which is what the TLV holds, 13 (TS 23.040 9.2.3.24.8)
    pieces = [push[at : at + room] for at in range(0, len(push), room)]
    check_count(len(pieces))
    sar = (_SAR_REF, (reference & 0xFFFF).to_bytes(2)), (_SAR_TOTAL, bytes((len(pieces),)))
    return [
        Segment(0, piece, (*_PORT_TLVS, *sar, (_SAR_NUMBER, bytes((number,)))))
        for number, piece in enumerate(pieces, 1)
    ]
