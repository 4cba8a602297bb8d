"""A line on the terminal that tells how a long step goes. Nothing where standard error is no terminal, and nothing for
a step that is over at once."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

_SILENT_SECONDS: Final = 0.5
_TICK_SECONDS: Final = 0.2
_CLEAR: Final = "\r\x1b[K"


@asynccontextmanager
async def telling(words: Callable[[int], str]) -> AsyncIterator[None]:
    """While the block runs, show `words(whole seconds so far)`; the line is gone afterwards."""
    if not sys.stderr.isatty():
        yield
        return
    ticking = asyncio.create_task(_tick(words), name="progress")
    try:
        yield
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
        _show(_CLEAR)


def clear() -> None:
    """Take the line away before something else is printed; it comes again with the next tick."""
    if sys.stderr.isatty():
        _show(_CLEAR)


async def _tick(words: Callable[[int], str]) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(_SILENT_SECONDS)
    while True:
        _show(_CLEAR + words(int(loop.time() - began)))
        await asyncio.sleep(_TICK_SECONDS)


def _show(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
