"""Pages that are left open while a case is played: some read what comes, the others take nothing of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

_STREAMS: Final = ("/messages/live", "/captures/live", "/live")
_SMALL: Final = 4096  # octets: who stalls has no buffer that would take it all
_BLOCK: Final = 64 * 1024


@asynccontextmanager
async def watching(port: int, stalled: int) -> AsyncIterator[None]:
    """`stalled` readers that never read, and one of each stream that does. Raises OSError."""
    writers: list[asyncio.StreamWriter] = []
    reading: list[asyncio.Task[None]] = []
    for number in range(stalled + len(_STREAMS)):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_SMALL)
        writers.append(writer)
        path = _STREAMS[number % len(_STREAMS)]
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        if number >= stalled:
            reading.append(asyncio.create_task(_all_of(reader)))
    try:
        yield
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
        for writer in writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def _all_of(reader: asyncio.StreamReader) -> None:
    while await reader.read(_BLOCK):
        pass
