"""Phones in a real browser: what comes, how it plays, what is written; at both sizes and in both themes."""

from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Page, expect

from mmsc.lab.media import picture
from tests.console.phone_lab import PhoneLab, Theme, fits, opened, phone_lab, shot, shown_as, storm
from tests.scenarios.conftest import OTHER, PHONE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
MINE, THEIRS = PHONE.lstrip("+"), OTHER.lstrip("+")
# How pages are opened, and what each becomes while it is open.
WINDOWS: Final[dict[int, tuple[tuple[int, Theme], ...]]] = {
    1280: ((1280, "dark"),),
    390: ((390, "dark"), (320, "light")),
}
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
    await made.lab.vasp.submit(PHONE, content=storm(), subject="Storm warning, Friday", **fields)
    phone = made.phones.one(PHONE)
    assert phone is not None
    item = await phone.arrival(lambda one: one.message is not None, 0, 30)
    assert item is not None
    return item.number


async def test_pages_at_both_sizes_and_in_both_themes(browser: Browser, tmp_path: Path) -> None:
    async with phone_lab(tmp_path) as made, opened(browser) as chromium:
        number = await got_storm(made)
        for width, others in WINDOWS.items():
            page = await chromium.new_page(viewport={"width": width, "height": 900})
            for name, path in (
                ("list", "/phones"),
                ("inbox", f"/phones/{MINE}"),
                ("item", f"/phones/{MINE}/{number}"),
                ("reply", f"/phones/{MINE}/{number}/reply"),
                ("behaviour", f"/phones/{MINE}#ph-right"),
                ("empty", f"/phones/{THEIRS}"),
            ):
                await shown_as(page, width, "light")
                answer = await page.goto(made.url + path)
                assert answer is None or answer.status == 200
                assert await page.locator("h1").count() == 1
                await fits(page, f"phones-{name}-{width}-light", width)
                if name == "item":
                    await page.keyboard.press("g")
                    await shot(page, f"phones-{name}-{width}-light")
                for size, theme in others:
                    await shown_as(page, size, theme)
                    await fits(page, f"phones-{name}-{size}-{theme}", size)
            await page.close()


async def test_an_mm_plays_as_its_smil_says(browser: Browser, tmp_path: Path) -> None:
    async with phone_lab(tmp_path) as made, opened(browser) as chromium:
        number = await got_storm(made)
        page = await chromium.new_page(viewport={"width": 1280, "height": 900})
        await page.add_init_script(CLOCK)
        await page.goto(f"{made.url}/phones/{MINE}/{number}")
        says, text = page.locator("[data-says]"), page.locator(".player-stage .player-text")
        await expect(says).to_have_text("Slide 1 of 2, 0 s of 5 s")
        await expect(page.locator("[data-whole]")).to_have_text("11 s in all")
        await page.evaluate("pass(3200)")
        await expect(says).to_have_text("Slide 1 of 2, 3.2 s of 5 s")
        await expect(text).to_contain_text("Gusts to 28 m/s")
        assert (
            await page.evaluate("getComputedStyle(document.querySelector('.player-text')).color")
            == "rgb(255, 255, 255)"
        )
        boxes = await page.evaluate(
            "['.player-stage', ...[1, 2].map(n => `.player-region:nth-child(${n})`)].map("
            "one => document.querySelector(one).getBoundingClientRect()).map(box => [box.width, box.height])"
        )
        stage, image, words = boxes
        assert stage[0] / stage[1] == pytest.approx(320 / 240, abs=0.01)
        assert image[1] / stage[1] == pytest.approx(180 / 240, abs=0.01)
        assert words[0] == pytest.approx(stage[0], abs=1)

        await page.evaluate("pass(2000)")
        await expect(says).to_have_text("Slide 2 of 2, 0.2 s of 6 s")
        await expect(text).to_contain_text("Tie down what is loose")
        await expect(page.locator(".player-save")).to_have_text("audio/amr, 3,206 octets: save")
        assert await page.locator("[data-slide='1']").evaluate("one => one.classList.contains('is-playing')")
        await page.keyboard.press(" ")
        await page.evaluate("pass(60000)")
        await expect(says).to_have_text("Slide 2 of 2, 0.2 s of 6 s")
        await page.keyboard.press("ArrowLeft")
        await expect(says).to_have_text("Slide 1 of 2, 0 s of 5 s")
        await page.keyboard.press(" ")
        await page.evaluate("pass(4900)")
        await page.evaluate("pass(20000)")
        await expect(says).to_have_text("Slide 2 of 2, 6 s of 6 s")
        await expect(page.locator("[data-plays=toggle]")).to_have_attribute("aria-label", "Play")

        await page.keyboard.press("g")
        await expect(page.locator(".player-name").first).to_be_visible()
        await expect(page.locator(".player-name").first).to_have_text("Image 0,0 320x180")
        await page.keyboard.press("g")
        await expect(page.locator(".player-name").first).to_be_hidden()
        await page.click("[data-plays=source]")
        await expect(page.locator(".player-source pre")).to_be_visible()


async def test_who_wants_no_motion_starts_it_himself(browser: Browser, tmp_path: Path) -> None:
    async with phone_lab(tmp_path) as made, opened(browser) as chromium:
        number = await got_storm(made)
        page = await chromium.new_page(reduced_motion="reduce")
        await page.add_init_script(CLOCK)
        await page.goto(f"{made.url}/phones/{MINE}/{number}")
        await page.evaluate("pass(9000)")
        await expect(page.locator("[data-says]")).to_have_text("Slide 1 of 2, 0 s of 5 s")


