"""A lab whose subscribers have phones, with the console, and a browser that looks at it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from playwright.async_api import Browser, Page, async_playwright

from mmsc.cli.playground import phones as with_phones
from mmsc.lab.media import picture
from mmsc.lab.phones import Phones
from mmsc.settings.model import Console
from protocols import mime
from protocols.content_type import ContentType
from tests.scenarios.conftest import Lab, open_lab
from tests.tools import needs
from tests.weblink.test_browser import FLAGS

Theme: TypeAlias = Literal["light", "dark"]
STORM = b"""<smil><head><layout><root-layout width="320" height="240" background-color="#10242f"/>
<region id="Image" left="0" top="0" width="320" height="180" fit="slice"/>
<region id="Text" left="0" top="180" width="320" height="60" fit="scroll"/></layout></head><body>
<par dur="5s"><img src="cid:storm" region="Image"/><text src="text1.txt" region="Text"/></par>
<par dur="6s"><img src="cid:storm" region="Image"/><text src="text2.txt" region="Text"/><audio src="siren.amr"/></par>
</body></smil>"""
AMR = b"#!AMR\n" + bytes((0x3C, *range(31))) * 100  # two seconds


@dataclass
class PhoneLab:
    """An MMSC with its neighbours, its phones, and where its console is."""

    lab: Lab
    phones: Phones
    url: str
    said: list[str] = field(default_factory=list)


@asynccontextmanager
async def phone_lab(folder: Path, **changes: Any) -> AsyncIterator[PhoneLab]:
    """With the subscribers of `open_lab`. `changes` are sections of the settings."""
    said: list[str] = []
    async with open_lab(folder, console=Console(enabled=True, port=0), **changes) as lab:
        mm1, console = (":".join(map(str, lab.app.listeners[name])) for name in ("mm1", "console"))
        async with with_phones(lab.app, lab.smsc, f"http://{mm1}/", said.append):
            phones = lab.app.control.phones
            assert phones is not None
            yield PhoneLab(lab, phones, f"http://{console}", said)


def storm(*more: mime.OutPart, root: bytes = STORM) -> mime.OutPart:
    """The content of a weather warning: a picture, two texts, a sound, and `more` parts."""
    text = ContentType("text/plain", (("charset", "utf-8"),))
    inner = (
        mime.OutPart(ContentType("application/smil"), root, "smil", "storm.smil"),
        mime.OutPart(ContentType("image/jpeg"), picture(), "storm", "storm.jpg"),
        mime.OutPart(text, b"Storm from Friday 18:00.\nGusts to 28 m/s on the coast.", "t1", "text1.txt"),
        mime.OutPart(text, b"Tie down what is loose. Stay off the piers.", "t2", "text2.txt"),
        mime.OutPart(ContentType("audio/amr"), AMR, "siren", "siren.amr"),
        *more,
    )
    boundary = mime.choose_boundary(inner, "storm")
    parameters = (("type", "application/smil"), ("start", "<smil>"), ("boundary", boundary))
    return mime.OutPart(ContentType("multipart/related", parameters), mime.write_parts(inner, boundary), "content")


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    chromium = needs("chromium")
    async with async_playwright() as browsers:
        made = await browsers.chromium.launch(executable_path=str(chromium), args=list(FLAGS))
        yield made
        await made.close()


@asynccontextmanager
async def opened(browser: Browser) -> AsyncIterator[Browser]:
    """One that others use, too: what is opened meanwhile is closed, before the server ends."""
    try:
        yield browser
    finally:
        for context in browser.contexts:
            await context.close()


async def shot(page: Page, name: str) -> None:
    """A picture, where MMSC_TEST_SCREENSHOTS says."""
    folder = os.environ.get("MMSC_TEST_SCREENSHOTS")
    if folder:
        await page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


async def shown_as(page: Page, width: int, theme: Theme) -> None:
    """The page that is open, or the next one, in another window and by another light."""
    await page.set_viewport_size({"width": width, "height": 900})
    await page.emulate_media(color_scheme=theme)


async def fits(page: Page, name: str, width: int) -> None:
    """Nothing scrolls sideways; and a picture."""
    assert await page.evaluate("document.documentElement.scrollWidth") <= width, name
    await shot(page, name)
