"""What an HTTP listener reads: a request as it came, and how much of it is read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from multidict import CIMultiDict, CIMultiDictProxy

from protocols.records import record


@record(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What a client may cost. Times in seconds."""

    maximum_connections: int = 1000
    maximum_body_octets: int = 4 * 1024 * 1024  # after decompression
    maximum_header_octets: int = 32 * 1024
    request_seconds: float = 60.0  # from the end of the head to the end of the body
    answer_seconds: float = 300.0  # from the answer to its last octet handed to the socket
    idle_seconds: float = 75.0  # from connection or last answer to the end of the next head
    stop_seconds: float = 5.0  # for answers under way when the listener stops


@dataclass(slots=True)
class Received:
    """A request as it came. `head` are its own octets, b"" where they cannot be told from what stood around them, or
    where the body was framed or compressed.

    With `status` it is none: why, and the octets that were there."""

    method: str = ""
    target: str = ""
    version: str = "1.1"
    headers: CIMultiDictProxy[str] = field(default_factory=lambda: CIMultiDictProxy(CIMultiDict()))
    raw_headers: Sequence[tuple[bytes, bytes]] = ()
    head: bytes = b""
    body: bytes = b""
    keep_alive: bool = False
    status: int = 0
    why: str = ""
    held: int = 0  # octets of the budget that it has taken


class Phase(Enum):
    """What a connection does, and waits for."""

    HEAD = auto()
    BODY = auto()
    SERVING = auto()
    SENDING = auto()
    LINGERING = auto()


def place_of(address: object) -> str:
    """A socket's address as `host:port`, `[host]:port` for IPv6 (RFC 3986 3.2.2)."""
    if not isinstance(address, tuple):
        return str(address or "")
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def text_of(octets: bytes) -> str:
    """Octets of a head as text that gives them back."""
    return octets.decode("utf-8", "surrogateescape")


def decoded(raw_headers: Sequence[tuple[bytes, bytes]]) -> CIMultiDict[str]:
    """Header lines by name, as text that gives their octets back."""
    return CIMultiDict(
        [
            (name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape"))
            for name, value in raw_headers
        ]
    )
