"""The page of faults and clock in a real browser, with scripts and without."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from mmsc.faults.parameters import Setting
from mmsc.lab.handset_behaviour import behaviours_of
from mmsc.settings.faults import Magic
from tests.console.phone_lab import opened
from tests.faults.world import faulty_lab, in_state, one_hit, posted, said
from tests.scenarios.conftest import PHONE, Lab

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with faulty_lab(tmp_path, magic=Magic(enabled=True)) as lab:
        yield lab


@pytest_asyncio.fixture(loop_scope="module")
async def view(lab: Lab, browser: Browser) -> AsyncIterator[Browser]:
    """The browser, and what was opened there is closed before the lab."""
    async with opened(browser):
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(view: Browser) -> Page:
    page = await view.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(10_000)
    return page


def place(lab: Lab, rest: str = "") -> str:
    host, port = lab.app.listeners["console"]
    return f"http://{host}:{port}/faults{rest}"


async def test_a_status_is_set_in_its_row_hit_and_switched_off(lab: Lab, page: Page) -> None:
    """ "Answer 4006 and see my client cope": one switch with a status field, its hits counted there."""
    await page.goto(place(lab))
    await expect(page.locator("#live")).to_have_attribute("data-is", "live")
    row = page.locator("#mm7-submit-status")
    await row.get_by_role("link", name="Set").click()
    form = row.locator("form")
    await form.get_by_label("StatusCode").fill("4006")
    await form.get_by_label("VASP").fill("news")
    await form.get_by_role("button", name="Switch on").click()
    await expect(page).to_have_url(re.compile("#mm7-submit-status$"))
    await expect(row.get_by_role("switch")).to_have_attribute("aria-checked", "true")
    await expect(row).to_contain_text("4006; vasp news")
    await expect(page.locator("#strip")).to_contain_text("1 fault on")
    assert getattr(said(await posted(lab, PHONE)).message, "status").code == 4006  # noqa: B009
    await expect(row.locator(".fa-hits")).to_contain_text("1 hit")
    await expect(page.locator(".fa-active")).to_contain_text("mm7-submit-status")
    await row.get_by_role("switch").click()
    await expect(row.get_by_role("switch")).to_have_attribute("aria-checked", "false")
    await expect(row.locator(".fa-hits")).to_contain_text("1 hit")
    assert lab.app.faults.active() == ()


async def test_a_hit_leads_to_its_message(lab: Lab, page: Page) -> None:
    await lab.phone(PHONE)
    lab.app.faults.set("mm7-vasp-http", Setting(operation="DeliveryReportReq", each=1))
    await lab.vasp.submit(PHONE)
    mm_id, _ = await one_hit(lab, "mm7-vasp-http")
    await page.goto(place(lab))
    link = page.locator("#h-mm7-vasp-http .fa-hits a").first
    await expect(link).to_have_attribute("href", f"/m/{mm_id}")


async def test_what_cannot_be_said_is_told_beside_its_form(lab: Lab, page: Page) -> None:
    await page.goto(place(lab, "?set=smsc-status"))
    form = page.locator("#smsc-status form")
    await form.get_by_label("Command_status").fill("ESME_RNOSUCH")
    await form.get_by_role("button", name="Switch on").click()
    await expect(page.locator("#smsc-status [role=alert]")).to_contain_text("ESME_RTHROTTLED")
    await expect(page.locator("#smsc-status").get_by_label("Command_status")).to_have_value("ESME_RNOSUCH")
    assert lab.app.faults.active() == ()


async def test_keys_pause_go_to_the_next_due_and_switch_all_off(lab: Lab, page: Page) -> None:
    await lab.phone(PHONE, behaviours=behaviours_of("never"))
    await lab.vasp.submit(PHONE, subject="Storm warning")
    await in_state(lab, PHONE, "notified")
    lab.app.faults.set("mm1-slow")
    await page.goto(place(lab))
    await page.keyboard.press("Space")
    await expect(page.locator(".fa-paused")).to_have_text("paused")
    assert lab.app.clock.state.paused
    shown = await page.locator("#fa-now").text_content()
    await expect(page.locator(".fa-due li").first).to_contain_text("Push again")
    await page.keyboard.press(".")
    await expect(page.locator("#fa-now")).not_to_have_text(shown or "")
    assert lab.app.clock.offset_seconds() > 200
    await expect(page.locator("#strip")).to_contain_text("paused")
    await page.keyboard.press("o")
    await expect(page.locator(".fa-count")).to_contain_text("0 of")
    await page.keyboard.press("Space")
    await expect(page.locator(".fa-paused")).to_have_count(0)
    await expect(page.get_by_text("The clock never runs back while messages are stored")).to_be_visible()


async def test_seconds_run_while_the_clock_does_and_stand_while_it_stands(lab: Lab, page: Page) -> None:
    await page.goto(place(lab))
    now = page.locator("#fa-now")
    first = await now.text_content()
    await expect(now).not_to_have_text(first or "")
    await lab.app.control.clocking.pause()  # type: ignore[union-attr]
    await expect(page.locator(".fa-paused")).to_be_visible()
    real = page.locator("#fa-real")
    stood, wall = await now.text_content(), await real.text_content()
    await expect(real).not_to_have_text(wall or "")
    await expect(now).to_have_text(stood or "")


async def test_a_wrong_moment_is_told_and_a_right_one_is_jumped_to(lab: Lab, page: Page) -> None:
    await page.goto(place(lab))
    await page.get_by_label("Jump to").fill("tomorrow")
    await page.locator(".fa-jump").get_by_role("button", name="Jump").click()
    await expect(page.get_by_role("alert")).to_contain_text("no date")
    await page.get_by_label("Jump to").fill("2099-01-01 12:00:00")
    await page.locator(".fa-jump").get_by_role("button", name="Jump").click()
    await expect(page.locator("#fa-now")).to_contain_text("12:00:")
    await page.get_by_role("button", name="Back to real time").click()
    await expect(page.locator("#strip")).not_to_contain_text("Clock ahead")


async def test_the_catalogue_is_filtered_and_given_as_config(lab: Lab, page: Page) -> None:
    lab.app.faults.set("mm4-mail-jpeg")
    await page.goto(place(lab, "?q=mm4+damaged"))
    await expect(page.locator(".fa-row")).to_have_count(1)
    await page.goto(place(lab, "?q=nothing+has+this"))
    await expect(page.locator(".empty")).to_contain_text("Show all")
    await page.goto(place(lab, "?config"))
    await expect(page.locator(".copy pre")).to_contain_text("[faults.mm4-mail-jpeg]")
    await expect(page.locator(".fa-numbers li").first).to_contain_text("retrieved")


async def test_a_form_that_is_open_stays_while_hits_come(lab: Lab, page: Page) -> None:
    lab.app.faults.set("mm7-submit-http", Setting(status=500))
    await page.goto(place(lab))
    await expect(page.locator("#live")).to_have_attribute("data-is", "live")
    row = page.locator("#mm7-submit-http")
    await row.get_by_role("link", name="Set").click()
    field = row.get_by_label("HTTP status")
    await field.fill("599")
    await posted(lab, PHONE)
    await expect(row.locator(".fa-hits")).to_contain_text("1 hit")
    await expect(field).to_have_value("599")


async def test_on_a_small_screen_the_clock_comes_first(lab: Lab, view: Browser) -> None:
    page = await view.new_page(viewport={"width": 390, "height": 844})
    await page.goto(place(lab))
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    clock, faults = page.locator(".fa-clock"), page.locator(".fa-list")
    above, below = await clock.bounding_box(), await faults.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] < below["y"]


async def test_it_works_without_scripts(lab: Lab, view: Browser) -> None:
    context = await view.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(place(lab))
    await page.locator("#smsc-throttle").get_by_role("switch").click()
    await expect(page.locator("#smsc-throttle").get_by_role("switch")).to_have_attribute("aria-checked", "true")
    await page.locator("#smsc-throttle").get_by_role("link", name="Set").click()
    await page.locator("#smsc-throttle form").get_by_label("Rate").fill("0.25")
    await page.locator("#smsc-throttle form").get_by_role("button", name="Change").click()
    await expect(page.locator("#smsc-throttle")).to_contain_text("25 %")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator(".fa-paused")).to_be_visible()
    await page.get_by_role("button", name="All off").click()
    await expect(page.locator(".fa-count")).to_contain_text("0 of")


async def test_another_sites_page_switches_nothing(lab: Lab) -> None:
    async with (
        aiohttp.ClientSession(headers={"Sec-Fetch-Site": "cross-site"}) as session,
        session.post(place(lab, "/smsc-down/on")) as answer,
    ):
        assert answer.status == 403
    assert lab.app.faults.active() == ()
