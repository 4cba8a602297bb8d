"""Puts together what operators see: the console's listener with its metrics and health, and what they are read from."""

import asyncio
import importlib.metadata
from collections.abc import Callable
from typing import Final

from mmsc import configured
from mmsc.clock import Clock
from mmsc.console.application import application
from mmsc.console.guard import Guard
from mmsc.console.holding import Holding
from mmsc.console.listener import ConsoleListener
from mmsc.console.page import control_of
from mmsc.control import Control
from mmsc.engine.pause import real_pause
from mmsc.gateways.rest import api
from mmsc.net.http import HttpLimits
from mmsc.net.listening import listening
from mmsc.operations.collector import CONTENT_TYPE, exposition, registry
from mmsc.operations.notify import Supervisor
from mmsc.operations.pulse import Pulse
from mmsc.operations.readiness import Phase, Readiness
from mmsc.operations.server import OperationsServer
from mmsc.operations.sources import Sources
from mmsc.operations.tally import Tally
from mmsc.reloading import Live, Reloads
from mmsc.settings import Settings, captures_path
from mmsc.settings.model import Console
from mmsc.store.core import Store
from mmsc.trace.bus import Bus
from mmsc.trace.events import Event
from mmsc.trace.rings import Captures

_STORE_ANSWERS_SECONDS: Final = 2.0
_LIMITS: Final = {"request_seconds": 10.0, "stop_seconds": 1.0}


class Operations:
    """Made with the server, opened before anything else is, closed last."""

    def __init__(self, store: Store, clock: Clock, bus: Bus[Event]) -> None:
        self._store = store
        self._clock = clock
        self._listener: ConsoleListener | None = None
        self._holder: dict[str, Control] = {}
        self.readiness = Readiness()
        self.readiness.add("store", self._store_obstacle)
        self.tally = Tally(clock, bus.publish)
        self.reloads = Reloads()
        self.supervisor = Supervisor()
        self._each_second: list[Callable[[], None]] = [self.supervisor.alive]
        self.pulse = Pulse(self._beat)
        self._store_silent = False
        self.sources = Sources(
            clock=clock,
            tally=self.tally,
            readiness=self.readiness,
            bus=bus,
            reloads=self.reloads,
            store_available=lambda: store.available,
            store_counters=lambda: store.counters,
            store_gauges=store.gauges,
            sessions=dict,
            loop_delay=lambda: self.pulse.longest_delay,
        )

    async def open(self, settings: Console) -> tuple[str, int] | None:
        """Listen, if that is wanted; where. Raises CannotListen."""
        self.pulse.start()
        if not settings.enabled:
            return None
        registered = registry(self.sources, importlib.metadata.version("mmsc"))

        async def expose() -> bytes:
            if self.sources.engine is not None and self.readiness.phase is Phase.RUNNING:
                await self.sources.engine.backlog.look()
            return exposition(registered)

        server = OperationsServer(self.readiness, self._look, expose, CONTENT_TYPE, token=settings.token)
        rest = api.routes(control_of)
        made = application(
            *(Guard(settings.token), self._clock, self._holder, server.handle, rest),
            *(Holding(real_pause), settings.maximum_streams),
        )
        limits = HttpLimits(maximum_connections=settings.maximum_connections, **_LIMITS)  # type: ignore[arg-type]
        listener = ConsoleListener(made, self._clock, settings.host, settings.port, limits)
        with listening("console", settings.host, settings.port):
            await listener.start()
        self._listener = listener
        self.sources.http["console"] = listener
        return settings.host, listener.port

    def keep_captures(self, settings: Settings, live: Live) -> Captures | None:
        """The rings, opened, where captures are wanted. Raises OSError."""
        if not settings.trace.captures:
            return None
        captures = Captures(captures_path(settings), configured.capture_limits(settings))
        live.values.append(lambda now: captures.take_over(configured.capture_limits(now)))
        self.sources.captures = captures
        return captures

    @property
    def control(self) -> Control:
        """What pages and REST look at; KeyError before it is offered."""
        return self._holder["control"]

    def offer(self, control: Control) -> None:
        """From now on pages and REST are answered."""
        self._holder["control"] = control
        self._each_second += [control.rates.tick, control.lanes.tick]

    def _beat(self) -> None:
        for each in self._each_second:
            each()

    def running(self) -> None:
        """The start is over."""
        self.readiness.phase = Phase.RUNNING
        self.reloads.taken_over(self._clock.real_now())
        self.supervisor.ready()

    def stopping(self) -> None:
        """The end begins."""
        self.readiness.phase = Phase.STOPPING
        self.supervisor.stopping()

    async def close(self) -> None:
        """Nobody asks any more."""
        self.pulse.stop()
        if self._listener is not None:
            await self._listener.stop()

    async def _look(self) -> None:
        """Ask the store something: a database that went while nobody used it is noticed here."""
        try:
            async with asyncio.timeout(_STORE_ANSWERS_SECONDS):
                await self._store.fetch_one("SELECT 1")
        except Exception:  # whatever a driver says while it goes: it did not answer
            self._store_silent = True
        else:
            self._store_silent = False

    def _store_obstacle(self) -> str:
        if not self._store.available:
            return "it takes nothing at the moment"
        return "it does not answer" if self._store_silent else ""
