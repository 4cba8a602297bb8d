"""What people do with phones on their pages: write, answer, pass on, fetch, refuse, delete, and say what a phone does.
Forms are posted and lead back with 303; what the phone does not do is said on the page."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from aiohttp import web
from multidict import MultiDictProxy

from mmsc.console.page import control_of
from mmsc.console.phone_asked import item_of, phone_of, phone_page, phones_of
from mmsc.control import phone_lines
from mmsc.control.phones import (
    MAXIMUM_ATTACHMENTS,
    MAXIMUM_CONTENT_OCTETS,
    Attachment,
    Behaviour,
    Draft,
    Item,
    Phone,
    PhoneRefuses,
)

_Form = MultiDictProxy[Any]
SLIDES: Final = 4  # texts that the form has fields for


async def add(request: web.Request) -> web.Response:
    """A phone for one more number."""
    given = await request.post()
    number = str(given.get("number", "")).replace(" ", "")
    try:
        phone = phones_of(request).add(number)
    except PhoneRefuses as error:
        raise web.HTTPBadRequest(reason=str(error)) from error
    return _to(f"/phones/{phone.digits}")


async def behave(request: web.Request) -> web.Response:
    """What it does from now on, all of it."""
    phone = phone_of(request)
    given = await request.post()
    try:
        phone.change(_behaviour(given).settings())
    except (PhoneRefuses, msgspec.ValidationError) as error:
        raise web.HTTPBadRequest(reason=_line(str(error))) from error
    back = str(given.get("back", ""))
    return _to(back if back.startswith(f"/phones/{phone.digits}") else f"/phones/{phone.digits}")


def _behaviour(given: _Form) -> Behaviour:
    """Raises ValidationError."""
    values: dict[str, Any] = {
        name: str(given[name]).strip()
        for name in ("on_notification", "read_report", "auto_reply", "profile", "user_agent", "profile_url")
        if name in given
    }
    values |= {name: given.get(name) == "on" for name in ("coverage", "mms", "memory_full")}
    values["acknowledges"] = given.get("acknowledges", "yes") == "yes"
    values["report_allowed"] = {"yes": True, "no": False}.get(str(given.get("report_allowed", "")))
    values["wait_seconds"] = str(given.get("wait_seconds", "")).strip() or "0"
    values["octets_per_second"] = str(given.get("octets_per_second", "")).strip() or "0"
    values["forward_to"] = _addresses(given, "forward_to")
    return msgspec.convert(values, Behaviour, strict=False)


async def act(request: web.Request) -> web.Response:
    """Fetch, reject, say that it was read, delete."""
    phone = phone_of(request)
    item = item_of(request, phone)
    what = request.match_info["act"]
    acts: dict[str, Callable[[Item], Awaitable[object]]] = {
        "fetch": phone.fetch,
        "reject": phone.reject,
        "read": phone.read,
        "delete": phone.delete,
    }
    try:
        await acts[what](item)
    except PhoneRefuses as error:
        raise web.HTTPConflict(reason=_line(str(error))) from error
    return _to(f"/phones/{phone.digits}" if what == "delete" else f"/phones/{phone.digits}/{item.number}")


async def pass_on(request: web.Request) -> web.Response:
    """Forward by its location."""
    phone = phone_of(request)
    item = item_of(request, phone)
    to = _addresses(await request.post(), "to")
    try:
        if not to:
            raise PhoneRefuses("To: name at least one recipient")
        await phone.pass_on(item, to)
    except PhoneRefuses as error:
        raise web.HTTPConflict(reason=_line(str(error))) from error
    return _to(f"/phones/{phone.digits}/{item.number}")


async def line(request: web.Request) -> web.Response:
    """The PDU that a line tells of, in the ladder of its message."""
    phone = phone_of(request)
    found = phone.lines.one(int(request.match_info["line"]))
    if found is None:
        raise web.HTTPNotFound(reason="That line is not kept any more")
    return _to(await phone_lines.place_of(control_of(request), found, phone.digits))


# --- writing ---


async def new(request: web.Request) -> web.Response:
    """An empty form; its fields can be given in the query."""
    query = request.query
    values = {"to": query.get("to", ""), "subject": query.get("subject", ""), "texts": query.getall("text", [])}
    return _form(request, phone_of(request), "New message", values)


async def reply(request: web.Request) -> web.Response:
    """To whoever sent it."""
    phone = phone_of(request)
    item = item_of(request, phone)
    values = {"to": item.who, "subject": f"Re: {item.subject}".strip(), "answers": item.number}
    return _form(request, phone, "Reply", values, item=item)


async def forward(request: web.Request) -> web.Response:
    """As a new message with its content, or unfetched, by its location."""
    phone = phone_of(request)
    item = item_of(request, phone)
    values = {
        "subject": f"Fw: {item.subject}".strip(),
        "answers": item.number,
        "with_content": item.message is not None,
    }
    return _form(request, phone, "Forward", values, item=item)


async def send(request: web.Request) -> web.Response:
    """Submit it; the page that follows is that of what was sent."""
    phone = phone_of(request)
    try:
        given = await request.post()
    except web.HTTPRequestEntityTooLarge:
        why = f"The files are too large: {MAXIMUM_CONTENT_OCTETS:,} octets in all"
        return _form(request, phone, "New message", {}, wrong=why, status=413)
    answers = str(given.get("answers", ""))
    values: dict[str, Any] = {
        "to": str(given.get("to", "")),
        "cc": str(given.get("cc", "")),
        "bcc": str(given.get("bcc", "")),
        "subject": str(given.get("subject", ""))[:1000],
        "texts": [str(one) for one in given.getall("text", [])],
        "delivery_report": "delivery_report" in given,
        "read_report": "read_report" in given,
        "with_content": "with_content" in given,
        "answers": int(answers) if answers.isascii() and answers.isdecimal() and len(answers) < 16 else None,
    }
    try:
        item = await phone.send(_draft(given, values))
    except PhoneRefuses as error:
        return _form(request, phone, "New message", values, wrong=str(error), status=400)
    return _to(f"/phones/{phone.digits}/{item.number}")


def _draft(given: _Form, values: dict[str, Any]) -> Draft:
    to, cc, bcc = (tuple(_addresses(given, name)) for name in ("to", "cc", "bcc"))
    if not (to or cc or bcc):
        raise PhoneRefuses("To: name at least one recipient")
    files = [one for one in given.getall("files", []) if isinstance(one, web.FileField) and one.filename]
    return Draft(
        to=to,
        cc=cc,
        bcc=bcc,
        subject=values["subject"],
        texts=tuple(values["texts"]),
        attachments=tuple(Attachment(one.filename, one.file.read(), _type_of(one)) for one in files),
        delivery_report=values["delivery_report"],
        read_report=values["read_report"],
        answers=values["answers"],
        with_content=values["with_content"],
    )


def _type_of(file: web.FileField) -> str:
    """What the browser says, unless that is nothing."""
    return "" if file.content_type in ("", "application/octet-stream") else file.content_type


def _addresses(given: _Form, name: str) -> list[str]:
    return [one.strip() for one in str(given.get(name, "")).replace(";", ",").split(",") if one.strip()]


def _form(
    request: web.Request,
    phone: Phone,
    heading: str,
    values: dict[str, Any],
    *,
    wrong: str = "",
    item: Item | None = None,
    status: int = 200,
) -> web.Response:
    blank: dict[str, Any] = {
        **dict.fromkeys(("to", "cc", "bcc", "subject"), ""),
        "texts": [],
        **dict.fromkeys(("delivery_report", "read_report", "with_content"), False),
        "answers": None,
    }
    return phone_page(
        request,
        phone,
        "phone-compose.html",
        title=heading,
        status=status,
        heading=heading,
        draft=blank | values,
        slides=SLIDES,
        wrong=wrong,
        most_files=MAXIMUM_ATTACHMENTS,
        most_octets=MAXIMUM_CONTENT_OCTETS,
        largest=control_of(request).engine.policy.submit.limits.maximum_octets,
        item=item,
    )


def _to(place: str) -> web.Response:
    return web.Response(status=303, headers={"Location": place})


def _line(text: str) -> str:
    """As an HTTP reason can be."""
    return "".join(one if one.isprintable() else " " for one in text)[:300]
