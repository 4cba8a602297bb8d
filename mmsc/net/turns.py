"""Waits for the event loop instead of for time: what it has begun, or all that it has to say in one turn."""

import asyncio
from typing import Final

_TURNS: Final = 3  # accept makes a task, the task a transport, the transport tells its protocol; each in a turn
_JOINED_OCTETS: Final = 64 * 1024  # above, a copy costs more than a second call of the system


async def settle() -> None:
    """Let the loop end what it has begun: connections that it has accepted become known to whoever listens, and those
    that were aborted are closed. Call it after the listening socket was closed, and again at the end."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


def write_both(transport: asyncio.Transport, head: bytes, body: bytes) -> None:
    """Write a head and its body, which may be empty. Not by `writelines`: asyncio's own of 3.12.0 and 3.13.0 keeps an
    empty piece for ever, so that the connection never ends, and pauses nobody however much waits."""
    if len(body) <= _JOINED_OCTETS:
        transport.write(head + body)
    else:
        transport.write(head)
        transport.write(body)


class TurnWriter:
    """What is written in one turn of the event loop leaves together: each call of the system costs more than a PDU."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._waiting: list[bytes] = []

    def write(self, octets: bytes) -> None:
        """Write behind what was written before."""
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append(octets)

    def flush(self) -> None:
        """Hand over now what waits."""
        waiting, self._waiting = self._waiting, []
        if waiting and not self._transport.is_closing():
            self._transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))

    def abort(self) -> None:
        """Hand over what was written, and cut the connection."""
        self.flush()
        self._transport.abort()

    def close(self) -> None:
        """Close when all that was written is handed over."""
        self.flush()
        self._transport.close()
