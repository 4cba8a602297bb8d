"""All operations of REST, and the routes made of them."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from aiohttp import web

from mmsc.control import Control
from mmsc.gateways.rest import identities, lab
from mmsc.gateways.rest.answers import json_answer, no_content, problem
from mmsc.gateways.rest.endpoint import ROOT, Answer, Call, Endpoint, Problem

ENDPOINTS: Final[tuple[Endpoint, ...]] = (*identities.ENDPOINTS, *lab.ENDPOINTS)


def routes(control_of: Callable[[web.Request], Control]) -> Iterator[web.RouteDef]:
    """Every operation."""
    for endpoint in ENDPOINTS:
        yield web.route(endpoint.method, f"{ROOT}{endpoint.path}", _handler(endpoint, control_of))


def _handler(endpoint: Endpoint, control_of: Callable[[web.Request], Control]) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            body = None if endpoint.body is None else _body(endpoint, await request.read())
            call = Call(control_of(request), request.match_info, _query(endpoint, request), body, request)
            given = await endpoint.handle(call)
        except Problem as error:
            return problem(error.status, error.detail, retry_after=error.retry_after)
        if not isinstance(given, Answer):
            return given
        if given.status == 204:
            return no_content()
        return json_answer(given.status, given.content, given.headers)

    return handle


def _query(endpoint: Endpoint, request: web.Request) -> Any:
    try:
        return msgspec.convert(dict(request.query), endpoint.query, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(400, f"the query: {error}") from error


def _body(endpoint: Endpoint, octets: bytes) -> Any:
    try:
        return msgspec.json.decode(octets, type=endpoint.body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, f"the body: {error}") from error
