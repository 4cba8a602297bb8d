"""A lab with its console, for the pages of captures."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from mmsc.settings.model import Console
from tests.scenarios.conftest import PHONE, Lab, open_lab, picture


@asynccontextmanager
async def console_lab(folder: Path, **changes: object) -> AsyncIterator[tuple[Lab, str]]:
    """The lab, and where its console is."""
    async with open_lab(folder, **{"console": Console(enabled=True, port=0), **changes}) as lab:
        host, port = lab.app.listeners["console"]
        yield lab, f"http://{host}:{port}"


async def one_story(lab: Lab, *, content: object = None) -> int:
    """A VASP's MM that is retrieved and reported; its number."""
    phone = await lab.phone(PHONE)
    await lab.vasp.submit(PHONE, content=content or picture(), subject="Grüße")  # type: ignore[arg-type]
    await phone.until(lambda inbox: bool(inbox.messages))
    await lab.vasp.report()
    row = await lab.app.store.fetch_one("SELECT max(id) FROM mm")
    assert row is not None
    return int(str(row[0]))
