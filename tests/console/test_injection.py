"""Nothing that a neighbour wrote runs, whatever interface it came by: payloads through all of them, then every page
that a link of the console leads to, and the fallback page, in a real browser."""

import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Final

import aiosmtplib
import pytest
from playwright.async_api import Browser, Dialog, Page

from mmsc.settings.model import Mm4
from mmsc.settings.neighbours import Peer
from protocols import mime, mm1, mm4
from protocols.content_type import ContentType
from protocols.wsp.multipart import Part, encode_multipart
from tests.console.phone_lab import PhoneLab, browser, phone_lab, storm
from tests.console.test_phone_injection import PAYLOADS as SCRIPTS
from tests.control import smils
from tests.scenarios.conftest import OLD_PHONE, OTHER, PHONE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]
MARKED: Final = "<b data-owned>"  # markup that got through, even where nothing may run
PAYLOADS: Final = (*SCRIPTS, f'x{MARKED}"/><p data-owned hx-get=/owned hx-trigger=load>')
MOST_PAGES: Final = 120
FILES: Final = re.compile(r"\.(pcapng|json|txt|svg|yaml|xml)$|/(part|parts|live|logout)(/|$)|^/api/v1|^/static")
TEXT: Final = ContentType("text/plain", (("charset", "utf-8"),))
FOREIGN: Final = "+16660100123"
WATCH: Final = """
document.addEventListener("securitypolicyviolation", (event) =>
  boom(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


def token(payload: str) -> str:
    """What of a payload a token of HTTP or MIME may hold: the rest is refused where it comes in."""
    return "".join(one for one in payload if one.isprintable() and one.isascii())


async def from_vasp(made: PhoneLab, payload: str) -> None:
    """Subject, names, presentation, texts, and identifiers of the request; once accepted, once refused."""
    evil = storm(
        mime.OutPart(TEXT, payload.encode(), "evil", f"{payload[:60]}.txt"),
        mime.OutPart(ContentType("text/html"), f"<script>parent.boom()</script>{MARKED}".encode(), "html", "page.html"),
        root=smils.HOSTILE,
    )
    named = {"subject": payload, "service_code": token(payload), "transaction_id": token(payload)[:60]}
    await made.lab.vasp.submit(PHONE, OLD_PHONE, content=evil, **named)
    await made.lab.vasp.submit(PHONE, content=evil, vasp_id=token(payload), vas_id=token(payload))
    await made.lab.vasp.post("text/xml", payload.encode(), **{"User-Agent": token(payload)})


async def from_phone(made: PhoneLab, payload: str) -> None:
    """An m-send-req and a header of its own making; a GET of nothing."""
    host, port = made.lab.app.listeners["mm1"]
    content_type = ContentType("application/vnd.wap.multipart.mixed")
    pdu = mm1.MSendReq(
        transaction_id=token(payload)[:30] or "T",
        mms_version=0x12,
        from_="insert-address",
        to=(f"{OTHER}/TYPE=PLMN",),
        subject=payload,
        content_type=content_type,
        body=encode_multipart([Part(TEXT, payload.encode(), token(payload)[:30], f"{token(payload)[:30]}.txt")]),
    )
    headers = {"Content-Type": "application/vnd.wap.mms-message", "X-MSISDN": PHONE, "User-Agent": token(payload)}
    headers |= {"X-Wap-Profile": f'"http://127.0.0.1:1/{token(payload).replace(chr(34), "")}"'}
    session = made.lab.vasp.session
    async with session.post(f"http://{host}:{port}/", data=mm1.encode(pdu), headers=headers) as answer:
        assert answer.status == 200
    async with session.get(f"http://{host}:{port}/m/{token(payload)}", headers=headers) as answer:
        await answer.read()


async def from_peer_and_mail(made: PhoneLab, payload: str) -> None:
    """MM4 and MM3."""
    forward = mm4.ForwardReq(
        transaction_id=f"t{abs(hash(payload))}",
        message_id=f"m{abs(hash(payload))}@mms.other.example",
        from_=f"{FOREIGN}/TYPE=PLMN",
        to=(PHONE,),
        subject=payload,
        content_class=token(payload),
        applic_id=token(payload),
    )
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@b.example", f"{PHONE}@mmsc.example", token(payload)
    mail.set_content(payload)
    mail.add_attachment(payload.encode(), "text", "plain", filename=f"{token(payload)[:40]}.txt")
    for name, octets, to in (
        ("mm4", mm4.encode(forward), f"{PHONE}/TYPE=PLMN@mmsc.example"),
        ("mm3", mail.as_bytes(), f"{PHONE}@mmsc.example"),
    ):
        host, port = made.lab.app.listeners[name]
        async with aiosmtplib.SMTP(hostname=host, port=port, start_tls=False) as client:
            try:
                await client.sendmail("system-user@mms.other.example", [to], octets)
            except aiosmtplib.SMTPException:
                continue  # refused, and captured


async def everything_said(made: PhoneLab) -> None:
    for payload in PAYLOADS:
        await from_vasp(made, payload)
        await from_phone(made, payload)
        await from_peer_and_mail(made, payload)
        await made.lab.smsc.originate(PHONE, "4488", payload)
    old = made.phones.one(OLD_PHONE)
    assert old is not None
    phone = made.phones.one(PHONE)
    assert phone is not None
    assert await phone.arrival(lambda one: one.message is not None, 0, 30) is not None


async def watched(chromium: Browser, ran: list[str]) -> Page:
    page = await chromium.new_page()
    await page.expose_function("boom", lambda *what: ran.append(f"{page.url}: {what}"))
    await page.add_init_script(WATCH)

    async def asked(dialog: Dialog) -> None:
        ran.append(f"{page.url}: {dialog.message}")
        await dialog.dismiss()

    page.on("dialog", asked)
    return page


async def look(page: Page, url: str) -> list[str]:
    """Open a page; where its links lead."""
    answer = await page.goto(url, wait_until="load")
    assert answer is not None
    assert answer.status < 500, url
    assert await page.locator("[data-owned]").count() == 0, url
    assert await page.locator("a[href^='javascript:'], [onerror], [onload], iframe, object, embed").count() == 0, url
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    links: list[str] = await page.evaluate("[...document.querySelectorAll('a[href]')].map((a) => a.href)")
    return links


def new_among(links: list[str], url: str, known: set[str]) -> Iterator[str]:
    """Pages of the console behind links, each kind a few times: the same page of another message shows nothing new."""
    for link in links:
        path = link.removeprefix(url).partition("#")[0]
        kind = re.sub(r"\d{4,}|(?<=/)\d+(?=/|$)", "N", path)
        if not link.startswith(url) or FILES.search(path.partition("?")[0]) or path in known:
            continue
        if sum(re.sub(r"\d{4,}|(?<=/)\d+(?=/|$)", "N", one) == kind for one in known) < 4:
            known.add(path)
            yield path


async def test_nothing_of_it_runs_on_any_page(tmp_path: Path) -> None:
    peer = Peer(domain="mms.other.example", host="127.0.0.1", port=9, prefixes=("+1666",))
    ran: list[str] = []
    async with phone_lab(tmp_path, mm4=Mm4(port=0), peer={"other": peer}) as made, browser() as chromium:
        await everything_said(made)
        page = await watched(chromium, ran)
        known, ahead = {"/"}, ["/"]
        while ahead and len(known) < MOST_PAGES:
            ahead += new_among(await look(page, made.url + ahead.pop(0)), made.url, known)
        opened = {one.partition("?")[0].split("/")[1] for one in known}
        assert {"m", "messages", "phones", "captures", "findings", "lanes"} <= opened
        for path in ahead:
            await look(page, made.url + path)
        assert ran == []
        assert await fallbacks(made, page) > 0
        assert ran == []


async def fallbacks(made: PhoneLab, page: Page) -> int:
    """Open the pages behind the fallback SMS; how many."""
    host, port = made.lab.app.listeners["weblink"]
    rows = await made.lab.app.store.fetch("SELECT link_token FROM recipient WHERE link_token IS NOT NULL LIMIT 20")
    for (link,) in rows:
        await look(page, f"http://{host}:{port}/w/{link!s}")
    return len(rows)
