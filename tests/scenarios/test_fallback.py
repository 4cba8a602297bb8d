"""A handset without MMS: an SMS with a link, and the page behind it."""

import re

import aiohttp

from mmsc.lab.handset import Fetching
from tests.scenarios.conftest import OLD_PHONE, PHONE, Lab, picture


async def link_of(lab: Lab) -> str:
    phone = await lab.phone(OLD_PHONE, fetching=Fetching.NEVER)
    await lab.vasp.submit(OLD_PHONE, content=picture(), subject="<script>alert(1)</script>")
    text = (await phone.until(lambda inbox: bool(inbox.texts))).texts[0]
    found = re.search(r"http://\S+", text)
    assert found is not None
    return found[0]


async def get(url: str, **headers: str) -> tuple[int, bytes, aiohttp.typedefs.LooseHeaders]:
    browser = {"User-Agent": "Mozilla/5.0", **headers}
    async with aiohttp.ClientSession() as session, session.get(url, headers=browser) as response:
        return response.status, await response.read(), dict(response.headers)


async def test_the_page_shows_the_same_octets_and_the_view_is_reported(lab: Lab) -> None:
    url = await link_of(lab)
    status, body, headers = await get(url)
    assert status == 200
    assert b"<script>alert" not in body
    assert "default-src 'none'" in str(headers)
    report = await lab.vasp.report()
    assert (report.mm_status, report.status_text) == ("Retrieved", "web link")
    status, octets, headers = await get(f"{url}/part/2")
    assert octets == bytes(range(256)) * 20
    assert "nosniff" in str(headers)
    assert "Grüße" in body.decode()


async def test_a_link_preview_is_no_view(lab: Lab) -> None:
    url = await link_of(lab)
    status, _, _ = await get(url, **{"User-Agent": "WhatsApp/2.0"})
    assert status == 200
    rows = await lab.app.store.fetch("SELECT state FROM recipient")
    assert rows[0][0] in ("accepted", "link_sent")


async def test_an_unknown_link_is_a_friendly_404(lab: Lab) -> None:
    url = await link_of(lab)
    status, body, _ = await get(url[:-5] + "AAAAA")
    assert status == 404
    assert b"No message here." in body
    status, _, _ = await get(f"{url}/part/99")
    assert status == 404


async def test_a_capable_handset_gets_no_sms(lab: Lab) -> None:
    phone = await lab.phone(PHONE)
    await lab.vasp.submit(PHONE, content=picture())
    await phone.until(lambda inbox: bool(inbox.messages))
    assert phone.inbox.texts == []
