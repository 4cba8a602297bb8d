"""The pages of the console, each a module that says its routes."""

from collections.abc import Callable, Iterable
from typing import Final

from aiohttp import web

from mmsc.console import api, lanes, live, messages, phones, runs, scenarios, send, setup, subscribers

PAGES: Final[tuple[Callable[[], Iterable[web.RouteDef]], ...]] = (
    api.routes,
    lanes.routes,
    live.routes,
    messages.routes,
    phones.routes,
    runs.routes,
    scenarios.routes,
    send.routes,
    setup.routes,
    subscribers.routes,
)
