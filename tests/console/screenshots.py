"""`scripts/screenshots`: a lab with something of everything, and a picture of each page of its console."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Browser

from tests.console.browsing import THEMES, WIDTHS, chromium, window
from tests.console.pages import PAGES, Page
from tests.console.world import World, fill_and_jump, world


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("screenshots"), help="where they go")
    parser.add_argument("--page", action="append", help="only this one; again for more")
    parser.add_argument("--width", type=int, action="append", help=f"px; {' and '.join(map(str, WIDTHS))} otherwise")
    parser.add_argument("--empty", action="store_true", help="of a lab in which nothing has happened yet")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_taken(given.folder, given.page or [], given.width or list(WIDTHS), empty=given.empty))


async def _taken(folder: Path, names: list[str], widths: list[int], *, empty: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="mmsc-screenshots-") as state:
        async with world(Path(state)) as made, chromium() as browser:
            if not empty:
                await fill_and_jump(made)
            for page in PAGES:
                if not names or page.name in names:
                    await _one(made, browser, page, folder, widths)


async def _one(made: World, browser: Browser, page: Page, folder: Path, widths: list[int]) -> None:
    try:
        address = await page.address(made)
    except (LookupError, StopIteration, StopAsyncIteration, RuntimeError):  # what an empty lab has not
        print(f"{page.name}: not in this lab")
        return
    for width in widths:
        for theme in THEMES:
            async with window(browser, width, theme) as view:
                await view.goto(made.url + address)
                await view.locator("main").wait_for()
                await view.locator("body:not(:has(#live)), #live[data-is=live]").first.wait_for(state="attached")
                await view.screenshot(path=str(folder / f"{page.name}-{width}-{theme}.png"))
    print(page.name)


if __name__ == "__main__":
    main()
