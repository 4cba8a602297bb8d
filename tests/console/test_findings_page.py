"""The findings' pages in a browser: what a client gets wrong, where exactly, and the text for its mail."""

import base64
import io
import re

import aiohttp
import pytest
from playwright.async_api import expect

from mmsc.trace.events import FindingNoted
from protocols import mm7
from tests.console.browsing import THEMES, WIDTHS, axe, chromium, window
from tests.console.world import SLOW, World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
HOSTILE = "<script>document.title='run'</script>"


async def misspelt(world: World, number: int, vasp: str = "weather-vasp", subject: str = "Storm") -> None:
    """So many SubmitReqs with an element that is spelled as many spell it."""
    host, port = world.app.listeners["mm7"]
    dialect = mm7.dialect(mm7.BASE + mm7.LATEST)
    assert dialect is not None
    async with aiohttp.ClientSession() as session:
        for one in range(number):
            to = (mm7.Address(SLOW),)
            request = mm7.SubmitReq(
                vasp_id=vasp.partition("-")[0], to=to, subject=subject, earliest_delivery_time="PT1H"
            )
            content_type, body = mm7.encode(mm7.Envelope(f"odd-{vasp}-{one}", dialect, request))
            wrong = body.replace(b"EarliestDeliveryTime", b"EarlistDeliveryTime")
            login = "Basic " + base64.b64encode(f"{vasp}:secret".encode()).decode()
            headers = {"Content-Type": content_type, "SOAPAction": '""', "Authorization": login}
            url = f"http://{host}:{port}/mm7"
            async with session.post(url, data=io.BytesIO(wrong), headers=headers) as response:
                assert b">1000<" in await response.read()


async def test_from_the_table_to_the_octets_and_the_mail(empty_world: World) -> None:
    complaints: list[str] = []
    async with chromium() as browser, window(browser, complaints=complaints) as page:
        await page.goto(f"{empty_world.url}/findings")
        await expect(page.locator(".empty")).to_contain_text(re.compile(r"No findings in \d+ PDUs\."))
        await misspelt(empty_world, 2)
        await misspelt(empty_world, 1, "bank-vasp")
        rows = page.locator(".findings tbody tr")
        await expect(rows).to_have_count(2)  # the page is live
        await expect(rows.first).to_contain_text("MM7-R012")
        await expect(rows.first).to_contain_text("weather-vasp")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("MM7-R012 of weather-vasp")
        await expect(page.locator(".f-hex mark").first).to_be_visible()
        marked = "".join(await page.locator(".f-sample:first-of-type .f-text-col mark").all_inner_texts())
        assert marked == "<EarlistDeliveryTime>PT1H</EarlistDeliveryTime>"
        await page.evaluate("mmsc.copy = (text) => { window.copied = text; }")
        await page.keyboard.press("t")
        text = await page.evaluate("window.copied")
        assert text.startswith("MM7-R012, TS 23.140 8.7.8")
        assert "Seen 2 times from weather-vasp" in text
        await page.locator(".f-sample a").first.click()
        await expect(page).to_have_url(f"{empty_world.url}/m/{page.url.rpartition('/m/')[2]}")
        assert "/pdu/1?o=" in page.url
    assert complaints == []


async def test_without_scripts_everything_is_there(empty_world: World) -> None:
    await misspelt(empty_world, 1)
    async with chromium() as browser, window(browser, java_script_enabled=False) as page:
        await page.goto(f"{empty_world.url}/findings")
        await page.click("text=MM7-R012")
        await expect(page.locator("#for-the-partner")).to_contain_text("it is spelled EarliestDeliveryTime")
        await page.click("text=Its messages")
        assert "/messages?q=finding" in page.url or "/m/" in page.url


async def test_everybody_can_read_them_and_nothing_of_a_client_runs(empty_world: World) -> None:
    await misspelt(empty_world, 1, subject=HOSTILE)
    control = empty_world.control
    hostile = FindingNoted("vasp:weather-vasp", "MM7-R012", HOSTILE, -1, HOSTILE)
    await control.engine.store.commit(control.engine.chronicle.note(hostile))
    async with chromium() as browser:
        for width in WIDTHS:
            for theme in THEMES:
                complaints: list[str] = []
                async with window(browser, width, theme, complaints) as page:
                    for path in ("/findings", "/findings/MM7-R012", "/findings/MM7-R012?client=weather-vasp"):
                        await page.goto(f"{empty_world.url}{path}")
                        await expect(page.locator("main")).to_contain_text("<script>")
                        assert await page.title() != "run"
                        assert await page.evaluate("document.documentElement.scrollWidth") <= width
                        assert await axe(page) == [], path
                assert complaints == []


async def test_what_a_whole_pdu_lacks_is_shown_with_that_pdu(full_world: World) -> None:
    """The SOAPAction that the CancelReq has not, not the one that the SubmitReq before it has."""
    found = await full_world.control.findings.rule("MM7-R015")
    assert found is not None
    sample = found.samples[0]
    pdu = (await full_world.control.traffic.of(int(sample.mm_id or 0))).pdu(sample.pdu)
    assert pdu is not None
    assert b"CancelReq" in pdu.record.octets
    assert b"SOAPAction" not in pdu.record.octets
