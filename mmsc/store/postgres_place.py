"""Where a PostgreSQL address leads, for people: hosts and ports, and nothing of the login."""

import os
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

_PORT: Final = "5432"


def place_of(dsn: str) -> str:
    """`host:port`, several with commas between. What the address leaves out the environment says (PGHOST, PGPORT), or
    nobody: then it is a socket on this host."""
    address = urlsplit(dsn)
    hosts = unquote(address.netloc.rpartition("@")[2])
    port = os.environ.get("PGPORT", _PORT)
    if not hosts:
        given = parse_qs(address.query)
        hosts = given.get("host", [os.environ.get("PGHOST", "")])[-1]
        port = given.get("port", [port])[-1]
    if not hosts:
        return f"this host's socket or port {port}"
    return ", ".join(_with_port(one, port) for one in hosts.split(","))


def _with_port(host: str, port: str) -> str:
    if host.startswith("/"):
        return f"socket {host}, port {port}"
    has_one = ":" in host.rpartition("]")[2]
    return host if has_one else f"{host}:{port}"
