"""REST: what went over the wires for one message: its PDUs, decoded and in octets, and its ladder."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from mmsc.control.exporting import (
    Exported,
    LadderSeen,
    PduSeen,
    PduWhole,
    exported,
    ladder_seen,
    partner_of,
    pdu_seen,
    pdu_whole,
)
from mmsc.control.traffic import Traffic
from mmsc.engine.queries.messages import Gone
from mmsc.gateways.rest.endpoint import Answer, Call, Endpoint, Problem
from mmsc.gateways.rest.messages import problem_of
from mmsc.trace.ladder import Wishes

_MM: Final = {"id": "the message: a 64-bit number"}
_LARGEST: Final = (1 << 63) - 1


class Looked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`partner`: numbers replaced, contents emptied, no notes of the engine."""

    partner: bool = False


class Drawn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a ladder is wanted: notes of the engine, runs and retries in one row, answers as rows of their own, one
    interface, one recipient (address), only what is marked; `partner` as for PDUs."""

    notes: bool = True
    folds: bool = True
    unfolded: bool = False
    interface: str = ""
    recipient: str = ""
    marked: bool = False
    partner: bool = False


class Pdus(msgspec.Struct, frozen=True):
    """The PDUs of a message in ladder order. `whole` is false where there are more than are kept count of."""

    pdus: list[PduSeen]
    whole: bool


async def _traffic(call: Call) -> tuple[int, Traffic]:
    text = call.path["id"]
    mm_id = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else -1
    if not 0 <= mm_id <= _LARGEST:
        raise Problem(404, f"{text[:40]!r} is no id of a message")
    row = await call.control.messages.row(mm_id)
    if isinstance(row, Gone):
        raise problem_of(mm_id, row)
    traffic = await call.control.traffic.of(mm_id)
    if call.query.partner:
        traffic = await asyncio.to_thread(lambda whole: whole.shown_to(partner_of(whole)), traffic)
    return mm_id, traffic


async def _pdus(call: Call) -> Answer:
    _, traffic = await _traffic(call)
    return Answer(Pdus([pdu_seen(one) for one in traffic.pdus], traffic.whole))


async def _pdu(call: Call) -> Answer:
    _, traffic = await _traffic(call)
    pdu = traffic.pdu(call.path["number"])
    if pdu is None:
        raise Problem(404, f"the message has no PDU {call.path['number'][:20]}")
    return Answer(pdu_whole(pdu if call.query.partner else await call.control.traffic.opened(pdu)))


async def _drawn(call: Call) -> tuple[str, Exported]:
    """The ladder that is wanted, and its title."""
    query: Drawn = call.query
    mm_id, _ = await _traffic(call)
    wishes = Wishes(
        unfolded=query.unfolded,
        notes=query.notes,
        folds=query.folds,
        interface=query.interface,
        recipient=query.recipient,
        marked=query.marked,
    )
    return f"Message {mm_id}", await exported(call.control, mm_id, wishes, partner=query.partner)


async def _ladder(call: Call) -> Answer:
    return Answer(ladder_seen((await _drawn(call))[1].ladder))


async def _text(call: Call) -> web.Response:
    title, made = await _drawn(call)
    return web.Response(text=made.text(title), content_type="text/plain", charset="utf-8")


async def _svg(call: Call) -> web.Response:
    title, made = await _drawn(call)
    return web.Response(text=made.svg(title), content_type="image/svg+xml")


def _endpoint(suffix: str, summary: str, handle: Callable[[Call], Awaitable[Any]], answer: Any) -> Endpoint:
    return Endpoint(
        method="GET",
        path=f"/messages/{{id}}/ladder{suffix}",
        summary=summary,
        tag="messages",
        handle=handle,
        query=Drawn,
        answers={200: answer},
        problems=(404, 410, 503),
        parameters=_MM,
    )


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/messages/{id}/pdus",
        summary="The PDUs of a message, in ladder order",
        tag="messages",
        handle=_pdus,
        query=Looked,
        answers={200: Pdus},
        problems=(404, 410, 503),
        parameters=_MM,
    ),
    Endpoint(
        method="GET",
        path="/messages/{id}/pdus/{number}",
        summary="One PDU: its tree with the place of each field, findings, and octets (base64)",
        tag="messages",
        handle=_pdu,
        query=Looked,
        answers={200: PduWhole},
        problems=(404, 410, 503),
        parameters={**_MM, "number": "from 1 in ladder order; 8a is the answer that is folded into 8"},
    ),
    _endpoint("", "The ladder of a message: parties, and rows in the order of time", _ladder, LadderSeen),
    _endpoint(".txt", "The ladder as text, 100 columns of ASCII", _text, "text/plain"),
    _endpoint(".svg", "The ladder as a picture", _svg, "image/svg+xml"),
)
