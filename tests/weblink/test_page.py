"""The page behind a fallback SMS, over a real socket: parts, headers, what counts as a view, what never runs."""

import io
import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import aiohttp
import pytest

from mmsc.clock import VirtualClock
from mmsc.domain.address import Address
from mmsc.domain.instant import Instant
from mmsc.domain.message import (
    Content,
    ContentId,
    Interface,
    Mm,
    MmId,
    Origin,
    Part,
    Priority,
    Recipient,
    RecipientId,
    Role,
    Route,
)
from mmsc.domain.states import RecipientState
from mmsc.engine.ports import Gone, GoneBecause, Retrievable
from mmsc.lab.media import picture
from mmsc.net.http import HttpLimits, HttpListener
from mmsc.trace.captures import WireTap
from mmsc.weblink.server import WebLinkServer
from mmsc.weblink.words import ENGLISH, LANGUAGES
from tests.cases import FIXTURES

TOKEN = "abcdefgh12345678"
EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
SMIL = (
    b'<!DOCTYPE smil><smil><body><par><text src="cid:t"/></par>'
    b'<par><img src="l.jpg" onload="document.title=\'owned\'"/><img src="javascript:x()"/></par></body></smil>'
)
PARTS = (
    ("application/smil", "s", "s.smil", SMIL),
    ("image/jpeg", "i", "l.jpg", picture()),
    ("text/plain; charset=utf-16", "t", "", (EVIL + " Grüße").encode("utf-16")),
    ("text/html", "h", "../../<script>.html", EVIL.encode()),
    (
        "image/svg+xml",
        "v",
        "v.svg",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>document.title='owned'</script></svg>",
    ),
    ("image/png", "p", "hill.png", (FIXTURES / "media/hill.png").read_bytes()),
    ("image/gif", "g", '"><script>alert(1)</script>\u202e\r\nX: y.gif', (FIXTURES / "media/hill.gif").read_bytes()),
    ("audio/amr", "a", "\ud800.amr", (FIXTURES / "media/silence.amr").read_bytes()),
)


def retrievable() -> Retrievable:
    parts, body = [], b""
    for media_type, cid, location, octets in PARTS:
        parts.append(Part(media_type, cid, location, len(body), len(octets)))
        body += octets
    start = Instant(1_700_000_000_000_000)
    mm = Mm(
        id=MmId(1), message_id="m1", origin=Origin(Interface.MM7, "v"), sender=Address.of("+15550100"), subject=EVIL,
        message_class="", priority=Priority.NORMAL, delivery_report=True, read_report=False, sender_hidden=False,
        adaptation_allowed=True, shown_to=(), submitted_at=start, date=start, deliver_at=None, expires_at=start,
        foreign_id=None, forward_counter=0, content_id=ContentId(1), content_type="", size=len(body), details={},
    )  # fmt: skip
    recipient = Recipient(
        id=RecipientId(1), mm_id=MmId(1), address=Address.of("+15550101"), role=Role.TO, route=Route.SUBSCRIBER,
        target="s", state=RecipientState.LINK_SENT, state_at=start,
    )  # fmt: skip
    return Retrievable(mm, recipient, Content("", body, tuple(parts)), "t1")


@dataclass
class FakeLinks:
    """Answers with one message, or says why not."""

    answer: Retrievable | Gone = field(default_factory=retrievable)
    views: int = 0

    async def open(self, link_token: str) -> Retrievable | Gone:
        return self.answer if link_token == TOKEN else Gone(GoneBecause.UNKNOWN)

    async def viewed(self, retrievable: Retrievable) -> None:
        self.views += 1


@asynccontextmanager
async def page(links: FakeLinks, *, tap: bool = False) -> AsyncIterator[str]:
    clock = VirtualClock()
    server = WebLinkServer(links, clock, view_needs_tap=lambda: tap)
    listener = HttpListener(
        server.handle, "127.0.0.1", 0, HttpLimits(stop_seconds=1.0), WireTap("weblink", None, clock)
    )
    await listener.start()
    try:
        yield f"http://127.0.0.1:{listener.port}/w/{TOKEN}"
    finally:
        await listener.stop()


async def ask(
    url: str, method: str = "GET", agent: str = "Mozilla/5.0", **more: str
) -> tuple[int, bytes, dict[str, str]]:
    headers = {"User-Agent": agent, **more}
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers) as response:
        return response.status, await response.read(), dict(response.headers)


async def test_slides_come_in_smil_order_and_text_is_escaped() -> None:
    async with page(FakeLinks()) as url:
        status, body, headers = await ask(url)
    text = body.decode()
    assert status == 200
    assert text.index("Grüße") < text.index('<img src="/w/abcdefgh12345678/part/1"') < text.index('part/5" alt=')
    assert "From +15550100, 14 November, 22:13 UTC. Kept until 14 November." in text
    assert "<script" not in text
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]


