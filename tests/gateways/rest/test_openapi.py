"""The OpenAPI document says what is so: valid, complete, and the same as the routes (OpenAPI 3.1.1)."""

import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from mmsc.gateways.rest import api, openapi
from mmsc.gateways.rest.endpoint import ROOT
from mmsc.gateways.rest.tags import TAGS
from tests.gateways.rest.test_identities import asked, with_console
from tests.scenarios.conftest import open_lab

DOCUMENT: dict[str, Any] = openapi.document(api.ENDPOINTS)
METHODS = {"get", "put", "post", "delete", "patch"}


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, one)
        for path, item in DOCUMENT["paths"].items()
        for method, one in item.items()
        if method in METHODS
    ]


def test_it_is_openapi_3_1() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_every_operation_is_in_it_once_and_has_a_name_and_a_tag_that_is_told_of() -> None:
    found = operations()
    assert len(found) == len(api.ENDPOINTS)
    ids = [one["operationId"] for _, _, one in found]
    assert len(set(ids)) == len(ids)
    for method, path, one in found:
        assert one["summary"], path
        assert not one["summary"].endswith("."), path
        assert set(one["tags"]) <= set(TAGS), path
        written = set(re.findall(r"\{(\w+)\}", path))
        told = {parameter["name"]: parameter for parameter in one.get("parameters", ()) if parameter["in"] == "path"}
        assert set(told) == written, f"{method} {path}"
        assert all("description" in parameter for parameter in told.values()), f"{path}: what is each parameter?"
        assert {"400", "401", "403", "503"} <= set(one["responses"]), path


def test_patterns_are_those_of_ecma_262() -> None:
    def patterns(schema: Any) -> list[str]:
        if isinstance(schema, dict):
            own = [schema["pattern"]] if isinstance(schema.get("pattern"), str) else []
            return own + [one for value in schema.values() for one in patterns(value)]
        return [one for value in schema for one in patterns(value)] if isinstance(schema, list) else []

    for pattern in patterns(DOCUMENT):
        assert r"\Z" not in pattern
        assert "(?i" not in pattern


async def test_it_is_served_and_the_page_beside_it_shows_the_same(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        status, served, headers = await asked(lab.app, "GET", f"{ROOT}/openapi.json")
        assert (status, headers["Content-Type"]) == (200, "application/json")  # type: ignore[index]
        assert served == DOCUMENT
        host, port = lab.app.listeners["console"]
        async with lab.vasp.session.get(f"http://{host}:{port}/api") as response:
            page = await response.text()
        for _, path, one in operations():
            assert f"{ROOT}{path}" in page
            assert f'id="{one["operationId"]}"' in page
        assert f"http://{host}:{port}{ROOT}/identities" in page


@pytest.mark.parametrize(
    ("method", "path", "body", "media", "status"),
    [
        ("GET", "/identities?limit=1&limit=2", None, "", 400),
        ("GET", "/identities?limit=-1", None, "", 400),
        ("GET", f"/identities?limit={'9' * 5000}", None, "", 400),
        ("GET", "/identities?limit=1e400", None, "", 400),
        ("GET", "/identities?after=%00", None, "", 400),
        ("GET", "/identities/%00", None, "", 404),
        ("GET", "/identities/%FF%FE", None, "", 404),
        ("GET", "/identities/..%2f..%2fetc", None, "", 404),
        ("PUT", "/identities/10.0.0.7", b'{"number":"+15550000001"}', "text/plain", 415),
        ("PUT", "/identities/10.0.0.7", b"number=%2B1", "application/x-www-form-urlencoded", 415),
        ("PUT", "/identities/10.0.0.7", b'{"number":"\\u0000"}', "application/json", 400),
        ("PUT", "/identities/10.0.0.7", b'{"number":"\\ud800"}', "application/json", 400),
        ("PUT", "/identities/10.0.0.7", b'{"number":"\xff"}', "application/json", 400),
        ("PUT", "/identities/10.0.0.7", b"[" * 100_000, "application/json", 400),
        ("PUT", "/identities/10.0.0.7", b'{"number":' + b"9" * 10_000 + b"}", "application/json", 400),
        ("PUT", "/identities/10.0.0.7", b" " * (9 * 1024 * 1024), "application/json", 413),
        ("PATCH", "/identities", None, "", 405),
        ("TRACE", "/identities", None, "", 405),
        ("GET", "/nothing", None, "", 404),
    ],
)
async def test_what_is_no_request_is_told_so(
    tmp_path: Path, method: str, path: str, body: bytes | None, media: str, status: int
) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        headers = {"Content-Type": media} if media else {}
        got, told, answered = await asked(lab.app, method, f"{ROOT}{path}", body, **headers)
        assert got == status, told
        assert answered["Content-Type"] == "application/problem+json"  # type: ignore[index]
        assert told["status"] == status
        assert told["title"]
        assert told["detail"]


async def test_head_and_options_say_what_there_is_and_nothing_to_pages_of_other_places(tmp_path: Path) -> None:
    async with open_lab(tmp_path, **with_console()) as lab:
        host, port = lab.app.listeners["console"]
        url = f"http://{host}:{port}{ROOT}/identities"
        async with lab.vasp.session.head(url) as response:
            assert (response.status, await response.read()) == (200, b"")
            assert response.headers["Content-Type"] == "application/json"
        asking = {"Origin": "http://evil.example", "Access-Control-Request-Method": "PUT"}
        async with lab.vasp.session.options(f"{url}/10.0.0.7", headers=asking) as response:
            assert response.status == 204
            assert response.headers["Allow"] == "DELETE,GET,HEAD,OPTIONS,PUT"
            assert not [name for name in response.headers if name.lower().startswith("access-control")]
