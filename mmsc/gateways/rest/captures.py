"""REST: captures as lists, as octets and as pcapng files."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web

from mmsc.control.capturing import PAGE, CaptureLine, CapturePage, CaptureQuery, Capturing, NoSuchTime, line_of
from mmsc.control.query import QueryError
from mmsc.gateways.rest.endpoint import JSON, Answer, Call, Endpoint, Problem, number_in
from mmsc.trace.pcapng import Captured
from mmsc.trace.rings import INTERFACES, RingState

PCAPNG: Final = "application/x-pcapng"
STALLED_SECONDS: Final = 30.0  # so long a reader may take nothing
_NO_STORE: Final = {"Cache-Control": "no-store"}
_MOST_ID: Final = 2**63 - 1


class Listing(CaptureQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which captures, and which page of them: `before` is the `more` of the page before, µs of real time."""

    before: Annotated[int, msgspec.Meta(ge=0, le=_MOST_ID)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = PAGE


class FileWanted(CaptureQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which captures, or with `q` those of the messages that it finds; `partner`: numbers replaced, contents emptied;
    `clock`: which times the packets have."""

    q: str = ""
    partner: bool = False
    clock: Literal["real", "service"] = "real"


class ListWanted(CaptureQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which captures, as in the pcapng file."""

    q: str = ""
    partner: bool = False


class MessageFileWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """As in the file of a filter."""

    partner: bool = False
    clock: Literal["real", "service"] = "real"


class CaptureOctets(msgspec.Struct, frozen=True, kw_only=True):
    """A capture with its octets in hexadecimal, what the store keeps put back in."""

    capture: CaptureLine
    octets: str


class CapturedFile(msgspec.Struct, frozen=True):
    """Captures with their octets, oldest first."""

    captures: list[CaptureOctets]


class CapturedExchange(msgspec.Struct, frozen=True):
    """A request with its answer, or one mail with the reply to it."""

    captures: list[CaptureOctets]


class Ring(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one interface. `oldest` in µs of real time, null: nothing; `longest_octets` of one capture are
    kept, 0: all."""

    interface: str
    on: bool
    octets: int
    maximum_octets: int
    captures: int
    oldest: int | None
    lost: int
    longest_octets: int


class RingWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether captures are made of it."""

    on: bool


class Rings(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of all interfaces."""

    rings: list[Ring]
    octets: int
    captures: int
    lost: int


def capturing(call: Call) -> Capturing:
    """The captures. Raises Problem 404 where none are kept."""
    if call.control.capturing is None:
        raise Problem(404, "no captures are kept: trace.captures is false")
    return call.control.capturing


async def send_file(
    request: web.Request, pieces: AsyncGenerator[bytes, None], name: str, media_type: str = PCAPNG
) -> web.StreamResponse:
    """A file piece by piece. Whoever takes nothing of it for a while is cut. Raises what the first piece raises."""
    async with aclosing(pieces) as source:
        first = await anext(source)
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        response = web.StreamResponse(headers={**_NO_STORE, **disposition, "Content-Type": media_type})
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        try:
            await _write(response, first)
            async for piece in source:
                await _write(response, piece)
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
        return response


async def _write(response: web.StreamResponse, piece: bytes) -> None:
    async with asyncio.timeout(STALLED_SECONDS):
        await response.write(piece)


async def _listed(call: Call) -> Answer:
    query = call.query
    fields = {name: getattr(query, name) for name in CaptureQuery.__struct_fields__}
    try:
        page = await capturing(call).listed(CaptureQuery(**fields), query.before, query.limit)
    except NoSuchTime as error:
        raise Problem(400, f"the query: {error}") from error
    return Answer(page)


async def _exchange(call: Call) -> Answer:
    found = await capturing(call).exchange(number_in(call, "exchange"))
    if not found:
        raise Problem(404, "no capture of this exchange is kept, or none any more")
    return Answer(CapturedExchange([_octets_of(one) for one in found]))


def _ring(one: RingState) -> Ring:
    return Ring(
        interface=one.interface,
        on=one.is_on,
        octets=one.octets,
        maximum_octets=one.maximum_octets,
        captures=one.records,
        oldest=one.oldest,
        lost=one.lost,
        longest_octets=one.longest,
    )


async def _rings(call: Call) -> Answer:
    rings = capturing(call).rings
    listed = [_ring(one) for one in rings.state()]
    return Answer(Rings(rings=listed, octets=rings.octets, captures=rings.records, lost=rings.lost))


async def _switch(call: Call) -> Answer:
    rings, name = capturing(call).rings, call.path["interface"]
    if not rings.switch(name, on=call.body.on):
        raise Problem(404, f"no captures are made of {name[:40]!r}, only of {', '.join(INTERFACES)}")
    return Answer(next(_ring(one) for one in rings.state() if one.interface == name))


def _octets_of(one: Captured) -> CaptureOctets:
    return CaptureOctets(capture=line_of(one), octets=one.octets.hex())


async def _json(found: AsyncGenerator[Captured, None]) -> AsyncGenerator[bytes, None]:
    """A `CapturedFile`, capture by capture."""
    comma = b""
    async with aclosing(found) as source:
        first = await anext(source, None)
        yield b'{"captures":['
        if first is not None:
            yield msgspec.json.encode(_octets_of(first))
            comma = b",\n"
        async for one in source:
            yield comma + msgspec.json.encode(_octets_of(one))
    yield b"]}\n"


async def _list(call: Call) -> web.StreamResponse:
    query: ListWanted = call.query
    wanted = CaptureQuery(**{name: getattr(query, name) for name in CaptureQuery.__struct_fields__})
    pieces = _json(capturing(call).each(wanted, q=query.q, partner=query.partner))
    try:
        return await send_file(call.request, pieces, "captures.json", JSON)
    except (NoSuchTime, QueryError) as error:
        raise Problem(400, f"the query: {error}") from error


async def _file(call: Call) -> web.StreamResponse:
    query: FileWanted = call.query
    wanted = CaptureQuery(**{name: getattr(query, name) for name in CaptureQuery.__struct_fields__})
    service = query.clock == "service"
    try:
        pieces = capturing(call).matching(wanted, q=query.q, partner=query.partner, service_time=service)
        return await send_file(call.request, pieces, "captures.pcapng")
    except (NoSuchTime, QueryError) as error:
        raise Problem(400, f"the query: {error}") from error


async def _file_of_message(call: Call) -> web.StreamResponse:
    mm_id = number_in(call, "mm_id")
    found = capturing(call)
    if not found.rings.exchanges_of({mm_id}):
        raise Problem(404, f"no capture of {mm_id} is kept, or none any more")
    service = call.query.clock == "service"
    pieces = found.of_mm([mm_id], partner=call.query.partner, service_time=service)
    return await send_file(call.request, pieces, f"{mm_id}.pcapng")


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/captures",
        summary="Captures, newest first",
        tag="captures",
        handle=_listed,
        query=Listing,
        answers={200: CapturePage},
        problems=(400, 404),
    ),
    Endpoint(
        method="GET",
        path="/captures.pcapng",
        summary="Exchanges as a pcapng file that Wireshark decodes without being told anything",
        tag="captures",
        handle=_file,
        query=FileWanted,
        answers={200: PCAPNG},
        problems=(400, 404),
        description="All of what matches, piece by piece.",
    ),
    Endpoint(
        method="GET",
        path="/captures.json",
        summary="The same exchanges with their octets, oldest first",
        tag="captures",
        handle=_list,
        query=ListWanted,
        answers={200: CapturedFile},
        problems=(400, 404),
        description="All of what matches, piece by piece.",
    ),
    Endpoint(
        method="GET",
        path="/captures/rings",
        summary="What is kept, by interface",
        tag="captures",
        handle=_rings,
        answers={200: Rings},
        problems=(404,),
    ),
    Endpoint(
        method="PUT",
        path="/captures/rings/{interface}",
        summary="Keep what an interface exchanges from now on, or nothing of it",
        tag="captures",
        handle=_switch,
        body=RingWanted,
        answers={200: Ring},
        parameters={"interface": "mm1, mm3, mm4, mm7, smpp or weblink"},
        examples={"interface": "smpp", "body": {"on": False}},
        description="What was kept stays. Holds on this node until it stops or reads its settings again "
        "(`trace.captures_off`). Ladders draw what was not kept from events, dotted.",
    ),
    Endpoint(
        method="GET",
        path="/captures/{exchange}",
        summary="A request with its answer, octet for octet",
        tag="captures",
        handle=_exchange,
        answers={200: CapturedExchange},
        problems=(404,),
        parameters={"exchange": "the number that a capture names"},
    ),
    Endpoint(
        method="GET",
        path="/messages/{mm_id}/pcapng",
        summary="All captures of an MM as a pcapng file",
        tag="captures",
        handle=_file_of_message,
        query=MessageFileWanted,
        answers={200: PCAPNG},
        problems=(404,),
        parameters={"mm_id": "the MM's number"},
    ),
)
