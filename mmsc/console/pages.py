"""The pages of the console, each a module that says its routes."""

from collections.abc import Callable, Iterable
from typing import Final

from aiohttp import web

from mmsc.console import (
    api,
    captures,
    faults,
    findings,
    lanes,
    live,
    message,
    message_exports,
    message_parts,
    messages,
    phones,
    replay,
    runs,
    scenarios,
    send,
    setup,
    subscribers,
)

PAGES: Final[tuple[Callable[[], Iterable[web.RouteDef]], ...]] = (
    api.routes,
    captures.routes,
    faults.routes,
    findings.routes,
    lanes.routes,
    live.routes,
    message.routes,
    message_exports.routes,
    message_parts.routes,
    messages.routes,
    phones.routes,
    replay.routes,
    runs.routes,
    scenarios.routes,
    send.routes,
    setup.routes,
    subscribers.routes,
)
