"""The console's application: the operators' paths, REST and the pages, and what holds for all of them."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler as NextHandler
from aiohttp.typedefs import Middleware

from mmsc.clock import Clock
from mmsc.console import assets, bridge, login
from mmsc.console.feed import Streams
from mmsc.console.guard import Guard
from mmsc.console.live import STREAMS
from mmsc.console.page import ASKS, HOLDER, SECURITY, page
from mmsc.console.pages import PAGES
from mmsc.control import Control
from mmsc.gateways.rest.answers import problem
from mmsc.net.http import Handler

MAXIMUM_BODY_OCTETS: Final = 8 * 1024 * 1024  # an MM in base64 with its attachments
_OPEN: Final = ("/healthz", "/readyz", "/metrics", "/login", "/static/")  # they ask themselves, or need not
_REST: Final = "/api/"
_TITLES: Final = {404: "Nothing is here", 405: "Not in this way"}
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
    maximum_streams: int = 60,
) -> web.Application:
    """`operations` answers /metrics, /healthz and /readyz; `holder` is filled once the server is up."""
    made = web.Application(client_max_size=MAXIMUM_BODY_OCTETS, middlewares=[_secured, _guarded(guard), _started])
    made[HOLDER] = holder
    made[STREAMS] = Streams(maximum_streams)
    made.on_shutdown.append(made[STREAMS].close)
    made[ASKS] = guard.asks

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
    if not answer.prepared:
        for name, value in SECURITY.items():
            answer.headers.setdefault(name, value)
    return answer


def _guarded(guard: Guard) -> Middleware:
    @web.middleware
    async def guarded(request: web.Request, handler: NextHandler) -> web.StreamResponse:
        if request.path.startswith(_OPEN):
            return await handler(request)
        refusal = guard.refusal(request)
        if refusal is None:
            return await handler(request)
        if refusal[0] == 401 and not request.path.startswith(_REST) and request.method == "GET":
            raise web.HTTPSeeOther(f"/login?to={quote(request.rel_url.raw_path_qs, safe='/')}")
        return _refused(request, *refusal)

    return guarded


@web.middleware
async def _started(request: web.Request, handler: NextHandler) -> web.StreamResponse:
    if not request.app[HOLDER] and not request.path.startswith(_OPEN):
        return _refused(request, 503, "the server starts")
    return await handler(request)


def _refused(request: web.Request, status: int, why: str, allow: str = "") -> web.Response:
    if request.path.startswith(_REST):
        challenge = 'Bearer realm="mmsc"' if status == 401 else ""
        return problem(status, why, allow=allow, challenge=challenge)
    headers = {"Allow": allow} if allow else {}
    if request.app[HOLDER] and status in (404, 405) and "text/html" in request.headers.get("Accept", ""):
        answer = page(request, "error.html", status=status, title=_TITLES[status], why=_WHY[status])
        answer.headers.update(headers)
        return answer
    return web.Response(status=status, text=f"{status}: {why}\n", headers=headers)
