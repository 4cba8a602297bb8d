"""Delivery receipts of the virtual SMSC (SMPP v3.4 appendix B)."""

from protocols.smpp import DataSm, DeliverSm, EsmClass, MessageState, SubmitSm, Tag
from protocols.smpp.receipt import receipt_text


def receipt_of(pdu: SubmitSm | DataSm, number: int, message_id: str, state: MessageState, done: str) -> DeliverSm:
    """The deliver_sm that tells what became of a message; `number` is its sequence number, `done` the date."""
    return DeliverSm(
        sequence_number=number,
        source_addr_ton=pdu.dest_addr_ton,
        source_addr_npi=pdu.dest_addr_npi,
        source_addr=pdu.destination_addr,
        dest_addr_ton=pdu.source_addr_ton,
        dest_addr_npi=pdu.source_addr_npi,
        destination_addr=pdu.source_addr,
        esm_class=EsmClass.DELIVERY_RECEIPT,
        short_message=receipt_text(message_id, state, done).encode("latin-1"),
        tlvs=(
            (Tag.RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0"),
            (Tag.MESSAGE_STATE, bytes((state,))),
        ),
    )
