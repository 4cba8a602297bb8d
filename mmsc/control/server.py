"""What a server is: version, places, limits, and what it offers. For people who write down what they tested against."""

import importlib.metadata
import platform
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from mmsc.clock import Clock
from mmsc.domain.instant import SECOND, Instant
from mmsc.settings import Settings
from mmsc.settings.model import Place

_INTERFACES: Final = ("mm1", "weblink", "mm3", "mm4", "mm7", "console", "builtin_smsc")


class Interface(msgspec.Struct, frozen=True):
    """Where an interface is called; `place` is "" for one that does not listen. 0 connections: no limit of its own.
    `public_url` is what neighbours are told of it, "" where that is `place`."""

    name: str
    enabled: bool
    place: str
    maximum_connections: int
    public_url: str = ""


class ServerState(msgspec.Struct, frozen=True, kw_only=True):
    """One process. Times are µs UTC: `started_at` and `real_now` real, `service_now` service time."""

    version: str
    python: str
    node: str
    domain: str
    store: str
    shared_store: bool
    started_at: Instant
    uptime_seconds: float
    real_now: Instant
    service_now: Instant
    clock_paused: bool
    clock_speed: float
    interfaces: list[Interface]
    limits: dict[str, int | float]


class Capabilities(msgspec.Struct, frozen=True):
    """What this server offers: name -> whether it does."""

    enabled: dict[str, bool]


class Server:
    """Made when the server starts."""

    def __init__(self, settings: Callable[[], Settings], clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._started_at = clock.real_now()

    def state(self, node: str, places: Mapping[str, str], *, shared: bool) -> ServerState:
        """As it is now; `places` are where each interface is called."""
        settings = self._settings()
        service, real = self._clock.moment()
        return ServerState(
            version=importlib.metadata.version("mmsc"),
            python=platform.python_version(),
            node=node,
            domain=settings.node.domain,
            store="postgresql" if settings.store.postgres else "sqlite",
            shared_store=shared,
            started_at=self._started_at,
            uptime_seconds=(real - self._started_at) / SECOND,
            real_now=real,
            service_now=service,
            clock_paused=self._clock.state.paused,
            clock_speed=self._clock.state.speed,
            interfaces=[_interface(name, getattr(settings, name), places) for name in _INTERFACES],
            limits=msgspec.to_builtins(settings.limits),
        )

    def capabilities(self, **more: bool) -> Capabilities:
        """What the settings turn on, and `more`."""
        settings = self._settings()
        own = {
            "captures": settings.trace.captures,
            "charging_records": settings.cdr.enabled,
            "fallback": settings.fallback.enabled,
            "mmbox": settings.mmbox.enabled,
            "mm7_tls": bool(settings.mm7.tls.certificate),
            "object_storage": bool(settings.store.objects.url),
            "reply_charging": settings.mm1.reply_charging,
            "token": bool(settings.console.token),
        }
        places = {name: getattr(settings, name).enabled for name in _INTERFACES}
        return Capabilities(dict(sorted({**places, **own, **more}.items())))


def _interface(name: str, place: Place, places: Mapping[str, str]) -> Interface:
    most, url = getattr(place, "maximum_connections", 0), getattr(place, "public_url", "")
    return Interface(name, place.enabled, places.get(name, ""), most, url)
