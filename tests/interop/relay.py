"""A relay that sits on a connection between two peers and writes down what goes over it, as a cable tap would."""

import asyncio
import itertools

from tests.interop.tshark import Piece

_client_ports = itertools.count(40_000)


class Relay:
    """Listens on a free port and passes every octet on to `target`; all relays of a test share `pieces`."""

    def __init__(self, pieces: list[Piece], shown_port: int) -> None:
        """`shown_port` is the port that the pieces name, so that tshark knows the protocol by itself."""
        self._pieces = pieces
        self._shown_port = shown_port
        self._target = 0
        self._ways: set[asyncio.Task[None]] = set()

    async def start(self, target: int) -> None:
        """Listen; connections go on to port `target`."""
        self._target = target
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close everything."""
        self._server.close()
        for way in tuple(self._ways):
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)
        await self._server.wait_closed()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        number = next(_client_ports)
        for source, sink, to_server in ((reader, back, True), (there, writer, False)):
            way = asyncio.create_task(self._pass_on(source, sink, number, to_server=to_server))
            self._ways.add(way)
            way.add_done_callback(self._ways.discard)

    async def _pass_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, number: int, *, to_server: bool
    ) -> None:
        try:
            while octets := await source.read(1 << 16):
                self._pieces.append(Piece(number, self._shown_port, to_server, octets))
                sink.write(octets)
                await sink.drain()
        except ConnectionError:
            pass  # a peer left without a word: so does the relay
        finally:
            sink.close()
