"""How an MM comes into an MMBox: uploaded, kept by who sends it, or by who receives it (OMA-TS-MMS_ENC 6, 7.3.56).

An entry shares its content with its MM and outlives it. Making one looks at the quota in the statement that makes it
(`store/mmbox.py`), so no two nodes fill a box beyond it.
"""

from collections.abc import Callable
from typing import Final

from mmsc.domain.address import Address
from mmsc.domain.box_entry import (
    BoxEntry,
    BoxId,
    Told,
    source_received,
    source_sent,
    source_uploaded,
    told_of,
    told_of_sent,
)
from mmsc.domain.limits import Limits
from mmsc.domain.message import Content, ContentId, Mm, Recipient, Submission
from mmsc.domain.mmbox import BoxPolicy, BoxState, BoxTotals, Keeping, NotKept
from mmsc.domain.states import RecipientState
from mmsc.engine.delivery import Desk
from mmsc.ids import Ids
from mmsc.store import mmbox as sql
from mmsc.store.bodies import Bodies
from mmsc.store.core import Lost, Statement, StoreBusy, StoreUnavailable
from mmsc.trace import events as trace

S = RecipientState
AWAY: Final = (StoreBusy, StoreUnavailable)
ATTEMPTS: Final = 5  # against other nodes that fill the same box
_TOKEN_BITS: Final = 128
_Making = tuple[Statement, tuple[Statement, ...]]


