"""Who may come in: the token, the cookie, Host, Origin and Fetch Metadata, and how often one may guess."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import aiohttp
import pytest

from mmsc import operating
from mmsc.console import holding
from mmsc.console.attempts import MAXIMUM, WINDOW_SECONDS, Attempts
from mmsc.domain.instant import SECOND
from mmsc.settings.model import Console
from tests.console.pausing import unpaused
from tests.scenarios.conftest import Lab, open_lab

TOKEN = "open-sesame-open-sesame"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long answers were held back, without waiting."""
    return unpaused(monkeypatch)


@pytest.fixture
async def locked(tmp_path: Path, paused: list[float]) -> AsyncIterator[Lab]:
    async with open_lab(tmp_path, console=Console(enabled=True, port=0, token=TOKEN)) as lab:
        yield lab


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(tmp_path, console=Console(enabled=True, port=0)) as lab:
        yield lab


def place(lab: Lab) -> str:
    host, port = lab.app.listeners["console"]
    return f"http://{host}:{port}"


async def status(
    lab: Lab,
    method: str,
    path: str,
    session: aiohttp.ClientSession | None = None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> tuple[int, str]:
    """The status, and where it leads."""
    asked = session or lab.vasp.session
    async with asked.request(method, place(lab) + path, headers=headers, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", "")


async def test_pages_lead_to_the_form_and_back(locked: Lab) -> None:
    for path in ("/", "/setup/vasps", "/runs", "/api", "/live"):
        there = f"/login?to={path}?a%3D1%26b%3D2"
        assert await status(locked, "GET", f"{path}?a=1&b=2") == (303, there)
        async with locked.vasp.session.get(place(locked) + there) as answer:
            assert f'name="to" value="{path}?a=1&amp;b=2"' in await answer.text()
            assert answer.headers["Cache-Control"] == "no-store"


NOT_TOLD = (
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/vasps"),
    ("PUT", "/api/v1/vasps/x"),
    ("DELETE", "/api/v1/vasps/x"),
    ("OPTIONS", "/api/v1/vasps"),
    ("POST", "/setup/vasps/new"),
    ("POST", "/runs/x/reset"),
    ("POST", "/logout"),
    ("GET", "/api/v1/nothing"),
)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer guess", "Basic b3BlbjpzZXNhbWU=", f"bearer x{TOKEN}"])
async def test_nothing_is_told_without_the_token(locked: Lab, authorization: str) -> None:
    given = {"Authorization": authorization} if authorization else {}
    told = {one: (await status(locked, *one, headers=given))[0] for one in NOT_TOLD}
    assert told == dict.fromkeys(NOT_TOLD, 401)


async def test_what_says_nothing_of_messages_is_open(locked: Lab) -> None:
    told = [(await status(locked, "GET", path))[0] for path in ("/healthz", "/readyz", "/login")]
    assert told == [200, 200, 200]


async def test_a_program_shows_the_token(locked: Lab) -> None:
    for authorization in (f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER   {TOKEN} "):
        assert (await status(locked, "GET", "/api/v1/vasps", headers={"Authorization": authorization}))[0] == 200


async def test_a_browser_shows_it_once_and_may_forget_it(locked: Lab) -> None:
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an IP address, too
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        form = {"token": TOKEN, "to": "/runs?after=x"}
        async with browser.post(f"{place(locked)}/login", data=form, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/runs?after=x")
            cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert TOKEN not in cookie
        assert (await status(locked, "GET", "/runs", browser))[0] == 200
        assert (await status(locked, "GET", "/api/v1/vasps", browser))[0] == 200
        forged = {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}
        assert (await status(locked, "POST", "/setup/vasps/new", browser, forged))[0] == 403
        assert await status(locked, "POST", "/logout", browser) == (303, "/login")
        assert (await status(locked, "GET", "/runs", browser))[0] == 303


async def test_the_form_leads_nowhere_else(locked: Lab) -> None:
    odd = ("//evil.example/", "/\\evil.example", "http://evil.example/", "", "/a\r\nSet-Cookie: x=y", "/\x00", "/ü")
    for to in odd:
        data = {"token": TOKEN, "to": to}
        async with locked.vasp.session.post(f"{place(locked)}/login", data=data, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/"), to
            assert "x" not in answer.cookies


async def test_who_guesses_waits_and_programs_with_the_token_do_not(locked: Lab) -> None:
    url = f"{place(locked)}/login"
    for _ in range(MAXIMUM):
        async with locked.vasp.session.post(url, data={"token": "guess"}, allow_redirects=False) as answer:
            assert answer.status == 403
    for guess in ("guess", TOKEN):
        async with locked.vasp.session.post(url, data={"token": guess}, allow_redirects=False) as answer:
            assert answer.status == 429
            assert 0 < int(answer.headers["Retry-After"]) <= WINDOW_SECONDS
    assert (await status(locked, "GET", "/api/v1/vasps", headers=BEARER))[0] == 200


async def test_programs_that_guess_wait_and_keep_nobody_else_out(locked: Lab) -> None:
    """A page in a browser, a person at /login and a program that knows the token share its address."""
    wrong = {"Authorization": "Bearer guess"}
    counted = ("/api/v1/vasps", "/metrics", "/api")
    for number in range(MAXIMUM):
        assert (await status(locked, "POST", counted[number % 3], headers=wrong))[0] in (401, 405)
    for path in counted:
        async with locked.vasp.session.get(place(locked) + path, headers=wrong) as answer:
            assert answer.status == 429, path
            assert 0 < int(answer.headers["Retry-After"]) <= WINDOW_SECONDS
    for path in (*counted, "/setup/vasps"):
        assert (await status(locked, "GET", path, headers=BEARER))[0] == 200, path
    for path in ("/healthz", "/login", "/static/app.css"):
        assert (await status(locked, "GET", path, headers=wrong))[0] != 429, path
    assert (await status(locked, "GET", "/api/v1/vasps"))[0] == 401
    form = {"token": TOKEN}
    async with locked.vasp.session.post(f"{place(locked)}/login", data=form, allow_redirects=False) as answer:
        assert answer.status == 303


async def test_the_answer_to_a_wrong_token_is_held_back_and_no_other(locked: Lab, paused: list[float]) -> None:
    wrong = {"Authorization": "Bearer guess"}
    for number in range(1, MAXIMUM + 3):  # also those that are told to wait
        told = (await status(locked, "GET", ("/api/v1/vasps", "/metrics")[number % 2], headers=wrong))[0]
        assert told == (401 if number <= MAXIMUM else 429)
        assert paused == [1.0] * number
    for headers in (BEARER, {}, {"Authorization": "Basic b3BlbjpzZXNhbWU="}):
        await status(locked, "GET", "/api/v1/vasps", headers=headers)
    await status(locked, "GET", "/healthz", headers=wrong)
    assert len(paused) == MAXIMUM + 2


async def test_so_many_answers_are_held_at_once_and_the_right_token_waits_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_wait, go_on = asyncio.Event(), asyncio.Event()
    began: list[float] = []

    async def pause(seconds: float) -> None:
        began.append(seconds)
        if len(began) == holding.MAXIMUM:
            all_wait.set()
        await go_on.wait()

    monkeypatch.setattr(operating, "real_pause", pause)
    wrong = {"Authorization": "Bearer guess"}
    async with open_lab(tmp_path, console=Console(enabled=True, port=0, token=TOKEN)) as lab:
        async with asyncio.TaskGroup() as guesses:
            held = [
                guesses.create_task(status(lab, "GET", "/api/v1/vasps", headers=wrong)) for _ in range(holding.MAXIMUM)
            ]
            await all_wait.wait()
            from_elsewhere = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
            async with (
                aiohttp.ClientSession(connector=from_elsewhere) as other,
                other.get(f"{place(lab)}/api/v1/vasps", headers=wrong) as answer,
            ):
                assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
                assert "at once" in (await answer.json())["detail"]
            assert (await status(lab, "GET", "/api/v1/vasps", headers=BEARER))[0] == 200
            assert not any(one.done() for one in held)
            go_on.set()
        assert sorted(one.result()[0] for one in held) == [401] * MAXIMUM + [429] * (holding.MAXIMUM - MAXIMUM)
        assert (await status(lab, "GET", "/api/v1/vasps", headers=wrong))[0] == 429
        assert len(began) == holding.MAXIMUM + 1, "there is room again"


async def test_a_guesser_who_hangs_up_makes_room_and_the_excess_is_answered_at_once() -> None:
    never = asyncio.Event()

    async def pause(_: float) -> None:
        await never.wait()

    held_back = holding.Holding(pause)
    waiting = [asyncio.ensure_future(held_back.hold()) for _ in range(holding.MAXIMUM)]
    while held_back._held < holding.MAXIMUM:
        await asyncio.wait(waiting, timeout=0)
    assert not await held_back.hold()
    waiting.pop().cancel()
    while held_back._held == holding.MAXIMUM:
        await asyncio.wait(waiting, timeout=0)
    never.set()
    assert await held_back.hold()
    assert await asyncio.gather(*waiting) == [True] * (holding.MAXIMUM - 1)


def test_wrong_tokens_are_forgotten_after_a_minute_and_counted_by_address() -> None:
    attempts = Attempts()
    for number in range(MAXIMUM):
        assert attempts.wait("one", number) == 0
        attempts.wrong("one", number)
    assert attempts.wait("one", MAXIMUM) == WINDOW_SECONDS
    assert attempts.wait("other", MAXIMUM) == 0
    assert attempts.wait("one", WINDOW_SECONDS * SECOND) == 0
    attempts.right("one")
    assert attempts.wait("one", MAXIMUM) == 0
    for number in range(5000):
        attempts.wrong(f"address {number}", number)
    assert len(attempts._wrong) < 5000


ASKED: tuple[tuple[dict[str, str], int], ...] = (
    ({}, 400),
    ({"Origin": "SELF"}, 400),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 400),
    ({"Sec-Fetch-Site": "none"}, 400),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "SELF", "Host": "evil.example"}, 403),
    ({"Host": "evil.example"}, 403),
)


async def test_only_our_own_pages_and_programs_change_anything(opened: Lab) -> None:
    """A form without fields is told what is missing (400): it was let in."""
    for headers, expected in ASKED:
        sent = {name: place(opened) if value == "SELF" else value for name, value in headers.items()}
        assert (await status(opened, "POST", "/setup/peers/new", headers=sent))[0] == expected, headers


async def test_pages_let_nothing_foreign_run_and_tell_other_places_nothing(opened: Lab) -> None:
    for path in ("/setup/vasps", "/api", "/runs", "/login", "/setup/vasps/nobody", "/api/v1/vasps"):
        async with opened.vasp.session.get(place(opened) + path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403),
    ],
)
async def test_another_sites_page_draws_nothing_in(opened: Lab, said: dict[str, str], expected: int) -> None:
    """A picture there whose address is a page here would open messages on phones, which may report them read."""
    assert (await status(opened, "GET", "/runs", headers=said))[0] == expected


async def test_who_connects_and_asks_nothing_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred of them, without a token, would keep everybody else out."""
    monkeypatch.setitem(operating._LIMITS, "request_seconds", 0.2)
    async with open_lab(tmp_path, console=Console(enabled=True, port=0)) as lab:
        host, port = lab.app.listeners["console"]
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET / HTTP/1.1\r\nHost: ")  # and no more
        async with asyncio.timeout(30):
            with suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()
        assert (await status(lab, "GET", "/healthz"))[0] == 200
