"""REST for people: every operation, what it takes and answers, and lines to copy."""

from collections.abc import Iterator

from aiohttp import web

from mmsc.console.page import ASKS, page
from mmsc.gateways.rest.api import ENDPOINTS
from mmsc.gateways.rest.described import described
from mmsc.gateways.rest.tags import TAGS


def routes() -> Iterator[web.RouteDef]:
    """/api"""
    yield web.get("/api", _shown)


async def _shown(request: web.Request) -> web.Response:
    groups = described(ENDPOINTS, f"{request.scheme}://{request.host}", with_token=request.app[ASKS])
    return page(request, "api.html", title="REST", groups=groups, about=TAGS)
