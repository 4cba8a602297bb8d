"""The pages of scenarios in a real browser: files are chosen and run, steps appear as they pass, a failure is told."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Dialog, Page, async_playwright, expect

from mmsc.client import Client, LabProcess
from tests.tools import needs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
PATIENCE_MS = 60_000
EVIL = "<img src=x onerror=document.title='owned'>"
FAILING = f"""\
name: "{EVIL}"
steps:
  - submit: {{to: +15550000001, subject: "{EVIL}", text: x}}
  - expect: {{vasp_got: DeliveryReportReq, within: 1 s, fields: {{MMStatus: Expired}}}}
"""


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    async with async_playwright() as browsers:
        browser = await browsers.chromium.launch(executable_path=str(needs("chromium")), args=list(FLAGS))
        yield browser
        await browser.close()


async def opened(browser: Browser, url: str, *, width: int = 1280, script: bool = True) -> Page:
    context = await browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=script)
    page = await context.new_page()

    async def accept(dialog: Dialog) -> None:
        await dialog.accept()

    page.on("dialog", accept)
    await page.goto(url)
    return page


async def kept(page: Page, name: str) -> None:
    """A picture for whoever asks for them."""
    if folder := os.environ.get("MMSC_TEST_SCREENSHOTS"):
        await page.screenshot(path=str(Path(folder) / f"scenarios-{name}.png"))


async def test_files_are_run_and_steps_appear_as_they_pass(running: LabProcess, lab: Client) -> None:
    async with browsing() as browser:
        page = await opened(browser, f"{running.url}/scenarios")
        for name in ("01-retrieved.yaml", "10-throttled.yaml"):
            await page.check(f'input[value="{name}"]')
        await page.click('button[data-key="r"]')
        await expect(page.locator(".sc-steps li").first).to_be_attached(timeout=PATIENCE_MS)
        await kept(page, "running")
        await expect(page.locator("h2", has_text="2 pass")).to_be_visible(timeout=PATIENCE_MS)
        await expect(page.locator('button[data-key="r"]')).to_be_enabled()  # the page is as it stays
        assert await page.locator(".sc-case").count() == 2
        await page.click(".sc-case summary >> nth=0")
        await expect(page.locator(".sc-steps li").first).to_be_visible()
        await kept(page, "passed")
        await page.evaluate("mmsc.refresh()")
        await expect(page.locator(".sc-steps li").first).to_be_visible()
        await expect(page.locator(".sc-case summary").first).to_be_focused()
        await expect(page.locator(".sc-case details").nth(1)).not_to_have_attribute("open", "")
        await page.get_by_role("link", name="Report", exact=True).click()
        await expect(page.locator(".ladder").first).to_be_visible()
        assert await page.evaluate("document.scripts.length") == 0


async def test_a_failure_shows_aligned_lines_and_leads_to_the_ladder(running: LabProcess, lab: Client) -> None:
    run = lab.post("/scenarios/runs", {"text": FAILING})["id"]
    async with browsing() as browser:
        page = await opened(browser, f"{running.url}/scenarios/{run}")
        lines = page.locator(".sc-lines")
        await expect(lines).to_be_visible(timeout=PATIENCE_MS)
        expected, got = (await lines.inner_text()).splitlines()
        assert expected == "expected  DeliveryReportReq  MMStatus=Expired"
        assert got == "got       DeliveryReportReq  MMStatus=Retrieved"
        await kept(page, "failed")
        assert await page.title() != "owned"
        narrow = await opened(browser, f"{running.url}/scenarios/{run}", width=390)
        assert await narrow.evaluate("document.documentElement.scrollWidth") <= 390
        await kept(narrow, "failed-390")
        report = await opened(browser, f"{running.url}/scenarios/{run}/report.html")
        await expect(report.locator("text=the PDU that decided")).to_be_visible()
        assert await report.title() != "owned"
        await kept(report, "report")
        await page.locator(".sc-why a").click()
        await expect(page.locator("h1")).to_contain_text("img src")
        assert await page.title() != "owned"


async def test_what_happened_becomes_a_draft_that_runs(running: LabProcess, lab: Client) -> None:
    lab.submit(to=["+15550000001"], subject="Drafted", text="x", delivery_report=True)
    lab.settle()
    async with browsing() as browser:
        page = await opened(browser, f"{running.url}/scenarios")
        await page.click("text=Record from the last 5 min")
        text = page.locator("#sc-text")
        assert "subject: Drafted" in await text.input_value()
        await kept(page, "draft")
        await text.fill("name: x\nsteps:\n  - sumbit: {}\n")
        await page.click("button.main")
        await expect(page.locator("[role=alert]")).to_contain_text("draft:3: sumbit is no step; the nearest is submit")
        await page.goto(f"{running.url}/scenarios/draft")
        await page.click("button.main")
        await expect(page.locator("h2", has_text="1 pass")).to_be_visible(timeout=PATIENCE_MS)


async def until_behind(stream: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The lines of a page's stream, up to the event on which it is read anew."""
    async for line in stream.content:
        yield line
        if line.strip() == b"event: behind":
            return


