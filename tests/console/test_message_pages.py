"""One message in a real browser: arrows, fields and octets that know each other, keys, and a ladder that grows."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from mmsc.faults.parameters import Setting
from mmsc.lab.handset import Fetching, Handset
from mmsc.settings.model import Console, Deliveries, Node
from mmsc.settings.neighbours import VaspDelivery
from protocols import mm7
from protocols.mm7 import StatusCode
from tests.console.phone_lab import fits, opened, phone_lab, shot, shown_as
from tests.scenarios.conftest import OLD_PHONE, OTHER, PHONE, Lab, open_lab, picture
from tests.scenarios.test_ladders import SOON, content

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
LATER = mm7.Status(StatusCode.SERVICE_UNAVAILABLE, "Service unavailable")
EVIL = '"><script>document.title="owned"</script><img src=x onerror=alert(1)>'


@dataclass
class Stage:
    """A lab with its console."""

    lab: Lab
    url: str

    async def submit(self, *to: str, **fields: object) -> int:
        """The id of the MM that was made."""
        before = {row[0] for row in await self.lab.app.store.fetch("SELECT id FROM mm")}
        answer = await self.lab.vasp.submit(*to, **{"content": content(), **fields})  # type: ignore[arg-type]
        assert isinstance(answer, mm7.SubmitRsp), answer
        [made] = [row[0] for row in await self.lab.app.store.fetch("SELECT id FROM mm") if row[0] not in before]
        return int(str(made))


@asynccontextmanager
async def stage(folder: Path, delivery: Deliveries = SOON) -> AsyncIterator[Stage]:
    async with open_lab(
        folder, delivery=delivery, node=Node(name="lab-1"), console=Console(enabled=True, port=0)
    ) as lab:
        host, port = lab.app.listeners["console"]
        yield Stage(lab, f"http://{host}:{port}")


async def retried(made: Stage) -> int:
    """A message whose report needed a second attempt."""
    await made.lab.phone(PHONE)
    made.lab.vasp.statuses = [LATER]
    mm_id = await made.submit(PHONE, content=picture(), subject="Storm warning, Friday")
    for _ in range(2):
        await made.lab.vasp.report()
    return mm_id


async def names(page: Page) -> list[str]:
    return await page.locator(".ldr-pdu .ldr-n code").all_inner_texts()


async def marked(page: Page) -> str:
    """The octets that are marked, in hexadecimal."""
    return "".join(await page.locator(".oct-hex code:nth-of-type(1) .on").all_inner_texts()).replace(" ", "")


async def test_an_arrow_leads_to_its_tree_and_octets_and_these_to_each_other(browser: Browser, tmp_path: Path) -> None:
    async with stage(tmp_path) as made, opened(browser) as chromium:
        mm_id = await retried(made)
        page = await chromium.new_page(viewport={"width": 1280, "height": 900})
        await page.goto(f"{made.url}/m/{mm_id}")
        await page.locator(".ldr-pdu").nth(6).wait_for()
        assert [one.partition(" ")[0] for one in await names(page)] == [
            *("SubmitReq", "submit_sm", "GET", "m-retrieve-conf", "m-notifyresp-ind"),
            *("DeliveryReportReq", "DeliveryReportReq"),
        ]
        await page.locator(".ldr-pdu[data-n='2'] a").click()
        field = page.get_by_role("treeitem", name="X-Mms-Content-Location")
        await field.locator("a").click()
        octets = bytes.fromhex(await marked(page))
        assert octets.startswith(b"\x83http://")
        assert octets.endswith(b"\0")
        assert "?b=short_message&o=" in page.url
        assert f"{len(octets)} octets" in await page.locator(".oct-place").inner_text()
        subject = await page.get_by_role("treeitem", name="Subject").get_attribute("data-f")
        await page.locator(f".oct-hex [data-f='{subject}']").first.click()
        assert b"Storm warning, Friday" in bytes.fromhex(await marked(page))
        assert "Subject" in await page.locator(".oct-tree .on").inner_text()
        again = await chromium.new_page(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
        await again.goto(page.url)
        assert await marked(again) == await marked(page)
        assert "Subject" in await again.locator(".oct-tree .on").inner_text()


async def test_everything_is_reached_by_keys(browser: Browser, tmp_path: Path) -> None:
    async with stage(tmp_path) as made, opened(browser) as chromium:
        mm_id = await retried(made)
        page = await chromium.new_page(viewport={"width": 1280, "height": 900})
        await page.goto(f"{made.url}/m/{mm_id}")
        await page.locator(".ldr-pdu").nth(6).wait_for()
        await page.keyboard.press("j")
        await page.wait_for_url("**/pdu/2")
        await page.keyboard.press("J")
        await page.wait_for_url("**/pdu/6")
        assert await page.locator(".ldr-pdu.alike").count() == 2
        await page.keyboard.press("k")
        await page.wait_for_url("**/pdu/5")
        item = page.locator(".oct-tree [tabindex='0']")
        await item.focus()
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("ArrowDown")
        assert await marked(page) != ""
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('.oct-tabs, .oct-hex') !== null")
        await page.keyboard.press("|")
        assert await page.locator("#pane").is_hidden()
        await page.keyboard.press("|")
        assert await page.locator(".msg-left").is_hidden()
        await page.keyboard.press("|")
        await page.keyboard.press("e")
        await page.wait_for_url("**notes=0**")
        assert await page.locator(".ldr-note:not(.end)").count() == 0
        await page.keyboard.press("r")
        await page.wait_for_url("**unfold=1**")
        assert "submit_sm_resp" in await names(page)


async def test_it_grows_while_the_phone_fetches(browser: Browser, tmp_path: Path) -> None:
    async with stage(tmp_path) as made, opened(browser) as chromium:
        phone: Handset = await made.lab.phone(PHONE, fetching=Fetching.NEVER)
        mm_id = await made.submit(PHONE, subject="Later")
        notification = (await phone.until(lambda inbox: bool(inbox.notifications))).notifications[0]
        page = await chromium.new_page(viewport={"width": 1280, "height": 900})
        await page.goto(f"{made.url}/m/{mm_id}/pdu/2")
        await page.locator(".ldr-pdu").nth(1).wait_for()
        assert len(await names(page)) == 2
        assert await phone.fetch(notification) is not None
        await page.get_by_text("Nothing more is due", exact=True).wait_for()
        await page.locator(".ldr-pdu").nth(4).wait_for()
        assert "m-retrieve-conf" in await names(page)
        assert await page.locator(".ldr-pdu.chosen").get_attribute("data-n") == "2"
        await page.locator(".msg-state .is-ok").wait_for()


async def test_a_phone_shows_a_pdu_as_a_page_of_its_own(browser: Browser, tmp_path: Path) -> None:
    async with stage(tmp_path) as made, opened(browser) as chromium:
        mm_id = await retried(made)
        for scripts in (True, False):
            page = await chromium.new_page(viewport={"width": 390, "height": 844}, java_script_enabled=scripts)
            await page.goto(f"{made.url}/m/{mm_id}")
            assert await page.locator("#pane").is_hidden()
            await page.locator(".ldr-pdu[data-n='2'] a").click()
            await page.wait_for_url("**/pdu/2*")
            assert await page.locator(".ldr").is_hidden()
            await page.get_by_label("Next PDU").click()
            await page.wait_for_url("**/pdu/3*")
            assert "3 of 7" in await page.locator(".oct-walk").inner_text()
            await page.close()


async def test_pictures_of_pages(browser: Browser, tmp_path: Path) -> None:
    async with stage(tmp_path) as made, opened(browser) as chromium:
        mm_id = await retried(made)
        await made.lab.phone(OTHER, fetching=Fetching.NEVER)
        several = await made.submit(PHONE, OTHER, OLD_PHONE, subject=EVIL)
        await made.lab.vasp.report()
        places = ["", "/pdu/1", "/pdu/2", "/content", "/recipients", "/events", "/findings", f"/compare?with={several}"]
        for width, in_the_dark in ((1280, 1280), (390, 320)):
            page = await chromium.new_page(viewport={"width": width, "height": 900}, color_scheme="light")
            for place in [f"/m/{mm_id}{one}" for one in places] + [f"/m/{several}{one}" for one in places]:
                name = place.removeprefix("/m/").replace(str(mm_id), "one").replace(str(several), "several")
                name = f"message-{name.partition('?')[0].replace('/', '-')}"
                await shown_as(page, width, "light")
                answer = await page.goto(made.url + place)
                assert answer is not None
                assert answer.status == 200, place
                assert len(await answer.body()) < 60_000, place
                assert "owned" not in await page.title() or EVIL in await page.title()
                await fits(page, f"{name}-{width}-light", width)
                await shown_as(page, in_the_dark, "dark")
                await fits(page, f"{name}-{in_the_dark}-dark", in_the_dark)
            await page.close()


async def test_what_leaves_is_what_is_shown_and_the_partner_sees_no_number(tmp_path: Path) -> None:
    async with stage(tmp_path) as made, aiohttp.ClientSession() as session:
        mm_id = await retried(made)

        async def get(path: str) -> tuple[int, str, bytes]:
            async with session.get(made.url + path) as answer:
                return answer.status, answer.headers["Content-Type"].partition(";")[0], await answer.read()

        for end, kind in (("txt", "text/plain"), ("svg", "image/svg+xml"), ("json", "application/json")):
            for partner in (False, True):
                status, media, body = await get(f"/m/{mm_id}.{end}{'?partner=1' if partner else ''}")
                assert (status, media) == (200, kind)
                assert (PHONE.lstrip("+").encode() in body) is not partner
        for place in ("pdus", "pdus/2", "ladder", "ladder.txt", "ladder.svg"):
            for partner in (False, True):
                status, _, body = await get(f"/api/v1/messages/{mm_id}/{place}?partner={str(partner).lower()}")
                assert status == 200
                assert not partner or PHONE.lstrip("+").encode() not in body
        status, _, octets = await get(f"/m/{mm_id}/pdu/2.bin?b=mms")
        assert octets.startswith(b"\x8c\x82")
        for missing in ("/m/1", f"/m/{mm_id}/pdu/99", "/m/99999999999999999999999", f"/m/{mm_id}/content/77"):
            status, _, body = await get(missing)
            assert status == 404
        assert (await get("/api/v1/messages/1/pdus"))[0] == 404
        assert (await get("/api/v1/messages/x/ladder"))[0] == 404


async def test_actions_are_done_and_told(browser: Browser, tmp_path: Path) -> None:
    async with stage(tmp_path) as made, opened(browser) as chromium:
        await made.lab.phone(PHONE, fetching=Fetching.NEVER)
        mm_id = await made.submit(PHONE)
        page = await chromium.new_page(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
        await page.goto(f"{made.url}/m/{mm_id}/recipients")
        await page.get_by_role("button", name="Cancel").click()
        assert "Cancelled: 1 recipient." in await page.locator(".note").inner_text()
        assert await page.locator("td .state").inner_text() == "cancelled"


async def test_a_button_keeps_the_keyboard_and_no_other_gets_it(browser: Browser, tmp_path: Path) -> None:
    """Each recipient's buttons go to one place and say the same: they differ in what they send."""
    async with stage(tmp_path) as made, opened(browser) as chromium:
        for number in (PHONE, OTHER):
            await made.lab.phone(number, fetching=Fetching.NEVER)
        mm_id = await made.submit(PHONE, OTHER)
        page = await chromium.new_page(viewport={"width": 1280, "height": 900})
        await page.goto(f"{made.url}/m/{mm_id}/recipients")
        rows = page.locator(".msg-people tbody tr")
        await expect(rows).to_have_count(2)
        for row in (1, 0):
            button = rows.nth(row).get_by_role("button", name="Expire now")
            await button.focus()
            await page.evaluate("mmsc.refresh()")
            await expect(button).to_be_focused()
        gone = await rows.nth(0).get_by_role("button", name="Expire now").element_handle()
        assert gone is not None
        await gone.evaluate(
            "(button) => { button.form.querySelector('[name=recipient]').value = '7'; button.focus(); }"
        )
        await page.evaluate("mmsc.refresh()")
        await expect(page.locator("button:focus")).to_have_count(0)


