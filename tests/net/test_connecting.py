"""What is said of a connection that did not come about."""

import errno
import socket

import pytest

from mmsc.net.connecting import not_connected

PLACE = "127.0.0.1:2775"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 2775)"), "refused"),
        (
            OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1'), [Errno 111] Connect call failed"),
            "refused",
        ),
        (OSError(errno.EHOSTUNREACH, "Connect call failed"), "failed: No route to host"),
        (TimeoutError(), "not answered in time"),
        (OSError(errno.ETIMEDOUT, "Connect call failed"), "not answered in time"),
        (OSError("Multiple exceptions: [Errno 111] one, [Errno 113] another"), "failed: Multiple exceptions"),
        (ValueError("no greeting"), "failed: no greeting"),
        (ValueError(), "failed: ValueError"),
    ],
)
def test_it_says_what_and_where(error: Exception, told: str) -> None:
    assert not_connected(PLACE, error).startswith(f"connect to {PLACE} {told}")


def test_a_name_that_is_none_is_named() -> None:
    error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    assert not_connected("smsc.example:2775", error) == (
        "connect to smsc.example:2775 failed: no host has the name smsc.example (Name or service not known)"
    )
