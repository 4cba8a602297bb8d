"""HTTP Digest as a client answers it (RFC 7616; RFC 2617 and 2069 for servers that know no more), and Basic.

The strongest algorithm that is offered and known here is used. A challenge that cannot be answered is passed over.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from protocols.records import record

_ITEM: Final = re.compile(
    r"""\s*,*\s*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s+)?([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*"""
    r"""(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*(?=,|$)""",
    re.DOTALL,
)
_NEXT: Final = re.compile(r"[^,]*,?")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_MOST_CHALLENGES: Final = 20
_LONGEST_HEADER: Final = 4096  # characters


def _md5(octets: bytes) -> str:
    return hashlib.md5(octets, usedforsecurity=False).hexdigest()


_ALGORITHMS: Final[dict[str, Callable[[bytes], str]]] = {  # the strongest first (RFC 7616 6.1)
    "SHA-512-256": lambda octets: hashlib.new("sha512_256", octets).hexdigest(),
    "SHA-256": lambda octets: hashlib.sha256(octets).hexdigest(),
    "MD5": _md5,
}
_STRENGTH: Final = tuple(_ALGORITHMS)


@record(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a server asks for (RFC 7616 3.3). `qop` is "" for one that knows RFC 2069 alone."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    session: bool = False  # the algorithm's -sess variant
    qop: str = ""
    opaque: str | None = None
    hashes_user: bool = False
    is_stale: bool = False


def basic(username: str, password: str) -> str:
    """The Authorization header of HTTP Basic (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


def schemes(headers: Iterable[str]) -> tuple[str, ...]:
    """The authentication schemes that WWW-Authenticate headers offer, in small letters."""
    named = (scheme.lower() for header in headers for scheme, _ in _challenges(header))
    return tuple(dict.fromkeys(named))


def challenge_of(headers: Iterable[str]) -> Challenge | None:
    """The best Digest challenge in WWW-Authenticate headers, None when there is none that can be answered."""
    found = [one for header in headers for one in map(_digest, _challenges(header)) if one is not None]
    return min(found, key=lambda one: _STRENGTH.index(one.algorithm), default=None)


def _challenges(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(scheme, parameters) of each challenge in one header (RFC 9110 11.6.1)."""
    header = header[:_LONGEST_HEADER]
    first = header.split(None, 1)[:1]
    current: tuple[str, dict[str, str]] | None = None
    at = count = 0
    while at < len(header) and count < _MOST_CHALLENGES:
        item = _ITEM.match(header, at)
        if item is None:  # a scheme without parameters, or nothing known
            at = _NEXT.match(header, at).end() or len(header)  # type: ignore[union-attr]
            continue
        if item[1] is not None:
            if current is not None:
                yield current
                count += 1
            current = (item[1], {})
        if current is not None:
            quoted = _ESCAPED.sub(r"\1", item[3]) if item[3] is not None else item[4]
            current[1].setdefault(item[2].lower(), quoted)
        at = item.end()
    if current is not None:
        yield current
    elif first:
        yield first[0].rstrip(","), {}


def _digest(challenge: tuple[str, dict[str, str]]) -> Challenge | None:
    scheme, told = challenge
    named = told.get("algorithm", "MD5").upper()
    algorithm = named.removesuffix("-SESS")
    offered = [one.strip().lower() for one in told.get("qop", "").split(",") if one.strip()]
    qop = next((one for one in ("auth", "auth-int") if one in offered), "")
    if scheme.lower() != "digest" or algorithm not in _ALGORITHMS or "nonce" not in told or (offered and not qop):
        return None
    return Challenge(
        realm=told.get("realm", ""),
        nonce=told["nonce"],
        algorithm=algorithm,
        session=named.endswith("-SESS"),
        qop=qop,
        opaque=told.get("opaque"),
        hashes_user=told.get("userhash", "").lower() == "true",
        is_stale=told.get("stale", "").lower() == "true",
    )


@record(frozen=True, slots=True, kw_only=True)
class Login:
    """Who asks for what: the method and the request target as sent, and the body, which `auth-int` protects."""

    username: str
    password: str
    method: str
    target: str
    body: bytes = b""


def answer(challenge: Challenge, login: Login, cnonce: str, count: int = 1) -> str:
    """The Authorization header (RFC 7616 3.4). `count` is how often this nonce was used, this time included."""
    hashed = _ALGORITHMS[challenge.algorithm]

    def h(*pieces: str) -> str:
        return hashed(":".join(pieces).encode("utf-8", "surrogateescape"))

    secret = h(login.username, challenge.realm, login.password)
    if challenge.session:
        secret = h(secret, challenge.nonce, cnonce)
    protected = (hashed(login.body),) if challenge.qop == "auth-int" else ()
    asked = h(login.method, login.target, *protected)
    number = f"{count:08x}"
    if challenge.qop:
        response = h(secret, challenge.nonce, number, cnonce, challenge.qop, asked)
    else:
        response = h(secret, challenge.nonce, asked)
    username = h(login.username, challenge.realm) if challenge.hashes_user else login.username
    return "Digest " + ", ".join(_written(challenge, username, login.target, cnonce, number, response))


def _written(
    challenge: Challenge, username: str, target: str, cnonce: str, number: str, response: str
) -> Iterator[str]:
    yield f"username={_quoted(username)}"
    yield f"realm={_quoted(challenge.realm)}"
    yield f"nonce={_quoted(challenge.nonce)}"
    yield f"uri={_quoted(target)}"
    yield f"algorithm={challenge.algorithm}{'-sess' if challenge.session else ''}"
    yield f'response="{response}"'
    if challenge.opaque is not None:
        yield f"opaque={_quoted(challenge.opaque)}"
    if challenge.qop:
        yield f"qop={challenge.qop}"
        yield f"nc={number}"
    if challenge.qop or challenge.session:
        yield f"cnonce={_quoted(cnonce)}"
    if challenge.hashes_user:
        yield "userhash=true"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
