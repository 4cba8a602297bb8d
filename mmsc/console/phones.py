"""The pages of phones: the list, one phone, something on it; and their stream. What they do is in `phone_acts.py`."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from aiohttp import web

from mmsc.console import phone_acts, phone_views
from mmsc.console.live import Push, Shown, stream
from mmsc.console.page import control_of, markup, page
from mmsc.console.phone_asked import item_of, phone_of, phone_page, phones_of
from mmsc.control.phones import Item, Phone, Phones, Presentation, behaviour_of, presentation_of, sources_of
from mmsc.gateways.rest.handsets import part_answer

_ONE: Final = r"/phones/{number:\d{1,20}}"
_LOOK_SECONDS: Final = 5.0  # what came between the page and its stream is seen on the first look
_ITEM: Final = _ONE + r"/{item:\d{1,15}}"


def routes() -> Iterator[web.RouteDef]:
    """/phones and what is below it."""
    yield web.get("/phones", _all)
    yield web.get("/phones/live", _live_list)
    yield web.post("/phones", phone_acts.add)
    yield web.get(_ONE, _inbox)
    yield web.get(_ONE + "/live", _live)
    yield web.get(_ONE + "/new", phone_acts.new)
    yield web.post(_ONE + "/send", phone_acts.send)
    yield web.post(_ONE + "/behaviour", phone_acts.behave)
    yield web.get(_ONE + r"/lines/{line:\d{1,15}}", phone_acts.line)
    yield web.get(_ITEM, _item)
    yield web.get(_ITEM + "/reply", phone_acts.reply)
    yield web.get(_ITEM + "/forward", phone_acts.forward)
    yield web.post(_ITEM + "/pass", phone_acts.pass_on)
    yield web.post(_ITEM + "/{act:fetch|reject|read|delete}", phone_acts.act)
    yield web.get(_ITEM + r"/part/{part:\d{1,4}}", _part)


async def _all(request: web.Request) -> web.Response:
    phones = control_of(request).phones
    rows = [] if phones is None else phone_views.phone_rows(phones)
    return page(
        request,
        "phones.html",
        title="Phones",
        live="/phones/live" if rows else "/live",
        phone=None,
        phones=rows,
        off=phones is None,
    )


async def _inbox(request: web.Request) -> web.Response:
    phone = phone_of(request)
    return phone_page(
        request, phone, "phone-inbox.html", title=phone.number, live="inbox", items=phone_views.inbox(phone)
    )


async def _item(request: web.Request) -> web.Response:
    phone = phone_of(request)
    item = item_of(request, phone)
    await phone.open(item)
    return phone_page(
        request,
        phone,
        "phone-item.html",
        title=f"{phone_views.shape(item).word} · {phone_views.first_line(item)[:60]}",
        live=f"item={item.number}&seen={_mark(item)}",
        item=item,
        presentation=_presented(phone, item),
    )


def _presented(phone: Phone, item: Item) -> Presentation | None:
    return presentation_of(item, f"/phones/{phone.digits}/{item.number}/part/")


def _shown(phone: Phone, item: Item) -> str:
    return markup(
        "phone-shown.html",
        phone=phone,
        item=item,
        presentation=_presented(phone, item),
        views=phone_views,
        behaviour=behaviour_of(phone.settings),
    )


async def _part(request: web.Request) -> web.Response:
    sources = sources_of(item_of(request, phone_of(request)))
    number = int(request.match_info["part"])
    if number >= len(sources):
        raise web.HTTPNotFound(reason=f"The message has {len(sources)} parts, numbered from 0")
    return part_answer(sources[number], number)


async def _live_list(request: web.Request) -> web.StreamResponse:
    phones = phones_of(request)

    async def render(_: Sequence[object]) -> Iterable[Push]:
        return [_list(phones, None)]

    return await stream(request, phones.bus, render)


async def _live(request: web.Request) -> web.StreamResponse:
    """The list, the lines, and what the middle shows: the inbox, or one item; each when it is not as it was."""
    phones, phone = phones_of(request), phone_of(request)
    number = request.query.get("item", "")
    item = phone.box.one(int(number)) if number.isascii() and number.isdecimal() and len(number) < 16 else None
    seen = request.query.get("seen", "")
    told = Shown()

    async def render(_: Sequence[object]) -> Iterable[Push]:
        nonlocal seen
        pushes = [
            _list(phones, phone),
            Push("away", phone_views.away(phones, phone)),
            Push("lines", markup("phone-lines.html", phone=phone, lines=list(reversed(phone.lines.all())))),
        ]
        if "inbox" in request.query:
            items = phone_views.inbox(phone)
            pushes.append(Push("inbox", markup("phone-rows.html", phone=phone, items=items, views=phone_views)))
        if item is not None and seen != _mark(item):
            seen = _mark(item)
            pushes.append(Push("item", _shown(phone, item)))
        return told.fresh(pushes)

    return await stream(request, phones.bus, render, every_seconds=_LOOK_SECONDS)


def _mark(item: Item) -> str:
    """What changes when an item looks otherwise."""
    return f"{item.state}.{len(item.news)}.{zlib.crc32(item.note.encode()):08x}"


def _list(phones: Phones, chosen: Phone | None) -> Push:
    return Push("phones", markup("phone-list.html", phones=phone_views.phone_rows(phones, chosen)))
