"""The compose page in a real browser: the request follows what is typed, what is wrong is marked, files go along; and
all of it without scripts, as REST, and on a phone's width."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Page, expect

from mmsc.settings.model import Mm4
from mmsc.settings.neighbours import Peer
from tests.console.browsing import WIDTHS, window
from tests.console.phone_lab import PhoneLab, phone_lab, shot
from tests.scenarios.conftest import OTHER, PHONE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
GIF: FilePayload = {"name": "dot.gif", "mimeType": "image/gif", "buffer": b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"}
EVIL = "</pre><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


def sending(folder: Path) -> AbstractAsyncContextManager[PhoneLab]:
    """A lab that can be sent to by every interface."""
    peer = Peer(domain="mms.other.example", host="127.0.0.1", port=9, prefixes=("+1666",))
    return phone_lab(folder, mm4=Mm4(port=0), peer={"other": peer})


async def filled(page: Page, made: PhoneLab, whom: str = "mm7", **fields: str) -> None:
    """The form of `whom`, with these fields in it."""
    await page.goto(f"{made.url}/send/{whom}")
    for name, value in {"to": PHONE, **fields}.items():
        await page.fill(f"[name={name}]", value)


async def received(made: PhoneLab) -> Any:
    """The MM that the phone has, once it is there."""
    phone = made.phones.one(PHONE)
    assert phone is not None
    item = await phone.arrival(lambda one: one.message is not None, 0, 30)
    assert item is not None
    return item.message


@pytest.mark.parametrize("width", WIDTHS)
async def test_every_form_fits(browser: Browser, tmp_path: Path, width: int) -> None:
    async with sending(tmp_path) as made, window(browser, width) as page:
        for whom in ("mm7", "mm1", "mm4", "rest"):
            await page.goto(f"{made.url}/send/{whom}")
            await expect(page.get_by_role("tab", name="curl")).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, whom
            await shot(page, f"send-{whom}-{width}")


async def test_the_request_follows_what_is_typed(browser: Browser, tmp_path: Path) -> None:
    complaints: list[str] = []
    async with phone_lab(tmp_path) as made, window(browser, complaints=complaints) as page:
        await filled(page, made, subject="Good mörning")
        raw = page.locator("#send-pre-raw")
        await expect(raw).to_contain_text("<Subject>Good m")
        await page.get_by_role("tab", name="Python").click()
        await page.fill("[name=subject]", EVIL)
        await expect(raw).to_contain_text("document.title='owned'")
        await expect(page.get_by_role("tab", name="Python")).to_have_attribute("aria-selected", "true")
        await expect(raw).to_be_hidden()
        assert await page.title() != "owned"
        await page.fill("[name=expiry]", "PT1H")
        await page.get_by_role("tab", name="raw").click()
        await expect(raw).to_contain_text("<ExpiryDate>PT1H</ExpiryDate>")
        assert complaints == []


async def test_what_is_wrong_is_marked_and_said_and_nothing_is_lost(browser: Browser, tmp_path: Path) -> None:
    async with phone_lab(tmp_path) as made, window(browser) as page:
        await filled(page, made, namespace="REL-99", subject="Kept")
        await expect(page.get_by_role("alert")).to_contain_text("namespace: ")
        await page.click("#send-now")
        wrong = page.locator("[aria-invalid=true]")
        await expect(wrong).to_have_attribute("name", "namespace")
        await expect(page.get_by_role("alert")).to_contain_text("is no namespace of MM7")
        assert await page.input_value("[name=subject]") == "Kept"
        await shot(page, "send-wrong")
        await page.fill("[name=namespace]", "")
        await page.click("#send-now")
        await expect(page.get_by_role("status", name="Answer")).to_contain_text("1000")


async def test_what_is_against_the_specification_is_said_before_and_sent_all_the_same(
    browser: Browser, tmp_path: Path
) -> None:
    async with phone_lab(tmp_path) as made, window(browser) as page:
        await filled(page, made, message_class="Fancy")
        await expect(page.locator(".send-found").first).to_be_visible()
        await expect(page.locator("#send-now")).to_have_text("Send anyway")
        await page.locator("[name=subject]").press("Control+Enter")
        await expect(page.get_by_role("status", name="Answer")).to_contain_text("HTTP 200")


async def test_files_go_along_with_slides(browser: Browser, tmp_path: Path) -> None:
    async with phone_lab(tmp_path) as made, window(browser) as page:
        await filled(page, made, subject="Dot", text="A dot.")
        await page.set_input_files("[name=file]", files=[GIF])
        await expect(page.locator("#send-pre-raw")).to_contain_text("dot.gif")
        await page.click("#send-now")
        await expect(page.get_by_role("link", name="Open its ladder")).to_be_visible()
        message = await received(made)
        kinds = [part.content_type.media_type for part in message.parts]
        assert sorted(kinds) == ["application/smil", "image/gif", "text/plain"]
        assert message.octets_of(message.parts[kinds.index("image/gif")]) == GIF["buffer"]
        await expect(page.locator("#send-pre-raw")).to_contain_text("dot.gif")  # what went, not what is left of it
        await expect(page.locator("#send")).to_contain_text("dot.gif stands in the request; to be chosen again")


@pytest.mark.parametrize("whom", ["mm7", "rest", "mm1", "mm4"])
async def test_it_sends_without_scripts(browser: Browser, tmp_path: Path, whom: str) -> None:
    async with sending(tmp_path) as made, window(browser, java_script_enabled=False) as page:
        await filled(page, made, whom, subject=f"By {whom}", text="Plain")
        if whom == "rest":
            await page.fill("[name=sender]", OTHER)
        await page.get_by_role("button", name="Show the request").click()
        await expect(page.locator("#send-pre-raw")).to_contain_text(f"By {whom}")
        assert await page.input_value("[name=text]") == "Plain"
        await page.click("#send-now")
        await expect(page.locator(".send-back.ok")).to_be_visible()
        message = await received(made)
        assert message.conf.subject == f"By {whom}"
