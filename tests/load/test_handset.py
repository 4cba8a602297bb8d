"""The handsets of a load run on kept connections."""

import asyncio
from contextlib import suppress

from mmsc.load.handset import Handsets
from mmsc.load.octets import picture
from mmsc.load.tally import Tally

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b"


class OneSided(Tally):
    """Counts as ever, and says when something came of a push."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: list[str] = []
        self.heard = asyncio.Event()

    def retrieved(self, seconds: float) -> None:
        self._hear("retrieved")

    def retrieval(self, why: str) -> None:
        self._hear(why)

    def _hear(self, what: str) -> None:
        self.outcomes.append(what)
        self.heard.set()


async def test_a_get_on_a_connection_that_is_closed_in_that_moment_goes_over_another() -> None:
    """A server may close an idle connection at any time (RFC 9112 9.3.1): that is no failure of the retrieval."""
    content, tally = picture(100), OneSided()
    connections: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError):
            for body in (content.octets, b""):  # the GET and the m-notifyresp-ind of one push
                head = await reader.readuntil(b"\r\n\r\n")
                if b"Content-Length: " in head:
                    await reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]))
                writer.write(_OK % (len(body), body))
            await reader.readuntil(b"\r\n\r\n")  # the next GET: too late
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    now = asyncio.get_running_loop().time
    handsets = Handsets("/", [content], tally, now, may_fetch=lambda host: True, timeout_seconds=10)
    async with server, asyncio.timeout(10):
        for number in range(2):
            tally.heard.clear()
            handsets.pushed(b"\x8c\x82\x98t%d\0\x83http://127.0.0.1:%d/t\0" % (number, port))
            await tally.heard.wait()
        await handsets.close()
        await asyncio.gather(*(one for one in connections if one is not None), return_exceptions=True)
    assert (tally.outcomes, len(connections)) == (["retrieved", "retrieved"], 2)
