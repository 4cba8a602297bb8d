"""Phones in a real browser: what comes, how it plays, what is written; at both sizes and in both themes."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.console.phone_lab import PhoneLab, browser, phone_lab, shot, storm
from tests.scenarios.conftest import OTHER, PHONE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
PHONE_DIGITS, OTHER_DIGITS = PHONE.lstrip("+"), OTHER.lstrip("+")
# Time that a test moves: the player asks for a frame, and gets it when time has passed.
CLOCK = """
window.mmscClock = { at: 0, call: null, now: () => window.mmscClock.at, frame: (call) => window.mmscClock.call = call };
window.pass = (ms) => {
  const clock = window.mmscClock, call = clock.call;
  clock.at += ms;
  clock.call = null;
  if (call) call();
};
"""


async def got_storm(made: PhoneLab, **fields: Any) -> int:
    """The number of the MM on the phone, once it is there."""
    await made.lab.vasp.submit(PHONE, content=storm(), subject=fields.pop("subject", "Storm warning, Friday"), **fields)
    phone = made.phones.one(PHONE)
    assert phone is not None
    item = await phone.arrival(lambda one: one.message is not None, 0, 30)
    assert item is not None
    return item.number


async def says(page: Page) -> str:
    return await page.inner_text("[data-says]")


async def test_pictures_of_pages(tmp_path: Path) -> None:
    async with phone_lab(tmp_path) as made, browser() as chromium:
        number = await got_storm(made)
        for width, scheme in ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")):
            page = await chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
            for name, path in (
                ("list", "/phones"),
                ("inbox", f"/phones/{PHONE_DIGITS}"),
                ("item", f"/phones/{PHONE_DIGITS}/{number}"),
                ("reply", f"/phones/{PHONE_DIGITS}/{number}/reply"),
            ):
                answer = await page.goto(made.url + path)
                assert answer is not None
                assert answer.status == 200
                if name == "item":
                    await page.keyboard.press("g")
                assert await page.evaluate("document.documentElement.scrollWidth") <= width
                await shot(page, f"phones-{name}-{width}-{scheme}")
            await page.close()