async def test_without_scripts_all_of_it_is_there(browser: Browser, tmp_path: Path) -> None:
    async with phone_lab(tmp_path) as made, opened(browser) as chromium:
        number = await got_storm(made)
        context = await chromium.new_context(java_script_enabled=False)
        page = await context.new_page()
        await page.goto(f"{made.url}/phones/{MINE}/{number}")
        await expect(page.locator(".player-plain li")).to_have_count(2)
        await expect(page.locator(".player-plain")).to_contain_text("Tie down what is loose")
        await page.select_option("[name=on_notification]", "reject")
        await page.click("text=Apply")
        await expect(page.locator(".ph-list .chosen")).to_contain_text("rejects")
        await page.click("text=Delete")
        await expect(page.locator(".ph-items")).to_contain_text("Nothing on this phone yet")


async def test_one_story_of_two_phones(browser: Browser, tmp_path: Path) -> None:
    """Somebody writes with a picture; the other one sees it come, plays it and answers; answer and report arrive where
    it was written."""
    async with phone_lab(tmp_path) as made, opened(browser) as chromium:
        mine, theirs = await chromium.new_page(), await chromium.new_page()
        await theirs.goto(f"{made.url}/phones/{THEIRS}")
        await mine.goto(f"{made.url}/phones/{MINE}")
        await mine.click("text=New")
        await mine.fill("[name=to]", OTHER)
        await mine.fill("[name=subject]", "The lake")
        await mine.fill("[name=text] >> nth=0", "Evening, by the shore")
        photo = {"name": "lake.jpg", "mimeType": "image/jpeg", "buffer": picture()}
        await mine.set_input_files("[name=files]", photo)  # type: ignore[arg-type]
        await expect(mine.locator("[data-files]")).to_contain_text("30,420 octets in 1 file")
        await mine.check("[name=delivery_report]")
        await mine.click("button:has-text('Send')")
        await expect(mine.locator("h1")).to_have_text("The lake")

        row = theirs.locator(".ph-items li", has_text="The lake")
        await expect(row).to_contain_text("here")
        await row.locator("a").click()
        await expect(theirs.locator(".player-stage")).to_contain_text("Evening, by the shore")
        assert await theirs.evaluate("document.querySelector('.player-stage img').decode().then(() => true)")
        await theirs.keyboard.press("R")
        await expect(theirs.locator("[name=to]")).to_have_value(PHONE)
        await expect(theirs.locator("[name=subject]")).to_have_value("Re: The lake")
        await theirs.fill("[name=text] >> nth=0", "What a boat")
        await theirs.click("button:has-text('Send')")
        await expect(theirs.locator(".ph-lines")).to_contain_text("m-send-conf")

        await expect(mine.locator(".ph-news")).to_contain_text(f"Retrieved, {OTHER}")
        await mine.goto(f"{made.url}/phones/{MINE}")
        answer = mine.locator(".ph-items li", has_text="Re: The lake")
        await answer.locator("a").click()
        await expect(mine.locator(".player-stage")).to_contain_text("What a boat")
        await expect(mine.locator(".ph-lines")).to_contain_text("m-delivery-ind")


async def test_coverage_goes_and_comes_back(browser: Browser, tmp_path: Path) -> None:
    async with phone_lab(tmp_path) as made, opened(browser) as chromium:
        page = await chromium.new_page()
        await page.goto(f"{made.url}/phones/{MINE}")
        await page.uncheck("[name=coverage]")
        await expect(page.locator("[data-applied]")).to_have_text("Applied")
        await expect(page.locator(".ph-away")).to_contain_text("No coverage since")
        await made.lab.vasp.submit(PHONE, content=storm(), subject="Storm")
        await expect(page.locator(".ph-list .chosen")).to_contain_text("no coverage")
        await page.reload()
        await page.check("[name=coverage]")
        await expect(page.locator(".ph-items")).to_contain_text("Storm")
        await expect(page.locator(".ph-away")).to_be_hidden()


async def test_deferred_waits_to_be_fetched(browser: Browser, tmp_path: Path) -> None:
    async with phone_lab(tmp_path) as made, opened(browser) as chromium:
        page = await chromium.new_page()
        await page.goto(f"{made.url}/phones/{MINE}")
        await page.select_option("[name=on_notification]", "deferred")
        await expect(page.locator("[data-applied]")).to_have_text("Applied")
        await made.lab.vasp.submit(PHONE, content=storm(), subject="Storm")
        row = page.locator(".ph-items li", has_text="Storm")
        await expect(row).to_contain_text("deferred, 34")
        await row.locator("a").click()
        await shot(page, "phones-deferred-1280-light")
        await page.click("text=Fetch 34")
        await expect(page.locator(".player-stage")).to_contain_text("Gusts")
        await expect(page.locator(".ph-lines")).to_contain_text("m-acknowledge-ind")
        report = await made.lab.vasp.report()
        assert report.mm_status is not None


async def test_what_a_line_tells_is_found_in_the_captures(browser: Browser, tmp_path: Path) -> None:
    async with phone_lab(tmp_path) as made, opened(browser) as chromium:
        await got_storm(made)
        page = await chromium.new_page()
        await page.goto(f"{made.url}/phones/{MINE}")
        places = [await _leads_to(page, made, one) for one in await _lines(page)]
        assert len({place.split("/pdu/")[0] for place in places}) == 1, places
        assert places[0].startswith("/m/")


async def _lines(page: Page) -> list[str]:
    found = await page.locator(".ph-lines a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    assert len(found) == 4
    return [str(one) for one in found]


async def _leads_to(page: Page, made: PhoneLab, path: str) -> str:
    async with made.lab.vasp.session.get(made.url + path, allow_redirects=False) as response:
        assert response.status == 303
        return response.headers["Location"]
