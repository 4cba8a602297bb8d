"""The pages of the console, each a module that says its routes."""

from collections.abc import Callable, Iterable
from typing import Final

from aiohttp import web

from mmsc.console import api, captures, lanes, live, messages, phones, replay, scenarios, send

PAGES: Final[tuple[Callable[[], Iterable[web.RouteDef]], ...]] = (
    api.routes,
    captures.routes,
    lanes.routes,
    live.routes,
    replay.routes,
    messages.routes,
    phones.routes,
    scenarios.routes,
    send.routes,
)
