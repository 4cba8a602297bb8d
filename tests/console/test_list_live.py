"""The list in a browser, as messages come: nothing moves under the pointer, keys do what they say."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Dialog, Page, expect

from tests.console.browsing import window
from tests.console.world import ABSENT, EAGER, OLD, SLOW, World, world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def empty_world(tmp_path: Path) -> AsyncIterator[World]:
    """Of this module's loop."""
    async with world(tmp_path) as made:
        yield made


async def opened(world: World, page: Page, path: str = "/messages") -> None:
    await page.goto(world.url + path)
    await expect(page.locator("#live")).to_have_attribute("data-is", "live")


async def subjects(page: Page) -> list[str]:
    return await page.locator("#rows .c-subject").all_inner_texts()


async def test_rows_come_and_change(browser: Browser, empty_world: World) -> None:
    complaints: list[str] = []
    async with window(browser, complaints=complaints) as page:
        await opened(empty_world, page)
        await expect(page.locator(".empty")).to_contain_text("No messages yet")
        await empty_world.submit("weather-vasp", EAGER, subject="First")
        await expect(page.locator("#rows .c-subject").first).to_have_text("First")
        await expect(page.locator("#rows .state").first).to_have_text("retrieved")
        await expect(page.locator("#rows .c-last").first).to_contain_text("Report taken by weather-vasp")
        await empty_world.submit("bank-vasp", SLOW, subject="Second")
        await expect(page.locator("#rows .c-subject").first).to_have_text("Second")
        await expect(page.locator("[data-rate=accepted] canvas")).to_have_count(1)
    assert not complaints


async def test_what_is_under_the_pointer_stays_there(browser: Browser, empty_world: World) -> None:
    async with window(browser) as page:
        await empty_world.submit("weather-vasp", EAGER, subject="First")
        await opened(empty_world, page)
        await page.hover("#rows .c-to")
        await empty_world.submit("weather-vasp", EAGER, subject="Second")
        await empty_world.submit("weather-vasp", OLD, subject="Third")
        newer = page.locator(".list-new button")
        await expect(newer).to_have_text("2 newer")
        assert await subjects(page) == ["First"]
        await newer.click()
        await expect(page.locator("#rows tr")).to_have_count(3)
        assert await subjects(page) == ["Third", "Second", "First"]


async def test_a_filter_holds_for_what_comes(browser: Browser, empty_world: World) -> None:
    async with window(browser) as page:
        await empty_world.submit("bank-vasp", SLOW, subject="First")
        await opened(empty_world, page, "/messages?q=vasp:bank-vasp")
        await empty_world.submit("weather-vasp", EAGER, subject="Not this one")
        await empty_world.submit("bank-vasp", SLOW, subject="Second")
        await expect(page.locator("#rows .c-subject").first).to_have_text("Second")
        assert await subjects(page) == ["Second", "First"]


async def test_held_is_held_and_says_so(browser: Browser, empty_world: World) -> None:
    async with window(browser) as page:
        await empty_world.submit("weather-vasp", EAGER, subject="First")
        await opened(empty_world, page)
        await page.keyboard.press("h")
        await expect(page.locator("[data-does=hold]")).to_have_attribute("aria-pressed", "true")
        await expect(page.locator("#live")).to_have_text("held")
        await empty_world.submit("weather-vasp", EAGER, subject="Second")
        await expect(page.locator("#live")).to_contain_text("old")
        assert await subjects(page) == ["First"]
        await page.keyboard.press("h")
        await expect(page.locator("#rows .c-subject").first).to_have_text("Second")


