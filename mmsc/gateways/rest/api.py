"""All operations of REST, and the routes made of them."""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from aiohttp import web

from mmsc.control import Control
from mmsc.engine.away import STORE_AWAY
from mmsc.gateways.rest import openapi
from mmsc.gateways.rest.answers import json_answer, no_content, problem
from mmsc.gateways.rest.endpoint import ROOT, Answer, Call, Endpoint, Problem
from mmsc.gateways.rest.reading import body_of, path_of, query_of
from mmsc.gateways.rest.rows import ROWS

_log: Final = logging.getLogger(__name__)
ENDPOINTS: Final[tuple[Endpoint, ...]] = (*ROWS, openapi.endpoint(ROWS))


def routes(control_of: Callable[[web.Request], Control]) -> Iterator[web.RouteDef]:
    """Every operation; HEAD where GET answers with JSON (RFC 9110 9.3.2); OPTIONS says what there is."""
    for endpoint in ENDPOINTS:
        handler = _handler(endpoint, control_of)
        more = {"allow_head": _has_head(endpoint)} if endpoint.method == "GET" else {}
        yield web.route(endpoint.method, f"{ROOT}{endpoint.path}", handler, **more)
    for path, methods in _methods(ENDPOINTS).items():
        yield web.route("OPTIONS", f"{ROOT}{path}", _telling(methods))


def _has_head(endpoint: Endpoint) -> bool:
    return endpoint.method == "GET" and not isinstance(endpoint.answers.get(200), str)


def _methods(endpoints: Iterable[Endpoint]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for endpoint in endpoints:
        methods = [endpoint.method, "HEAD"] if _has_head(endpoint) else [endpoint.method]
        found.setdefault(endpoint.path, ["OPTIONS"]).extend(methods)
    return {path: ",".join(sorted(methods)) for path, methods in found.items()}


def _telling(methods: str) -> Callable[[web.Request], Any]:
    """What may be asked there (RFC 9110 9.3.7). Pages of other places are told nothing: there is no CORS."""

    async def tell(_: web.Request) -> web.StreamResponse:
        return no_content((("Allow", methods),))

    return tell


def _handler(endpoint: Endpoint, control_of: Callable[[web.Request], Control]) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            path, query = path_of(request), query_of(endpoint, request)
            body = await body_of(endpoint, request)
            given = await endpoint.handle(Call(control_of(request), path, query, body, request))
        except Problem as error:
            return problem(error.status, error.detail, retry_after=error.retry_after, errors=error.errors)
        except STORE_AWAY as error:
            return problem(503, f"the store takes nothing at the moment: {error}", retry_after="5")
        except (web.HTTPException, ConnectionError):
            raise
        except Exception:
            _log.exception("%s %s", endpoint.method, endpoint.path)
            return problem(500, "the server failed; its log says how")
        return _answered(given)

    return handle


def _answered(given: Answer | web.StreamResponse) -> web.StreamResponse:
    if not isinstance(given, Answer):
        return given
    if given.status == 204:
        return no_content(given.headers)
    return json_answer(given.status, given.content, given.headers)
