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


def no_content(headers: tuple[tuple[str, str], ...] = ()) -> web.Response:
    """It was done."""
    return web.Response(status=204, headers={**_NO_STORE, **dict(headers)})


def problem(
    status: int, detail: str, *, allow: str = "", challenge: str = "", retry_after: str = "", errors: Any = ()
) -> web.Response:
    """Why it was not done, for people and programs (RFC 9457 3)."""
    more = (("Allow", allow), ("WWW-Authenticate", challenge), ("Retry-After", retry_after))
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    if errors:
        content["errors"] = errors
    headers = {**_NO_STORE, **{name: value for name, value in more if value}}
    return web.Response(status=status, content_type="application/problem+json", body=_json(content), headers=headers)


def _json(content: Any) -> bytes:
    try:
        return msgspec.json.encode(content) + b"\n"
    except UnicodeEncodeError:  # octets of a request that are no text, told back
        return msgspec.json.encode(_printable(content)) + b"\n"


def _printable(content: Any) -> Any:
    """The same, with what is no character replaced."""
    match msgspec.to_builtins(content, str_keys=True):
        case str() as text:
            return text.encode("utf-8", "replace").decode()
        case dict() as table:
            return {_printable(key): _printable(value) for key, value in table.items()}
        case list() | tuple() as items:
            return [_printable(one) for one in items]
        case other:
            return other
