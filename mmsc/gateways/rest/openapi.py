"""The OpenAPI 3.1 document of REST, made of the rows that the routes are made of, so that neither can say more."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

import msgspec

from mmsc.gateways.rest.endpoint import JSON, PROBLEM, ROOT, Answer, Call, Endpoint, ProblemDocument
from mmsc.gateways.rest.schemas import Schemas
from mmsc.gateways.rest.tags import TAGS

_PARAMETER: Final = re.compile(r"\{(\w+)(:[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")
_ALWAYS: Final = (400, 401, 403, 429, 503)  # every operation may answer so
_WITH_BODY: Final = (413, 415)
_WHY: Final = {
    400: "The query or the body is not what the operation takes.",
    401: "The console's token is asked for, and was not shown.",
    403: "A page of another place asked, or by a name that is not loopback's while there is no token.",
    404: "There is no such thing.",
    409: "Something stands against it.",
    410: "It was there once: retention removed it.",
    413: "The body is too large.",
    415: "The body is of another type.",
    429: "As many do that already as may, or too many wrong tokens came from this address: later.",
    503: "The server starts, or its store takes nothing at the moment.",
}
_INTRODUCTION: Final = """Everything that the console can do. \
Times are microseconds since 1970, UTC, unless a field says otherwise; \
identifiers are decimal numbers in strings (64 bits), problems are RFC 9457. \
With `console.token` every request shows it in `Authorization: Bearer TOKEN`; without, loopback alone is answered. \
There is no CORS. HEAD is answered where GET is, OPTIONS with what a path allows, everything else with 405."""


def plain_path(path: str) -> str:
    """A path without what its parameters may look like: `/identities/{ip}`."""
    return _PARAMETER.sub(r"{\1}", path)


def operation_id(endpoint: Endpoint) -> str:
    """A name for generated clients: `put_identities_ip`."""
    return re.sub(r"[^a-z0-9]+", "_", f"{endpoint.method} {plain_path(endpoint.path)}".lower()).strip("_")


def problems_of(endpoint: Endpoint) -> tuple[int, ...]:
    """All statuses of problems that it may have."""
    with_body = _WITH_BODY if endpoint.body is not None else ()
    with_path = (404,) if "{" in endpoint.path else ()
    return tuple(sorted({*endpoint.problems, *_ALWAYS, *with_body, *with_path} - set(endpoint.answers)))


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """OpenAPI 3.1.1 of these operations."""
    rows = tuple(endpoints)
    schemas = Schemas([*_types(rows), ProblemDocument])
    paths: dict[str, Any] = {}
    for row in rows:
        paths.setdefault(plain_path(row.path), {})[row.method.lower()] = operation(row, schemas)
    used = {row.tag for row in rows}
    responses = {_problem_name(status): _problem(status, schemas) for status in _statuses(rows)}
    return {
        "openapi": "3.1.1",
        "info": {"title": "mmsc", "version": version("mmsc"), "description": _INTRODUCTION},
        "servers": [{"url": ROOT}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items() if name in used],
        "security": [{}, {"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": responses,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "`console.token` of the settings"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "mmsc_console", "description": "given at /login"},
            },
        },
    }


def operation(row: Endpoint, schemas: Schemas) -> dict[str, Any]:
    """One operation object."""
    made: dict[str, Any] = {"tags": [row.tag], "summary": row.summary, "operationId": operation_id(row)}
    if row.description:
        made["description"] = row.description
    parameters = [*_of_path(row), *_of_query(row, schemas)]
    if parameters:
        made["parameters"] = parameters
    if row.body is not None:
        made["requestBody"] = _request_body(row, schemas)
    answers = {str(status): _answer(status, kind, schemas) for status, kind in row.answers.items()}
    told = {str(status): {"$ref": f"#/components/responses/{_problem_name(status)}"} for status in problems_of(row)}
    made["responses"] = dict(sorted({**answers, **told}.items()))
    return made


def endpoint(rows: tuple[Endpoint, ...]) -> Endpoint:
    """The operation that answers with the document."""

    @cache
    def made() -> msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(document((*rows, row))))

    async def handle(_: Call) -> Answer:
        return Answer(made())

    row = Endpoint(
        method="GET",
        path="/openapi.json",
        summary="This document",
        tag="server",
        handle=handle,
        answers={200: dict[str, Any]},
    )
    return row


def _types(rows: Iterable[Endpoint]) -> Iterator[Any]:
    for row in rows:
        yield row.query
        body = row.documented or row.body
        for kind in (body, *row.answers.values()):
            if kind is not None and not isinstance(kind, str):
                yield kind


def _of_path(row: Endpoint) -> Iterator[dict[str, Any]]:
    for found in _PARAMETER.finditer(row.path):
        name = found[1]
        schema = {"type": "string", "minLength": 1}
        yield _parameter(name, "path", row.parameters.get(name, ""), schema, row.examples)


def _of_query(row: Endpoint, schemas: Schemas) -> Iterator[dict[str, Any]]:
    for name, schema, required in schemas.fields_of(row.query):
        about = schema.pop("description", "")
        yield {**_parameter(name, "query", about, schema, row.examples), "required": required}


def _parameter(
    name: str, where: str, about: str, schema: Mapping[str, Any], examples: Mapping[str, Any]
) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "in": where, "required": True, "schema": dict(schema)}
    if about:
        made["description"] = about
    if name in examples:
        made["example"] = examples[name]
    return made


def _request_body(row: Endpoint, schemas: Schemas) -> dict[str, Any]:
    if isinstance(row.body, str):
        return {"required": True, "content": {row.body: {}}}
    content: dict[str, Any] = {"schema": schemas.of(row.documented or row.body)}
    if "body" in row.examples:
        content["example"] = row.examples["body"]
    return {"required": True, "content": {JSON: content}}


def _answer(status: int, kind: Any, schemas: Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if isinstance(kind, str):
        made["content"] = {kind: {}}
    elif kind is not None:
        made["content"] = {JSON: {"schema": schemas.of(kind)}}
    return made


def _statuses(rows: Iterable[Endpoint]) -> list[int]:
    return sorted({status for row in rows for status in problems_of(row)})


def _problem_name(status: int) -> str:
    return f"Problem{status}"


def _problem(status: int, schemas: Schemas) -> dict[str, Any]:
    made: dict[str, Any] = {
        "description": _WHY.get(status, HTTPStatus(status).description or HTTPStatus(status).phrase),
        "content": {PROBLEM: {"schema": schemas.of(ProblemDocument)}},
    }
    if status in (429, 503):
        made["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "string"}}}
    if status == 401:
        made["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return made