async def test_keys_move_open_filter_and_list_themselves(browser: Browser, empty_world: World) -> None:
    world = empty_world
    await world.submit("weather-vasp", EAGER, subject="First")
    await world.submit("bank-vasp", SLOW, subject="Second")
    async with window(browser) as page:
        await opened(world, page)
        for key, subject in (("j", "Second"), ("j", "First"), ("j", "First"), ("k", "Second")):
            await page.keyboard.press(key)
            await expect(page.locator("tr[aria-selected=true] .c-subject")).to_have_text(subject)
        await page.keyboard.press("?")
        await expect(page.locator("dialog#keys")).to_be_visible()
        await expect(page.locator("dialog#keys")).to_contain_text("filter by this value")
        await page.keyboard.press("Escape")
        await page.keyboard.press("/")
        await page.keyboard.type("jk?h")  # letters while somebody types
        assert await page.input_value("#q") == "jk?h"
        await page.keyboard.press("Escape")
        await page.fill("#q", "")
        await page.keyboard.press("Escape")
        await page.hover("#rows tr:last-child .c-from")
        await page.keyboard.press("f")
        await page.wait_for_url(re.compile("q=vasp(:|%3A)weather-vasp"))
        assert await subjects(page) == ["First"]
        await opened(world, page)
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/m/*")


async def test_what_is_selected_is_retried_or_cancelled(browser: Browser, empty_world: World) -> None:
    """The question names the count; who says no cancels nothing."""
    world = empty_world
    asked: list[str] = []

    async def no(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.dismiss()

    async def yes(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.accept()

    await world.submit("weather-vasp", SLOW, ABSENT, subject="First")
    await world.submit("bank-vasp", SLOW, subject="Second")
    await world.until(lambda: world.has(2, "notified"))
    async with window(browser) as page:
        await opened(world, page)
        await expect(page.locator(".list-acts")).to_be_hidden()
        for key in "jxjx":
            await page.keyboard.press(key)
        await expect(page.locator(".list-acts b")).to_have_text("3 recipients of 2 messages")
        page.once("dialog", no)
        await page.click(".list-acts >> text=Cancel")
        await page.click(".list-acts >> text=Retry now")
        await expect(page.locator(".note")).to_have_text("Due now: 3 recipients.")
        await expect(page.locator(".list-acts")).to_be_hidden()
        await opened(world, page)
        for key in "jx":
            await page.keyboard.press(key)
        page.once("dialog", yes)
        await page.click(".list-acts >> text=Cancel")
        await expect(page.locator(".note")).to_have_text("Cancelled: 1 recipient.")
        await world.until(lambda: world.has(1, "cancelled"))
    assert asked == ["Cancel 3 recipients of 2 messages?", "Cancel 1 recipient of 1 message?"]
    assert not await world.has(2, "cancelled")


async def test_single_keys_can_be_switched_off(browser: Browser, empty_world: World) -> None:
    async with window(browser) as page:
        await opened(empty_world, page)
        await page.keyboard.press("?")
        await page.uncheck("#single-keys")
        await page.keyboard.press("Escape")
        await page.reload()
        await page.keyboard.press("h")
        await expect(page.locator("[data-does=hold]")).to_have_attribute("aria-pressed", "false")


async def test_a_server_that_goes_is_told(browser: Browser, empty_world: World) -> None:
    """The dot says that nothing comes, and for how long; and is live again when the server is."""
    async with window(browser) as page:
        await opened(empty_world, page)
        await page.context.set_offline(True)
        streams = empty_world.app.operations._listener
        assert streams is not None
        for connection in list(streams._runner.server.connections):  # type: ignore[union-attr]
            connection.force_close()
        await expect(page.locator("#live")).to_contain_text("connection lost, retrying in")
        await page.context.set_offline(False)
        await expect(page.locator("#live")).to_have_attribute("data-is", "live", timeout=15_000)


async def test_the_theme_is_remembered(browser: Browser, empty_world: World) -> None:
    async with window(browser) as page:
        await opened(empty_world, page)
        light = await page.evaluate("getComputedStyle(document.body).color")
        await page.click(".more summary")
        await page.click("[data-theme=dark]")
        assert await page.evaluate("getComputedStyle(document.body).color") != light
        await page.reload()
        assert await page.evaluate("getComputedStyle(document.body).color") != light