async def test_two_messages_stand_beside_each_other(browser: Browser, tmp_path: Path) -> None:
    async with stage(tmp_path) as made, opened(browser) as chromium:
        first = await retried(made)
        second = await made.submit(PHONE, subject="Storm warning, Friday")
        await made.lab.vasp.report()
        page = await chromium.new_page(viewport={"width": 1280, "height": 900})
        await page.goto(f"{made.url}/m/{first}/compare?with={second}")
        await shot(page, "compare-1280")
        assert "only left" in await page.locator(".msg-compare").inner_text()
        rows = page.locator(".cmp tbody tr")
        alone = rows.filter(has_text="only left")
        assert await alone.locator("td:nth-child(1) .ldr-l").count() == 1
        assert await alone.locator("td:nth-child(3) .ldr-l").count() == 0
        for row in await rows.all():  # one grid: an arrow begins where its lifeline is, in both
            boxes = [await one.bounding_box() for one in await row.locator(".ldr-w").all()]
            assert len({round(box["width"]) for box in boxes if box}) == 1
        await page.goto(f"{made.url}/m/{first}/compare?with={first}")
        assert "The same" in await page.locator(".pad").nth(1).inner_text()
        await page.goto(f"{made.url}/m/{first}/compare?with=nonsense")
        assert "no id" in await page.get_by_role("alert").inner_text()


