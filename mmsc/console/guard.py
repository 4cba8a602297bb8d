"""Who may come in. With `console.token` everybody shows it: programs in Authorization (RFC 6750 2.1), browsers once, at
/login, for a cookie. Without one the listener is on loopback and is asked by loopback's own names, because a page from
anywhere could have its own name lead here. Programs that show many wrong tokens are told to wait. What changes anything
comes from our own pages, or from no page at all.
"""

import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from mmsc.console.attempts import Attempts
from mmsc.domain.networks import address_of

COOKIE: Final = "mmsc_console"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MONTH_SECONDS: Final = 30 * 86_400


class Guard:
    """Answers whether a request may be served."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._key = secrets.token_bytes(32)  # cookies end with the process
        self._attempts = Attempts()

    @property
    def asks(self) -> bool:
        """Whether a token is asked for at all."""
        return bool(self._token)

    def refusal(self, request: web.Request) -> tuple[int, str] | None:
        """(status, why), or None: come in."""
        if self._token and not (self._knows(request) or self._remembered(request)):
            return 401, "the console's token is asked for"
        if not self._token and not _is_loopback(request.headers.get("Host", "")):
            return 403, "requests by any name but loopback's need console.token"
        if request.method not in SAFE and _is_foreign(request):
            return 403, "a page of another place asked for this"
        if _is_drawn_in(request):
            return 403, "a page of another place draws this in"
        return None

    def is_guess(self, request: web.Request) -> bool:
        """Whether it shows a wrong bearer token, and nothing that is right."""
        return bool(self._token and _bearer(request)) and not (self._knows(request) or self._remembered(request))

    def guessed(self, request: web.Request, now: int) -> int:
        """Seconds for which an address that shows a wrong bearer token has to wait; 0: it is counted, and refused like
        others. The right one always comes in, because programs share addresses. `now` is real, µs."""
        address = request.remote or ""
        wait = self._attempts.wait(address, now)
        if not wait:
            self._attempts.wrong(address, now)
        return wait

    def enter(self, answer: web.StreamResponse, token: str, *, secure: bool) -> bool:
        """Give the cookie to whoever knows the token; False for others."""
        if not self._is_token(token):
            return False
        answer.set_cookie(
            COOKIE, self._pass(), max_age=_MONTH_SECONDS, httponly=True, samesite="Strict", secure=secure, path="/"
        )
        return True

    def leave(self, answer: web.StreamResponse) -> None:
        """Take the cookie back."""
        answer.del_cookie(COOKIE, path="/")

    def _knows(self, request: web.Request) -> bool:
        return self._is_token(_bearer(request))

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token)

    def _remembered(self, request: web.Request) -> bool:
        return hmac.compare_digest(request.cookies.get(COOKIE, "").encode("utf-8", "replace"), self._pass().encode())

    def _pass(self) -> str:
        return hmac.new(self._key, self._token, hashlib.sha256).hexdigest()


def _bearer(request: web.Request) -> str:
    """The token of a program (RFC 6750 2.1), "" where none is shown."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _is_loopback(host: str) -> bool:
    """Whether a Host header (RFC 9110 7.2) says loopback, or nothing."""
    bare = host.strip().lower()
    name = bare.partition("]")[0] if bare.startswith("[") else bare.partition(":")[0]
    address = address_of(name)
    return name in ("", "localhost") if address is None else address.is_loopback


def _is_drawn_in(request: web.Request) -> bool:
    """Whether another site's page fetches it as a picture, script or frame of its own (Fetch Metadata). A link may be
    followed from anywhere; but to open a message on a phone may be to report it read."""
    site, mode = request.headers.get("Sec-Fetch-Site", "none"), request.headers.get("Sec-Fetch-Mode", "navigate")
    return site not in ("none", "same-origin") and (
        mode != "navigate" or request.headers.get("Sec-Fetch-Dest", "document") != "document"
    )


def _is_foreign(request: web.Request) -> bool:
    """Whether a browser says that another site's page sends this (Fetch Metadata; RFC 6454 7). Where it says the site,
    that counts: with `Referrer-Policy: no-referrer` the Origin of a page's own form is `null`."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("none", "same-origin")
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("Host", "").lower()
