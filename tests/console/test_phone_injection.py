"""Nothing that a sender or a phone's user wrote runs in the console: subject, addresses, texts, file names, SMIL."""

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Dialog, Page

from mmsc.control.phones import Attachment, Draft
from mmsc.lab.phones import Phone
from protocols import mime
from protocols.content_type import ContentType
from tests.console.phone_lab import browser, phone_lab, storm
from tests.control import smils
from tests.scenarios.conftest import OTHER, PHONE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
EVIL: Final = "\"'><script>boom()</script><img src=x onerror=boom()>{{7*7}}</style></textarea>"
PAYLOADS: Final = (
    EVIL,
    "javascript:boom()",
    "</script><script>boom()</script>",
    "\u2028\u2029'-boom()-'",
    "&quot;&gt;&lt;svg onload=boom()&gt;",
    "<a href=javascript:boom() style=animation:x onanimationstart=boom()>x</a>",
)
TEXT: Final = ContentType("text/plain", (("charset", "utf-8"),))


def hostile(payload: str) -> mime.OutPart:
    return storm(
        mime.OutPart(TEXT, payload.encode(), "evil", f"{payload[:60]}.txt"),
        mime.OutPart(ContentType("text/html"), b"<script>parent.boom(); boom()</script>", "html", "page.html"),
        mime.OutPart(ContentType("image/svg+xml"), b"<svg xmlns='http://www.w3.org/2000/svg' onload='boom()'/>", "svg"),
        root=smils.HOSTILE,
    )


async def test_nothing_of_it_runs(tmp_path: Path) -> None:
    async with phone_lab(tmp_path) as made, browser() as chromium:
        page = await chromium.new_page()
        ran: list[str] = []
        await page.expose_function("boom", lambda *_: ran.append(page.url))

        async def asked(dialog: Dialog) -> None:
            ran.append(dialog.message)
            await dialog.dismiss()

        page.on("dialog", asked)
        phone = made.phones.one(PHONE)
        assert phone is not None
        for payload in PAYLOADS:
            await made.lab.vasp.submit(PHONE, content=hostile(payload), subject=payload)
            came = await phone.arrival(lambda one: one.message is not None, _last(phone), 30)
            assert came is not None
            await phone.agent.on_sms(f"{payload} http://example.net/{payload}")
            await _send(phone, payload)
        for path in _paths(phone):
            await _visit(page, made.url + path)
        assert ran == []


def _last(phone: Phone) -> int:
    """The number of the newest MM that is here."""
    return max((one.number for one in phone.box.all() if one.message is not None), default=0)


async def _send(phone: Phone, payload: str) -> None:
    files = (Attachment(f"{payload}.txt", payload.encode(), "text/plain"), Attachment(f"{payload}.svg", b"<svg/>"))
    draft = Draft(to=(OTHER,), subject=payload, texts=(payload,), attachments=files)
    await phone.send(draft)


def _paths(phone: Phone) -> list[str]:
    here = f"/phones/{phone.digits}"
    numbers = [one.number for one in phone.box.all()]
    assert len(numbers) >= 3 * len(PAYLOADS)
    pages = [f"{here}/{number}{more}" for number in numbers for more in ("", "/reply", "/forward")]
    return ["/phones", here, *pages, f"{here}/new?to={EVIL}&subject={EVIL}&text={EVIL}".replace("&lt;", "<")]


async def _visit(page: Page, url: str) -> None:
    await page.goto(url)
    assert await page.evaluate("document.querySelectorAll('main script, [onerror], [onload], main style').length") == 0
    links = "[...document.querySelectorAll('main a')].map(one => one.protocol)"
    assert set(await page.evaluate(links)) <= {"http:", "https:"}


async def test_parts_are_served_so_that_nothing_runs(tmp_path: Path) -> None:
    async with phone_lab(tmp_path) as made:
        session = made.lab.vasp.session
        await made.lab.vasp.submit(PHONE, content=hostile(EVIL), subject="x")
        phone = made.phones.one(PHONE)
        assert phone is not None
        came = await phone.arrival(lambda one: one.message is not None, 0, 30)
        assert came is not None
        assert came.message is not None
        place = f"{made.url}/phones/{phone.digits}/{came.number}/part"
        kinds = {part.content_type.media_type: number for number, part in enumerate(came.message.parts)}
        for media, number in kinds.items():
            async with made.lab.vasp.session.get(
                f"{made.url}/phones/{phone.digits}/{came.number}/part/{number}"
            ) as got:
                assert got.status == 200
                assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
                assert got.headers["X-Content-Type-Options"] == "nosniff"
                download = media in ("text/html", "image/svg+xml", "application/smil")
                shown = got.headers["Content-Type"].partition(";")[0]
                assert shown == ("application/octet-stream" if download else media)
                kept = "attachment" if download or media == "audio/amr" else "inline"
                assert got.headers["Content-Disposition"].startswith(kept)
        async with session.get(f"{place}/99") as got:
            assert got.status == 404