async def test_a_phone_of_the_lab_tells_of_the_push_that_no_wire_of_ours_had(tmp_path: Path) -> None:
    async with phone_lab(tmp_path) as made:
        await made.lab.vasp.submit(
            PHONE, content=content(), subject="Storm warning, Friday, and a subject that is long"
        )
        await made.lab.vasp.report()
        [row] = await made.lab.app.store.fetch("SELECT id FROM mm")
        ladder = (await made.lab.app.control.traffic.of(int(str(row[0])))).ladder()
        [told] = [one for one in ladder.rows if one.kind == "told"]
        assert (told.name, told.beneath) == ("WAP push", "not on our wire")
        assert [ladder.columns[one].name for one in (told.source, told.target)] == ["local", PHONE]


async def test_a_fault_is_a_pill_that_leads_to_its_switch_and_is_found_by_its_name(
    browser: Browser, tmp_path: Path
) -> None:
    async with stage(tmp_path) as made, opened(browser) as chromium:
        faults = made.lab.app.control.faults
        assert faults is not None
        faults.set("mm7-vasp-http", Setting(status=503, times=1))
        await made.lab.phone(PHONE)
        mm_id = await made.submit(PHONE, subject="Storm warning, Friday")
        for _ in range(2):
            await made.lab.vasp.report()
        page = await chromium.new_page(viewport={"width": 1280, "height": 900})
        await page.goto(f"{made.url}/messages?q=fault:mm7-vasp-http")
        await page.locator(f"tr a[href='/m/{mm_id}']").first.click()
        pill = page.locator(".ldr-pdu a.chip.fault")
        await pill.wait_for()
        row = page.locator(".ldr-pdu.bad")
        assert await pill.inner_text() == "mm7-vasp-http"
        assert "HTTP 503" in await row.locator(".ldr-a").inner_text()
        assert "mm7-vasp-http" in (await row.locator("a.ldr-w").get_attribute("aria-label") or "")
        await shot(page, "message-fault-1280")
        await pill.click()
        await page.wait_for_url("**/faults#mm7-vasp-http")
        assert await page.locator("li:target").inner_text() != ""


