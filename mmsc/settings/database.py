"""Which PostgreSQL addresses can never work. What is wrong is told without the address: it may hold a password."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

_FORM: Final = "postgresql://user@host/database"
_HOST: Final = re.compile(r"(?P<host>\[[^\]]+\]|[^\[\]:]+)(?::(?P<port>[^:]*))?")
_WORDS: Final = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": ("any", "primary", "standby", "prefer-standby", "read-write", "read-only"),
}


def database_contradictions(dsn: str) -> Iterator[str]:
    """Sentences about `store.postgres`, none when it is not set."""
    if not dsn:
        return
    try:
        address = urlsplit(dsn)
    except ValueError:
        yield f"store.postgres is no address of the form {_FORM}"
        return
    if address.scheme not in ("postgresql", "postgres"):
        other = f", its address begins with {address.scheme}://" if dsn.startswith(f"{address.scheme}://") else ""
        yield f"store.postgres takes {_FORM}{other}"
    elif address.netloc.count("@") > 1 or "@" in address.path or "@" in address.fragment:
        yield "store.postgres: in a user's name or password @ is written %40, / %2F, # %23 and ? %3F"
    else:
        yield from _hosts(address.netloc.rpartition("@")[2])
        yield from _query(address.query)


def _hosts(hosts: str) -> Iterator[str]:
    for one in hosts.split(",") if hosts else ():
        found = _HOST.fullmatch(one)
        if found is None:
            yield "store.postgres has a host that is none: HOST or HOST:PORT stand before the /, with commas between"
        elif found["port"] and not _is_port(unquote(found["port"])):
            yield "store.postgres has a port that is none: it is a number up to 65535"


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 65536


def _query(query: str) -> Iterator[str]:
    try:
        given = parse_qs(query, strict_parsing=True) if query else {}
    except ValueError:
        yield "store.postgres: behind ? stand name=value, with & between"
        return
    for name, words in _WORDS.items():
        if name in given and given[name][-1] not in words:
            yield f"store.postgres: {name} is one of {', '.join(words)}"
