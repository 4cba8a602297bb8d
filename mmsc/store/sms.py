"""SQL of the SMS we sent and await receipts for."""

from mmsc.domain.instant import Instant
from mmsc.store.core import Row, Statement, Store


def insert(lane: str, message_id: str, mm_id: int, recipient_id: int, purpose: str, at: Instant) -> Statement:
    """Remember an SMS by the SMSC's message_id."""
    return Statement(
        "INSERT INTO sms (lane, smpp_message_id, mm_id, recipient_id, purpose, sent_at) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (lane, smpp_message_id) DO UPDATE SET mm_id = excluded.mm_id,"
        " recipient_id = excluded.recipient_id, purpose = excluded.purpose, sent_at = excluded.sent_at",
        (lane, message_id, mm_id, recipient_id, purpose, at),
    )


async def find(store: Store, lane: str, message_id: str) -> Row | None:
    """(mm_id, recipient_id, purpose) of an SMS."""
    return await store.fetch_one(
        "SELECT mm_id, recipient_id, purpose FROM sms WHERE lane = $1 AND smpp_message_id = $2", lane, message_id
    )


def settled(lane: str, message_id: str, purpose: str) -> Statement:
    """The SMSC said what became of an SMS (a segment of it)."""
    return Statement(
        "UPDATE sms SET purpose = purpose || ' settled' WHERE lane = $1 AND smpp_message_id = $2 AND purpose = $3",
        (lane, message_id, purpose),
    )


async def open_since(store: Store, recipient_id: int, purpose: str) -> Instant | None:
    """When the recipient's last SMS of this purpose was sent about which the SMSC still owes a receipt, None when it
    owes none."""
    row = await store.fetch_one(
        "SELECT sent_at FROM sms WHERE recipient_id = $1 AND purpose = $2 ORDER BY sent_at DESC LIMIT 1",
        recipient_id,
        purpose,
    )
    return None if row is None or not isinstance(row[0], int) else Instant(row[0])
