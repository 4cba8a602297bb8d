"""REST, at the console's listener: who may ask, and who answers what.

With a token every request must carry it (RFC 6750). Without one the listener is on loopback, and requests of browsers
are refused: a page from anywhere could send them. One whose name its owner has pointed at loopback sends no Origin with
a GET, but that name as Host.
"""

import hmac
from typing import Final

from mmsc.domain.networks import address_of
from mmsc.engine.address_ports import AddressBook
from mmsc.engine.ports import Numbers
from mmsc.gateways.rest.answers import problem
from mmsc.gateways.rest.identities import PLACE, Identities
from mmsc.net.http import HttpAnswer, HttpRequest

ROOT: Final = "/api/"
_CHALLENGE: Final = 'Bearer realm="mmsc"'


class RestServer:
    """The handler of what lies under ROOT."""

    def __init__(self, numbers: Numbers, book: AddressBook, *, token: str = "") -> None:
        self._identities = Identities(numbers, book)
        self._token = token.encode()

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        """One request to one answer."""
        if self._token and not self._knows_token(request.headers.get("Authorization", "")):
            return problem(401, "the console's token is asked for", challenge=_CHALLENGE)
        if not self._token and ("Origin" in request.headers or not _is_loopback(request.headers.get("Host", ""))):
            return problem(403, "requests of browsers, and by any name but loopback's, need console.token")
        if request.path != PLACE and not request.path.startswith(f"{PLACE}/"):
            return problem(404, f"nothing is at {request.path[:60]}; try {PLACE}")
        return await self._identities.handle(request)

    def _knows_token(self, authorization: str) -> bool:
        """RFC 6750 2.1."""
        scheme, _, token = authorization.partition(" ")
        given = token.strip().encode("utf-8", "surrogateescape")
        return scheme.lower() == "bearer" and hmac.compare_digest(given, self._token)


def _is_loopback(host: str) -> bool:
    """Whether a Host header (RFC 9110 7.2) says loopback, or nothing."""
    bare = host.strip().lower()
    name = bare.partition("]")[0] if bare.startswith("[") else bare.partition(":")[0]
    address = address_of(name)
    return name in ("", "localhost") if address is None else address.is_loopback
