"""What went over the wires for one MM: its captures with their bodies put back, as numbered PDUs and as a ladder."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from mmsc.control.messages import MessageService
from mmsc.domain.message import ContentId
from mmsc.engine.ports import Contents
from mmsc.engine.queries.messages import Gone
from mmsc.trace.captures import CaptureRecord
from mmsc.trace.events import Event
from mmsc.trace.ladder import About, Ladder, Pdu, Told, Wishes, addresses_of, ladder, read
from mmsc.trace.partner import Partner
from mmsc.trace.rings import INTERFACES, NEVER, Captures
from protocols.records import record

MAXIMUM_EVENTS: Final = 5000  # of one MM; what comes after them is not drawn
MAXIMUM_PDUS: Final = 3000
_PAGE: Final = 1000


@record(frozen=True, slots=True, kw_only=True)
class Traffic:
    """All that happened to an MM. `whole` is False where it is more than is drawn."""

    events: tuple[Event, ...]
    pdus: tuple[Pdu, ...]
    about: About
    whole: bool = True

    def ladder(self, wishes: Wishes | None = None) -> Ladder:
        """Its ladder."""
        return ladder(self.events, self.pdus, self.about, wishes or Wishes())

    def shown_to(self, partner: Partner) -> "Traffic":
        """The PDUs with numbers replaced and contents emptied, decoded anew; without events."""
        pairs = [(one.record, partner.octets(one.octets)) for one in self.pdus]
        shown = [(replace(one, neighbour=partner.text(one.neighbour)), octets) for one, octets in pairs]
        return Traffic(events=(), pdus=read(shown), about=About(node=self.about.node), whole=self.whole)

    def pdu(self, number: str) -> Pdu | None:
        """The PDU with this number."""
        return next((one for one in self.pdus if one.number == number), None)


class TrafficService:
    """`Control.traffic`. Raises `StoreUnavailable` when the store cannot be read."""

    def __init__(
        self,
        messages: MessageService,
        captures: Captures | None,
        contents: Contents,
        node: Callable[[], str],
        told: Callable[[Sequence[Pdu]], Sequence[Told]] = lambda _: (),
    ) -> None:
        """`told` is what the lab saw between others of what these PDUs began."""
        self._messages = messages
        self._captures = captures
        self._contents = contents
        self._node = node
        self._told = told

    async def of(self, mm_id: int) -> Traffic:
        """Events and PDUs of an MM; empty when there is no such MM."""
        events = await self._events(mm_id)
        records = [] if self._captures is None else self._captures.of_mm(mm_id)
        pdus = read([(one, await self._whole(one)) for one in records[:MAXIMUM_PDUS]])
        about = About(
            due=await self._due(mm_id),
            addresses=addresses_of(events),
            node=self._node(),
            told=tuple(self._told(pdus)),
            kept_since=dict.fromkeys(INTERFACES, NEVER) if self._captures is None else self._captures.kept_since(),
        )
        whole = len(events) < MAXIMUM_EVENTS and len(records) <= MAXIMUM_PDUS
        return Traffic(events=tuple(events), pdus=pdus, about=about, whole=whole)

    async def _events(self, mm_id: int) -> list[Event]:
        found: list[Event] = []
        while len(found) < MAXIMUM_EVENTS:
            page = await self._messages.raw_events(mm_id, found[-1].id if found else 0, _PAGE)
            found += page
            if len(page) < _PAGE:
                break
        return found

    async def _due(self, mm_id: int) -> str:
        row = await self._messages.row(mm_id)
        return "" if isinstance(row, Gone) or row.next_due is None else row.next_due.words

    async def _whole(self, record_: CaptureRecord) -> bytes:
        """Its octets with the stored body put back in, where that is still there."""
        if record_.reference is None:
            return record_.octets
        content = await self._contents.content(ContentId(record_.reference.content_id))
        return record_.whole(None if content is None else content.body)
