"""What stands around every page: the pages there are, the strip, and whose server this is."""

from typing import Final

from aiohttp import web

from mmsc.console import words
from mmsc.console.strip import Notice, notices
from mmsc.control import Control
from protocols.records import record


@record(frozen=True, slots=True)
class _Known:
    """A page of the map (console.md 2). `short` is its name in the bottom bar of a phone; "" puts it under More."""

    name: str
    path: str
    key: str
    short: str = ""


_MAP: Final = (
    _Known("Messages", "/messages", "m", "Messages"),
    _Known("Phones", "/phones", "p", "Phones"),
    _Known("Send", "/send", "s"),
    _Known("Lanes", "/lanes", "l", "Lanes"),
    _Known("Findings", "/findings", "i"),
    _Known("Faults & clock", "/faults", "f", "Faults"),
    _Known("Scenarios", "/scenarios", "n"),
    _Known("Captures", "/captures", "c"),
    _Known("Setup", "/setup", "u"),
)
_OTHERS: Final = (
    ("/api", "REST"),
    ("/runs", "Runs"),
    ("/api/v1/openapi.json", "OpenAPI"),
)  # under More, as far as they are there
_UNDER_MESSAGES: Final = ("/m/",)


@record(frozen=True, slots=True)
class Entry:
    """One page in the bar; `alarm` paints its count."""

    name: str
    path: str
    key: str
    short: str
    here: bool
    count: int
    alarm: bool


@record(frozen=True, slots=True)
class Frame:
    """All of it, as `base.html` reads it."""

    node: str
    now: str
    entries: tuple[Entry, ...]
    others: tuple[tuple[str, str], ...]
    strip: tuple[Notice, ...]
    leave: bool


def frame_of(request: web.Request, control: Control, *, leave: bool = False) -> Frame:
    """The frame of one page. What is on the map but has no route is not linked."""
    known = _paths(request.app)
    here = _here(request.path)
    entries = tuple(
        Entry(one.name, one.path, one.key, one.short, one.path == here, *_count(one.path, control))
        for one in _MAP
        if one.path in known
    )
    others = tuple(other for other in _OTHERS if other[0] in known)
    strip = notices(control, request.query.get("run", ""))
    return Frame(_server(request, control), words.seconds(control.clock.now()), entries, others, strip, leave)


def _server(request: web.Request, control: Control) -> str:
    name, port = control.engine.heartbeat.holder.node, request.host.rpartition(":")[2]
    return f"{name} : {port}" if port.isdecimal() else name


def has(request: web.Request, path: str, method: str = "GET") -> bool:
    """Whether this server has a page or an operation: what is not there is not offered."""
    return any(
        resource.canonical == path and any(route.method in (method, "*") for route in resource)
        for resource in request.app.router.resources()
    )


def _paths(app: web.Application) -> frozenset[str]:
    return frozenset(resource.canonical for resource in app.router.resources())


def _here(path: str) -> str:
    if path == "/" or path.startswith(_UNDER_MESSAGES):
        return "/messages"
    if path.startswith("/runs"):
        return "/setup"
    return "/" + path.lstrip("/").partition("/")[0]


def _count(path: str, control: Control) -> tuple[int, bool]:
    """What stands beside a page's name: faults that are on, rules that findings since the start name."""
    if path == "/faults" and control.faults is not None:
        return len(control.faults.active()), True
    return (control.rates.rules, False) if path == "/findings" else (0, False)
