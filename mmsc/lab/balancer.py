"""A TCP load balancer, as stands before the nodes of an operator: each connection goes to the next node that takes it.

Who is refused by a node that is gone does not notice; a connection that a dying node had is cut, as by any balancer.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from mmsc.net.listening import port_of

_BLOCK: Final = 65536
_CONNECT_SECONDS: Final = 5.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Balancer:
    """`start`, then `port`; `stop` cuts everything. `targets` are (host, port), and may change at any time."""

    def __init__(self, targets: Sequence[tuple[str, int]]) -> None:
        self.targets = list(targets)
        self.port = 0
        self._next = 0
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, host, port)
        self.port = port_of(self._server)

    async def stop(self) -> None:
        """Listen no more, and cut what is open."""
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def cut(self) -> None:
        """Cut what is open."""
        for task in self._carrying:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection is served by a task"
        self._carrying.add(task)
        try:
            node = await self._connect()
            if node is not None:
                await _carry((reader, writer), node)
        except asyncio.CancelledError:
            return  # cut: nobody waits for this task
        finally:
            self._carrying.discard(task)
            writer.close()

    async def _connect(self) -> Streams | None:
        for _ in range(len(self.targets)):
            self._next += 1
            host, port = self.targets[self._next % len(self.targets)]
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(host, port)
        return None


async def _carry(client: Streams, node: Streams) -> None:
    """Both ways, until either side ends."""
    ways = [asyncio.create_task(_pump(client[0], node[1])), asyncio.create_task(_pump(node[0], client[1]))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        node[1].close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while octets := await reader.read(_BLOCK):
            writer.write(octets)
            await writer.drain()
