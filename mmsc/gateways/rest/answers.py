"""What REST answers: JSON, and problems as RFC 9457 writes them."""

from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web

_NO_STORE: Final = {"Cache-Control": "no-store"}


def json_answer(status: int, content: Any, headers: tuple[tuple[str, str], ...] = ()) -> web.Response:
    """Something that was asked for."""
    more = {**_NO_STORE, **dict(headers)}
    return web.Response(status=status, content_type="application/json", body=_json(content), headers=more)


def no_content() -> web.Response:
    """It was done."""
    return web.Response(status=204, headers=_NO_STORE)


def problem(status: int, detail: str, *, allow: str = "", challenge: str = "", retry_after: str = "") -> web.Response:
    """Why it was not done, for people and programs (RFC 9457 3)."""
    more = (("Allow", allow), ("WWW-Authenticate", challenge), ("Retry-After", retry_after))
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    headers = {**_NO_STORE, **{name: value for name, value in more if value}}
    return web.Response(status=status, content_type="application/problem+json", body=_json(content), headers=headers)


def _json(content: Any) -> bytes:
    return msgspec.json.encode(content) + b"\n"
