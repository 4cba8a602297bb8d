"""The lab of the tests closes what it opened, also when the test within it fails: else that is told as a leak."""

import asyncio
from pathlib import Path

import pytest

from mmsc.net.listening import CannotListen
from mmsc.settings.model import Mm7
from tests.scenarios.conftest import PHONE, Lab, open_lab


class Failed(Exception):
    """What a test says."""


async def failing(folder: Path, labs: list[Lab]) -> None:
    async with open_lab(folder) as lab:
        labs.append(lab)
        await lab.phone(PHONE)
        raise Failed


async def test_a_test_that_fails_leaves_nothing_open(tmp_path: Path) -> None:
    labs: list[Lab] = []
    with pytest.raises(Failed):
        await failing(tmp_path, labs)
    (lab,) = labs
    places = [*lab.app.listeners.values(), ("127.0.0.1", lab.smsc.port)]
    report_url = lab.app.settings.vasp["news"].report_url
    places.append(("127.0.0.1", int(report_url.rpartition(":")[2].strip("/"))))
    for host, port in places:
        with pytest.raises(ConnectionError):
            await asyncio.open_connection(host, port)
    assert lab.vasp.session.closed


async def test_a_lab_that_cannot_start_leaves_nothing_open(tmp_path: Path) -> None:
    """A leaked socket would fail this test as it ends."""
    async with open_lab(tmp_path / "one") as lab:
        taken = lab.app.listeners["mm7"][1]
        with pytest.raises(CannotListen):
            async with open_lab(tmp_path / "two", mm7=Mm7(port=taken)):
                raise AssertionError("two listen at one port")
