"""Whose phone, and what on it, a request means; and the page around a phone."""

from typing import Any

from aiohttp import web

from mmsc.console import phone_views
from mmsc.console.page import control_of, page
from mmsc.control.phones import PROFILES_IN_ORDER, Item, Phone, Phones, behaviour_of


def phones_of(request: web.Request) -> Phones:
    """The lab's. Raises HTTPNotFound where there are none."""
    phones = control_of(request).phones
    if phones is None:
        raise web.HTTPNotFound(reason="There are no phones: they need the built-in SMSC and MM1")
    return phones


def phone_of(request: web.Request) -> Phone:
    """Of the number in the path. Raises HTTPNotFound."""
    number = request.match_info["number"]
    found = phones_of(request).one(number)
    if found is None:
        raise web.HTTPNotFound(reason=f"+{number} is no subscriber with a phone")
    return found


def item_of(request: web.Request, phone: Phone) -> Item:
    """Of the number in the path. Raises HTTPNotFound."""
    found = phone.box.one(int(request.match_info["item"]))
    if found is None:
        raise web.HTTPNotFound(reason="That is not on this phone: it was deleted, or the server began anew since")
    return found


def phone_page(
    request: web.Request, phone: Phone, middle: str, *, title: str, live: str = "", status: int = 200, **values: Any
) -> web.Response:
    """A page with a phone in its middle, which shows the template `middle`."""
    phones = phones_of(request)
    return page(
        request,
        "phones.html",
        status=status,
        title=title,
        live=f"/phones/{phone.digits}/live" + (f"?{live}" if live else ""),
        middle=middle,
        phones=phone_views.phone_rows(phones, phone),
        away=phone_views.away(phones, phone),
        behaviour=behaviour_of(phone.settings),
        profiles=PROFILES_IN_ORDER,
        lines=list(reversed(phone.lines.all())),
        off=False,
        views=phone_views,
        now=control_of(request).clock.now(),
        **{"phone": phone, "item": None, **values},
    )
