"""Files of captures, made of a whole ring without holding it."""

import asyncio
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import cast

import msgspec
import pytest

from mmsc.clock import Clock
from mmsc.control.capturing import CaptureQuery, Capturing
from mmsc.control.messages import MessageService
from mmsc.domain.message import Content, ContentId
from mmsc.trace.captures import CaptureRecord, Direction
from mmsc.trace.places import TOGETHER
from mmsc.trace.ring import RingLimits
from mmsc.trace.rings import CaptureLimits, Captures

EXCHANGES = 2_000
BODY = bytes(16_384)
SOME_OCTETS = 12 * 1024 * 1024  # a few pages and what tells where captures are; the ring has 64 MB
_ENDS = ("127.0.0.1:8807", "127.0.0.1:50000")


async def _nothing(_: ContentId) -> Content | None:
    return None


def _capture(exchange: int, at: int, head: bytes, *, body: bytes = BODY, mm_id: int | None = None) -> CaptureRecord:
    name = "news" if mm_id else ""
    return CaptureRecord("mm7", Direction.IN, *_ENDS, at, at, exchange, name, mm_id=mm_id, pieces=(head, body))


def _capturing(folder: Path) -> Capturing:
    limits = CaptureLimits(total=RingLimits(maximum_octets=2**30, maximum_records=2_000_000))
    return Capturing(Captures(folder, limits), _nothing, cast(MessageService, None), Clock())


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[Capturing]:
    """Requests that were written after the answers of others, as happens when many are served at a time."""
    made = _capturing(tmp_path)
    for number in range(EXCHANGES):
        made.rings.keep(_capture(number, 10 * number + 5, b"HTTP/1.1 200 OK\r\n\r\n", mm_id=number + 1))
        made.rings.keep(_capture(number, 10 * number, b"POST /mm7 HTTP/1.1\r\n\r\n"))
    yield made
    made.rings.close()


async def _length(pieces: AsyncGenerator[bytes, None]) -> int:
    return sum([len(piece) async for piece in pieces])


@pytest.mark.parametrize("query", [CaptureQuery(), CaptureQuery(name="200")], ids=["ring", "filter"])
async def test_a_file_of_the_whole_ring_is_never_in_memory(full: Capturing, query: CaptureQuery) -> None:
    assert full.rings.records == 2 * EXCHANGES
    tracemalloc.start()
    try:
        length = await _length(full.matching(query))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert length > 2 * EXCHANGES * len(BODY)
    assert most < SOME_OCTETS


async def test_each_request_stands_before_its_answer_and_knows_whose_it_is(full: Capturing) -> None:
    seen = [one async for one in full.each(CaptureQuery(name="200"))]
    assert [one.record.at_real for one in seen] == sorted(one.record.at_real for one in seen)
    assert len(seen) == 2 * EXCHANGES > 2 * TOGETHER
    for request, answer in zip(seen[::2], seen[1::2], strict=True):
        assert (request.octets[:4], answer.octets[:4]) == (b"POST", b"HTTP")
        assert request.mm_id == answer.mm_id == request.record.exchange + 1
        assert request.neighbour == "news"


async def test_what_leaves_the_ring_meanwhile_is_left_out(full: Capturing) -> None:
    found = full.each(CaptureQuery())
    first = await anext(found)
    assert await full.rings.take_away(frozenset(range(1500, EXCHANGES + 1))) > 0
    left = [first, *[one async for one in found]]
    assert {one.record.exchange for one in left} >= set(range(1000))
    assert not {one.record.exchange for one in left} & set(range(1800, EXCHANGES))
    full.rings.clear()
    assert [one async for one in full.each(CaptureQuery())] == []


async def test_others_have_their_turn_while_a_file_is_made(full: Capturing) -> None:
    turns = 0
    done = asyncio.ensure_future(_length(full.matching(CaptureQuery(name="200"))))
    while not done.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > EXCHANGES // TOGETHER
    assert await done > 0


async def test_the_partner_gets_the_same_other_number_on_every_page(tmp_path: Path) -> None:
    made = _capturing(tmp_path)
    for number in range(3 * TOGETHER):
        head = b"POST /mm7 HTTP/1.1\r\nX-MSISDN: +15550100123\r\n\r\n"
        capture = _capture(number, number, head, body=b"", mm_id=7)
        made.rings.keep(msgspec.structs.replace(capture, neighbour="+15550100123"))
    octets = {one.octets async for one in made.each(CaptureQuery(mm="7"), partner=True)}
    names = {one.neighbour async for one in made.each(CaptureQuery(mm="7"), partner=True)}
    assert len(octets) == len(names) == 1
    assert b"15550100123" not in octets.pop()
    made.rings.close()
