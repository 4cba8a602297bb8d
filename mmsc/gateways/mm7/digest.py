"""HTTP Digest (RFC 7616, RFC 2617): challenges, and whether what comes back proves that its sender knows the password.

The server must compute with the secret, which a scrypt hash does not allow: a VASP that may use Digest has HA1 =
H(username:realm:password) kept for MD5 and SHA-256. Whoever reads HA1 can log in as that VASP in this realm.

A nonce is signed and kept by nobody, so asking for nonces costs no memory. What is remembered is which nonce counts of
a nonce were used, by clients that knew the password: each once, in any order within a window, because a client may use
one nonce on several connections. Nonces are those of one process: behind a balancer a client has to stay with its node.
"""

import base64
import hashlib
import hmac
import os
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from mmsc.domain.instant import SECOND, Instant
from mmsc.domain.neighbours import Vasp
from protocols.records import record

ALGORITHMS: Final = ("SHA-256", "MD5")  # RFC 7616 6.1; the session variants are not offered
NONCE_AGE: Final = 300 * SECOND
MAXIMUM_NONCES: Final = 10_000  # with counts remembered; beyond it the oldest are stale
COUNT_WINDOW: Final = 1024  # how far behind the highest a nonce count may come
_SIGNATURE_OCTETS: Final = 16
_STAMP_OCTETS: Final = 16  # eight of time (µs), eight of a number
_PARAMETER: Final = re.compile(
    r"""\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*(?:,|$)""", re.DOTALL
)
_COUNT: Final = re.compile(r"[0-9A-Fa-f]{8}")


def _digest(algorithm: str, text: str) -> str:
    octets = text.encode("utf-8", "surrogateescape")
    if algorithm == "MD5":
        return hashlib.md5(octets, usedforsecurity=False).hexdigest()
    return hashlib.sha256(octets).hexdigest()


def ha1_of(algorithm: str, username: str, realm: str, password: str) -> str:
    """HA1 for MD5 or SHA-256 (RFC 7616 3.4.2), lower-case hexadecimal."""
    return _digest(algorithm, f"{username}:{realm}:{password}")


def secret_of(vasp: Vasp, algorithm: str) -> str:
    """The VASP's HA1, "" when it may not use the algorithm."""
    return vasp.ha1_md5 if algorithm == "MD5" else vasp.ha1_sha256


@record(frozen=True, slots=True)
class Verdict:
    """What credentials come to: `vasp` when they are right and fresh, else why not, in words.

    `stale` (RFC 7616 3.3): the password was right and only the nonce is not; the client may try again by itself.
    `malformed` is about another request than this one, and answered 400 (RFC 7616 3.4.6)."""

    vasp: Vasp | None
    why: str = ""
    stale: bool = False
    malformed: bool = False


class Nonces:
    """Makes nonces, and counts how often each was used. Times in microseconds."""

    def __init__(self, real_now: Callable[[], Instant], age: int = NONCE_AGE, *, maximum: int = MAXIMUM_NONCES) -> None:
        self._real_now = real_now
        self._age = age
        self._maximum = maximum
        self._key = os.urandom(32)
        self._number = 0
        self._used: OrderedDict[str, _Counts] = OrderedDict()
        self._forgotten = -1  # counts of nonces made until then are not remembered any more

    def issue(self) -> str:
        """A new one."""
        self._number += 1
        stamp = self._real_now().to_bytes(8) + self._number.to_bytes(8)
        return base64.b64encode(stamp + self._sign(stamp)).decode()

    def refusal(self, nonce: str, count: int) -> str:
        """Use a nonce for the `count`th time; "" when that is right, else why it is not."""
        made_at = self._made_at(nonce)
        if made_at is None:
            return "the nonce is none of ours"
        if made_at + self._age < self._real_now():
            return f"the nonce is older than {self._age / SECOND:g} s"
        counts = self._used.get(nonce)
        if counts is None:
            if made_at <= self._forgotten:
                return "the nonce has made room for others"
            counts = self._remember(nonce, made_at)
        return "" if counts.take(count) else f"nonce count {count:08x} was used before"

    def _remember(self, nonce: str, made_at: Instant) -> "_Counts":
        oldest = self._real_now() - self._age
        while self._used:
            first = next(iter(self._used.values())).made_at
            if first >= oldest and len(self._used) < self._maximum:
                break
            self._forgotten = max(self._forgotten, first)
            self._used.popitem(last=False)
        counts = self._used[nonce] = _Counts(made_at)
        return counts

    def _made_at(self, nonce: str) -> Instant | None:
        try:
            octets = base64.b64decode(nonce, validate=True)
        except ValueError:
            return None
        stamp, signature = octets[:_STAMP_OCTETS], octets[_STAMP_OCTETS:]
        if not hmac.compare_digest(self._sign(stamp), signature):
            return None
        return Instant(int.from_bytes(stamp[:8]))

    def _sign(self, stamp: bytes) -> bytes:
        return hmac.digest(self._key, stamp, "sha256")[:_SIGNATURE_OCTETS]


