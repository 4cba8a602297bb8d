"""The web page behind a fallback SMS: `GET /w/TOKEN`, its parts at `/w/TOKEN/part/N`.

Works without JavaScript and allows none. The first look by a person counts as the delivery; link previews of chat
programs and HEAD do not, and with `view_needs_tap` only pressing a button does.
"""

import re
from collections.abc import Callable
from importlib import resources
from typing import Final

from jinja2 import DictLoader, Environment, StrictUndefined, select_autoescape

from mmsc.clock import Clock
from mmsc.domain.instant import to_datetime
from mmsc.engine.ports import Gone, GoneBecause, Links, Retrievable
from mmsc.net.http import HttpAnswer, HttpRequest
from mmsc.trace.captures import BodyReference
from mmsc.weblink.page import disposition, file_name, media_type_of, page_of, shown_as

_PATH: Final = re.compile(r"/w/(?P<token>[A-Za-z0-9_-]{8,100})(?:/part/(?P<part>[0-9]{1,4}))?")
_ROBOTS: Final = re.compile(
    r"bot\b|crawler|spider|preview|facebookexternalhit|whatsapp|telegram|slack|skype|discord|twitter|linkedin|embedly"
    r"|google-safety|bingpreview|applebot|curl|wget|python-requests|link-?check",
    re.IGNORECASE,
)
_STYLE: Final = "/w/style.css"
_POLICY: Final = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_HEADERS: Final = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "private, no-store"),
    ("X-Robots-Tag", "noindex, nofollow"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_GONE: Final = {
    GoneBecause.UNKNOWN: (404, "No such message", "Check that the whole address was opened."),
    GoneBecause.EXPIRED: (410, "This message has expired", "It was kept for a while and is no longer here."),
    GoneBecause.CANCELLED: (410, "This message was withdrawn", "Its sender took it back before it was opened."),
    GoneBecause.ENDED: (410, "This message is no longer here", "It was already collected."),
    GoneBecause.NO_CONTENT: (410, "This message is no longer here", "Its content was deleted."),
}


def _read(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _environment() -> Environment:
    templates = {name: _read(name) for name in ("page.html", "gone.html", "tap.html")}
    environment = Environment(
        loader=DictLoader(templates),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["size"] = _size
    return environment


def _size(octets: int) -> str:
    if octets < 1000:
        return f"{octets} B"
    return f"{octets / 1000:.0f} kB" if octets < 10**6 else f"{octets / 10**6:.1f} MB"


class WebLinkServer:
    """The handler of the web link's listener."""

    def __init__(self, links: Links, clock: Clock, *, view_needs_tap: Callable[[], bool]) -> None:
        self._links = links
        self._clock = clock
        self._needs_tap = view_needs_tap
        self._templates = _environment()
        self._style = _read("style.css").encode()

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        """One request to one answer."""
        if request.path == _STYLE:
            return self._answer(200, "text/css; charset=utf-8", self._style)
        match = _PATH.fullmatch(request.path)
        if match is None:
            return self._gone(GoneBecause.UNKNOWN)
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpAnswer(status=405, headers=(*_HEADERS, ("Allow", "GET, HEAD, POST")))
        found = await self._links.open(match["token"])
        if isinstance(found, Gone):
            return self._gone(found.because)
        if match["part"] is not None:
            return self._part(found, int(match["part"]))
        return await self._page(found, match["token"], request)

    async def _page(self, found: Retrievable, token: str, request: HttpRequest) -> HttpAnswer:
        person = request.method != "HEAD" and not _ROBOTS.search(request.headers.get("User-Agent", ""))
        if self._needs_tap() and request.method != "POST":
            return self._html(200, "tap.html", token=token, sender=_sender(found))
        if person:
            await self._links.viewed(found)
        mm = found.mm
        page = page_of(found.content)
        date = f"{to_datetime(mm.date):%d %B %Y, %H:%M} UTC"
        return self._html(
            200, "page.html", page=page, token=token, sender=_sender(found), subject=mm.subject, date=date
        )

    def _part(self, found: Retrievable, number: int) -> HttpAnswer:
        """A part's own octets; whatever could run is a download of no particular type."""
        parts = found.content.parts
        if number >= len(parts):
            return self._gone(GoneBecause.UNKNOWN)
        part = parts[number]
        kind = shown_as(part)
        shown = kind in ("image", "audio", "video")
        media_type = media_type_of(part) if shown else "application/octet-stream"
        answer = self._answer(200, media_type, found.content.octets_of(part))
        name = file_name(part, number)
        answer.headers = (*answer.headers, ("Content-Disposition", disposition(name, inline=shown)))
        answer.mm_id = found.mm.id
        answer.reference = BodyReference(found.mm.content_id, part.offset, part.length, 0)
        return answer

    def _gone(self, because: GoneBecause) -> HttpAnswer:
        status, title, text = _GONE[because]
        return self._html(status, "gone.html", title=title, text=text)

    def _html(self, status: int, template: str, **values: object) -> HttpAnswer:
        text = self._templates.get_template(template).render(**values)
        return self._answer(status, "text/html; charset=utf-8", text.encode("utf-8", "replace"))

    @staticmethod
    def _answer(status: int, content_type: str, body: bytes) -> HttpAnswer:
        return HttpAnswer(status=status, content_type=content_type, body=body, headers=_HEADERS)


def _sender(found: Retrievable) -> str:
    return "" if found.mm.sender_hidden else found.mm.sender.value