@pytest.mark.parametrize("number", range(len(PARTS)))
async def test_each_part_octet_for_octet_and_harmless(number: int) -> None:
    async with page(FakeLinks()) as url:
        status, body, headers = await ask(f"{url}/part/{number}")
    assert (status, body) == (200, PARTS[number][3])
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    name = headers["Content-Disposition"].partition("; ")[2]
    assert not set("<>/\\") & set(name)
    assert "X" not in headers
    if PARTS[number][0].startswith(("text", "application", "image/svg")):
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("method", "agent", "views"),
    [
        ("GET", "Mozilla/5.0", 1),
        ("GET", "Mozilla/5.0 (Linux; Android 9; CUBOT X20) Chrome/120.0", 1),
        ("GET", "Mozilla/5.0 (iPhone) [LinkedInApp]", 1),
        ("HEAD", "Mozilla/5.0", 0),
        ("GET", "WhatsApp/2.1", 0),
        ("GET", "Twitterbot/1.0", 0),
        ("GET", "facebookexternalhit/1.1 Facebot Twitterbot/1.0", 0),
        ("GET", "Slackbot-LinkExpanding 1.0", 0),
    ],
)
async def test_what_counts_as_a_view(method: str, agent: str, views: int) -> None:
    links = FakeLinks()
    async with page(links) as url:
        assert (await ask(url, method, agent))[0] == 200
    assert links.views == views


@pytest.mark.parametrize("name", ["Purpose", "Sec-Purpose"])
async def test_a_page_that_is_fetched_ahead_is_no_view(name: str) -> None:
    links = FakeLinks()
    async with page(links) as url:
        assert (await ask(url, **{name: "prefetch;prerender"}))[0] == 200
    assert links.views == 0


async def test_everything_in_one_file_octet_for_octet() -> None:
    async with page(FakeLinks()) as url:
        status, body, headers = await ask(f"{url}/all")
    assert (status, headers["Content-Type"]) == (200, "application/zip")
    assert headers["Content-Disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        assert [file.read(name) for name in file.namelist()] == [octets for *_, octets in PARTS]
        assert len(set(file.namelist())) == len(PARTS)
        assert not any(set("/\\<>") & set(name) or name.startswith(".") for name in file.namelist())


async def test_names_that_are_the_same_are_told_apart_in_one_file() -> None:
    parts = tuple(Part("text/plain", f"{number}", "A.txt", number, 1) for number in range(3))
    found = replace(retrievable(), content=Content("", b"xyz", parts))
    async with page(FakeLinks(found)) as url:
        _, body, _ = await ask(f"{url}/all")
    with zipfile.ZipFile(io.BytesIO(body)) as file:
        assert file.namelist() == ["A.txt", "2 A.txt", "3 A.txt"]


@pytest.mark.parametrize(
    ("header", "language", "words"),
    [
        ("", "en", "Save everything"),
        ("de-AT,de;q=0.9,en;q=0.5", "de", "Alles speichern"),
        ("xx, en;q=0.3, fr;q=0.8", "fr", "Tout enregistrer"),
        ("de;q=0, de;q=x, ;;,", "en", "Save everything"),
        ("de;q=" + "9" * 10_000, "en", "Save everything"),
    ],
)
async def test_the_readers_language(header: str, language: str, words: str) -> None:
    """RFC 9110 12.5.4."""
    async with page(FakeLinks()) as url:
        _, body, headers = await ask(url, **{"Accept-Language": header})
    assert f'<html lang="{language}">' in body.decode()
    assert words in body.decode()
    assert (headers["Content-Language"], headers["Vary"]) == (language, "Accept-Language")


def test_every_language_says_everything() -> None:
    for words in LANGUAGES.values():
        assert list(words) == list(ENGLISH)
        assert len(words["months"].split()) == 12
        for key, text in words.items():
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", ENGLISH[key])), key


async def test_the_page_is_small_before_its_media() -> None:
    octets = 0
    async with page(FakeLinks()) as url:
        for one in (url, url.replace(TOKEN, "style.css")):
            octets += len((await ask(one))[1])
    assert octets < 6000


async def test_a_part_on_every_slide_does_not_make_the_page_endless() -> None:
    smil = b"<smil><body>" + b'<par><text src="t"/></par>' * 200 + b"</body></smil>"
    text = b"&" * 20_000
    parts = (Part("application/smil", "s", "", 0, len(smil)), Part("text/plain", "t", "t", len(smil), len(text)))
    found = replace(retrievable(), content=Content("", smil + text, parts))
    async with page(FakeLinks(found)) as url:
        _, body, _ = await ask(url)
    assert len(body) < 600_000


async def test_with_a_tap_only_the_button_counts() -> None:
    links = FakeLinks()
    async with page(links, tap=True) as url:
        form = (await ask(url))[1]
        assert b'method="post"' in form
        assert b"/part/" not in form
        assert links.views == 0
        assert b"/part/" in (await ask(url, "POST"))[1]
    assert links.views == 1


@pytest.mark.parametrize("because", list(GoneBecause))
async def test_what_is_gone_says_so_plainly(because: GoneBecause) -> None:
    async with page(FakeLinks(Gone(because))) as url:
        status, body, headers = await ask(url)
    assert status == {GoneBecause.UNKNOWN: 404, GoneBecause.STORE_AWAY: 503}.get(because, 410)
    assert b"<h1>" in body
    assert "Content-Security-Policy" in headers


async def test_what_expired_says_when() -> None:
    async with page(FakeLinks(Gone(GoneBecause.EXPIRED, kept_until=Instant(1_700_000_000_000_000)))) as url:
        _, body, _ = await ask(url)
    assert b"<h1>This message was kept until 14 November.</h1>" in body


async def test_another_method_is_refused() -> None:
    async with page(FakeLinks()) as url:
        status, _, headers = await ask(url, "DELETE")
    assert (status, headers["Allow"]) == (405, "GET, HEAD, POST")
