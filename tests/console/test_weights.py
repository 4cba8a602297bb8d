"""What pages weigh (console.md 12), before compression."""

import gzip
import re
from importlib import resources

import aiohttp
import pytest

from tests.console.pages import PAGES
from tests.console.world import World

CSS_OCTETS = 24 * 1024  # the sheet that all pages share, as it goes over the wire
JS_OCTETS = 70 * 1024  # htmx, and what is ours and on every page
OF_A_PAGE_OCTETS = 24 * 1024  # its own scripts, without uPlot
UPLOT_OCTETS = 50 * 1024


def octets(name: str) -> bytes:
    return (resources.files("mmsc.console") / "static" / name).read_bytes()


@pytest.mark.slow
async def test_pages_keep_to_their_budgets(full_world: World) -> None:
    heavy: list[str] = []
    sheets: dict[str, int] = {}
    async with aiohttp.ClientSession() as session:
        for page in PAGES:
            async with session.get(full_world.url + await page.address(full_world)) as response:
                html = await response.text()
            if len(html.encode()) > page.octets:
                heavy.append(f"{page.name}: {len(html.encode()):,} octets of HTML")
            for place in re.findall(r'<link rel="stylesheet" href="([^"]+)"', html):
                async with session.get(full_world.url + place) as response:
                    sheets[place.rpartition("/")[2]] = len(gzip.compress(await response.read()))
            own = sum(len(octets(f"js/{name}")) for name in re.findall(r'src="/static/\w+/js/([\w.-]+)"', html))
            shared = sum(len(octets(f"js/{name}")) for name in ("theme.js", "console.js"))
            if page.name != "login" and own - shared > OF_A_PAGE_OCTETS:
                heavy.append(f"{page.name}: {own - shared:,} octets of scripts of its own")
    assert not heavy, "\n".join(heavy)
    assert sum(sheets.values()) <= CSS_OCTETS, sheets


def test_scripts_of_every_page_keep_to_theirs() -> None:
    folder = resources.files("mmsc.console") / "static" / "vendor"
    vendor = {one.name: len(one.read_bytes()) for one in folder.iterdir()}
    htmx = next(size for name, size in vendor.items() if re.fullmatch(r"htmx-[\d.]+\.min\.js", name))
    uplot = next(size for name, size in vendor.items() if name.startswith("uplot") and name.endswith(".js"))
    assert htmx + len(octets("js/console.js")) + len(octets("js/theme.js")) <= JS_OCTETS
    assert uplot <= UPLOT_OCTETS
