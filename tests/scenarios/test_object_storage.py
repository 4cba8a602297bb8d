"""Bodies in object storage: a whole MM through it, and what each neighbour is told while it is away."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mmsc.app import App
from mmsc.lab.handset import Fetching
from mmsc.settings.model import ObjectSettings, StoreSettings
from mmsc.store.core import StoreRefused
from protocols import mime, mm7
from protocols.content_type import ContentType
from tests import s3
from tests.scenarios.conftest import PHONE, Lab, open_lab, picture, settings


class Cable:
    """A TCP relay to the storage that a test can unplug."""

    def __init__(self, to: str) -> None:
        address = urlsplit(to)
        self._to = (address.hostname or "", address.port or 0)
        self._writers: set[asyncio.StreamWriter] = set()
        self._joined: list[asyncio.Future[None]] = []
        self._plugged = True
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def unplug(self) -> None:
        self._plugged = False
        for writer in self._writers:
            writer.transport.abort()

    def plug(self) -> None:
        self._plugged = True

    async def stop(self) -> None:
        self._server.close()
        self.unplug()
        await self._server.wait_closed()
        await asyncio.gather(*self._joined)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._plugged:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(*self._to)
        ends = {writer, back}
        self._writers |= ends
        self._joined += [asyncio.ensure_future(_pour(reader, back)), asyncio.ensure_future(_pour(there, writer))]


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while octets := await reader.read(65536):
            writer.write(octets)
            await writer.drain()
    writer.close()


@pytest.fixture
async def cable() -> AsyncIterator[Cable]:
    cable = Cable(s3.server())
    await cable.start()
    yield cable
    await cable.stop()


@pytest.fixture
async def lab(tmp_path: Path, cable: Cable) -> AsyncIterator[Lab]:
    options = s3.bucket()
    objects = ObjectSettings(
        url=options.url,
        endpoint=f"http://127.0.0.1:{cable.port}",
        access_key_id="test",
        secret_access_key="test",
        smallest_octets=1,
        timeout_seconds=2.0,
    )
    store = StoreSettings(path=str(tmp_path / "mmsc.db"), objects=objects)
    async with open_lab(tmp_path, store=store) as lab:
        yield lab


async def test_the_phone_gets_the_same_octets(lab: Lab) -> None:
    phone = await lab.phone(PHONE, fetching=Fetching.DEFERRED)
    rsp = await lab.vasp.submit(PHONE, content=picture())
    assert isinstance(rsp, mm7.SubmitRsp)
    assert rsp.status.code is mm7.StatusCode.SUCCESS
    assert await lab.app.store.fetch("SELECT body FROM content") == [(None,)]
    await phone.until(lambda inbox: bool(inbox.notifications))
    forget_what_is_remembered(lab)
    await phone.fetch(phone.inbox.notifications[0])
    message = phone.inbox.messages[0]
    assert message.octets_of(message.parts[2]) == bytes(range(256)) * 20
    assert (await lab.vasp.report()).mm_status == "Retrieved"


async def test_while_it_is_away_everybody_is_told_later(lab: Lab, cable: Cable) -> None:
    phone = await lab.phone(PHONE, fetching=Fetching.DEFERRED)
    await lab.vasp.submit(PHONE, content=picture())
    await phone.until(lambda inbox: bool(inbox.notifications))
    forget_what_is_remembered(lab)
    another = mime.OutPart(ContentType("image/jpeg"), bytes(range(255, 0, -1)), "c", "c.jpg")
    cable.unplug()
    refused = await lab.vasp.submit(PHONE, content=another, transaction_id="again")
    assert refused.status.code in (mm7.StatusCode.SERVER_ERROR, mm7.StatusCode.SERVICE_UNAVAILABLE), refused
    await phone.fetch(phone.inbox.notifications[0])
    assert phone.inbox.failures[-1].endswith("HTTP 503")
    cable.plug()
    rsp = await lab.vasp.submit(PHONE, content=another, transaction_id="again")
    assert rsp.status.code is mm7.StatusCode.SUCCESS, "what was refused is tried anew"
    await phone.fetch(phone.inbox.notifications[0])
    assert (await lab.vasp.report()).mm_status == "Retrieved"


async def test_a_storage_that_takes_nothing_is_told_at_the_start(tmp_path: Path) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{one.getsockname()[1]}"
        objects = ObjectSettings(url="s3://b", endpoint=endpoint, timeout_seconds=0.2)
        given = settings(tmp_path, 1, "")
        given = type(given)(store=StoreSettings(path=str(tmp_path / "mmsc.db"), objects=objects))
        with pytest.raises(StoreRefused, match="s3://b takes no objects"):
            async with App(given):
                pass


def forget_what_is_remembered(lab: Lab) -> None:
    """As after a restart: bodies are read anew."""
    lab.app.engine.recent._bodies.clear()
