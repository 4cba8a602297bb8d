"""What went over the wires for one MM: its captures with their bodies put back, as numbered PDUs and as a ladder."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from mmsc.control.messages import MessageService, NextDue
from mmsc.domain.message import ContentId
from mmsc.engine.ports import Contents
from mmsc.engine.queries.messages import Gone
from mmsc.trace.captures import CaptureRecord
from mmsc.trace.events import Event
from mmsc.trace.ladder import About, Ladder, Pdu, Told, Wishes, addresses_of, ladder, opened, read
from mmsc.trace.partner import Partner
from mmsc.trace.rings import INTERFACES, NEVER, Captures
from protocols.records import record

MAXIMUM_EVENTS: Final = 5000  # of one MM; what comes after them is not drawn
MAXIMUM_PDUS: Final = 3000
MAXIMUM_BODY_OCTETS: Final = 32 * 1024 * 1024  # of bodies that are put back at once; PDUs after that are shown without
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
        captured, all_whole = await self._captured(records[:MAXIMUM_PDUS])
        pdus = await asyncio.to_thread(read, captured)
        due = await self._due(mm_id)
        about = About(
            due="" if due is None else due.planned,
            waits=due is not None and not due.under_way,
            addresses=addresses_of(events),
            node=self._node(),
            told=tuple(self._told(pdus)),
            kept_since=dict.fromkeys(INTERFACES, NEVER) if self._captures is None else self._captures.kept_since(),
        )
        whole = len(events) < MAXIMUM_EVENTS and len(records) <= MAXIMUM_PDUS and all_whole
        return Traffic(events=tuple(events), pdus=pdus, about=about, whole=whole)

    async def _captured(self, records: Sequence[CaptureRecord]) -> tuple[list[tuple[CaptureRecord, bytes]], bool]:
        """Their octets, and whether all are whole: an MM to thousands would be its body thousands of times."""
        found, room = list[tuple[CaptureRecord, bytes]](), MAXIMUM_BODY_OCTETS
        for one in records:
            room -= 0 if one.reference is None else one.reference.length
            found.append((one, await self._whole(one) if room >= 0 else one.octets))
        return found, room >= 0

    async def opened(self, pdu: Pdu) -> Pdu:
        """A PDU with its body put back, should it have been left out among many."""
        if pdu.record.reference is None or len(pdu.octets) > len(pdu.record.octets):
            return pdu
        octets = await self._whole(pdu.record)
        return pdu if len(octets) == len(pdu.octets) else opened(pdu, octets)

    async def _events(self, mm_id: int) -> list[Event]:
        found: list[Event] = []
        while len(found) < MAXIMUM_EVENTS:
            page = await self._messages.raw_events(mm_id, found[-1].id if found else 0, _PAGE)
            found += page
            if len(page) < _PAGE:
                break
        return found

    async def _due(self, mm_id: int) -> NextDue | None:
        row = await self._messages.row(mm_id)
        return None if isinstance(row, Gone) else row.next_due

    async def _whole(self, record_: CaptureRecord) -> bytes:
        """Its octets with the stored body put back in, where that is still there."""
        if record_.reference is None:
            return record_.octets
        content = await self._contents.content(ContentId(record_.reference.content_id))
        return record_.whole(None if content is None else content.body)
