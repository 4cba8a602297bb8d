"""Everybody can use every page: readers of the screen, the keyboard, small windows, no scripts, either theme."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from playwright.async_api import Page as View

from tests.console.browsing import axe, window
from tests.console.pages import PAGES
from tests.console.world import World, fill, world

COLOUR_RULES = ("color-contrast", "link-in-text-block")
# One world for all: nobody changes anything in it.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(280), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def full(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("world")) as made:
        await fill(made)
        yield made


@pytest.mark.parametrize(("width", "narrower"), [(1280, 700), (390, 320)])
async def test_every_page_is_for_everybody(full: World, browser: Browser, width: int, narrower: int) -> None:
    """No script complains and axe finds nothing (WCAG 2.2 AA, contrast of what is shown included), in either theme;
    targets are large enough; nothing scrolls sideways, also at 320 px, which is what 1280 px are at 400 %."""
    wrong: list[str] = []
    async with window(browser, width, complaints=wrong) as view:
        for one in PAGES:
            await view.set_viewport_size({"width": width, "height": 844})
            answer = await view.goto(full.url + await one.address(full))
            assert answer is not None
            assert answer.status == one.status, one.name
            found = [*await small_targets(view, width), *await wide(view, width), *await axe_findings(view)]
            await view.set_viewport_size({"width": narrower, "height": 844})
            wrong += [f"{one.name} {width}: {told}" for told in [*found, *await wide(view, narrower)]]
    assert not wrong, "\n".join(wrong)


async def small_targets(view: View, width: int) -> list[str]:
    """44 px by touch, 24 px with a mouse (WCAG 2.2 2.5.8): buttons, fields and what opens."""
    told: list[str] = await view.evaluate(_TARGETS, 44 if width < 700 else 24)
    return told


async def wide(view: View, width: int) -> list[str]:
    scrolled = await view.evaluate("document.documentElement.scrollWidth")
    return [f"{scrolled} px wide in {width}: {await view.evaluate(_WIDE, width)}"] if scrolled > width else []


async def axe_findings(view: View) -> list[str]:
    """All rules in the light; those that look at colours in the dark too, which changes nothing else."""
    found = [f"light: {told}" for told in await axe(view)]
    await view.emulate_media(color_scheme="dark")
    found += [f"dark: {told}" for told in await axe(view, *COLOUR_RULES)]
    await view.emulate_media(color_scheme="light")
    return found


async def test_every_page_can_be_read_without_scripts(full: World, browser: Browser) -> None:
    async with window(browser, java_script_enabled=False) as page:
        for one in PAGES:
            await page.goto(full.url + await one.address(full))
            assert await page.locator("h1").count() == 1, one.name
            assert len(await page.locator("main").inner_text()) > 20, one.name


async def test_focus_is_seen_everywhere(full: World, browser: Browser) -> None:
    """Tab through each page: whatever has the focus shows it by an outline, or by its box."""
    unseen: list[str] = []
    async with window(browser) as page:
        for one in PAGES:
            await page.goto(full.url + await one.address(full))
            for _ in range(25):
                await page.keyboard.press("Tab")
                told = await page.evaluate(_FOCUS)
                if told:
                    unseen.append(f"{one.name}: {told}")
    assert not unseen, "\n".join(unseen)


_WIDE = """(width) => [...document.querySelectorAll("body *")]
  .filter((found) => found.checkVisibility() && !found.closest("nav, .scroll"))
  .filter((found) => found.getBoundingClientRect().right > width + 1)
  .slice(0, 5).map((found) => found.outerHTML.slice(0, 120)).join(" | ")"""
_FOCUS = """() => {
  let at = document.activeElement;
  if (!at || at === document.body) return "";
  const html = at.outerHTML.slice(0, 120);
  for (; at && at !== document.body; at = at.parentElement) {
    const style = getComputedStyle(at);
    if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) return "";
  }
  return html;
}"""
_TARGETS = """(least) => [...document.querySelectorAll("button, select, summary, .button, input:not([type=hidden])")]
  .filter((found) => found.checkVisibility({ visibilityProperty: true }) && !found.closest(".hide"))
  .filter((found) => !["checkbox", "radio"].includes(found.type) && !found.dataset.segment) // of a time line, 24 px
  .map((found) => [found.getBoundingClientRect(), found])
  .filter(([box]) => box.width && (box.height < least - 0.5 || box.width < 20))
  .map(([box, found]) => `${Math.round(box.width)} x ${Math.round(box.height)} ${found.outerHTML.slice(0, 90)}`)"""
