"""Setup pages: plain forms that work without scripts, and in a browser with them."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from mmsc.settings.model import Console
from tests.console.phone_lab import browser
from tests.scenarios.conftest import PHONE, Lab, open_lab

VASP = {"name": "weather", "username": "weather", "password": "sunny", "authentication": "basic", "concurrency": "4"}


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(tmp_path, console=Console(enabled=True, port=0)) as opened:
        yield opened


def place(lab: Lab) -> str:
    host, port = lab.app.listeners["console"]
    return f"http://{host}:{port}"


async def get(lab: Lab, path: str) -> tuple[int, str]:
    async with lab.vasp.session.get(place(lab) + path) as answer:
        return answer.status, await answer.text()


async def post(lab: Lab, path: str, form: dict[str, str]) -> tuple[int, str, str]:
    """(status, text, where it leads)."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with lab.vasp.session.post(
        place(lab) + path, data=urlencode(form), headers=headers, allow_redirects=False
    ) as answer:
        return answer.status, await answer.text(), answer.headers.get("Location", "")


async def fields(lab: Lab, path: str) -> dict[str, str]:
    """What a browser would send back of a page's form, untouched."""
    _, text = await get(lab, path)
    found = dict(re.findall(r'<input id="f-\w+" name="(\w+)" value="([^"]*)"', text))
    found |= dict(re.findall(r'<textarea id="f-\w+" name="(\w+)"[^>]*>([^<]*)</textarea>', text))
    for name, options in re.findall(r'<select id="f-\w+" name="(\w+)"[^>]*>(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    for name in re.findall(r'<input type="checkbox" id="f-\w+" name="(\w+)" value="on" checked', text):
        found[name] = "on"
    return found


async def test_a_vasp_is_made_changed_and_deleted_by_forms(lab: Lab) -> None:
    new = await fields(lab, "/setup/vasps/new")
    assert len(new) > 40
    status, text, there = await post(lab, "/setup/vasps/new", {**new, **VASP, "short_codes": "4711\r\n4712"})
    assert (status, there) == (303, "/setup/vasps/weather?saved=1"), text
    known = lab.app.engine.neighbours
    assert known.vasps["weather"].short_codes == ("4711", "4712")
    assert known.vasps["weather"].tls_verify is True
    before = known.vasps["weather"]
    form = await fields(lab, "/setup/vasps/weather")
    assert (await post(lab, "/setup/vasps/weather", form))[0] == 303
    assert known.vasps["weather"] == before, "a form that is sent back as it came changes nothing"
    _, text = await get(lab, "/setup/vasps/weather?saved=1")
    assert "In force" in text or "in force" in text
    assert "sunny" not in text
    assert re.search(r"set, [^<]+ old", text)
    assert (await post(lab, "/setup/vasps/weather", {**form, "forget_password": "on"}))[0] == 303
    assert known.vasps["weather"].password_hash == ""
    assert "Nothing waits for it" in (await get(lab, "/setup/vasps/weather/delete"))[1]
    assert (await post(lab, "/setup/vasps/weather/delete", {}))[2] == "/setup/vasps"
    assert (await get(lab, "/setup/vasps/weather"))[0] == 404


async def test_errors_stand_beside_their_fields_and_what_was_typed_stays(lab: Lab) -> None:
    form = {**(await fields(lab, "/setup/vasps/new")), "name": "a b", "concurrency": "many", "report_url": "ftp://<x>"}
    status, text, _ = await post(lab, "/setup/vasps/new", form)
    assert status == 400
    for field, typed in (("name", "a b"), ("concurrency", "many"), ("report_url", "ftp://&lt;x&gt;")):
        assert re.search(rf'name="{field}" value="{re.escape(typed)}"[^>]*aria-invalid', text), field
    assert "3 fields are wrong" in text
    assert "http://HOST" in text


async def test_what_the_file_has_is_shown_locked_with_its_place(lab: Lab) -> None:
    status, text = await get(lab, "/setup/vasps/news")
    assert status == 200
    assert "the built-in settings" in text
    assert ">Save<" not in text
    assert "secret" not in re.sub(r'class="[^"]*"', "", text).replace("Secret", "").split("password</label>")[0]
    status, text, _ = await post(lab, "/setup/vasps/news", await fields(lab, "/setup/vasps/news"))
    assert status == 400
    assert "change it there" in text
    assert lab.app.engine.neighbours.vasps["news"].username == "news"


async def test_a_neighbour_with_waiting_work_is_deleted_after_a_second_question(lab: Lab) -> None:
    form = {
        **(await fields(lab, "/setup/peers/new")),
        "name": "far",
        "domain": "far.example",
        "host": "127.0.0.1",
        "port": "9",
        "prefixes": "+1777",
    }
    assert (await post(lab, "/setup/peers/new", form))[0] == 303
    await lab.vasp.submit("+17771234567")
    status, text, _ = await post(lab, "/setup/peers/far/delete", {})
    assert status == 200
    assert "1 task waits" in text
    assert "far" in lab.app.engine.neighbours.peers
    assert (await post(lab, "/setup/peers/far/delete", {"with_work": "on"}))[0] == 303
    assert "far" not in lab.app.engine.neighbours.peers


async def test_subscribers_are_found_made_and_deleted(lab: Lab) -> None:
    form = {"number": "1 555 000 0042", "mms": "on", "smsc": "", "ip": "", "run": "ci"}
    status, _, there = await post(lab, "/setup/subscribers/new", form)
    assert (status, there) == (303, "/setup/subscribers/15550000042?saved=1")
    _, text = await get(lab, "/setup/subscribers?q=1555000004")
    assert "+15550000042" in text
    assert PHONE not in text
    assert (await post(lab, "/setup/subscribers/15550000042", {**form, "ip": "nowhere"}))[0] == 400
    assert (await post(lab, "/setup/subscribers/15550000042/delete", {}))[2] == "/setup/subscribers"
    assert (await get(lab, "/setup/subscribers/15550000042"))[0] == 404


async def test_routes_profiles_and_runs_are_told(lab: Lab) -> None:
    _, text = await get(lab, f"/setup/routes?number=%2B{PHONE[1:]}")
    assert "goes to subscriber" in text
    _, text = await get(lab, "/setup/routes?number=x@@y")
    assert "Not an address" in text or "goes nowhere" in text
    assert "nokia" in (await get(lab, "/setup/profiles"))[1]
    assert (await get(lab, "/setup/profiles/nokia"))[0] == 200
    assert (await get(lab, "/setup/profiles/none"))[0] == 404
    assert "X-MMSC-Run" in (await get(lab, "/runs"))[1]
    assert (await get(lab, "/runs/nobody"))[0] == 404


async def test_a_script_in_a_field_is_text(lab: Lab) -> None:
    form = {**(await fields(lab, "/setup/vasps/new")), **VASP, "sender": '"><script>alert(1)</script>'}
    await post(lab, "/setup/vasps/new", form)
    for path in ("/setup/vasps/weather", "/setup/vasps", "/setup/vasps?q=<script>", "/setup/routes?number=<script>"):
        assert "<script>alert" not in (await get(lab, path))[1]


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
async def test_in_a_browser_a_vasp_is_made_with_an_error_on_the_way(lab: Lab, width: int) -> None:
    async with browser() as chromium:
        page = await chromium.new_page(viewport={"width": width, "height": 900})
        told: list[str] = []
        page.on("pageerror", lambda error: told.append(str(error)))
        await page.goto(f"{place(lab)}/setup/vasps")
        await page.get_by_role("link", name="New VASP").click()
        await page.get_by_label("name must be there").fill("weather")
        await page.get_by_label("report_url").fill("nowhere")
        await page.get_by_role("button", name="Save").click()
        assert await page.get_by_role("alert").is_visible()
        assert await page.get_by_label("report_url").get_attribute("aria-invalid") == "true"
        await page.get_by_label("report_url").fill("http://127.0.0.1:9/")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_role("status").filter(has_text="Saved").wait_for()
        assert lab.app.engine.neighbours.vasps["weather"].report_url == "http://127.0.0.1:9/"
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert told == []
