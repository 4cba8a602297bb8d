"""The web page behind a fallback SMS: `GET /w/TOKEN`, its parts at `/w/TOKEN/part/N`, all of them at `/w/TOKEN/all`.

Works without JavaScript and allows none. The first look by a person counts as the delivery; link previews of chat
programs, a browser's prefetch and HEAD do not, and with `view_needs_tap` only pressing a button does.
"""

import re
from collections.abc import Callable
from importlib import resources
from typing import Final

from jinja2 import DictLoader, Environment, StrictUndefined, select_autoescape

from mmsc.clock import Clock
from mmsc.domain.instant import to_datetime
from mmsc.domain.media_files import disposition
from mmsc.domain.message import Mm
from mmsc.engine.ports import Gone, GoneBecause, Links, Retrievable
from mmsc.net.http import HttpAnswer, HttpRequest
from mmsc.trace.captures import BodyReference
from mmsc.weblink.page import archive, file_name, media_type_of, page_of, shown_as
from mmsc.weblink.words import Words

_PATH: Final = re.compile(r"/w/(?P<token>[A-Za-z0-9_-]{8,100})(?:/part/(?P<part>[0-9]{1,4})|/(?P<all>all))?")
_ROBOTS: Final = re.compile(
    r"(?<!cu)bot\b|crawler|spider|preview|facebookexternalhit|whatsapp|slack-|embedly"  # a Cubot is a telephone
    r"|google-safety|curl|wget|python-requests|link-?check",
    re.IGNORECASE,
)
_STYLE: Final = "/w/style.css"
_POLICY: Final = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_MEDIA_POLICY: Final = "default-src 'none'; sandbox"  # a part that is opened by itself
_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "private, no-store"),
    ("X-Robots-Tag", "noindex, nofollow"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_GONE: Final = {
    GoneBecause.UNKNOWN: (404, "unknown"),
    GoneBecause.EXPIRED: (410, "expired"),
    GoneBecause.CANCELLED: (410, "cancelled"),
    GoneBecause.ENDED: (410, "ended"),
    GoneBecause.NO_CONTENT: (410, "ended"),
    GoneBecause.STORE_AWAY: (503, "later"),
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
    """Rounded, and never broken between the number and its unit."""
    return f"{max(1, round(octets / 1000))}\u00a0KB" if octets < 10**6 else f"{octets / 10**6:.1f}\u00a0MB"


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
        words = Words(request.headers.get("Accept-Language", ""))
        match = _PATH.fullmatch(request.path)
        if match is None:
            return self._gone(words, Gone(GoneBecause.UNKNOWN))
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpAnswer(status=405, headers=(*_HEADERS, ("Allow", "GET, HEAD, POST")))
        found = await self._links.open(match["token"])
        if isinstance(found, Gone):
            return self._gone(words, found)
        if match["all"]:
            return self._all(found)
        if match["part"] is not None:
            return self._part(found, int(match["part"]), words)
        return await self._page(found, match["token"], request, words)

    async def _page(self, found: Retrievable, token: str, request: HttpRequest, words: Words) -> HttpAnswer:
        heading = _heading(found.mm, words)
        if self._needs_tap() and request.method != "POST":
            return self._html(200, "tap.html", words, token=token, heading=heading)
        if _is_person(request):
            gone = await self._links.viewed(found)
            if gone is not None:
                return self._gone(words, gone)
        page = page_of(found.content)
        return self._html(200, "page.html", words, page=page, token=token, subject=found.mm.subject, heading=heading)

    def _all(self, found: Retrievable) -> HttpAnswer:
        packed = archive(found.content, to_datetime(found.mm.date))
        answer = self._answer(200, "application/zip", packed, _MEDIA_POLICY)
        answer.headers = (*answer.headers, ("Content-Disposition", disposition("message.zip", inline=False)))
        answer.mm_id = found.mm.id
        return answer

    def _part(self, found: Retrievable, number: int, words: Words) -> HttpAnswer:
        """A part's own octets; whatever could run is a download of no particular type."""
        parts = found.content.parts
        if number >= len(parts):
            return self._gone(words, Gone(GoneBecause.UNKNOWN))
        part = parts[number]
        kind = shown_as(part)
        shown = kind in ("image", "audio", "video")
        media_type = media_type_of(part) if shown else "application/octet-stream"
        answer = self._answer(200, media_type, found.content.octets_of(part), _MEDIA_POLICY)
        name = file_name(part, number)
        answer.headers = (*answer.headers, ("Content-Disposition", disposition(name, inline=shown)))
        answer.mm_id = found.mm.id
        answer.reference = BodyReference(found.mm.content_id, part.offset, part.length, 0)
        return answer

    def _gone(self, words: Words, found: Gone) -> HttpAnswer:
        status, key = _GONE[found.because]
        if key == "expired" and found.kept_until is None:
            key = "ended"
        day = "" if found.kept_until is None else words.day(found.kept_until)
        return self._html(status, "gone.html", words, title=words(key, day=day))

    def _html(self, status: int, template: str, words: Words, **values: object) -> HttpAnswer:
        text = self._templates.get_template(template).render(words=words, **values)
        answer = self._answer(status, "text/html; charset=utf-8", text.encode("utf-8", "replace"))
        answer.headers = (*answer.headers, ("Content-Language", words.language), ("Vary", "Accept-Language"))
        return answer

    @staticmethod
    def _answer(status: int, content_type: str, body: bytes, policy: str = _POLICY) -> HttpAnswer:
        headers = (("Content-Security-Policy", policy), *_HEADERS)
        return HttpAnswer(status=status, content_type=content_type, body=body, headers=headers)


def _is_person(request: HttpRequest) -> bool:
    """Whether somebody looks: no HEAD, no program that draws a preview, no browser that fetches ahead."""
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    ahead = "prefetch" in purpose.lower() or "preview" in purpose.lower()
    return request.method != "HEAD" and not ahead and not _ROBOTS.search(request.headers.get("User-Agent", ""))


def _heading(mm: Mm, words: Words) -> str:
    """From whom, when, and until when."""
    key = "anonymous" if mm.sender_hidden else "from"
    said = words(key, sender=mm.sender.value, date=words.date(mm.date))
    return f"{said} {words('until', day=words.day(mm.expires_at))}"
