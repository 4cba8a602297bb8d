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


def arrived(lane: str, message_id: str) -> Statement:
    """A segment of a link was delivered."""
    return Statement(
        "UPDATE sms SET purpose = 'link arrived' WHERE lane = $1 AND smpp_message_id = $2 AND purpose = 'link'",
        (lane, message_id),
    )


async def is_outstanding(store: Store, recipient_id: int) -> bool:
    """Whether a segment of the recipient's link was not delivered yet."""
    row = await store.fetch_one("SELECT 1 FROM sms WHERE recipient_id = $1 AND purpose = 'link'", recipient_id)
    return row is not None
