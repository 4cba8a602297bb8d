"""The delivery receipt's text: a convention of SMPP v3.4 appendix B that everybody varies."""

import re
from collections.abc import Iterator
from typing import Final

from protocols.records import record
from protocols.smpp.enums import EsmClass, MessageState, Tag
from protocols.smpp.pdus import DataSm, DeliverSm

_KEYS: Final = re.compile(r"(?:^|\s)(id|sub|dlvrd|submit date|done date|stat|err|text):", re.IGNORECASE)
_STATES: Final = {
    "ENROUTE": MessageState.ENROUTE,
    "BUFFRED": MessageState.ENROUTE,
    "BUFFERD": MessageState.ENROUTE,
    "DELIVRD": MessageState.DELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    "DELETED": MessageState.DELETED,
    "UNDELIV": MessageState.UNDELIVERABLE,
    "ACCEPTD": MessageState.ACCEPTED,
    "ACKED": MessageState.ACCEPTED,
    "UNKNOWN": MessageState.UNKNOWN,
    "REJECTD": MessageState.REJECTED,
}
WORDS: Final = {state: word for word, state in reversed(_STATES.items())}


@record(frozen=True, slots=True)
class Receipt:
    """What a receipt says. `message_ids` are the SMSC's names for the message, the TLV's first."""

    message_ids: tuple[str, ...]
    state: MessageState
    error: str
    text: str


def is_receipt(pdu: DeliverSm | DataSm) -> bool:
    """esm_class says so (v3.4 5.2.12)."""
    return bool(pdu.esm_class & (EsmClass.DELIVERY_RECEIPT | EsmClass.INTERMEDIATE_NOTIFICATION))


def read_receipt(pdu: DeliverSm | DataSm) -> Receipt:
    """Never fails: what cannot be read is left empty, and an unknown word is a failure in a final receipt."""
    octets = pdu.user_data
    if pdu.esm_class & EsmClass.UDHI and octets:
        octets = octets[octets[0] + 1 :]
    text = octets.decode("latin-1")
    found = _fields(text)
    tlv_id = pdu.tlv(Tag.RECEIPTED_MESSAGE_ID)
    ids = (tlv_id.rstrip(b"\0").decode("latin-1") if tlv_id else "", found.get("id", ""))
    return Receipt(
        tuple(dict.fromkeys(filter(None, ids))), _state(pdu, found.get("stat", "")), found.get("err", ""), text
    )


def _fields(text: str) -> dict[str, str]:
    marks = list(_KEYS.finditer(text))
    ends = [*(mark.start() for mark in marks), len(text)][1:]
    found: dict[str, str] = {}
    for mark, end in zip(marks, ends, strict=True):  # the first counts: the message's own text may look like a field
        found.setdefault(mark[1].lower(), text[mark.end() : end].strip())
    return found


def _state(pdu: DeliverSm | DataSm, word: str) -> MessageState:
    tlv = pdu.tlv(Tag.MESSAGE_STATE)
    if tlv:
        return MessageState(tlv[-1])
    known = _STATES.get(word.upper()[:7])
    if known is not None:
        return known
    final = pdu.esm_class & EsmClass.DELIVERY_RECEIPT
    return MessageState.UNDELIVERABLE if final else MessageState.ENROUTE


def normal_forms(message_id: str) -> Iterator[str]:
    """The forms in which the same id may have been given: as it is, in the other case, without zeros, hex and decimal
    as SMSCs write them (8 hexadecimal or 10 decimal digits)."""
    yield message_id
    lower = message_id.lower()
    yield lower
    yield message_id.upper()
    yield lower.lstrip("0") or "0"
    if re.fullmatch(r"[0-9a-f]{1,16}", lower):
        yield from (str(int(lower, 16)), f"{int(lower, 16):010d}")
    if re.fullmatch(r"[0-9]{1,20}", lower):
        number = int(lower)
        yield from (f"{number:x}", f"{number:X}", f"{number:08x}", f"{number:08X}", f"{number:010d}")


def receipt_text(message_id: str, state: MessageState, date: str, error: str = "000") -> str:
    """The text as the appendix has it; `date` is YYMMDDhhmm."""
    delivered = "001" if state is MessageState.DELIVERED else "000"
    word = WORDS.get(state, "UNKNOWN")
    return (
        f"id:{message_id} sub:001 dlvrd:{delivered} submit date:{date} done date:{date} stat:{word} err:{error} text:"
    )
