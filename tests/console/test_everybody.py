"""Everybody can use every page: readers of the screen, the keyboard, small windows, no scripts, either theme."""

import pytest

from tests.console.browsing import THEMES, axe, chromium, window
from tests.console.pages import PAGES
from tests.console.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]


@pytest.mark.parametrize("theme", THEMES)
async def test_axe_finds_nothing(full_world: World, theme: str) -> None:
    """WCAG 2.2 AA, contrast of what is shown included, at both widths; and no script complains."""
    complaints: list[str] = []
    async with chromium() as browser:
        for width in (1280, 390):
            async with window(browser, width, theme, complaints, bypass_csp=True) as page:
                for one in PAGES:
                    answer = await page.goto(full_world.url + await one.address(full_world))
                    assert answer is not None
                    assert answer.status == one.status, one.name
                    complaints += [f"{one.name} {width}: {found}" for found in await axe(page)]
    assert not complaints, "\n".join(complaints)


async def test_nothing_scrolls_sideways(full_world: World) -> None:
    """Also at 320 px, which is what 1280 px are at 400 %."""
    wide: list[str] = []
    async with chromium() as browser:
        for width in (1280, 700, 390, 320):
            async with window(browser, width) as page:
                for one in PAGES:
                    await page.goto(full_world.url + await one.address(full_world))
                    scrolled = await page.evaluate("document.documentElement.scrollWidth")
                    if scrolled > width:
                        wide.append(f"{one.name} is {scrolled} px wide in {width}: {await page.evaluate(_WIDE, width)}")
    assert not wide, "\n".join(wide)


async def test_every_page_can_be_read_without_scripts(full_world: World) -> None:
    async with chromium() as browser, window(browser, java_script_enabled=False) as page:
        for one in PAGES:
            await page.goto(full_world.url + await one.address(full_world))
            assert await page.locator("h1").count() == 1, one.name
            assert len(await page.locator("main").inner_text()) > 20, one.name


async def test_focus_is_seen_everywhere(full_world: World) -> None:
    """Tab through each page: whatever has the focus shows it by an outline, or by its box."""
    unseen: list[str] = []
    async with chromium() as browser, window(browser) as page:
        for one in PAGES:
            await page.goto(full_world.url + await one.address(full_world))
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


@pytest.mark.parametrize("width", [390, 1280])
async def test_targets_are_large_enough(full_world: World, width: int) -> None:
    """44 px by touch, 24 px with a mouse (WCAG 2.2 2.5.8): buttons, fields and what opens."""
    least = 44 if width < 700 else 24
    small: list[str] = []
    async with chromium() as browser, window(browser, width) as page:
        for one in PAGES:
            await page.goto(full_world.url + await one.address(full_world))
            small += [f"{one.name}: {told}" for told in await page.evaluate(_TARGETS, least)]
    assert not small, "\n".join(small)


_TARGETS = """(least) => [...document.querySelectorAll("button, select, summary, .button, input:not([type=hidden])")]
  .filter((found) => found.checkVisibility({ visibilityProperty: true }) && !found.closest(".hide"))
  .filter((found) => !["checkbox", "radio"].includes(found.type) && !found.dataset.segment) // of a time line, 24 px
  .map((found) => [found.getBoundingClientRect(), found])
  .filter(([box]) => box.width && (box.height < least - 0.5 || box.width < 20))
  .map(([box, found]) => `${Math.round(box.width)} x ${Math.round(box.height)} ${found.outerHTML.slice(0, 90)}`)"""
