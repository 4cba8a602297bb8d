"""MMBoxes: what subscribers keep in the network (OMA-TS-MMS_ENC 6; TS 23.140 5.3).

An entry shares its content with its MM and outlives it. Making one looks at the quota in the statement that makes it
(`store/mmbox.py`), so no two nodes fill a box beyond it.
"""

import logging
from collections.abc import Callable, Sequence
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
from mmsc.domain.mmbox import BoxPolicy, BoxState, BoxTotals, Keeping, NotKept, Selection
from mmsc.domain.states import Happening, RecipientState
from mmsc.engine.box_ports import Boxed, BoxView, Place
from mmsc.engine.delivery import Desk
from mmsc.engine.directory import Neighbours
from mmsc.engine.ports import Evidence, Gone, GoneBecause, Retrieval
from mmsc.engine.transitions import Circumstances
from mmsc.ids import Ids
from mmsc.store import mmbox as sql
from mmsc.store.bodies import Bodies
from mmsc.store.core import Lost, Statement, StoreBusy, StoreUnavailable
from mmsc.trace import events as trace

S = RecipientState
AWAY: Final = (StoreBusy, StoreUnavailable)
_ATTEMPTS: Final = 5  # against other nodes that fill the same box
_TOKEN_BITS: Final = 128
_WAITING: Final = (S.ACCEPTED, S.NOTIFIED, S.DEFERRED, S.LINK_SENT)
_Making = tuple[Statement, tuple[Statement, ...]]
_log: Final = logging.getLogger(__name__)


