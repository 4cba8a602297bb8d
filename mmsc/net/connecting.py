"""Why a connection did not come about, as people say it: `connect to 127.0.0.1:2775 refused`."""

import errno
import os
import re
import socket
from typing import Final

_NUMBERS: Final = re.compile(r"\[Errno (-?\d+)\]")
_WORDS: Final = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ETIMEDOUT: "not answered in time",
}


def not_connected(place: str, error: BaseException) -> str:
    """`place` is host:port. asyncio's own text names every address that it tried, and says less."""
    if isinstance(error, socket.gaierror):
        return f"connect to {place} failed: no host has the name {place.rpartition(':')[0]} ({error.strerror})"
    if isinstance(error, TimeoutError) and not error.errno:
        return f"connect to {place} not answered in time"
    number = _number(error)
    if number is None:
        return f"connect to {place} failed: {str(error) or type(error).__name__}"
    return f"connect to {place} {_WORDS.get(number) or 'failed: ' + os.strerror(number)}"


def _number(error: BaseException) -> int | None:
    """The system's, where there is one: of several addresses that were tried, if all failed alike."""
    own = error.errno if isinstance(error, OSError) else None
    found = {own} if own else set(map(int, _NUMBERS.findall(str(error))))
    only = found.pop() if len(found) == 1 else None
    return only if only in errno.errorcode else None
