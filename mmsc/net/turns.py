"""Waits for the event loop instead of for time."""

import asyncio
from typing import Final

_TURNS: Final = 3  # accept makes a task, the task a transport, the transport tells its protocol; each in a turn


async def settle() -> None:
    """Let the loop end what it has begun: connections that it has accepted become known to whoever listens, and those
    that were aborted are closed. Call it after the listening socket was closed, and again at the end."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
