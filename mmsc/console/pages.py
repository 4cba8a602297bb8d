"""The pages of the console, each a module that says its routes."""

from collections.abc import Callable, Iterable
from typing import Final

from aiohttp import web

from mmsc.console import api, live, start

PAGES: Final[tuple[Callable[[], Iterable[web.RouteDef]], ...]] = (
    live.routes,
    start.routes,
    api.routes,
)