@dataclass(slots=True)
class _Counts:
    """Which counts of a nonce were used: the highest, and a bit for each of those before it."""

    made_at: Instant
    highest: int = 0
    bits: int = 0

    def take(self, count: int) -> bool:
        """Use one; False when it was used, or lies so far back that nobody knows."""
        ahead = count - self.highest
        if ahead > 0:
            self.bits = ((self.bits << ahead) if ahead < COUNT_WINDOW else 0) & ((1 << COUNT_WINDOW) - 1) | 1
            self.highest = count
            return True
        if -ahead >= COUNT_WINDOW or self.bits >> -ahead & 1:
            return False
        self.bits |= 1 << -ahead
        return True


class Digest:
    """Digest of one listener: its realm, the algorithms it offers in their order, its nonces."""

    def __init__(self, realm: str, algorithms: tuple[str, ...], nonces: Nonces) -> None:
        self._realm = realm
        self._algorithms = algorithms
        self._nonces = nonces

    def challenges(self, vasps: Mapping[str, Vasp], *, stale: bool = False) -> list[str]:
        """A WWW-Authenticate value for each algorithm that a VASP could use (RFC 7616 3.3, 3.7)."""
        offered = [one for one in self._algorithms if any(secret_of(vasp, one) for vasp in vasps.values())]
        return [
            f'Digest realm="{self._realm}", qop="auth", algorithm={algorithm}, nonce="{self._nonces.issue()}",'
            f' charset="UTF-8"{", stale=true" if stale else ""}'
            for algorithm in offered
        ]

    def verdict(self, credentials: str, method: str, target: str, vasps: Mapping[str, Vasp]) -> Verdict:
        """Judge the parameters behind `Digest` in Authorization. `target` is the request's as sent, "" when a proxy may
        have changed it."""
        given = parameters(credentials)
        if given is None:
            return Verdict(None, "Digest: the parameters cannot be read")
        uri = given.get("uri", "")
        if target and _without_authority(uri) != target:
            return Verdict(None, f"Digest: uri {uri[:100]!r} is not the request's", malformed=True)
        algorithm = given.get("algorithm", "MD5").upper()  # RFC 7616 3.4: MD5 when it is not told
        if algorithm not in self._algorithms:
            return Verdict(None, f"Digest: algorithm {algorithm[:20]!r} was not offered")
        if given.get("qop", "").lower() != "auth" or not _COUNT.fullmatch(given.get("nc", "")):
            return Verdict(None, "Digest: qop is not auth, or nc not eight hexadecimal digits")
        username = given.get("username", "")
        vasp = next((one for one in vasps.values() if username and one.username == username), None)
        secret = "" if vasp is None else secret_of(vasp, algorithm)
        if vasp is None or not secret:
            return Verdict(None, f"Digest: no VASP has username {username[:100]!r} for {algorithm}")
        expected = _response(algorithm, secret, method, given)
        right = hmac.compare_digest(expected.encode(), given.get("response", "").lower().encode("utf-8", "replace"))
        if not right or given.get("realm") != self._realm:
            return Verdict(None, f"Digest: wrong response or realm for {username!r}")
        refusal = self._nonces.refusal(given.get("nonce", ""), int(given["nc"], 16))
        return Verdict(None, f"Digest: {refusal}", stale=True) if refusal else Verdict(vasp)


def _response(algorithm: str, secret: str, method: str, given: Mapping[str, str]) -> str:
    """RFC 7616 3.4.1 with qop auth."""
    ha2 = _digest(algorithm, f"{method}:{given.get('uri', '')}")
    told = ":".join(given.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
    return _digest(algorithm, f"{secret}:{told}:{ha2}")


def parameters(text: str) -> dict[str, str] | None:
    """The parameters of a challenge or of credentials by lower-case name, quotes undone (RFC 9110 11.2). None when they
    cannot be read, or one stands there twice."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        one = _PARAMETER.match(text, at)
        if one is None or one[1].lower() in found:
            return None
        found[one[1].lower()] = re.sub(r"\\(.)", r"\1", one[2], flags=re.DOTALL) if one[2] is not None else one[3]
        at = one.end()
    return found


def _without_authority(uri: str) -> str:
    """A client that takes us for a proxy names the whole URL."""
    _, scheme, rest = uri.partition("://")
    return "/" + rest.partition("/")[2] if scheme and not uri.startswith("/") else uri
