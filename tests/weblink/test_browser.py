"""The page in a real browser: pictures are shown, nothing that a sender wrote runs."""

import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Dialog, async_playwright

from tests.tools import needs
from tests.weblink.test_page import PARTS, FakeLinks, page

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCREENS: tuple[tuple[int, Literal["light", "dark"]], ...] = ((390, "light"), (240, "light"), (1280, "dark"))


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_pictures_are_shown_and_nothing_runs() -> None:
    chromium = needs("chromium")
    dialogs: list[Dialog] = []

    async def saw(dialog: Dialog) -> None:
        dialogs.append(dialog)
        await dialog.dismiss()

    shots = os.environ.get("MMSC_TEST_SCREENSHOTS")
    async with page(FakeLinks()) as url, async_playwright() as browsers:
        browser = await browsers.chromium.launch(executable_path=str(chromium), args=list(FLAGS))
        for width, scheme in SCREENS:
            view = await browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
            view.on("dialog", saw)
            await view.goto(url, wait_until="load")
            widths = await view.evaluate("[...document.images].map(image => image.naturalWidth)")
            assert widths == [640, 32, 32]
            assert await view.title() != "owned"
            assert await view.evaluate("document.querySelectorAll('script, [onerror], [onload]').length") == 0
            assert await view.evaluate("document.documentElement.scrollWidth") <= width
            assert dialogs == []
            if shots:
                await view.screenshot(path=str(Path(shots) / f"{width}.png"), full_page=True)
            await view.close()
        for number, (media_type, *_) in enumerate(PARTS):
            if media_type in ("text/html", "image/svg+xml"):
                view = await browser.new_page()
                async with view.expect_download():
                    await view.evaluate("address => { location.href = address }", f"{url}/part/{number}")
                assert await view.title() != "owned"
        await browser.close()
