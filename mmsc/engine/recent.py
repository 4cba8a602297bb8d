"""What was stored or read lately, so that the fast path reads nothing back.

MMs and bodies change only when their VASP replaces or cancels them: then they are forgotten, on the other nodes by a
wake. A recipient's state may be older than the store's: every transition is guarded there, and who loses a guard
forgets and reads anew.
"""

from collections import OrderedDict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mmsc.domain.message import Content, ContentId, Mm, MmId, Recipient, RecipientId
from mmsc.store import messages as sql
from mmsc.store.bodies import Bodies
from mmsc.store.core import Store

# What 500 MMs of 30 KB a second need. A body is wanted again by the GET: a handset that hears of its MM at once asks
# within tenths of a second (64 in flight: 2 MB), one over the air within a few. This holds bodies for 1.6 s; a later
# GET costs a read on a reader's thread. A recipient is wanted from the push to the report, and takes 1.5 KB: 20 s.
MAXIMUM_OCTETS: Final = 24 << 20
MAXIMUM_RECIPIENTS: Final = 10_000
_REPLACED: Final = 1000  # MMs whose replacement is remembered: somebody may still hold what it was before


@dataclass(slots=True)
class Record:
    """A recipient as last seen, and its MM."""

    mm: Mm
    recipient: Recipient


class Recent:
    """Bounded memory of recipients (by count) and bodies (by octets). Implements `ports.Contents`."""

    def __init__(
        self,
        store: Store,
        bodies: Bodies,
        *,
        maximum_recipients: int = MAXIMUM_RECIPIENTS,
        maximum_octets: int = MAXIMUM_OCTETS,
    ) -> None:
        self._store = store
        self._stored = bodies
        self._maximum_recipients = maximum_recipients
        self._maximum_octets = maximum_octets
        self._records: OrderedDict[RecipientId, Record] = OrderedDict()
        self._by_token: dict[str, RecipientId] = {}
        self._by_transaction: dict[str, RecipientId] = {}
        self._bodies: OrderedDict[ContentId, Content] = OrderedDict()
        self._octets = 0
        self._replaced: OrderedDict[MmId, Mm] = OrderedDict()
        self._forgotten = 0  # how often something was: what was being read meanwhile may be old

    @property
    def recipients(self) -> int:
        """How many recipients are remembered."""
        return len(self._records)

    @property
    def octets(self) -> int:
        """Octets of the bodies that are remembered."""
        return self._octets

    def keep(self, mm: Mm, recipient: Recipient) -> Record:
        """Remember a recipient as it is now."""
        record = self._records.get(recipient.id)
        if record is not None:
            record.recipient = recipient
            return record
        record = Record(self._replaced.get(mm.id, mm) if self._replaced else mm, recipient)
        self._records[recipient.id] = record
        if recipient.token:
            self._by_token[recipient.token] = recipient.id
            self._by_transaction[recipient.transaction_id] = recipient.id
        while len(self._records) > self._maximum_recipients:
            self.forget(next(iter(self._records)))
        return record

    def peek(self, recipient_id: RecipientId) -> Record | None:
        """A recipient if it is remembered."""
        return self._records.get(recipient_id)

    def forget(self, recipient_id: RecipientId) -> None:
        """The store knows better."""
        record = self._records.pop(recipient_id, None)
        if record is not None:
            self._by_token.pop(record.recipient.token, None)
            self._by_transaction.pop(record.recipient.transaction_id, None)

    def keep_body(self, content_id: ContentId, content: Content) -> None:
        """Remember a body."""
        if content_id in self._bodies or len(content.body) > self._maximum_octets // 4:
            return
        self._bodies[content_id] = content
        self._octets += len(content.body)
        while self._octets > self._maximum_octets:
            _, oldest = self._bodies.popitem(last=False)
            self._octets -= len(oldest.body)

    async def content(self, content_id: ContentId) -> Content | None:
        """A body, or None when retention took it."""
        content = self._bodies.get(content_id)
        if content is None:
            forgotten = self._forgotten
            content = await self._stored.read(content_id)
            if content is not None and forgotten == self._forgotten:
                self.keep_body(content_id, content)
        return content

    def replaced(self, mm: Mm, recipients: Sequence[Recipient]) -> None:
        """The MM is another from now on, and perhaps its body."""
        self._forgotten += 1
        self._replaced[mm.id] = mm
        self._replaced.move_to_end(mm.id)
        if len(self._replaced) > _REPLACED:
            self._replaced.popitem(last=False)
        for one in recipients:
            self.forget(one.id)
        content = self._bodies.pop(mm.content_id, None)
        if content is not None:
            self._octets -= len(content.body)

    def forget_all(self) -> None:
        """Another node changed MMs and recipients."""
        self._forgotten += 1
        self._records.clear()
        self._by_token.clear()
        self._by_transaction.clear()
        self._replaced.clear()
        self._bodies.clear()
        self._octets = 0

    async def by_id(self, recipient_id: RecipientId) -> Record | None:
        """A recipient, as remembered or else as stored."""
        return self._records.get(recipient_id) or await self._read(sql.by_recipient(self._store, recipient_id))

    async def by_token(self, token: str) -> Record | None:
        """The recipient behind a Content-Location."""
        known = self._by_token.get(token)
        return self._records[known] if known else await self._read(sql.by_token(self._store, token))

    async def by_transaction_id(self, transaction_id: str) -> Record | None:
        """The recipient whose notification had this X-Mms-Transaction-ID."""
        known = self._by_transaction.get(transaction_id)
        return self._records[known] if known else await self._read(sql.by_transaction_id(self._store, transaction_id))

    async def by_link_token(self, link_token: str) -> Record | None:
        """The recipient behind a web link."""
        return await self._read(sql.by_link_token(self._store, link_token))

    async def _read(self, reading: Coroutine[Any, Any, tuple[Mm, Recipient] | None]) -> Record | None:
        """What was remembered while the store was reading is newer than what it read; what was forgotten meanwhile was
        perhaps read before it changed, and is not remembered."""
        forgotten = self._forgotten
        found = await reading
        if found is None:
            return None
        known = self._records.get(found[1].id)
        return known or (self.keep(*found) if forgotten == self._forgotten else Record(*found))
