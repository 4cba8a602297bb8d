"""What no page of ours would ask: numbers without end, nesting, addresses that are none. It is refused, and told so."""

import re
from pathlib import Path

import aiohttp
import pytest

from mmsc.app import App
from mmsc.console.application import application
from mmsc.console.guard import Guard
from mmsc.console.holding import Holding
from mmsc.console.page import control_of
from mmsc.gateways.rest import api as rest
from mmsc.net.http import HttpAnswer, HttpRequest
from mmsc.settings.model import Console
from tests.gateways.rest.test_identities import asked
from tests.scenarios.conftest import PHONE, Lab, open_lab

ENDLESS = "9" * 5000  # more digits than Python makes a number of
NINES = "9" * 400  # no float
TOKEN = "only-those-who-know-it"
WITHOUT_TOKEN = ("/static/", "/login", "/healthz", "/readyz")


async def got(app: App, path: str) -> int:
    host, port = app.listeners["console"]
    async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}{path}") as response:
        await response.read()
        return response.status


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/api/v1/captures?mm={ENDLESS}", 200),
        (f"/api/v1/captures.pcapng?mm={ENDLESS}", 200),
        (f"/captures/live.pcapng?since={NINES}", 400),
        ("/captures/live.pcapng?since=soon", 400),
        (f"/api/v1/messages?q=since:{NINES}d", 400),
        (f"/messages?q=size:%3E{NINES}", 400),
        (f"/messages?until={ENDLESS}", 200),
        (f"/messages?before={ENDLESS}", 200),
        ("/send/mm7?url=http://%5B::1/", 200),
        ("/send/mm4?url=127.0.0.1:99999999", 200),
        ("/send/mm4?url=127.0.0.1:%C2%B2", 200),
    ],
)
async def test_numbers_and_addresses_that_are_none_are_refused(lab: Lab, path: str, status: int) -> None:
    assert await got(lab.app, path) == status


@pytest.mark.parametrize(
    ("whom", "change"),
    [
        ("mm7", {"url": "http://[::1/"}),
        ("mm4", {"url": "127.0.0.1:99999999"}),
        ("mm4", {"peer": "a>\r\nRCPT TO:<somebody@else.example"}),
        ("mm4", {"peer": "two words"}),
    ],
)
async def test_what_cannot_be_sent_is_a_bad_draft(lab: Lab, whom: str, change: dict[str, str]) -> None:
    body = {"sender": PHONE, "to": [PHONE], "text": "x", **change}
    assert (await asked(lab.app, "POST", f"/api/v1/send/{whom}", body))[0] == 400


async def test_nesting_is_refused_however_deep(lab: Lab) -> None:
    for depth in (200, 900, 100_000):
        body = b'{"x":' + b"[" * depth + b'"\\u0000"' + b"]" * depth + b"}"
        assert (await asked(lab.app, "PUT", "/api/v1/vasps/deep", body))[0] == 400, depth


async def test_every_route_asks_for_the_token(tmp_path: Path) -> None:
    """Whatever the router knows, with any method; what is open without says nothing of anybody."""
    async with open_lab(tmp_path, console=Console(enabled=True, port=0, token=TOKEN)) as lab:
        host, port = lab.app.listeners["console"]
        routes = _routes_of(lab.app)
        assert len(routes) > 150
        async with aiohttp.ClientSession() as session:
            for method, path in routes:
                if path.startswith(WITHOUT_TOKEN):
                    continue
                url = f"http://{host}:{port}{path}"
                async with session.request(method, url, allow_redirects=False) as answer:
                    seen = (answer.status, answer.headers.get("Location", "").partition("?")[0])
                    is_page = method == "GET" and not path.startswith(("/api/", "/metrics"))
                    assert seen == ((303, "/login") if is_page else (401, "")), (method, path)


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/login", "multipart/form-data", b"x"),
        ("/login", "multipart/form-data; boundary=x", b"--x"),
        ("/login", "application/x-www-form-urlencoded; charset=nonesuch", b"to=%ff"),
        ("/send/mm7", "multipart/form-data", b"x"),
        ("/send/mm7", "application/x-www-form-urlencoded; charset=nonesuch", b"to=1"),
    ],
)
async def test_a_form_that_cannot_be_read_is_a_bad_request(lab: Lab, path: str, kind: str, body: bytes) -> None:
    host, port = lab.app.listeners["console"]
    async with (
        aiohttp.ClientSession(headers={"Content-Type": kind}) as session,
        session.post(f"http://{host}:{port}{path}", data=body) as answer,
    ):
        assert answer.status == 400


async def test_figures_are_shown_by_loopbacks_own_names_alone(lab: Lab) -> None:
    """A page from anywhere could have its own name lead here (DNS rebinding)."""
    host, port = lab.app.listeners["console"]
    async with aiohttp.ClientSession() as session:
        for name, status in (("evil.example", 403), ("localhost", 200), (f"127.0.0.1:{port}", 200)):
            async with session.get(f"http://{host}:{port}/metrics", headers={"Host": name}) as answer:
                assert answer.status == status, name


def _routes_of(app: App) -> list[tuple[str, str]]:
    """All that the router knows, with something in the place of what stands in braces."""
    made = application(Guard(TOKEN), app.clock, {}, _nobody, rest.routes(control_of), Holding(_never))
    found = []
    for route in made.router.routes():
        assert route.resource is not None
        path = route.resource.canonical
        for name, value in {"{kinds}": "vasps", "{whom}": "mm7", "{act}": "read"}.items():
            path = path.replace(name, value)
        path = re.sub(r"\{[^}]*\}", "1", path)
        found.append(("GET" if route.method == "*" else route.method, path))
    return found


async def _never(_: float) -> None:
    raise AssertionError


async def _nobody(_: HttpRequest) -> HttpAnswer:
    raise AssertionError