class BoxMaking:
    """Makes entries."""

    def __init__(self, desk: Desk, bodies: Bodies, ids: Ids, policy: BoxPolicy, limits: Callable[[], Limits]) -> None:
        self._desk = desk
        self._bodies = bodies
        self._ids = ids
        self._limits = limits
        self.policy = policy

    @property
    def enabled(self) -> bool:
        """Whether there are any boxes."""
        return self.policy.enabled

    async def upload(
        self, owner: Address, content: Content, told: Told, keeping: Keeping, key: bytes
    ) -> BoxEntry | NotKept:
        """Keep content that the subscriber brings. `key` names the request: the same one again is the same entry."""
        size = len(content.body)
        limits = self._limits()
        if size > limits.maximum_octets or len(content.parts) > limits.maximum_parts:
            return NotKept.TOO_LARGE
        entry_id = BoxId(self._ids.new_id())
        entry = self._new(
            entry_id,
            owner,
            source_uploaded(owner, key),
            ContentId(entry_id),
            keeping.state or BoxState.DRAFT,
            keeping.flags.on(()),
            size,
            told,
        )
        try:
            known = await sql.by_source(self._desk.store, entry.source)
            if known is not None:
                return known
            if not self._fits(await sql.totals(self._desk.store, owner), size):
                return await self._refused(entry, NotKept.FULL)  # before its octets go anywhere
            body = await self._bodies.write(entry.content_id, content)
            kept = await self.keep(entry, lambda one, policy: sql.keep_uploaded(one, policy, body), None, size)
        except AWAY:
            return NotKept.STORE_AWAY
        return kept if isinstance(kept, NotKept) else kept[0]

    def entry_of_sent(self, mm: Mm, submission: Submission) -> BoxEntry | None:
        """What the unit of a submission puts into its sender's box; None where there are no boxes."""
        if submission.keep is None or not self.policy.enabled:
            return None
        return self._new(
            BoxId(self._ids.new_id()),
            mm.sender,
            source_sent(mm.id),
            mm.content_id,
            submission.keep.state or BoxState.SENT,
            submission.keep.flags.on(()),
            mm.size,
            told_of_sent(mm, submission),
        )

    def keep_sent(self, entry: BoxEntry) -> tuple[Statement, ...]:
        """The effects that do so, behind those that write its content: nothing is done when the box is full."""
        return sql.keep_sent(entry, self.policy)

    async def kept_sent(self, mm_id: int, entry: BoxEntry | None) -> BoxEntry | NotKept:
        """What came of it, once the unit is durable; `entry` None: of a request that this one repeats. It is told
        here, because the unit could not know."""
        if not self.policy.enabled:
            return NotKept.NOT_OFFERED
        desk = self._desk
        try:
            kept = await sql.by_source(desk.store, source_sent(mm_id))
            if entry is None:
                return kept or NotKept.FULL
            if kept is not None:
                await desk.store.commit(desk.chronicle.note(box_kept(kept), mm_id=mm_id))
                return kept
            late = await self.keep(entry, sql.keep_shared, mm_id)  # full, or another node was in the way
            return late if isinstance(late, NotKept) else late[0]
        except AWAY:
            return NotKept.STORE_AWAY

    @property
    def keeps_received(self) -> bool:
        """Whether every MM for a subscriber is kept, too."""
        return self.policy.enabled and self.policy.default_store

    async def keep_received(self, mm: Mm, recipient: Recipient) -> bool:
        """The network's default store: whether the recipient has the MM in the box. Raises StoreBusy and
        StoreUnavailable."""
        if not self.keeps_received:
            return False
        if recipient.pushes:
            return await sql.by_source(self._desk.store, source_received(recipient.id)) is not None
        kept = await self.keep(self.received(mm, recipient, Keeping()), sql.keep_shared, mm.id)
        return not isinstance(kept, NotKept)

    def received(self, mm: Mm, recipient: Recipient, keeping: Keeping) -> BoxEntry:
        """What a recipient is to have in the box: new, unless it was fetched."""
        has_it = recipient.state in (S.RETRIEVED, S.LINK_VIEWED)
        return self._new(
            BoxId(self._ids.new_id()),
            recipient.address,
            source_received(recipient.id),
            mm.content_id,
            keeping.state or (BoxState.RETRIEVED if has_it else BoxState.NEW),
            keeping.flags.on(()),
            mm.size,
            told_of(mm),
        )

    def _new(
        self,
        entry_id: BoxId,
        owner: Address,
        source: str,
        content_id: ContentId,
        state: BoxState,
        flags: tuple[str, ...],
        size: int,
        told: Told,
    ) -> BoxEntry:
        return BoxEntry(
            id=entry_id,
            owner=owner,
            token=self._ids.token(_TOKEN_BITS),
            source=source,
            content_id=content_id,
            state=state,
            flags=flags,
            stored_at=self._desk.clock.now(),
            size=size,
            told=told,
        )

    async def keep(
        self, entry: BoxEntry, making: Callable[[BoxEntry, BoxPolicy], _Making], mm_id: int | None, octets: int = 0
    ) -> tuple[BoxEntry, bool] | NotKept:
        """The entry, and whether it is new. `mm_id` None: its content is its own. Raises StoreBusy and
        StoreUnavailable."""
        store, chronicle = self._desk.store, self._desk.chronicle
        for _ in range(ATTEMPTS):
            guard, effects = making(entry, self.policy)
            unit = chronicle.unit(guard, effects, (chronicle.event(box_kept(entry), mm_id=mm_id),), octets=octets)
            if not isinstance(await store.commit(unit), Lost):
                gone = mm_id is not None and await sql.by_id(store, entry.id) is None
                return NotKept.NOT_FOUND if gone else (entry, True)
            known = await sql.by_source(store, entry.source)
            if known is not None:
                return known, False
            if not self._fits(await sql.totals(store, entry.owner), entry.size):
                return await self._refused(entry, NotKept.FULL)
            if mm_id is not None and not await sql.has_content(store, entry.content_id):
                return NotKept.NOT_FOUND
        return NotKept.STORE_AWAY

    def _fits(self, totals: BoxTotals, size: int) -> bool:
        within = totals.messages < self.policy.quota_messages
        return within and totals.octets + size <= self.policy.quota_octets

    async def _refused(self, entry: BoxEntry, why: NotKept) -> NotKept:
        note = trace.BoxRefused(entry.owner.value, entry.source, str(why))
        await self._desk.store.commit(self._desk.chronicle.note(note))
        return why


def box_kept(entry: BoxEntry) -> trace.BoxKept:
    """What is told of an entry that is made."""
    return trace.BoxKept(str(entry.id), entry.owner.value, entry.source, str(entry.state), entry.size, entry.flags)
