"""What the console's listener answers machines: `/metrics`, `/healthz`, `/readyz`.

/metrics asks for the token where one is set. The other two are open: they tell no names and no numbers.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from mmsc.net.http import HttpAnswer, HttpRequest
from mmsc.operations.readiness import Readiness

_NO_CACHE: Final = (("Cache-Control", "no-store"),)
_PATHS: Final = ("/metrics", "/healthz", "/readyz")


class OperationsServer:
    """The handler. `look` brings what /readyz says up to date, `expose` writes the metrics."""

    def __init__(
        self,
        readiness: Readiness,
        look: Callable[[], Awaitable[None]],
        expose: Callable[[], Awaitable[bytes]],
        content_type: str,
        *,
        token: str = "",
    ) -> None:
        self._readiness = readiness
        self._look = look
        self._expose = expose
        self._content_type = content_type
        self._token = token.encode()

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        """One request to one answer."""
        if request.path not in _PATHS:
            return HttpAnswer(status=404, content_type="text/plain", body=b"try /metrics, /healthz or /readyz\n")
        if request.method not in ("GET", "HEAD"):
            return HttpAnswer(status=405, headers=(("Allow", "GET, HEAD"),))
        if request.path == "/healthz":
            return _json(200, {"status": "alive"})
        if request.path == "/readyz":
            await self._look()
            return self._ready()
        if not self._may(request.headers.get("Authorization", "")):
            return HttpAnswer(status=401, headers=(("WWW-Authenticate", 'Bearer realm="mmsc"'),))
        return HttpAnswer(content_type=self._content_type, body=await self._expose(), headers=_NO_CACHE)

    def _ready(self) -> HttpAnswer:
        obstacles = self._readiness.obstacles()
        if obstacles:
            return _json(503, {"status": "not ready", "not_ready": obstacles})
        return _json(200, {"status": "ready"})

    def _may(self, authorization: str) -> bool:
        """RFC 6750 2.1."""
        scheme, _, token = authorization.partition(" ")
        given = token.strip().encode("utf-8", "surrogateescape")
        return not self._token or (scheme.lower() == "bearer" and hmac.compare_digest(given, self._token))


def _json(status: int, content: dict[str, object]) -> HttpAnswer:
    body = msgspec.json.encode(content) + b"\n"
    return HttpAnswer(status=status, content_type="application/json", body=body, headers=_NO_CACHE)
