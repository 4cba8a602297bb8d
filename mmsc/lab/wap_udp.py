"""WAP pushes as UDP datagrams, as handsets on an IP bearer get them: each carries a Push PDU alone (WAP-230-WSP
8.2.4.1), to port 2948, which IANA knows as wap-push. There is no answer, and nothing tells the sender of a loss."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from mmsc.lab.spawned import Spawned

WAP_PUSH_PORT: Final = 2948


class UdpPushes(asyncio.DatagramProtocol):
    """One socket, for one handset."""

    def __init__(self, on_push: Callable[[bytes], Awaitable[None]]) -> None:
        self._on_push = on_push
        self._transport: asyncio.DatagramTransport | None = None
        self._spawned = Spawned()
        self.port = 0

    async def start(self, host: str = "127.0.0.1", port: int = WAP_PUSH_PORT) -> None:
        """Listen. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        self.port = int(self._transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """A push."""
        self._spawned.spawn(lambda: self._on_push(data))

    async def stop(self) -> None:
        """Close the socket, and end what pushes began."""
        if self._transport is not None:
            self._transport.close()
        await self._spawned.close()
