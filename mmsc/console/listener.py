"""The console's socket: aiohttp's server, bounded in connections, octets and time."""

import asyncio
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp.web_protocol import RequestHandler

from mmsc.clock import Clock
from mmsc.domain.durations import Durations
from mmsc.net.http import HttpLimits
from mmsc.net.listening import BACKLOG

_HEAD_OCTETS: Final = 16 * 1024


class _TooMany(asyncio.Protocol):
    """One connection more than are served."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Is cut at once."""
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class ConsoleListener:
    """Serves an aiohttp application at one address. `statuses` and `times` are for the metrics."""

    def __init__(self, application: web.Application, clock: Clock, host: str, port: int, limits: HttpLimits) -> None:
        application.middlewares.insert(0, self._counting)
        self._clock = clock
        self._host = host
        self._port = port
        self._limits = limits
        self._runner = web.AppRunner(
            application,
            access_log=None,
            handler_cancellation=True,
            keepalive_timeout=limits.idle_seconds,
            max_line_size=_HEAD_OCTETS,
            max_field_size=_HEAD_OCTETS,
            shutdown_timeout=limits.stop_seconds,
        )
        self._server: asyncio.Server | None = None
        self.statuses: dict[int, int] = {}  # answers by status
        self.times = Durations()
        self._silent: set[RequestHandler] = set()  # connections that asked nothing yet

    @web.middleware
    async def _counting(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        began = self._clock.real_now()
        self._silent.discard(request.protocol)
        status = 500
        try:
            answer = await handler(request)
            status = answer.status
            return answer
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.times.note(self._clock.real_now() - began)

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        """How many are open."""
        return 0 if self._runner.server is None else len(self._runner.server.connections)

    async def start(self) -> None:
        """Listen. Raises OSError."""
        await self._runner.setup()
        server = self._runner.server
        assert server is not None

        loop = asyncio.get_running_loop()

        def new() -> asyncio.BaseProtocol:
            if len(server.connections) >= self._limits.maximum_connections:
                return _TooMany()
            made = server()
            self._silent.add(made)
            loop.call_later(self._limits.request_seconds, self._cut, made)
            return made

        self._server = await loop.create_server(new, self._host, self._port, backlog=BACKLOG)

    def _cut(self, connection: RequestHandler) -> None:
        """Whoever asks nothing in time makes room for others; aiohttp bounds only the wait for a second request."""
        if connection in self._silent:
            self._silent.discard(connection)
            if connection.transport is not None:
                connection.transport.abort()

    async def stop(self) -> None:
        """No new connections; those that are open have `stop_seconds`."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()
