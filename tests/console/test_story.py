"""One whole story, as somebody lives it with the console: an MM is sent from the compose page, its ladder grows beneath
the form, the phone fetches and plays it, and the VASP has its delivery report."""

from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Page, expect

from mmsc.cli.lab import lab
from mmsc.control.neighbours import Neighbours
from mmsc.lab.handset import Fetching
from mmsc.lab.media import picture
from mmsc.lab.phones.settings import PhoneSettings
from tests.console.browsing import chromium, window
from tests.console.phone_lab import shot
from tests.console.test_phone_pages import CLOCK

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
NUMBER = "+15550000001"
PATIENCE_MS = 30_000


async def names(page: Page) -> list[str]:
    """The PDUs of the ladder, by their names: without what stands behind them."""
    return [one.partition(" ")[0] for one in await page.locator(".ldr-pdu .ldr-n code").all_inner_texts()]


async def compose(page: Page, url: str) -> None:
    """Fill the form in and send it."""
    await page.goto(f"{url}/send/mm7")
    await page.fill("[name=to]", NUMBER)
    await page.fill("[name=subject]", "The lake")
    await page.fill("[name=text]", "This evening.")
    lake: FilePayload = {"name": "lake.jpg", "mimeType": "image/jpeg", "buffer": picture()}
    await page.set_input_files("[name=file]", files=[lake])
    await expect(page.locator("#send-pre-raw")).to_contain_text("lake.jpg")
    await page.click("#send-now")
    await expect(page.get_by_role("status", name="Answer")).to_contain_text("1000")


async def fetch_and_play(page: Page, url: str) -> None:
    """On the phone."""
    await page.add_init_script(CLOCK)
    await page.goto(f"{url}/phones/{NUMBER[1:]}")
    await page.locator(".ph-items a").first.click()
    await page.get_by_role("button", name="Fetch").click()
    play, says = page.locator("[data-plays=toggle]"), page.locator("[data-says]")
    await expect(says).to_contain_text("Slide 1 of 1, 0 s", timeout=PATIENCE_MS)
    await play.click()
    await page.evaluate("pass(2000)")
    await expect(says).to_contain_text("Slide 1 of 1, 2 s")
    await expect(page.locator(".player-stage img")).to_be_visible()
    await expect(page.locator(".player-stage .player-text")).to_have_text("This evening.")


def reports(neighbours: Neighbours) -> list[object]:
    """What the VASP got: what it is told of each MM."""
    return [(one.name, one.message.get("MMStatus")) for one in neighbours.vasps["demo"].received()]


async def test_from_the_form_to_the_phone_and_back_to_the_vasp(tmp_path: Path) -> None:
    async with lab(tmp_path, console=0, with_far=False) as (app, told), chromium() as browser:
        neighbours = app.control.neighbours
        assert neighbours is not None
        assert neighbours.phones is not None
        phone = neighbours.phones.one(NUMBER)
        assert phone is not None
        phone.change(PhoneSettings(on_notification=Fetching.NEVER))  # it waits for its owner
        complaints: list[str] = []
        async with window(browser, complaints=complaints) as sender, window(browser, complaints=complaints) as handset:
            await compose(sender, told["url"])
            await expect(sender.locator(".ldr-pdu", has_text="submit_sm")).to_be_visible(timeout=PATIENCE_MS)
            assert (await names(sender))[:2] == ["SubmitReq", "submit_sm"]
            assert reports(neighbours) == []
            await shot(sender, "story-1-sent")

            await fetch_and_play(handset, told["url"])
            await shot(handset, "story-2-played")

            last = sender.locator(".ldr-pdu").last  # grown beneath the form, without a reload
            await expect(last).to_contain_text("DeliveryReportReq", timeout=PATIENCE_MS)
            await expect(last.locator(".ldr-a")).to_contain_text("1000", timeout=PATIENCE_MS)
            assert reports(neighbours) == [("DeliveryReportReq", "Retrieved")]
            await shot(sender, "story-3-reported")

            await sender.click("text=Open its ladder")
            await expect(sender.locator("h1")).to_have_text("The lake")
            found = await names(sender)
            assert (found[0], found[-1]) == ("SubmitReq", "DeliveryReportReq")
            assert "m-retrieve-conf" in found
            await expect(sender.locator(".msg-state")).to_contain_text("retrieved")
            await shot(sender, "story-4-ladder")
        assert complaints == []
