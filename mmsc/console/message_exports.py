"""A message to take away: the ladder as text, as a picture, and everything as JSON; also for the partner."""

import asyncio
from collections.abc import Iterator

from aiohttp import web

from mmsc.console.message import view_of
from mmsc.console.message_head import MessageView, message_of, number_of
from mmsc.console.page import control_of
from mmsc.console.words import full
from mmsc.control.exporting import everything, exported, partner_of
from mmsc.trace.view.fields import dissect

_PICTURE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"  # opened by itself it may style itself


def routes() -> Iterator[web.RouteDef]:
    """/m/ID.txt, .svg and .json"""
    yield web.get("/m/{mm_id:[0-9]+}.txt", _text)
    yield web.get("/m/{mm_id:[0-9]+}.svg", _svg)
    yield web.get("/m/{mm_id:[0-9]+}.json", _json)
    yield web.get("/m/{mm_id:[0-9]+}/pdu/{number:[0-9]+a?[0-9]*}.bin", _octets)


async def _octets(request: web.Request) -> web.Response:
    """The octets of a PDU, or of one of its byte tabs."""
    mm_id = number_of(request)
    traffic = await control_of(request).traffic.of(mm_id)
    if _for_partner(request):
        traffic = await asyncio.to_thread(lambda whole: whole.shown_to(partner_of(whole)), traffic)
    pdu = traffic.pdu(request.match_info["number"])
    if pdu is None:
        raise web.HTTPNotFound(reason="no such PDU")
    if not _for_partner(request):
        pdu = await control_of(request).traffic.opened(pdu)
    found = dissect(pdu.view)
    known = {one.key: one for one in found.levels}
    level = known.get(request.query.get("b", ""), found.levels[0])
    octets = found.buffers[level.buffer][level.start : level.end]
    headers = {"Content-Disposition": f'attachment; filename="{mm_id}-{pdu.number}-{level.key}.bin"'}
    return web.Response(body=octets, content_type="application/octet-stream", headers=headers)


def _for_partner(request: web.Request) -> bool:
    return request.query.get("partner") == "1"


def _title(found: MessageView) -> str:
    return f"{found.subject}  {found.id}  {full(found.detail.row.at_service)}"


async def _text(request: web.Request) -> web.Response:
    found = await message_of(request)
    made = await exported(control_of(request), found.id, view_of(request).wishes, partner=_for_partner(request))
    return web.Response(text=made.text(_title(found)), content_type="text/plain", charset="utf-8")


async def _svg(request: web.Request) -> web.Response:
    found = await message_of(request)
    made = await exported(control_of(request), found.id, view_of(request).wishes, partner=_for_partner(request))
    headers = {"Content-Security-Policy": _PICTURE}
    return web.Response(text=made.svg(_title(found)), content_type="image/svg+xml", headers=headers)


async def _json(request: web.Request) -> web.Response:
    found = await message_of(request, recipients=1000)
    made = await everything(control_of(request), found.id, partner=_for_partner(request))
    return web.Response(body=made, content_type="application/json")
