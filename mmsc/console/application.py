"""The console's application: the operators' paths, REST and the pages, and what holds for all of them."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler as NextHandler
from aiohttp.typedefs import Middleware

from mmsc.clock import Clock
from mmsc.console import assets, bridge, login
from mmsc.console.feed import Streams
from mmsc.console.guard import Guard
from mmsc.console.holding import Holding
from mmsc.console.live import STREAMS
from mmsc.console.page import ASKS, HOLDER, SECURITY, page
from mmsc.console.pages import PAGES
from mmsc.console.said import SAID, Said
from mmsc.control import Control
from mmsc.gateways.rest.answers import problem
from mmsc.net.http import Handler

MAXIMUM_BODY_OCTETS: Final = 8 * 1024 * 1024  # an MM in base64 with its attachments
_OPEN: Final = ("/healthz", "/readyz", "/metrics", "/login", "/static/")  # they ask themselves, or need not
_FIGURES: Final = "/metrics"  # where no token is asked for: by loopback's own names, too
_REST: Final = "/api/"
_TITLES: Final = {404: "Nothing is here", 405: "Not in this way", 410: "It was here once"}
_WHY: Final = {
    404: "No page has this address. What was there may have been of another run, or removed by retention.",
    405: "This address takes forms of our own pages only: nothing was done.",
}


def application(
    guard: Guard,
    clock: Clock,
    holder: dict[str, Control],
    operations: Handler,
    rest: Iterable[web.RouteDef],
    holding: Holding,
    maximum_streams: int = 60,
) -> web.Application:
    """`operations` answers /metrics, /healthz and /readyz; `holder` is filled once the server is up; `holding` slows
    those who guess tokens."""
    made = web.Application(
        client_max_size=MAXIMUM_BODY_OCTETS, middlewares=[_secured, _guarded(guard, clock, holding), _started]
    )
    made[HOLDER] = holder
    made[STREAMS] = Streams(maximum_streams)
    made.on_shutdown.append(made[STREAMS].close)
    made[ASKS] = guard.asks
    made[SAID] = Said()

    async def for_operators(request: web.Request) -> web.StreamResponse:
        return await bridge.answer(operations, request)

    for path in ("/metrics", "/healthz", "/readyz"):
        made.router.add_route("*", path, for_operators)
    made.add_routes([*assets.routes(), *login.routes(guard, clock), *rest])
    for routes in PAGES:
        made.add_routes(routes())
    return made


@web.middleware
async def _secured(request: web.Request, handler: NextHandler) -> web.StreamResponse:
    """The headers of every answer, and words for what has none."""
    try:
        answer = await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            error.headers.update(SECURITY)
            raise
        answer = _refused(request, error.status, error.reason, error.headers.get("Allow", ""))
    except (ValueError, LookupError):
        if not _is_unread_form(request):
            raise
        answer = _refused(request, 400, "the form cannot be read")
    if not answer.prepared:
        for name, value in SECURITY.items():
            answer.headers.setdefault(name, value)
    return answer


def _is_unread_form(request: web.Request) -> bool:
    """Whether it was aiohttp's reading of a form that failed: a charset or boundary that is none."""
    is_form = request.content_type in ("multipart/form-data", "application/x-www-form-urlencoded")
    return request.method == "POST" and is_form and getattr(request, "_post", None) is None


def _guarded(guard: Guard, clock: Clock, holding: Holding) -> Middleware:
    @web.middleware
    async def guarded(request: web.Request, handler: NextHandler) -> web.StreamResponse:
        if not _asks_nothing(request) and guard.is_guess(request):
            wait = guard.guessed(request, clock.real_now())
            is_held = await holding.hold()
            if wait:
                return _refused(request, 429, f"too many wrong tokens from your address: again in {wait} s", wait=wait)
            if not is_held:
                return _refused(request, 429, "too many wrong tokens at once: again in 1 s", wait=1)
        if request.path.startswith(_OPEN) and (guard.asks or request.path != _FIGURES):
            return await handler(request)
        refusal = guard.refusal(request)
        if refusal is None:
            return await handler(request)
        if refusal[0] == 401 and not request.path.startswith(_REST) and request.method == "GET":
            raise web.HTTPSeeOther(f"/login?to={quote(request.rel_url.raw_path_qs, safe='/')}")
        return _refused(request, *refusal)

    return guarded


def _asks_nothing(request: web.Request) -> bool:
    """Whether it is one of those whom a token in Authorization means nothing to."""
    return request.path.startswith(_OPEN) and request.path != _FIGURES


@web.middleware
async def _started(request: web.Request, handler: NextHandler) -> web.StreamResponse:
    if not request.app[HOLDER] and not request.path.startswith(_OPEN):
        return _refused(request, 503, "the server starts")
    return await handler(request)


def _refused(request: web.Request, status: int, why: str, allow: str = "", wait: int = 0) -> web.Response:
    retry_after = str(wait) if wait else ""
    if request.path.startswith(_REST):
        challenge = 'Bearer realm="mmsc"' if status == 401 else ""
        return problem(status, why, allow=allow, challenge=challenge, retry_after=retry_after)
    headers = {name: value for name, value in (("Allow", allow), ("Retry-After", retry_after)) if value}
    if request.app[HOLDER] and status in _TITLES and "text/html" in request.headers.get("Accept", ""):
        told = f"{why[:1].upper()}{why[1:]}." if why != HTTPStatus(status).phrase else _WHY.get(status, why)
        answer = page(request, "error.html", status=status, title=_TITLES[status], why=told)
        answer.headers.update(headers)
        return answer
    return web.Response(status=status, text=f"{status}: {why}\n", headers=headers)
