"""PDUs that the virtual SMSC writes: texts and delivery receipts (SMPP v3.4 5.2.12, appendix B), and refusals."""

from datetime import UTC, datetime
from typing import Final

from protocols import smpp
from protocols.smpp import CommandStatus, DataSm, DeliverSm, EsmClass, MessageState, Pdu, SubmitSm, Tag
from protocols.smpp.receipt import receipt_text

ENROUTE_IS_WANTED: Final = 0x10  # of registered_delivery: an intermediate notification (SMPP v3.4 5.2.17)
BIND_RESPS: Final = {
    smpp.BindTransceiver: smpp.BindTransceiverResp,
    smpp.BindTransmitter: smpp.BindTransmitterResp,
    smpp.BindReceiver: smpp.BindReceiverResp,
}


def text_of(
    number: str, to: str, sequence_number: int, data_coding: int, piece: bytes, *, has_header: bool
) -> DeliverSm:
    """A segment of a text that a handset sends."""
    return DeliverSm(
        sequence_number=sequence_number,
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr=number.lstrip("+"),
        destination_addr=to.lstrip("+"),
        esm_class=EsmClass.UDHI if has_header else 0,
        data_coding=data_coding,
        short_message=piece,
    )


def out_of_state(pdu: Pdu, status: CommandStatus) -> Pdu:
    """The refusal of a request, in its own response (SMPP v3.4 5.1.3)."""
    number = pdu.sequence_number
    if isinstance(pdu, SubmitSm):
        return smpp.SubmitSmResp(sequence_number=number, command_status=status)
    if isinstance(pdu, DataSm):
        return smpp.DataSmResp(sequence_number=number, command_status=status)
    if type(pdu) in BIND_RESPS:
        return BIND_RESPS[type(pdu)](sequence_number=number, command_status=status)  # type: ignore[index]
    return smpp.GenericNack(sequence_number=number, command_status=status)


def receipt_of(pdu: SubmitSm | DataSm, message_id: str, state: MessageState, sequence_number: int) -> DeliverSm:
    """Addresses are swapped; an ENROUTE is an intermediate notification."""
    text = receipt_text(message_id, state, datetime.now(UTC).strftime("%y%m%d%H%M"))
    enroute = state is MessageState.ENROUTE
    return DeliverSm(
        sequence_number=sequence_number,
        source_addr_ton=pdu.dest_addr_ton,
        source_addr_npi=pdu.dest_addr_npi,
        source_addr=pdu.destination_addr,
        dest_addr_ton=pdu.source_addr_ton,
        dest_addr_npi=pdu.source_addr_npi,
        destination_addr=pdu.source_addr,
        esm_class=EsmClass.INTERMEDIATE_NOTIFICATION if enroute else EsmClass.DELIVERY_RECEIPT,
        short_message=text.encode("latin-1"),
        tlvs=(
            (Tag.RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0"),
            (Tag.MESSAGE_STATE, bytes((state,))),
        ),
    )