async def meanwhile(stream: aiohttp.ClientResponse, seconds: float) -> list[bytes]:
    """The lines that a page's stream brings in that time."""
    lines: list[bytes] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for line in stream.content:
                lines.append(line.strip())
    return lines


async def test_a_page_that_is_late_hears_that_its_run_ended(running: LabProcess) -> None:
    """What happened between the page and its stream is no news any more."""
    text = "name: short\nsteps:\n  - submit: {to: +15550000001, subject: s, text: x}\n"
    async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE_MS / 1000):
        async with session.post(f"{running.url}/scenarios/draft", data={"text": text}) as page:
            place = page.url
        for asked in ("one that saw it end", "one that is late"):
            async with session.get(f"{place}/live") as stream:
                assert b"event: behind" in [line.strip() async for line in until_behind(stream)]
                if asked == "one that is late":
                    again = await meanwhile(stream, 2.5)  # it looks once a second
                    assert not {b"event: run", b"event: behind"} & set(again)


async def test_all_of_it_works_without_scripts(running: LabProcess, lab: Client) -> None:
    async with browsing() as browser:
        page = await opened(browser, f"{running.url}/scenarios", script=False)
        await page.check('input[value="02-rejected.yaml"]')
        await page.click('button[data-key="r"]')
        await page.wait_for_url(
            f"{running.url}/scenarios/*"
        )  # and until it is loaded: a reload before that is an error
        run = page.url.rpartition("/")[2]
        while not lab.scenario_run(run)["done"]:
            pass
        await page.reload()
        await expect(page.locator("h2", has_text="1 pass")).to_be_visible(timeout=PATIENCE_MS)


def test_one_run_at_a_time_and_it_can_be_stopped(running: LabProcess, lab: Client) -> None:
    run = lab.run_scenarios(["10-throttled.yaml", "03-expired.yaml"])
    refused = None
    try:
        lab.run_scenarios([])
    except Exception as error:
        refused = error
    assert "one at a time" in str(refused)
    lab.post(f"/scenarios/runs/{run}/stop")
    while not (found := lab.scenario_run(run))["done"]:
        pass
    assert found["cases"][-1]["verdict"] in ("waiting", "inconclusive")
    assert "<testsuites" in lab.request("GET", f"/scenarios/runs/{run}/junit")
    assert lab.scenarios()["runs"][0]["id"] == run


async def test_a_draft_of_no_number_of_minutes_is_one_of_the_usual(running: LabProcess, lab: Client) -> None:
    async with aiohttp.ClientSession() as session:
        for minutes in ("nan", "inf", "-1", "1e999"):
            async with session.get(f"{running.url}/scenarios/draft?minutes={minutes}") as answer:
                assert answer.status in (200, 409), minutes


async def test_a_long_text_is_read_while_others_are_answered(running: LabProcess, lab: Client) -> None:
    text = "name: x\nsteps:\n" + "- note: hello\n" * 15_000 + "- nothing_known: 1\n"
    async with aiohttp.ClientSession() as session:
        asked = asyncio.ensure_future(session.post(f"{running.url}/api/v1/scenarios/runs", json={"text": text}))
        count = 0
        while not asked.done():
            async with session.get(f"{running.url}/healthz") as answer:
                count += answer.status == 200
        assert (await asked).status == 400
        assert count > 5