class Mmboxes:
    """Implements `box_ports.Boxes`."""

    def __init__(
        self,
        desk: Desk,
        bodies: Bodies,
        ids: Ids,
        neighbours: Neighbours,
        retrieval: Retrieval,
        policy: BoxPolicy,
        limits: Callable[[], Limits],
        identity_required: Callable[[], bool],
    ) -> None:
        self._desk = desk
        self._bodies = bodies
        self._ids = ids
        self._neighbours = neighbours
        self._retrieval = retrieval
        self._limits = limits
        self._identity_required = identity_required
        self.policy = policy

    @property
    def enabled(self) -> bool:
        """Whether there are any."""
        return self.policy.enabled

    @property
    def maximum_locations(self) -> int:
        """How many places one request may name."""
        return self.policy.locations

    # --- into the box ---

    async def store(self, owner: Address, place: Place, keeping: Keeping, evidence: Evidence) -> BoxEntry | NotKept:
        """Keep the MM of a notification, or give one of the box another state and flags. The same MM is kept once."""
        try:
            entry = await self._entry(owner, place)
            if entry is not None:
                return await self._change(entry, keeping)
            if place.boxed:
                return NotKept.NOT_FOUND
            found = await self._retrieval.open(place.token, owner, evidence)
            if isinstance(found, Gone):
                return NotKept.STORE_AWAY if found.because is GoneBecause.STORE_AWAY else NotKept.NOT_FOUND
            kept = await self._keep(self._received(found.mm, found.recipient, keeping), sql.keep_shared, found.mm.id)
            if isinstance(kept, NotKept) or kept[1]:
                return kept if isinstance(kept, NotKept) else kept[0]
            return await self._change(kept[0], keeping)  # it was kept meanwhile
        except AWAY:
            return NotKept.STORE_AWAY

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
            kept = await self._keep(entry, lambda one, policy: sql.keep_uploaded(one, policy, body), None, size)
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
            late = await self._keep(entry, sql.keep_shared, mm_id)  # full, or another node was in the way
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
        kept = await self._keep(self._received(mm, recipient, Keeping()), sql.keep_shared, mm.id)
        return not isinstance(kept, NotKept)

    def _received(self, mm: Mm, recipient: Recipient, keeping: Keeping) -> BoxEntry:
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

    async def _keep(
        self, entry: BoxEntry, making: Callable[[BoxEntry, BoxPolicy], _Making], mm_id: int | None, octets: int = 0
    ) -> tuple[BoxEntry, bool] | NotKept:
        """The entry, and whether it is new."""
        store, chronicle = self._desk.store, self._desk.chronicle
        for _ in range(_ATTEMPTS):
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

    async def _change(self, entry: BoxEntry, keeping: Keeping) -> BoxEntry | NotKept:
        store, chronicle = self._desk.store, self._desk.chronicle
        for _ in range(_ATTEMPTS):
            default = BoxState.RETRIEVED if entry.state is BoxState.NEW else entry.state
            state, flags = keeping.state or default, keeping.flags.on(entry.flags)
            if (state, flags) == (entry.state, entry.flags):
                return entry
            event = chronicle.event(trace.BoxChanged(str(entry.id), entry.owner.value, str(state), flags))
            unit = chronicle.unit(sql.change(entry, state, flags), (), (event,))
            done = not isinstance(await store.commit(unit), Lost)
            now = await sql.by_id(store, entry.id)
            if now is None:
                return NotKept.NOT_FOUND
            if done:
                return now
            entry = now
        return NotKept.STORE_AWAY

    # --- looking ---

    async def _entry(self, owner: Address, place: Place) -> BoxEntry | None:
        """The owner's entry at a place."""
        store = self._desk.store
        if place.boxed:
            entry = await sql.by_token(store, place.token)
        else:
            record = await self._desk.recent.by_token(place.token)
            entry = None if record is None else await sql.by_source(store, source_received(record.recipient.id))
        return entry if entry is not None and entry.owner == owner else None

    async def view(
        self, owner: Address, places: Sequence[Place], selection: Selection, *, content: bool
    ) -> BoxView | NotKept:
        """What is in the box: the places, or what the selection says."""
        try:
            return await self._view(owner, places, selection, content)
        except AWAY:
            return NotKept.STORE_AWAY

    async def _view(self, owner: Address, places: Sequence[Place], selection: Selection, content: bool) -> BoxView:
        store, policy = self._desk.store, self.policy
        found: list[BoxEntry] = []
        missing = 0
        shown = min(policy.view_messages, policy.view_messages if selection.limit is None else selection.limit)
        end = selection.start + shown
        if places:
            every = [await self._entry(owner, place) for place in places]
            there = [one for one in every if one is not None]
            missing = len(every) - len(there)
            found = there[selection.start : end]
        else:
            listed = [one[0] for one in await sql.listed(store, owner) if selection.has(one[1], one[2])]
            for entry_id in listed[selection.start : end]:
                entry = await sql.by_id(store, entry_id)
                if entry is not None:
                    found.append(entry)
        quotas = BoxTotals(policy.quota_messages, policy.quota_octets)
        shown_entries = await self._with_content(found) if content else [(one, None) for one in found]
        return BoxView(tuple(shown_entries), await sql.totals(store, owner), quotas, missing)

    async def _with_content(self, entries: Sequence[BoxEntry]) -> list[tuple[BoxEntry, Content | None]]:
        """As many as fit; one that alone is too much is shown without: its owner fetches it."""
        left = self.policy.view_octets
        shown: list[tuple[BoxEntry, Content | None]] = []
        for entry in entries:
            if entry.size > self.policy.view_octets:
                shown.append((entry, None))
                continue
            if entry.size > left:
                break
            left -= entry.size
            shown.append((entry, await self._desk.recent.content(entry.content_id)))
        return shown

    async def open(self, place: Place, identity: Address | None) -> Boxed | Gone:
        """The entry behind a Content-Location, for this identity (None: the request carried none)."""
        try:
            return await self._open(place, identity)
        except AWAY:
            return Gone(GoneBecause.STORE_AWAY)

    async def _open(self, place: Place, identity: Address | None) -> Boxed | Gone:
        owner = identity
        if owner is None:
            if self._identity_required():
                return Gone(GoneBecause.UNKNOWN)
            owner = await self._owner_of(place)
        entry = None if owner is None or not self.enabled else await self._entry(owner, place)
        if entry is None:
            return Gone(GoneBecause.UNKNOWN)
        content = await self._desk.recent.content(entry.content_id)
        version = self._neighbours.subscriber(entry.owner).mms_version
        return Gone(GoneBecause.NO_CONTENT, version) if content is None else Boxed(entry, content, version)

    async def _owner_of(self, place: Place) -> Address | None:
        """Who may see what the token alone opens."""
        if place.boxed:
            entry = await sql.by_token(self._desk.store, place.token)
            return None if entry is None else entry.owner
        record = await self._desk.recent.by_token(place.token)
        return None if record is None else record.recipient.address

    async def fetched(self, entry: BoxEntry) -> None:
        """All octets of its m-retrieve-conf were written: what was new is retrieved."""
        if entry.state is BoxState.NEW:
            await self._read_once(entry.source)

    async def fetched_outside(self, recipient_id: int) -> None:
        """The same of an MM that was fetched where its notification said."""
        if self.keeps_received:
            await self._read_once(source_received(recipient_id))

    async def _read_once(self, source: str) -> None:
        desk = self._desk
        try:
            entry = await sql.by_source(desk.store, source)
            if entry is None or entry.state is not BoxState.NEW:
                return
            state = str(BoxState.RETRIEVED)
            event = desk.chronicle.event(trace.BoxChanged(str(entry.id), entry.owner.value, state, entry.flags))
            await desk.store.commit(desk.chronicle.unit(sql.read_once(source), (), (event,)))
        except AWAY as error:
            _log.warning("that an MM of an MMBox was fetched is not noted: %s", error)

    # --- out of the box ---

    async def delete(self, owner: Address, places: Sequence[Place]) -> tuple[NotKept | None, ...]:
        """For each place why nothing was deleted, None where it was."""
        return tuple([await self._deleted(owner, place) for place in places])

    async def _deleted(self, owner: Address, place: Place) -> NotKept | None:
        desk = self._desk
        try:
            entry = await self._entry(owner, place)
            if entry is None:
                return NotKept.NOT_FOUND
            event = desk.chronicle.event(trace.BoxDeleted(str(entry.id), owner.value, trace.BOX_BY_OWNER))
            await desk.store.commit(desk.chronicle.unit(*sql.delete(entry.id, entry.content_id), (event,)))
        except AWAY:
            return NotKept.STORE_AWAY
        return None  # also when a repeat was faster

    async def delete_waiting(self, owner: Address, places: Sequence[Place]) -> tuple[NotKept | None, ...]:
        """The same of MMs that were told of and wait to be fetched."""
        return tuple([await self._forgotten(owner, place) for place in places])

    async def _forgotten(self, owner: Address, place: Place) -> NotKept | None:
        """Its recipient does not want it: the word for that is Rejected. Who has fetched it already has it."""
        desk = self._desk
        try:
            record = None if place.boxed else await desk.recent.by_token(place.token)
            if record is None or record.recipient.address != owner:
                return NotKept.NOT_FOUND
            recipient = record.recipient
            if recipient.state is S.REJECTED:
                return None  # a repeat
            if recipient.state not in _WAITING:
                return NotKept.NOT_FOUND
            happening = Happening.REJECTED if recipient.fetched_at is None else Happening.RETRIEVED
            how = Circumstances(because="its recipient had it deleted", source="mm1")
            done = await desk.transitions.apply(record.mm, recipient, happening, how)
        except AWAY:
            return NotKept.STORE_AWAY
        return None if done else NotKept.NOT_FOUND


def box_kept(entry: BoxEntry) -> trace.BoxKept:
    """What is told of an entry that is made."""
    return trace.BoxKept(str(entry.id), entry.owner.value, entry.source, str(entry.state), entry.size, entry.flags)
