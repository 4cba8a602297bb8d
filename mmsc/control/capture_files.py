"""Captures as they leave in files: read from the rings page by page, made whole one by one, for the partner with
numbers replaced and contents emptied. Nothing here holds more than a few pages, however long a file gets."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Final

import msgspec

from mmsc.domain.message import Content, ContentId
from mmsc.trace.captures import CaptureRecord
from mmsc.trace.partner import Partner, numbers_in
from mmsc.trace.pcapng import Captured, PcapngWriter
from mmsc.trace.places import Places
from mmsc.trace.view import every, look
from protocols.errors import Finding
from protocols.records import record

DECODED: Final = 200  # captures of a file whose findings are looked for

ReadContent = Callable[[ContentId], Awaitable[Content | None]]


@record(frozen=True, slots=True)
class Wanted:
    """What a file has: captures at these places that `keep` says yes to."""

    places: Places
    keep: Callable[[CaptureRecord], bool] = lambda _: True
    partner: bool = False


class CaptureFiles:
    """Makes files. `read` gives a stored body, None when retention took it."""

    def __init__(self, read: ReadContent) -> None:
        self._read = read

    async def pcapng(self, wanted: Wanted, *, service_time: bool = False) -> AsyncGenerator[bytes, None]:
        """A pcapng file, piece by piece."""
        writer = PcapngWriter(service_time=service_time)
        yield writer.begin()
        async for one in self.captured(wanted):
            yield writer.add(one)
        yield writer.end()

    async def captured(self, wanted: Wanted) -> AsyncIterator[Captured]:
        """What the file has, oldest first. `wanted.partner` has everything read twice: numbers first."""
        partner = await self._partner(wanted) if wanted.partner else None
        remarks = len(wanted.places) <= DECODED
        async for one in self._each(wanted):
            made = await asyncio.to_thread(_remarked, one) if remarks else one
            yield made if partner is None else await asyncio.to_thread(_for_partner, made, partner)

    async def whole(self, records: Sequence[CaptureRecord]) -> list[Captured]:
        """Captures with their octets made whole, and what each tells of the others of its exchange."""
        told = _Told(records)
        return [await self._whole(one, told) for one in records]

    async def _each(self, wanted: Wanted) -> AsyncIterator[Captured]:
        """Page by page: what a capture does not tell of its exchange, those of the pages around may."""
        before: Sequence[CaptureRecord] = ()
        now: Sequence[CaptureRecord] = ()
        for after in _and_none(wanted.places.pages()):
            told = _Told((*before, *now, *after))
            for one in now:
                if wanted.keep(one):
                    yield await self._whole(one, told)
            before, now = now, after
            await asyncio.sleep(0)

    async def _partner(self, wanted: Wanted) -> Partner:
        found: dict[str, None] = {}
        async for one in self._each(wanted):
            found.update(dict.fromkeys(await asyncio.to_thread(_numbers, one)))
        return Partner(found)

    async def _whole(self, capture: CaptureRecord, told: "_Told") -> Captured:
        neighbour, mm_id = told.neighbours.get(capture.exchange, ""), told.mms.get(capture.exchange)
        return Captured(capture, await self._octets(capture), neighbour, mm_id, _remarks(capture))

    async def _octets(self, capture: CaptureRecord) -> bytes:
        """With the stored body put back in; noughts where it is gone, so that the rest still decodes."""
        reference = capture.reference
        if reference is None:
            return capture.octets
        content = await self._read(ContentId(reference.content_id))
        body = bytes(reference.start + reference.length) if content is None else content.body
        return capture.whole(body)


class _Told:
    """What captures tell of their exchanges."""

    def __init__(self, records: Iterable[CaptureRecord]) -> None:
        self.neighbours: dict[int, str] = {}
        self.mms: dict[int, int] = {}
        for one in records:
            if one.neighbour:
                self.neighbours[one.exchange] = one.neighbour
            if one.mm_id is not None:
                self.mms[one.exchange] = one.mm_id


def _and_none(pages: Iterable[list[CaptureRecord]]) -> Iterable[list[CaptureRecord]]:
    yield from pages
    yield []


def _remarks(capture: CaptureRecord) -> tuple[str, ...]:
    words = (f"fault {capture.fault}" if capture.fault else "", capture.note)
    return tuple(one for one in words if one)


def _remarked(captured: Captured) -> Captured:
    """With what there is to remark about its octets."""
    found = [finding for one in every(look(captured.octets)) for finding in one.findings]
    return captured._replace(remarks=(*captured.remarks, *dict.fromkeys(map(_sentence, found))))


def _sentence(finding: Finding) -> str:
    return f"finding {finding.rule}: {finding.remark}"


def _numbers(captured: Captured) -> list[str]:
    return numbers_in([look(captured.octets)], [captured.neighbour])


def _for_partner(one: Captured, partner: Partner) -> Captured:
    """Numbers replaced, contents emptied."""
    return one._replace(
        record=msgspec.structs.replace(
            one.record,
            neighbour=partner.text(one.record.neighbour),
            transaction_id=partner.text(one.record.transaction_id),
            note=partner.text(one.record.note),
        ),
        octets=partner.octets(one.octets),
        neighbour=partner.text(one.neighbour),
        remarks=tuple(map(partner.text, one.remarks)),
    )
