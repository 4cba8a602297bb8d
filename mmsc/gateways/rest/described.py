"""The operations for a page that people read: what each takes and answers, and a curl line that can be copied."""

import json
import shlex
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from mmsc.gateways.rest.endpoint import JSON, ROOT, Endpoint
from mmsc.gateways.rest.openapi import operation_id, plain_path, problems_of
from mmsc.gateways.rest.schemas import Schemas
from mmsc.gateways.rest.tags import TAGS
from protocols.records import record

_SAFE: Final = "-._~:@!$&'()*+,;="  # in a segment of a path (RFC 3986 3.3)


@record(frozen=True, slots=True)
class Field:
    """A parameter or a key of a body: `form` is its type with what it must keep to."""

    name: str
    place: str
    form: str
    required: bool
    about: str


@record(frozen=True, slots=True)
class Described:
    """One operation. `answers` are (status, what comes with it)."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    fields: tuple[Field, ...]
    answers: tuple[tuple[int, str], ...]
    problems: tuple[int, ...]
    curl: str


def described(endpoints: Iterable[Endpoint], server: str, *, with_token: bool) -> dict[str, list[Described]]:
    """All of them by tag, in the order of the tags. `server` is where the console is called (`http://127.0.0.1:8800`);
    `with_token`: the lines show where the token goes."""
    rows = tuple(endpoints)
    kinds = [row.query for row in rows] + [kind for row in rows if _is_json(kind := row.documented or row.body)]
    schemas = Schemas([*kinds, *[kind for row in rows for kind in row.answers.values() if _is_json(kind)]])
    found: dict[str, list[Described]] = {}
    for tag in [*TAGS, *sorted({row.tag for row in rows} - set(TAGS))]:
        for row in rows:
            if row.tag == tag:
                found.setdefault(tag, []).append(_described(row, schemas, server, with_token))
    return found


def _is_json(kind: Any) -> bool:
    return kind is not None and not isinstance(kind, str)


def _described(row: Endpoint, schemas: Schemas, server: str, with_token: bool) -> Described:
    fields = [Field(name, "path", "text", True, about) for name, about in row.parameters.items()]
    fields += _fields(schemas, row.query, "query")
    body = row.documented or row.body
    if _is_json(body):
        fields += _fields(schemas, body, "body")
    return Described(
        id=operation_id(row),
        method=row.method,
        path=ROOT + plain_path(row.path),
        summary=row.summary,
        description=row.description,
        fields=tuple(fields),
        answers=tuple((status, _said(kind, schemas)) for status, kind in sorted(row.answers.items())),
        problems=problems_of(row),
        curl=_curl(row, schemas, server, with_token),
    )


def _fields(schemas: Schemas, kind: Any, place: str) -> list[Field]:
    if not schemas.is_object(kind):
        return [Field("", place, _form(schemas.of(kind)), True, "")]
    return [
        Field(name, place, _form(schema), required, str(schema.get("description", "")))
        for name, schema, required in schemas.fields_of(kind)
    ]


def _form(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(json.dumps(one) for one in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_form(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_form(schema.get('items', {}))}"
    limits = {"minimum": "from {}", "maximum": "up to {}", "maxLength": "up to {} characters", "pattern": "as {}"}
    said = [words.format(schema[key]) for key, words in limits.items() if key in schema]
    if schema.get("default", "") != "":
        said.append(f"else {json.dumps(schema['default'])}")
    return ", ".join([{"string": "text", "object": "table"}.get(schema.get("type", ""), schema.get("type", "")), *said])


def _said(kind: Any, schemas: Schemas) -> str:
    if kind is None:
        return "nothing"
    return kind if isinstance(kind, str) else _form(schemas.of(kind))


def _curl(row: Endpoint, schemas: Schemas, server: str, with_token: bool) -> str:
    path = plain_path(row.path)
    for name in row.parameters:
        path = path.replace(f"{{{name}}}", quote(str(row.examples.get(name, name.upper())), safe=_SAFE))
    words = ["curl", "-sS"] + ([] if row.method == "GET" else ["-X", row.method])
    if with_token:
        words += ["-H", "Authorization: Bearer TOKEN"]
    if row.body is not None:
        words += ["-H", f"Content-Type: {row.body if isinstance(row.body, str) else JSON}"]
        words += ["--data-binary", _sample(row, schemas)]
    return shlex.join([*words, f"{server}{ROOT}{path}"])


def _sample(row: Endpoint, schemas: Schemas) -> str:
    if isinstance(row.body, str):
        return "@FILE"
    if "body" in row.examples:
        return json.dumps(row.examples["body"], ensure_ascii=False)
    return json.dumps(schemas.example_of(schemas.of(row.documented or row.body)), ensure_ascii=False)
