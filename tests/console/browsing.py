"""Chromium for tests that look at pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from playwright.async_api import Browser, Page, async_playwright

from tests.tools import needs, needs_npm
from tests.weblink.test_browser import FLAGS

WIDTHS: Final = (1280, 390)
THEMES: Final = ("light", "dark")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser."""
    path = needs("chromium")
    async with async_playwright() as browsers:
        browser = await browsers.chromium.launch(executable_path=str(path), args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def window(
    browser: Browser, width: int = 1280, theme: str = "light", complaints: list[str] | None = None, **more: Any
) -> AsyncIterator[Page]:
    """A window; what the page's scripts complain about goes to `complaints`."""
    context = await browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=theme,  # type: ignore[arg-type] # one of THEMES
        reduced_motion="reduce",
        **more,
    )
    page = await context.new_page()
    if complaints is not None:
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: complaints.append(said.text) if _is_complaint(said.text, said.type) else None)
    try:
        yield page
    finally:
        await context.close()


def _is_complaint(text: str, kind: str) -> bool:
    return kind == "error" and "Failed to load resource" not in text  # a 404 page is one of them


async def axe(page: Page, *rules: str) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA, and its best practices; or against some rules only."""
    if not await page.evaluate("'axe' in window"):
        folder = needs_npm("axe-core")
        await page.evaluate((folder / "node_modules" / "axe-core" / "axe.min.js").read_text())
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    found = await page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {'; '.join(node['html'][:160] for node in one['nodes'][:3])}"
        for one in found["violations"]
    ]
