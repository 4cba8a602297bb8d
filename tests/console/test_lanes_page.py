"""The lanes' pages in a browser."""

import pytest
from playwright.async_api import expect

from tests.console.browsing import chromium, window
from tests.console.world import DEAD, EAGER, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def test_a_lane_says_why_it_does_not_move_and_can_be_told(empty_world: World) -> None:
    complaints: list[str] = []
    async with chromium() as browser, window(browser, complaints=complaints) as page:
        await page.goto(f"{empty_world.url}/lanes")
        await expect(page.locator("h1")).to_have_text("Lanes")
        await expect(page.locator("main")).not_to_contain_text("peer-down")
        await empty_world.submit("shop-test", DEAD, subject="Order 4471")
        row = page.locator("tr", has_text="peer-down")
        await expect(row).to_contain_text("Back-off")
        await expect(row).to_contain_text("refused")
        await row.get_by_role("button", name="Stop").click()
        await expect(page.locator("tr", has_text="peer-down")).to_contain_text("Stopped by an operator. 1 task waits.")
        await page.click("text=peer-down")
        await expect(page.locator("h1")).to_have_text("peer-down")
        await expect(page.locator("tbody")).to_contain_text("forward")
        await page.get_by_role("button", name="Let it go").click()
        await expect(page.locator("main")).not_to_contain_text("Stopped by an operator")
    assert not complaints


async def test_a_message_waits_while_its_lane_is_stopped(empty_world: World) -> None:
    await empty_world.submit("weather-vasp", EAGER, subject="First")
    await empty_world.until(lambda: empty_world.has(1, "retrieved"))
    async with chromium() as browser, window(browser) as page:
        await page.goto(f"{empty_world.url}/lanes/smsc:smsc-a")
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator("main")).to_contain_text("Stopped by an operator")
        await empty_world.submit("weather-vasp", EAGER, subject="Second")
        await expect(page.locator("main")).to_contain_text("task waits")
        assert not await empty_world.has(2, "retrieved")
        await page.get_by_role("button", name="Let it go").click()
        await empty_world.until(lambda: empty_world.has(2, "retrieved"))
        await expect(page.locator("main")).to_contain_text("idle")


async def test_what_has_the_keyboard_keeps_it_when_its_part_of_the_page_is_made_anew(empty_world: World) -> None:
    await empty_world.submit("weather-vasp", EAGER, subject="First")
    await empty_world.until(lambda: empty_world.has(1, "retrieved"))
    async with chromium() as browser, window(browser) as page, window(browser) as other:
        await page.goto(f"{empty_world.url}/lanes")
        await other.goto(f"{empty_world.url}/lanes")
        stop, link = (page.locator("tr", has_text="smsc-a").locator(found) for found in ("button >> nth=-1", "a"))
        await link.focus()
        await other.locator("tr", has_text="smsc-a").get_by_role("button", name="Stop").click()
        await expect(page.locator("main")).to_contain_text("Stopped by an operator")
        await expect(link).to_be_focused()
        await stop.focus()
        await page.evaluate("mmsc.refresh()")
        await expect(stop).to_be_focused()
        await other.get_by_role("button", name="Let it go").click()
        await expect(page.locator("main")).not_to_contain_text("Stopped by an operator")
        await expect(page.locator("tr button:focus")).to_have_count(0)  # where its button is gone, it goes to no other
