"""The pages of the console, each a module that says its routes."""

from collections.abc import Callable, Iterable
from typing import Final

from aiohttp import web

from mmsc.console import api, lanes, live, send, start

PAGES: Final[tuple[Callable[[], Iterable[web.RouteDef]], ...]] = (
    live.routes,
    start.routes,
    lanes.routes,
    api.routes,
    send.routes,
)
