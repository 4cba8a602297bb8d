"""The listeners of the driver, put together for one run against one server."""

import asyncio
from collections.abc import Callable
from types import TracebackType

from benching.handset import Handsets
from benching.http1 import ServerConnection, WireError
from benching.load import ACCEPT, Figures, Load, Plan, Usage
from benching.servers import Ports
from benching.smsc import Smsc, SmscConnection

_BIND_SECONDS = 15.0


class Neighbours:
    """VASP, report listener, SMSC and handsets on the ports that the server was told. An async context manager."""

    def __init__(self, plan: Plan, ports: Ports, notify_path: str) -> None:
        self._plan = plan
        self._ports = ports
        self._handsets = Handsets(notify_path, self._fail)
        self._smsc = Smsc(self._handsets.pushed, held=plan.case == ACCEPT)
        self._load: Load | None = None
        self._listeners: list[asyncio.Server] = []
        self.connections = 0  # that the server opened to us

    async def __aenter__(self) -> "Neighbours":
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._crashed)
        host = "127.0.0.1"
        self._listeners = [
            await loop.create_server(self._smsc_connection, host, self._ports.smsc),
            await loop.create_server(self._report_connection, host, self._ports.report),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._handsets.close()
        for listener in self._listeners:
            listener.close()
        asyncio.get_running_loop().set_exception_handler(None)

    async def run(self, usage: Callable[[], Usage], progress: Callable[[int], None]) -> Figures:
        """Wait for the bind, then play the plan. `usage` tells what the server has used so far."""
        if self._plan.case != ACCEPT:
            await asyncio.wait_for(self._smsc.bound.wait(), _BIND_SECONDS)
        self._load = Load(self._plan, self._ports.mm7, usage, progress)
        return await self._load.run()

    def _smsc_connection(self) -> SmscConnection:
        self.connections += 1
        return self._smsc.connection()

    def _report_connection(self) -> ServerConnection:
        self.connections += 1
        return ServerConnection(self._report)

    def _report(self, head: bytes, body: bytes) -> bytes:
        assert self._load is not None, "a report before the first submission"
        return self._load.report(head, body)

    def _fail(self, error: Exception) -> None:
        if self._load is not None:
            self._load.fail(error)

    def _crashed(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        void = WireError(f"the driver cannot make sense of this: {error!r} ({context.get('message')})")
        void.__cause__ = error if isinstance(error, BaseException) else None
        self._fail(void)
