"""A TCP relay on loopback that does what networks do: it cuts, and it holds back what one side said."""

import asyncio
import contextlib
from collections.abc import Callable

Decide = Callable[[bytes], str]
"""Told the octets that a client sent; "" passes them on. "cut": they never arrive, and both sides are closed. "answer":
they arrive, and the connection to the client is closed instead of the answer. "hold": they never arrive, the client is
closed, and the server hears nothing of it. "swallow": they never arrive, and nobody is told."""


class Relay:
    """Between clients and one server. `decide` may be changed at any time."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[asyncio.StreamWriter] = []
        self.port = 0
        self.decide: Decide = lambda octets: ""
        self.refusing = False

    async def __aenter__(self) -> "Relay":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._held:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._carry(reader, writer)
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            return
        back_reader, back_writer = await asyncio.open_connection(*self._target)
        back = asyncio.ensure_future(_pump(back_reader, writer))
        try:
            while octets := await reader.read(65536):
                match self.decide(octets):
                    case "":
                        back_writer.write(octets)
                    case "swallow":
                        continue
                    case "cut":
                        break
                    case "hold":
                        self._held.append(back_writer)
                        return
                    case _:
                        back.cancel()
                        with contextlib.suppress(asyncio.CancelledError):
                            await back  # one reader at a time
                        back_writer.write(octets)
                        await back_reader.read(65536)  # the answer, which nobody is told
                        break
        finally:
            back.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await back
            if back_writer not in self._held:
                back_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while octets := await reader.read(65536):
            writer.write(octets)
    writer.close()
