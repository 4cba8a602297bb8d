"""Tells systemd how the server stands (sd_notify(3)): a datagram to the socket that $NOTIFY_SOCKET names.

Without that variable nothing is said. What cannot be said is lost: a service does not end because nobody listens.
"""

import os
import socket
import time
from collections.abc import Mapping


class Supervisor:
    """Whoever started us and wants to know."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        given = os.environ if environment is None else environment
        self._address = given.get("NOTIFY_SOCKET", "")
        ours = given.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.has_watchdog = ours and given.get("WATCHDOG_USEC", "0") != "0"

    def ready(self) -> None:
        """The start is over, or settings were taken over."""
        self._say("READY=1")

    def reloading(self) -> None:
        """Settings are read; `ready` follows."""
        self._say(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The end begins."""
        self._say("STOPPING=1")

    def alive(self) -> None:
        """The event loop turns."""
        if self.has_watchdog:
            self._say("WATCHDOG=1")

    def _say(self, text: str) -> None:
        if not self._address.startswith(("/", "@")):
            return
        place = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
                one.setblocking(False)
                one.sendto(text.encode(), place)
        except OSError:
            return
