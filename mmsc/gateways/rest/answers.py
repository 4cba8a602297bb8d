"""What REST answers: JSON, and problems as RFC 9457 writes them."""

from http import HTTPStatus
from typing import Any, Final

import msgspec

from mmsc.net.http import HttpAnswer

_NO_STORE: Final = (("Cache-Control", "no-store"),)


def json_answer(status: int, content: Any) -> HttpAnswer:
    """Something that was asked for."""
    return HttpAnswer(status=status, content_type="application/json", body=_json(content), headers=_NO_STORE)


def no_content() -> HttpAnswer:
    """It was done."""
    return HttpAnswer(status=204, headers=_NO_STORE)


def problem(status: int, detail: str, *, allow: str = "", challenge: str = "", retry_after: str = "") -> HttpAnswer:
    """Why it was not done, for people and programs (RFC 9457 3)."""
    more = (("Allow", allow), ("WWW-Authenticate", challenge), ("Retry-After", retry_after))
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return HttpAnswer(
        status=status,
        content_type="application/problem+json",
        body=_json(content),
        headers=(*_NO_STORE, *((name, value) for name, value in more if value)),
    )


def _json(content: Any) -> bytes:
    return msgspec.json.encode(content) + b"\n"