async def test_the_messages_of_the_list_are_walked_by_brackets(browser: Browser, tmp_path: Path) -> None:
    async with stage(tmp_path) as made, opened(browser) as chromium:
        await made.lab.phone(PHONE)
        oldest, middle, _ = [await made.submit(PHONE, subject=f"Number {one}") for one in range(3)]
        newest = await made.submit(OTHER, subject="Another's")
        page = await chromium.new_page(viewport={"width": 1280, "height": 900})
        await page.goto(f"{made.url}/messages?q=to:{PHONE.replace('+', '%2B')}")
        await page.locator(f"#m{middle} a").first.click()
        await page.wait_for_url(f"**/m/{middle}")
        assert str(newest) not in await page.evaluate("sessionStorage.getItem('mmsc.list')")
        await page.keyboard.press("]")
        await page.wait_for_url(f"**/m/{oldest}")
        await page.keyboard.press("]")  # the last one
        await page.keyboard.press("[")
        await page.wait_for_url(f"**/m/{middle}")


@pytest.mark.parametrize("scripts", [True, False])
async def test_what_is_due_can_be_had_now(browser: Browser, tmp_path: Path, scripts: bool) -> None:
    waits = Deliveries(vasp=VaspDelivery(waits_seconds=(3600.0,)))
    async with stage(tmp_path, delivery=waits) as made, opened(browser) as chromium:
        mm_id = await put_off(made)
        page = await chromium.new_page(viewport={"width": 1280, "height": 900}, java_script_enabled=scripts)
        await page.goto(f"{made.url}/m/{mm_id}")
        end = page.locator(".ldr-note.end")
        assert re.match(r"Due: again at (\d+ \w+ )?\d\d:\d\d:\d\d", await end.inner_text())
        await shot(page, "message-due-1280")
        await end.get_by_role("button", name="Retry now").click()
        await made.lab.vasp.report()
        await page.wait_for_url(f"**/m/{mm_id}")
        if not scripts:
            await page.reload()
        await page.get_by_text("Nothing more is due").first.wait_for()
        assert await end.get_by_role("button").count() == 0


async def put_off(made: Stage) -> int:
    """A message whose report has to wait."""
    await made.lab.phone(PHONE)
    made.lab.vasp.statuses = [LATER]
    with made.lab.app.bus.watch() as watcher:
        mm_id = await made.submit(PHONE, subject="Storm warning, Friday")
        while (await anext(watcher)).kind != "attempt.failed":
            pass
    return mm_id
