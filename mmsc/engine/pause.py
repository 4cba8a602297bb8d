"""The engine's only real waiting: between two tries at a store that is away."""

import asyncio


async def real_pause(seconds: float) -> None:
    """Let real time pass."""
    await asyncio.sleep(seconds)
