"""What the built-in SMSC and its phones do wrong on purpose: faults, and magic numbers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from mmsc.lab.faulty_smsc import FaultySmsc
from mmsc.lab.magic_phones import MagicPhones
from mmsc.lab.smsc import VirtualSmsc

if TYPE_CHECKING:
    from mmsc.app import App


@asynccontextmanager
async def wrongdoing(app: "App", smsc: VirtualSmsc | None, mm1_url: str) -> AsyncIterator[None]:
    """The server's faults hold at its SMSC, and magic numbers have phones. To be entered behind other phones."""
    if smsc is None:
        yield
        return
    smsc.faults = FaultySmsc(app.faults)
    async with MagicPhones(smsc, mm1_url, app.faults.outcome):
        yield
    smsc.faults = None
