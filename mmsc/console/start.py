"""The start page."""

from collections.abc import Iterator

from aiohttp import web

from mmsc.console.page import control_of, page


def routes() -> Iterator[web.RouteDef]:
    """/"""
    yield web.get("/", _start)


async def _start(request: web.Request) -> web.Response:
    return page(request, "start.html", title="Messages", places=control_of(request).places())
