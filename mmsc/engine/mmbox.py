"""MMBoxes: what subscribers keep in the network, as they ask for it (OMA-TS-MMS_ENC 6; TS 23.140 5.3). How something
comes into a box is in `box_making.py`."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from mmsc.domain.address import Address
from mmsc.domain.box_entry import BoxEntry, received_by, source_received
from mmsc.domain.limits import Limits
from mmsc.domain.message import Content, RecipientId
from mmsc.domain.mmbox import BoxPolicy, BoxState, BoxTotals, Keeping, NotKept, Selection
from mmsc.domain.states import Happening, RecipientState
from mmsc.engine.box_making import ATTEMPTS, AWAY, BoxMaking
from mmsc.engine.box_ports import Boxed, BoxView, Place
from mmsc.engine.delivery import Desk
from mmsc.engine.directory import Neighbours
from mmsc.engine.ports import Evidence, Gone, GoneBecause, Retrievable, Retrieval
from mmsc.engine.transitions import Circumstances
from mmsc.ids import Ids
from mmsc.store import mmbox as sql
from mmsc.store.bodies import Bodies
from mmsc.store.core import Lost
from mmsc.trace import events as trace

S = RecipientState
_WAITING: Final = (S.ACCEPTED, S.NOTIFIED, S.DEFERRED, S.LINK_SENT)
_log: Final = logging.getLogger(__name__)


class Mmboxes(BoxMaking):
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
        super().__init__(desk, bodies, ids, policy, limits)
        self._neighbours = neighbours
        self._retrieval = retrieval
        self._identity_required = identity_required

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
                return await self.change(entry, keeping if place.boxed else _again(entry, keeping))
            if place.boxed:
                return NotKept.NOT_FOUND
            found = await self._retrieval.open(place.token, owner, evidence)
            if isinstance(found, Gone):
                return NotKept.STORE_AWAY if found.because is GoneBecause.STORE_AWAY else NotKept.NOT_FOUND
            kept = await self.keep(self.received(found.mm, found.recipient, keeping), sql.keep_shared, found.mm.id)
            if isinstance(kept, NotKept) or kept[1]:
                return kept if isinstance(kept, NotKept) else kept[0]
            return await self.change(kept[0], _again(kept[0], keeping))  # it was kept meanwhile
        except AWAY:
            return NotKept.STORE_AWAY

    async def change(self, entry: BoxEntry, keeping: Keeping) -> BoxEntry | NotKept:
        """Another state and other flags; what was new is retrieved where no state is named. Raises StoreBusy and
        StoreUnavailable."""
        store, chronicle = self._desk.store, self._desk.chronicle
        for _ in range(ATTEMPTS):
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
        waiting = await self._waiting(entry)
        if isinstance(waiting, Gone) and await sql.by_id(self._desk.store, entry.id) is None:
            return Gone(GoneBecause.UNKNOWN)  # it was withdrawn meanwhile
        content = await self._desk.recent.content(entry.content_id)
        version = self._neighbours.subscriber(entry.owner).mms_version
        if content is None:
            return Gone(GoneBecause.NO_CONTENT, version)
        return Boxed(entry, content, version, None if isinstance(waiting, Gone) else waiting)

    async def _waiting(self, entry: BoxEntry) -> Retrievable | Gone | None:
        """The MM of a recipient who has not said that he has it: a GET of his entry is one of the MM, too."""
        recipient_id = received_by(entry.source)
        record = None if recipient_id is None else await self._desk.recent.by_id(RecipientId(recipient_id))
        if record is None or record.recipient.state not in _WAITING:
            return None
        return await self._retrieval.open(record.recipient.token, entry.owner, Evidence())

    async def _owner_of(self, place: Place) -> Address | None:
        """Who may see what the token alone opens."""
        if place.boxed:
            entry = await sql.by_token(self._desk.store, place.token)
            return None if entry is None else entry.owner
        record = await self._desk.recent.by_token(place.token)
        return None if record is None else record.recipient.address

    def begun(self, found: Boxed) -> None:
        """Its m-retrieve-conf is about to be written: `fetched` or `broken_off` follows."""
        if found.waiting is not None:
            self._retrieval.begun(found.waiting)

    def broken_off(self, found: Boxed) -> None:
        """It was not written whole."""
        if found.waiting is not None:
            self._retrieval.broken_off(found.waiting)

    async def fetched(self, found: Boxed) -> None:
        """All octets of its m-retrieve-conf were written: what was new is retrieved, and the MM that waits is fetched.
        Nothing asks for an acknowledgement, so it counts as one that was never acknowledged, unless the handset answers
        the notification (semantics of a complete GET)."""
        if found.waiting is not None:
            await self._retrieval.fetched(found.waiting)
        if found.entry.state is BoxState.NEW:
            await self._read_once(found.entry.source)

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
            if record is not None and desk.store.shared:  # another node may have served its GET
                desk.recent.forget(record.recipient.id)
                record = await desk.recent.by_id(record.recipient.id)
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


def _again(entry: BoxEntry, keeping: Keeping) -> Keeping:
    """What a request about a notification wants of an MM that is kept already: it may be a repeat."""
    return replace(keeping, state=keeping.state or entry.state)
