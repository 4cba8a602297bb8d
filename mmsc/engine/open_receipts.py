"""Pushes that the SMSC still has: while it owes a receipt for one, nothing is pushed on top of it (semantics 5). A
receipt that never comes delays a push by no more than the wait before it."""

from mmsc.domain.instant import Instant, later
from mmsc.domain.message import Recipient
from mmsc.engine.delivery import Desk
from mmsc.engine.directory import Neighbours
from mmsc.store import sms as sms_sql


class OpenReceipts:
    """Knows until when one is waited for."""

    def __init__(self, desk: Desk, neighbours: Neighbours) -> None:
        self._desk = desk
        self._neighbours = neighbours

    async def awaited_until(self, lane: str, recipient: Recipient) -> Instant | None:
        """How long at most the receipt of the last push is waited for, None for one that is not."""
        smsc = self._neighbours.smscs.get(lane.removeprefix("smsc:"))
        if smsc is None or not smsc.receipts or not recipient.pushes:
            return None
        sent_at = await sms_sql.open_since(self._desk.store, recipient.id, "notification")
        if sent_at is None:
            return None
        patience = later(sent_at, 2 * self._desk.policy.notification.wait_after_push(recipient.pushes))
        return patience if self._desk.clock.now() < patience else None
