"""The engine's port for MMBoxes (OMA-TS-MMS_ENC 6; TS 23.140 5.3)."""

from collections.abc import Sequence
from typing import Protocol

from mmsc.domain.address import Address
from mmsc.domain.box_entry import BoxEntry, Told
from mmsc.domain.message import Content, Submission
from mmsc.domain.mmbox import BoxTotals, Keeping, NotKept, Selection
from mmsc.domain.refusal import Refused
from mmsc.engine.ports import Accepted, Evidence, Gone, Retrievable
from protocols.records import record


@record(frozen=True, slots=True)
class Place:
    """What a Content-Location of ours names: an entry of a box, or (not `boxed`) the MM that a notification told of."""

    token: str
    boxed: bool


@record(frozen=True, slots=True)
class Boxed:
    """An entry and its content. `waiting` is the MM that it was made of, as long as that waits for its recipient."""

    entry: BoxEntry
    content: Content
    mms_version: int = 0  # what its owner's handset spoke last, 0: not known
    waiting: Retrievable | None = None


@record(frozen=True, slots=True)
class BoxView:
    """Entries in order, each with its content where that was asked for and fits. `missing` are how many of the places
    asked for are not in the box."""

    entries: tuple[tuple[BoxEntry, Content | None], ...]
    totals: BoxTotals
    quotas: BoxTotals
    missing: int = 0


class Boxes(Protocol):
    """Subscribers' boxes. Whoever is named by `owner` sees his own alone: another's is not found. All return after the
    commit."""

    @property
    def enabled(self) -> bool:
        """Whether there are any."""
        ...

    @property
    def maximum_locations(self) -> int:
        """How many places one request may name."""
        ...

    async def store(self, owner: Address, place: Place, keeping: Keeping, evidence: Evidence) -> BoxEntry | NotKept:
        """Keep the MM of a notification, or give one of the box another state and flags. The same MM is kept once."""
        ...

    async def upload(
        self, owner: Address, content: Content, told: Told, keeping: Keeping, key: bytes
    ) -> BoxEntry | NotKept:
        """Keep content that the subscriber brings. `key` names the request: the same one again is the same entry."""
        ...

    async def view(
        self, owner: Address, places: Sequence[Place], selection: Selection, *, content: bool
    ) -> BoxView | NotKept:
        """What is in the box: the places, or what the selection says."""
        ...

    async def delete(self, owner: Address, places: Sequence[Place]) -> tuple[NotKept | None, ...]:
        """For each place why nothing was deleted, None where it was."""
        ...

    async def delete_waiting(self, owner: Address, places: Sequence[Place]) -> tuple[NotKept | None, ...]:
        """The same of MMs that were told of and wait to be fetched."""
        ...

    async def open(self, place: Place, identity: Address | None) -> Boxed | Gone:
        """The entry behind a Content-Location, for this identity (None: the request carried none). The place of a
        notification leads to what the recipient has kept of its MM."""
        ...

    def begun(self, found: Boxed) -> None:
        """Its m-retrieve-conf is about to be written: `fetched` or `broken_off` follows."""
        ...

    def broken_off(self, found: Boxed) -> None:
        """It was not written whole."""
        ...

    async def fetched(self, found: Boxed) -> None:
        """All octets of its m-retrieve-conf were written: what was new is retrieved, an MM that waits is fetched."""
        ...

    async def fetched_outside(self, recipient_id: int) -> None:
        """The same of an MM that was fetched where its notification said."""
        ...


class BoxForwarding(Protocol):
    """A subscriber sends on what is in his box (m-forward-req)."""

    async def forward(
        self, place: Place, submission: Submission, identity: Address, evidence: Evidence, *, report_allowed: bool
    ) -> Accepted | Refused:
        """Make an MM of the one at a place of this subscriber's box; returns after the commit. `submission` says to
        whom and how, and has no content. MM_UNKNOWN: nothing is there for this identity. The MM of a recipient who
        has not fetched it is forwarded as by its notification (`ports.Forwarding`)."""
        ...
