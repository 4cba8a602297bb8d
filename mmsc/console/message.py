"""One message: its ladder, and the PDU that is selected, decoded and in octets (console.md 4, 5, 6)."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from mmsc.console.live import Push, stream
from mmsc.console.message_head import has_route, message_of, number_of
from mmsc.console.message_pane import pane_of
from mmsc.console.octets import AT_FIRST
from mmsc.console.page import control_of, markup, page
from mmsc.control.traffic import Traffic
from mmsc.trace.events import Event
from mmsc.trace.ladder import MMSC, Ladder, Row, RowKind, Wishes, windowed
from protocols.records import record

_EVERY_SECONDS: Final = 1.0  # what is captured after its event, and what is due
_FEWEST_OCTETS: Final = 512  # of a PDU, beside the longest ladder: a page has its weight
_OCTETS_A_ROW: Final = 32
_SWITCHES: Final = ("if", "r", "marked", "notes", "unfold", "folds", "all")


def routes() -> Iterator[web.RouteDef]:
    """/m/ID and /m/ID/pdu/N"""
    yield web.get("/m/{mm_id:[0-9]+}", _ladder)
    yield web.get("/m/{mm_id:[0-9]+}/live", _live)
    yield web.get("/m/{mm_id:[0-9]+}/pdu/{number:[0-9]+a?[0-9]*}", _ladder)
    yield web.get("/m/{mm_id:[0-9]+}/pdu/{number:[0-9]+a?[0-9]*}/pane", _pane)


@record(frozen=True, slots=True)
class View:
    """How the ladder is looked at: what of it is wanted, all rows or a window, and the query that says so."""

    wishes: Wishes
    whole: bool
    query: dict[str, str]

    def address(self, place: str, **changes: str) -> str:
        """`place` with the same switches, and some others; an empty one is left out."""
        query = {name: value for name, value in {**self.query, **changes}.items() if value}
        return f"{place}?{urlencode(query)}" if query else place


def view_of(request: web.Request) -> View:
    """The switches in the query."""
    query = {name: request.query[name][:64] for name in _SWITCHES if request.query.get(name)}
    wishes = Wishes(
        unfolded=query.get("unfold") == "1",
        notes=query.get("notes") != "0",
        folds=query.get("folds") != "0",
        interface=query.get("if", ""),
        recipient=query.get("r", ""),
        marked=query.get("marked") == "1",
    )
    return View(wishes, query.get("all") == "1", query)


async def _ladder(request: web.Request) -> web.Response:
    found = await message_of(request)
    traffic = await control_of(request).traffic.of(found.id)
    view = view_of(request)
    number = request.match_info.get("number", "")
    chosen = traffic.pdu(number) if number else next(iter(traffic.pdus), None)
    if chosen is not None:
        chosen = await control_of(request).traffic.opened(chosen)
    if number and chosen is None:
        raise web.HTTPNotFound(reason=f"message {found.id} has no PDU {number}: there are {len(traffic.pdus)}")
    values = ladder_values(found.id, traffic, view, chosen.number if chosen is not None else "")
    most = max(_FEWEST_OCTETS, AT_FIRST // 2 - _OCTETS_A_ROW * len(values["rows"]))
    pane = None if chosen is None else pane_of(request, traffic, chosen, most)
    return page(
        request,
        "message-ladder.html",
        title=found.title,
        live=view.address(f"/m/{found.id}/live", have=values["digest"]),
        m=found,
        tab="ladder",
        pane=pane,
        alone=bool(number),
        has_pcapng=has_route(request, "/m/", ".pcapng"),
        **values,
    )


async def _pane(request: web.Request) -> web.Response:
    """What stands right of the ladder, by itself."""
    traffic = await control_of(request).traffic.of(number_of(request))
    chosen = traffic.pdu(request.match_info["number"])
    if chosen is None:
        raise web.HTTPNotFound(reason="no such PDU")
    chosen = await control_of(request).traffic.opened(chosen)
    text = markup("message-pane.html", pane=pane_of(request, traffic, chosen), mm=number_of(request))
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


async def _live(request: web.Request) -> web.StreamResponse:
    """The ladder as it grows: the whole list whenever a row of it is another one, which the script puts in row by row;
    and what stands above it."""
    control, mm_id, view = control_of(request), number_of(request), view_of(request)
    digest, head = request.query.get("have", ""), ""

    async def render(events: Sequence[Event]) -> Iterable[Push]:
        nonlocal digest, head
        values = ladder_values(mm_id, await control.traffic.of(mm_id), view, "")
        pushes = []
        if values["digest"] != digest:
            digest = values["digest"]
            pushes.append(Push("ladder", markup("message-rows.html", **values)))
        if events or pushes:
            found = await message_of(request)
            made = markup("message-state.html", m=found)
            pushes += [Push("state", made)] if made != head else []
            head = made
        return pushes

    return await stream(
        request, control.bus, render, wanted=lambda one: one.mm_id == mm_id, every_seconds=_EVERY_SECONDS
    )


def ladder_values(mm_id: int, traffic: Traffic, view: View, chosen: str) -> dict[str, Any]:
    """What `message-rows.html` is given."""
    made = traffic.ladder(view.wishes)
    rows = list(made.rows) if view.whole else list(windowed(made.rows))
    return {
        "mm": mm_id,
        "ladder": made,
        "rows": rows,
        "view": view,
        "chosen": chosen,
        "ours": next((index for index, one in enumerate(made.columns) if one.key == MMSC), 0),
        "says": lambda row: sentence(row, made),
        "digest": blake2b(repr((made.columns, rows)).encode(), digest_size=8).hexdigest(),
        "whole": traffic.whole,
        "pdus": len(traffic.pdus),
        "waits": traffic.about.waits,
        "interfaces": sorted({one.record.interface for one in traffic.pdus}),
        "people": sorted(set(traffic.about.addresses.values())),
        "lost": not traffic.pdus or any(row.gone for row in made.rows),
    }


def sentence(row: Row, ladder: Ladder) -> str:
    """A row in full for who hears it: `8, 2.110 s, mmsc to weather-vasp, DeliveryReportReq, failed: HTTP 503`"""
    time = f"{row.offset / 1_000_000:.3f} s"
    if row.source < 0 or row.target < 0:
        return f"{time}, {row.text}" if row.kind is RowKind.NOTE else row.text
    ends = f"{ladder.columns[row.source].name} to {ladder.columns[row.target].name}"
    beneath = row.fault or (row.text if row.kind is RowKind.FOLD else "") or row.beneath
    what = f"{row.name} {beneath}".strip()
    told = [row.number, time, ends, what]
    told += [f"attempt {row.attempt} of {row.attempts}"] if row.attempts > 1 else []
    told += [f"repeat of {row.repeat_of}"] if row.repeat_of else []
    if row.answer is not None:
        told.append(f"failed: {row.answer.text}" if row.failed else row.answer.text)
    told += [f"finding {one}" for one in row.findings]
    told += [row.note] if row.gone else []
    return ", ".join(one for one in told if one)
