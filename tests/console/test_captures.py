"""The pages of captures in a real browser, and files and streams as programs fetch them."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, async_playwright, expect

from mmsc.control.capturing import CaptureQuery, NoSuchTime
from mmsc.settings.model import Trace
from mmsc.trace.captures import CaptureRecord, Direction, new_exchange
from tests.console.captures_world import console_lab, one_story
from tests.scenarios.conftest import PHONE
from tests.tools import needs

SECTION = b"\x0a\x0d\x0d\x0a"


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as browsers:
        chromium = await browsers.chromium.launch(executable_path=needs("chromium"), args=["--no-sandbox"])
        page = await chromium.new_page()
        page.set_default_timeout(10_000)
        yield page
        await chromium.close()


@pytest.mark.slow
async def test_the_table_grows_while_one_looks_and_leads_to_the_octets(tmp_path: Path, page: Page) -> None:
    async with console_lab(tmp_path) as (lab, url):
        await page.goto(f"{url}/captures?interface=mm7")
        await expect(page.locator("#live")).to_have_attribute("data-is", "live")
        mm_id = await one_story(lab)
        submit = page.locator("tr", has_text="SubmitReq")
        await expect(submit).to_contain_text("news")
        await expect(submit).to_contain_text(str(mm_id))
        assert await page.locator("tbody tr", has_text="smpp").count() == 1, "the ring's row alone"
        await submit.get_by_role("link", name="SubmitReq").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("SubmitReq")
        await expect(page.locator("pre.captures-hex").first).to_contain_text("POST /mm7 HTTP/1")
        await expect(page.locator("body")).not_to_contain_text("bmV3czpzZWNyZXQ=")


@pytest.mark.slow
async def test_a_request_is_edited_and_sent_again(tmp_path: Path, page: Page) -> None:
    async with console_lab(tmp_path) as (lab, url):
        mm_id = await one_story(lab)
        await page.goto(f"{url}/m/{mm_id}/pdu/1/replay")
        await expect(page.locator("form.captures-replay")).to_contain_text("give it anew: Authorization")
        await page.get_by_label("Body", exact=True).fill("<no-soap/>")
        await page.get_by_label("The body is written as").select_option("text")
        await page.get_by_label("Head").fill(
            "POST /mm7 HTTP/1.1\nHost: x\nContent-Type: text/xml\nContent-Length: 4711"
        )
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.locator("#answer")).to_contain_text("HTTP/1.1 401")
        await page.get_by_label("Authorization").fill("Basic bmV3czpzZWNyZXQ=")
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.locator("#answer")).to_contain_text("HTTP/1.1 500")
        await page.get_by_label("To").fill("192.0.2.7:80")
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("console.replay_hosts")


async def test_lists_and_files_by_rest(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, url), aiohttp.ClientSession(f"{url}/api/v1/") as rest:
        mm_id = await one_story(lab)
        everything = (await _json(rest, "captures"))["captures"]
        of_mm = (await _json(rest, f"captures?mm={mm_id}"))["captures"]
        others = {one["name"] for one in everything} - {one["name"] for one in of_mm}
        assert {"bind_transceiver", "bind_transceiver_resp"} <= others
        (submit,) = [one for one in of_mm if one["name"] == "SubmitReq"]
        assert (submit["neighbour"], submit["interface"], submit["direction"]) == ("news", "mm7", "in")
        exchange = await _json(rest, f"captures/{submit['exchange']}")
        assert [one["capture"]["name"] for one in exchange["captures"]] == ["SubmitReq", "SubmitRsp"]
        assert bytes.fromhex(exchange["captures"][0]["octets"]).startswith(b"POST /mm7")
        assert len(bytes.fromhex(exchange["captures"][0]["octets"])) == submit["octets"]
        rings = {one["interface"]: one for one in (await _json(rest, "captures/rings"))["rings"]}
        assert rings["mm7"]["captures"] == 4
        listed = (await _json(rest, "captures.json?interface=mm7"))["captures"]
        assert [one["capture"]["name"] for one in listed][:2] == ["SubmitReq", "SubmitRsp"]
        assert listed[:2] == exchange["captures"]
        assert (await _json(rest, "captures.json?mm=1&partner=true"))["captures"] == []
        async with rest.head("captures.json") as answer:
            assert (answer.status, await answer.read()) == (200, b"")
        for path in (f"messages/{mm_id}/pcapng", "captures.pcapng?name=submit", f"captures.pcapng?q={mm_id}"):
            async with rest.get(path) as answer:
                assert answer.status == 200, path
                assert (await answer.read()).startswith(SECTION)
        for path, status in (
            ("messages/1/pcapng", 404),
            ("captures/1", 404),
            ("captures.pcapng?since=soon", 400),
            ("captures.json?since=soon", 400),
            ("captures.json?q=stat:x", 400),
            ("captures?since=soon", 400),
            ("captures?interface=mm9", 400),
            ("captures.pcapng?q=stat:x", 400),
        ):
            async with rest.get(path) as answer:
                assert answer.status == status, path


async def test_an_interface_is_turned_off_and_on_while_it_works(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, url), aiohttp.ClientSession(url) as browser:
        await one_story(lab)
        assert lab.app.captures is not None
        phone = lab.phones[PHONE]

        async def another(number: int) -> None:
            await lab.vasp.submit(PHONE)
            await phone.until(lambda inbox: len(inbox.messages) == number)
            await lab.vasp.report()

        before = {ring.interface: ring.records for ring in lab.app.captures.state()}
        async with browser.put("/api/v1/captures/rings/smpp", json={"on": False}) as answer:
            assert (answer.status, (await answer.json())["on"]) == (200, False)
        async with browser.post("/captures/rings/mm7", data={"on": "0"}, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/captures#rings")
        await another(2)
        after = {ring.interface: ring.records for ring in lab.app.captures.state()}
        assert (after["smpp"], after["mm7"]) == (before["smpp"], before["mm7"])
        assert after["mm1"] > before["mm1"]
        async with browser.get("/captures") as answer:
            text = await answer.text()
            assert "Turn on captures of mm7" in text
            assert "Turn off captures of mm1" in text
        async with browser.post("/captures/rings/mm7", data={"on": "1"}) as answer:
            assert answer.status == 200
        await another(3)
        assert {ring.interface: ring.records for ring in lab.app.captures.state()}["mm7"] > after["mm7"]
        for path, on, status in (("mm9", "1", 404), ("mm7", "", 400)):
            async with browser.post(f"/captures/rings/{path}", data={"on": on}) as answer:
                assert answer.status == status
        async with browser.put("/api/v1/captures/rings/mm9", json={"on": True}) as answer:
            assert answer.status == 404


async def test_pages_of_a_list_miss_nothing(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, _):
        await one_story(lab)
        capturing = lab.app.operations._holder["control"].capturing
        assert capturing is not None
        whole, again = None, (await capturing.listed(CaptureQuery())).captures
        while whole != again:  # what the story leaves under way is captured meanwhile: an answer, an enquire_link
            whole, paged = again, await capturing.listed(CaptureQuery(), None, 2)
            lines = list(paged.captures)
            while (before := paged.more) is not None:
                paged = await capturing.listed(CaptureQuery(), before, 2)
                lines += paged.captures
            again = (await capturing.listed(CaptureQuery())).captures
        assert lines == whole
        with pytest.raises(NoSuchTime):
            await capturing.listed(CaptureQuery(until="tomorrow"))


async def test_a_filter_looks_at_what_itself_and_its_exchange_say(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, _):
        await one_story(lab)
        capturing = lab.app.operations._holder["control"].capturing
        assert capturing is not None

        async def names(**fields: str) -> list[str]:
            return [one.name for one in (await capturing.listed(CaptureQuery(**fields))).captures]  # type: ignore[arg-type]

        assert await names(interface="smpp", name="SUBMIT") == ["submit_sm_resp", "submit_sm"]
        assert await names(interface="smpp", direction="out", name="submit") == ["submit_sm"]
        assert await names(neighbour=PHONE, name="retrieve") == ["m-retrieve-conf"]
        assert await names(text="x-mms-message-type") == []
        assert await names(interface="mm7", text="<DELIVERYREPORTREQ") == ["DeliveryReportReq"]
        assert await names(until="1h") == []
        assert await names(since="2026-01-01T00:00:00Z", interface="mm7", name="SubmitRsp") == ["SubmitRsp"]


async def test_a_live_stream_brings_what_happens_and_ends_with_the_server(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        async with console_lab(tmp_path) as (lab, url):
            stream = await session.get(f"{url}/captures/live.pcapng?interface=mm7")
            seen = await stream.content.readany()
            await one_story(lab)
            while b"DeliveryReportRsp" not in seen:
                seen += await stream.content.readany()
        seen += await stream.content.read()
    assert seen.startswith(SECTION)
    assert b"smpp" not in seen


async def test_a_reader_that_is_too_slow_is_cut_and_told(tmp_path: Path) -> None:
    async with console_lab(tmp_path) as (lab, _):
        captures, capturing = lab.app.captures, lab.app.operations._holder["control"].capturing
        assert captures is not None
        assert capturing is not None
        stream = capturing.live(CaptureQuery())
        pieces = [await anext(stream)]
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.wait({waiting}, timeout=0)
        for _ in range(600):
            captures.keep(_record())
        pieces += [await waiting, *[piece async for piece in stream]]
    found = re.search(rb"too slow: (\d+) captures are missing", b"".join(pieces))
    assert found is not None, pieces[-1]
    assert int(found[1]) >= 100


def _record() -> CaptureRecord:
    enquire_link = bytes.fromhex("00000010000000150000000000000001")
    ends = ("127.0.0.1:1", "127.0.0.1:2")
    return CaptureRecord("smpp", Direction.OUT, *ends, 1, 1, new_exchange(), pieces=(enquire_link,))


async def test_without_captures_the_page_says_so(tmp_path: Path) -> None:
    async with console_lab(tmp_path, trace=Trace(captures=False)) as (_, url), aiohttp.ClientSession() as session:
        for path, status in (("/captures", 200), ("/captures.pcapng", 404), ("/api/v1/captures", 404)):
            async with session.get(url + path) as answer:
                assert answer.status == status
                assert "trace.captures" in await answer.text()


async def _json(rest: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with rest.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()  # type: ignore[no-any-return]
