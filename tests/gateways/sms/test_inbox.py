"""Receipts to the engine: which message, what it says, and what the SMSC is answered."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from mmsc.engine.ports import ReceiptState
from mmsc.gateways.sms.courier import SmsInbox
from protocols.smpp import CommandStatus, DataSm, DeliverSm, EsmClass, MessageState, Tag


@dataclass
class Notes:
    """Knows one SMS; keeps what it was told."""

    known: str
    told: list[tuple[str, str, ReceiptState]] = field(default_factory=list)

    async def receipt(
        self, smsc: str, message_id: str, state: ReceiptState, text: str, numbers: Collection[str] | None = None
    ) -> bool:
        if message_id != self.known or (numbers is not None and "15550100123" not in numbers):
            return False
        self.told.append((smsc, message_id, state))
        return True


def receipt(text: str, *tlvs: tuple[int, bytes], esm_class: int = EsmClass.DELIVERY_RECEIPT) -> DeliverSm:
    octets = text.encode()
    return DeliverSm(sequence_number=1, esm_class=esm_class, source_addr="15550100123", short_message=octets, tlvs=tlvs)


async def take(notes: Notes, pdu: DeliverSm | DataSm) -> CommandStatus | None:
    return await SmsInbox(notes, cast(Any, None)).take("local", pdu)


@pytest.mark.parametrize(
    ("noted", "pdu"),
    [
        ("0F3A9C21", receipt("id:x stat:DELIVRD", (Tag.RECEIPTED_MESSAGE_ID, b"0F3A9C21\0"))),
        ("f3a9c21", receipt("id:0255499297 sub:001 stat:DELIVRD err:000 text:")),
        ("255499297", receipt("id:0F3A9C21 stat:DELIVRD")),
        ("0255499297", receipt("id:0f3a9c21 stat:DELIVRD")),
        ("0F3A9C21", receipt("id:0255499297 stat:DELIVRD")),
        ("0F3A9C21", receipt("id:0f3a9c21 stat:DELIVRD")),
        ("abc", receipt("ID:ABC Stat:DELIVRD Text:id:other stat:REJECTD")),
        ("12", receipt("stat:DELIVRD id:0012 submit date:2601020304")),
        ("0F3A9C21", receipt("", (Tag.RECEIPTED_MESSAGE_ID, b"0F3A9C21\0"), (Tag.MESSAGE_STATE, b"\x02"))),
        ("0F3A9C21", receipt("no field", (Tag.RECEIPTED_MESSAGE_ID, b"0F3A9C21"), (Tag.MESSAGE_STATE, b"\x02"))),
    ],
)
async def test_an_id_in_any_of_its_forms(noted: str, pdu: DeliverSm) -> None:
    """SMPP v3.4 appendix B is a convention: TLV or text, hex or decimal, padded or not."""
    notes = Notes(noted)
    assert await take(notes, pdu) is CommandStatus.ESME_ROK
    assert notes.told == [("local", noted, ReceiptState.DELIVERED)]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("DELIVRD", ReceiptState.DELIVERED),
        ("ENROUTE", ReceiptState.ENROUTE),
        ("ACCEPTD", ReceiptState.ENROUTE),
        ("UNDELIV", ReceiptState.FAILED),
        ("EXPIRED", ReceiptState.FAILED),
        ("REJECTD", ReceiptState.FAILED),
        ("NOVELTY", ReceiptState.FAILED),
    ],
)
async def test_what_the_word_means(word: str, state: ReceiptState) -> None:
    notes = Notes("1")
    await take(notes, receipt(f"id:1 stat:{word}"))
    assert [one[2] for one in notes.told] == [state]


async def test_an_unknown_word_in_an_intermediate_notification_is_no_end() -> None:
    """SMPP v3.4 5.2.12: esm_class 0x20."""
    notes = Notes("1")
    await take(notes, receipt("id:1 stat:NOVELTY", esm_class=EsmClass.INTERMEDIATE_NOTIFICATION))
    assert [one[2] for one in notes.told] == [ReceiptState.ENROUTE]


async def test_the_tlv_says_more_than_the_text() -> None:
    """SMPP v3.4 5.3.2.35."""
    notes = Notes("1")
    await take(notes, receipt("id:1 stat:DELIVRD", (Tag.MESSAGE_STATE, bytes((MessageState.UNDELIVERABLE,)))))
    assert [one[2] for one in notes.told] == [ReceiptState.FAILED]


async def test_a_receipt_in_data_sm() -> None:
    """SMPP v3.4 4.7.1."""
    pdu = DataSm(sequence_number=1, esm_class=4, tlvs=((Tag.MESSAGE_PAYLOAD, b"id:1 stat:DELIVRD"),))
    notes = Notes("1")
    assert await take(notes, pdu) is CommandStatus.ESME_ROK
    assert notes.told


async def test_a_number_that_is_another_messages_id_in_hexadecimal() -> None:
    """16 is 0x10, but the receipt is about somebody else's SMS."""
    pdu = replace(receipt("id:16 stat:UNDELIV"), source_addr="15550100999")
    notes = Notes("10")
    assert await take(notes, pdu) is None
    assert not notes.told


async def test_a_receipt_about_nothing_we_know_is_left_open() -> None:
    assert await take(Notes("1"), receipt("id:2 stat:DELIVRD")) is None


async def test_an_empty_id_is_none() -> None:
    assert await take(Notes(""), receipt("id: stat:DELIVRD", (Tag.RECEIPTED_MESSAGE_ID, b"\0"))) is None


async def test_a_mobile_originated_sms_is_refused_for_good() -> None:
    """SMPP v3.4 5.1.3: ESME_RX_P_APPN, or the SMSC would repeat it for ever."""
    notes = Notes("1")
    assert await take(notes, DeliverSm(sequence_number=1, short_message=b"STOP")) is CommandStatus.ESME_RX_P_APPN
    assert not notes.told
