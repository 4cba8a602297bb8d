"""Where a listener is; who could not listen where, by the key of the settings that is to be changed."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

# Connections that wait to be accepted; the system may allow fewer (net.core.somaxconn). They are taken in a turn of
# the loop, and each listener says "later" to those beyond its limit. Whoever does not fit here believes to be
# connected, and hears nothing until TCP has sent its request again and again: half a minute and more.
BACKLOG: Final = 4096

_ADVICE: Final = {
    errno.EADDRINUSE: "another program has the port (a second mmsc serve?); set {key}.port to another one, or to 0 for"
    " any free one ({variable}__PORT=0)",
    errno.EACCES: "this user may not; set {key}.port to 1024 or above ({variable}__PORT)",
    errno.EADDRNOTAVAIL: "this machine has no such address; set {key}.host to one of its own ({variable}__HOST)",
}


class CannotListen(OSError):
    """A listener could not be opened; the text names key, address and what to do."""


class HasSockets(Protocol):
    """A server of any kind."""

    @property
    def sockets(self) -> Sequence[Any]:
        """That it listens on."""
        ...


def port_of(server: HasSockets) -> int:
    """The port that it was given."""
    return int(server.sockets[0].getsockname()[1])


@contextmanager
def listening(key: str, host: str, port: int) -> Iterator[None]:
    """Around the opening of the listener that `[key]` of the settings describes. Raises CannotListen."""
    try:
        yield
    except OSError as error:
        variable = f"MMSC_{key.upper()}"
        advice = _ADVICE.get(error.errno or 0, "set {key}.host and {key}.port").format(key=key, variable=variable)
        why = os.strerror(error.errno or 0) if error.errno in errno.errorcode else error.strerror or str(error)
        raise CannotListen(f"{key}: cannot listen on {host} port {port} ({why}): {advice}") from error
