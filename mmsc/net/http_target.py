"""Where an HTTP request goes, and its head: a URL taken apart (RFC 9110 4.2), the request line and the header lines."""

import base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from mmsc.net.http_exchange import Reply

_PORTS: Final = {"http": 80, "https": 443}


class Target(NamedTuple):
    """A URL taken apart."""

    host: str
    port: int
    tls: bool
    place: str  # the Host header
    path: str
    authorization: str

    @property
    def authority(self) -> str:
        """`host:port`, as CONNECT names it (RFC 9110 9.3.6)."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@lru_cache(maxsize=1024)
def target_of(url: str) -> Target:
    """Raises ValueError for what is no http or https URL."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{without_credentials(url)!r} is no http or https URL")
    return Target(
        parts.hostname,
        parts.port or _PORTS[parts.scheme],
        parts.scheme == "https",
        parts.netloc.rpartition("@")[2],
        (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        _basic(parts),
    )


def without_credentials(url: str) -> str:
    """A URL as it may be shown."""
    scheme, slashes, rest = url.partition("//")
    return f"{scheme}//***@{rest.rpartition('@')[2]}" if slashes and "@" in rest else url


def _basic(parts: SplitResult) -> str:
    """The credentials of a URL as Basic (RFC 7617), "" when it has none."""
    if parts.username is None:
        return ""
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(login.encode()).decode()


def request_head(method: str, target: Target, headers: Mapping[str, str], octets: int) -> bytes:
    """Raises ValueError for a line break in a value."""
    lines = [f"{method} {target.path} HTTP/1.1", f"Host: {target.place}", "User-Agent: mmsc"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if target.authorization and "Authorization" not in headers:
        lines.append(f"Authorization: {target.authorization}")
    lines.append(f"Content-Length: {octets}")
    return _head(lines)


def connect_head(target: Target, authorization: str) -> bytes:
    """The head of a CONNECT to a proxy (RFC 9110 9.3.6). Raises ValueError for a line break in a value."""
    place = target.authority
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", "User-Agent: mmsc"]
    if authorization:
        lines.append(f"Proxy-Authorization: {authorization}")
    return _head(lines)


def _head(lines: list[str]) -> bytes:
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise ValueError("a line break in a header")
    return text.encode() + b"\r\n\r\n"


def reply_head(reply: Reply) -> bytes:
    """The head written anew for a body whose chunks and compression are undone."""
    lines = [f"HTTP/1.1 {reply.status} {reply.reason}".rstrip()]
    framing = ("transfer-encoding", "content-length", "content-encoding")
    lines += [f"{name}: {value}" for name, value in reply.headers.items() if name.lower() not in framing]
    lines.append(f"Content-Length: {len(reply.body)}")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"
