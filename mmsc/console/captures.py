"""The page of captures: what went over the wires just now, pcapng files of it, and one exchange, decoded."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from mmsc.console.live import STREAMS, Push, stream
from mmsc.console.octet_lines import hex_lines
from mmsc.console.page import control_of, markup, page
from mmsc.control.capturing import CaptureLine, CaptureQuery, Capturing, NoSuchTime
from mmsc.control.query import QueryError
from mmsc.gateways.rest.captures import PCAPNG, STALLED_SECONDS, send_file
from mmsc.trace.pcapng import name_of
from mmsc.trace.rings import INTERFACES
from mmsc.trace.view import look

_FIELDS: Final = CaptureQuery.__struct_fields__
_ROWS: Final = 50
_EVERY_SECONDS: Final = 1.0
_SELDOM: Final = 5  # of these spans pass where each would bring more than a page of rows: nobody could read them
_LONGEST: Final = 200  # characters of a word of a filter
_NONE: Final = "No captures are kept: trace.captures is false in this server's settings."


def routes() -> Iterator[web.RouteDef]:
    """/captures and what belongs to it; /m/ID.pcapng"""
    yield web.get("/captures", _captures)
    yield web.get("/captures/live", _rows_live)
    yield web.get("/captures.pcapng", _file)
    yield web.get("/captures/live.pcapng", _live_file)
    yield web.post(r"/captures/rings/{interface:\w{1,20}}", _switch)
    yield web.get(r"/captures/{exchange:\d{1,19}}", _exchange)
    yield web.get(r"/m/{mm_id:\d{1,19}}.pcapng", _file_of_message)


def query_of(given: Mapping[str, str]) -> CaptureQuery:
    """The filter of a page's query. Raises 400 for what is none of it."""
    known: dict[str, Any] = {name: given.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
    if known["interface"] not in ("", *INTERFACES) or known["direction"] not in ("", "in", "out"):
        raise web.HTTPBadRequest(reason="no such interface or direction")
    return CaptureQuery(**known)


async def _captures(request: web.Request) -> web.Response:
    capturing = control_of(request).capturing
    if capturing is None:
        return page(request, "captures-off.html", title="Captures", text=_NONE)
    query, before = query_of(request.query), _number(request.query.get("before", ""))
    try:
        found = await capturing.listed(query, before, _ROWS)
    except NoSuchTime as error:
        return page(request, "captures-off.html", status=400, title="Captures", text=str(error))
    words = _words(query)
    live = f"/captures/live?{words}" if before is None else "/live"
    return page(
        request,
        "captures.html",
        title="Captures",
        live=live,
        found=found,
        query=query,
        words=words,
        interfaces=INTERFACES,
        before=before,
        place=str(request.url.origin()),
        **_kept(capturing),
    )


def _kept(capturing: Capturing) -> dict[str, Any]:
    rings = capturing.rings.state()
    oldest = min((ring.oldest for ring in rings if ring.oldest is not None), default=None)
    return {
        "rings": rings,
        "octets": sum(ring.octets for ring in rings),
        "maximum": sum(ring.maximum_octets for ring in rings),
        "lost": sum(ring.lost for ring in rings),
        "oldest": oldest,
        "folder": str(capturing.rings.folder),
    }


async def _switch(request: web.Request) -> web.Response:
    """Captures of an interface, on or off: `on` is 1 or 0."""
    wanted = str((await request.post()).get("on", ""))
    if wanted not in ("0", "1"):
        raise web.HTTPBadRequest(reason="on is 1 or 0")
    if not _capturing(request).rings.switch(request.match_info["interface"], on=wanted == "1"):
        raise web.HTTPNotFound
    return web.Response(status=303, headers={"Location": "/captures#rings"})


async def _rows_live(request: web.Request) -> web.StreamResponse:
    capturing, query = _capturing(request), query_of(request.query)
    shown: list[CaptureLine] = []
    kept, seen, left_out = -1, -1, 0

    async def render(_: Sequence[object]) -> Iterable[Push]:
        nonlocal shown, kept, seen, left_out
        new, seen = capturing.rings.kept - seen, capturing.rings.kept
        if kept == seen:
            return []
        if kept >= 0 and new > _ROWS and left_out < _SELDOM - 1:
            left_out += 1
            return []
        kept, left_out = seen, 0
        found = await capturing.listed(query, None, _ROWS)
        if found.captures == shown:
            return []
        shown = found.captures
        rows = markup("captures-rows.html", found=found, words=_words(query))
        return [Push("captures", rows), Push("rings", markup("captures-rings.html", **_kept(capturing)))]

    return await stream(request, None, render, every_seconds=_EVERY_SECONDS)


async def _file(request: web.Request) -> web.StreamResponse:
    """`q` finds messages, as on the list of messages; the other words are those of the page."""
    given = request.query
    wanted, partner, service = query_of(given), given.get("partner") == "1", given.get("clock") == "service"
    pieces = _capturing(request).matching(wanted, q=given.get("q", ""), partner=partner, service_time=service)
    try:
        return await send_file(request, pieces, "partner.pcapng" if partner else "captures.pcapng")
    except (NoSuchTime, QueryError) as error:
        return web.Response(status=400, text=f"400: {error}\n")


async def _file_of_message(request: web.Request) -> web.StreamResponse:
    mm_id, partner = int(request.match_info["mm_id"]), request.query.get("partner") == "1"
    capturing = _capturing(request)
    if not capturing.rings.of_mm(mm_id):
        return web.Response(status=404, text=f"404: no capture of {mm_id} is kept, or none any more\n")
    pieces = capturing.of_mm([mm_id], partner=partner, service_time=request.query.get("clock") == "service")
    return await send_file(request, pieces, f"{mm_id}{'-partner' if partner else ''}.pcapng")


async def _live_file(request: web.Request) -> web.StreamResponse:
    """What happens from now on, for `wireshark -k -i -`."""
    streams = request.app[STREAMS]
    if streams.open >= streams.maximum:
        return web.Response(status=503, text="503: as many pages and streams follow as may\n")
    pieces = _capturing(request).live(query_of(request.query), service_time=request.query.get("clock") == "service")
    response = web.StreamResponse(headers={"Content-Type": PCAPNG, "Cache-Control": "no-store"})
    streams.open += 1
    try:
        begin = await anext(pieces)
        await response.prepare(request)
        await response.write(begin)
        await _send_until(streams.closing, response, pieces)
    except NoSuchTime as error:
        return web.Response(status=400, text=f"400: {error}\n")
    except TimeoutError:
        streams.cut += 1
        if request.transport is not None:
            request.transport.abort()
    finally:
        streams.open -= 1
    return response


async def _send_until(
    closing: asyncio.Event, response: web.StreamResponse, pieces: AsyncGenerator[bytes, None]
) -> None:
    """Piece by piece, until the reader goes or the server stops."""
    ending = asyncio.ensure_future(closing.wait())
    async with aclosing(pieces):
        try:
            while True:
                coming = asyncio.ensure_future(anext(pieces, None))
                await asyncio.wait({coming, ending}, return_when=asyncio.FIRST_COMPLETED)
                piece = coming.result() if coming.done() else None
                if piece is None:
                    coming.cancel()
                    await asyncio.gather(coming, return_exceptions=True)
                    return
                async with asyncio.timeout(STALLED_SECONDS):
                    await response.write(piece)
        finally:
            ending.cancel()


async def _exchange(request: web.Request) -> web.Response:
    exchange = int(request.match_info["exchange"])
    found = await _capturing(request).exchange(exchange)
    if not found:
        text = "The octets of this exchange left the ring, or it never was."
        return page(request, "captures-off.html", status=404, title="No such exchange", text=text)
    shown = [
        {
            "record": one.record,
            "name": name_of(one.record.interface, one.octets) or "octets",
            "octets": len(one.octets),
            "view": look(one.octets),
            "hex": hex_lines(one.octets),
        }
        for one in found
    ]
    mm_id = next((one.mm_id for one in found if one.mm_id is not None), None)
    neighbour = next((one.neighbour for one in found if one.neighbour), "")
    return page(
        request,
        "captures-exchange.html",
        title=f"{shown[0]['name']}, {found[0].record.interface}",
        exchange=exchange,
        shown=shown,
        mm_id=mm_id,
        neighbour=neighbour,
        interface=found[0].record.interface,
    )


def _capturing(request: web.Request) -> Capturing:
    capturing = control_of(request).capturing
    if capturing is None:
        raise web.HTTPNotFound(reason=_NONE)
    return capturing


def _words(query: CaptureQuery) -> str:
    return urlencode({name: value for name in _FIELDS if (value := getattr(query, name))})


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None
