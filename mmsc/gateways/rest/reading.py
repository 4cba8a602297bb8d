"""A request of REST as its operation wants it: path, query and body, checked. What is no such thing is a Problem."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from mmsc.gateways.rest.endpoint import JSON, Endpoint, Problem

_DEEPEST: Final = 100  # levels of JSON
_NO_TEXT: Final = "no text: octets that are not UTF-8, or NUL"


def path_of(request: web.Request) -> Mapping[str, str]:
    """Its parameters. What no text can be is nowhere: 404."""
    for name, value in request.match_info.items():
        if not _is_text(value):
            raise Problem(404, f"{name} is {_NO_TEXT}")
    return request.match_info


def query_of(endpoint: Endpoint, request: web.Request) -> Any:
    """The query as the Struct of the operation. Raises Problem 400."""
    given: dict[str, str] = {}
    for name, value in request.query.items():
        if name in given:
            raise Problem(400, f"the query: {name[:60]} stands there twice")
        if not _is_text(name + value):
            raise Problem(400, f"the query: {_NO_TEXT}")
        given[name] = value
    try:
        return msgspec.convert(given, endpoint.query, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise Problem(400, f"the query: {error}") from error


async def body_of(endpoint: Endpoint, request: web.Request) -> Any:
    """The body as the operation wants it: read (JSON), or its octets. Raises Problem 400 and 415."""
    if endpoint.body is None:
        return None
    wanted = endpoint.body if isinstance(endpoint.body, str) else JSON
    _check_type(wanted, request)
    octets = await request.read()
    return octets if isinstance(endpoint.body, str) else _decoded(endpoint.body, octets)


def _check_type(wanted: str, request: web.Request) -> None:
    """A form of a foreign page can send text, forms and nothing else; and what is said to be something else is."""
    given = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    as_json = wanted == JSON and given.endswith("+json")
    if given and given != wanted and not as_json and not wanted.endswith("/*"):
        raise Problem(415, f"the body is to be {wanted}, not {given[:60]}")


def _decoded(kind: Any, octets: bytes) -> Any:
    try:
        found = msgspec.json.decode(octets, type=kind)
        if b"\\u0000" in octets.lower() and _has_nul(msgspec.json.decode(octets)):
            raise Problem(400, "the body: NUL in a text")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, f"the body: {error}") from error
    return found


def _has_nul(content: Any, depth: int = 0) -> bool:
    if depth > _DEEPEST:
        raise RecursionError("nested too deeply")
    match content:
        case str():
            return "\0" in content
        case dict():
            return any(_has_nul(one, depth + 1) for pair in content.items() for one in pair)
        case list():
            return any(_has_nul(one, depth + 1) for one in content)
    return False


def _is_text(text: str) -> bool:
    """Whether every store can keep it: no octets that were not UTF-8, no NUL (PostgreSQL has none)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
