"""A small MMSC that answers what a test tells it to, over real sockets, and handsets that use it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from mmsc.lab.handset import Handset
from protocols import mm1
from protocols.content_type import ContentType
from protocols.mm1 import MNotificationInd, Moment, MRetrieveConf, Pdu
from protocols.wsp.multipart import Part, encode_multipart
from protocols.wsp.push import MMS_MESSAGE, mms_push

NUMBER = "+15550100123"
SENDER = "+15550100456/TYPE=PLMN"
NOW = 1_700_000_000
MIXED = ContentType("application/vnd.wap.multipart.mixed")
PARTS = (Part(ContentType("text/plain", (("charset", "utf-8"),)), b"hello", "t1", "t1.txt"),)


@dataclass
class Heard:
    """A request that the MMSC got."""

    target: str
    headers: dict[str, str]
    pdu: Pdu | None


@dataclass
class FakeMmsc:
    """`files` are what is behind paths; `confs` what a PDU is answered with: octets, a status, or a function of it."""

    url: str = ""
    files: dict[str, bytes | int] = field(default_factory=dict)
    confs: dict[type[Pdu], Callable[[Any], Pdu | bytes] | int] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        pdu = mm1.decode(body).message if body else None
        target = request.raw_path
        self.heard.append(Heard(target, dict(request.headers), pdu))
        self.news.set()
        if pdu is None:
            found = self.files.get(request.path, 404)
            return web.Response(status=found) if isinstance(found, int) else _answer(found)
        conf = self.confs.get(type(pdu), 200)
        if isinstance(conf, int):
            return web.Response(status=conf, text="as told" if conf != 200 else "")
        made = conf(pdu)
        return _answer(made if isinstance(made, bytes) else mm1.encode(made))

    def pdus(self) -> list[Pdu]:
        """Those that were posted, in order."""
        return [one.pdu for one in self.heard if one.pdu is not None]

    async def until(self, came: Callable[[list[Pdu]], bool]) -> list[Pdu]:
        """Wait for PDUs."""
        async with asyncio.timeout(10):
            while not came(self.pdus()):
                self.news.clear()
                await self.news.wait()
        return self.pdus()

    def offer(self, name: str = "m1", **fields: Any) -> MNotificationInd:
        """An MM at this path, and its notification."""
        self.files[f"/m/{name}"] = mm1.encode(retrieve_conf(**fields))
        return notification(f"{self.url}m/{name}")


def _answer(octets: bytes) -> web.Response:
    return web.Response(body=octets, content_type=MMS_MESSAGE)


def notification(location: str, **fields: Any) -> MNotificationInd:
    given: dict[str, Any] = {
        "transaction_id": "N1",
        "message_class": mm1.MessageClass.PERSONAL,
        "message_size": 1000,
        "expiry": Moment(3600),
        "content_location": location,
    }
    return MNotificationInd(**(given | fields))


def retrieve_conf(**fields: Any) -> MRetrieveConf:
    given: dict[str, Any] = {
        "transaction_id": "R1",
        "message_id": "id-1@mmsc.example",
        "date": NOW,
        "from_": SENDER,
        "content_type": MIXED,
        "body": encode_multipart(PARTS),
    }
    return MRetrieveConf(**(given | fields))


def pushed(pdu: Pdu) -> bytes:
    return mms_push(1, mm1.encode(pdu))


@asynccontextmanager
async def fake_mmsc() -> AsyncIterator[FakeMmsc]:
    mmsc = FakeMmsc()
    runner = web.ServerRunner(web.Server(mmsc.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    mmsc.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield mmsc
    await runner.cleanup()


@pytest.fixture
async def mmsc() -> AsyncIterator[FakeMmsc]:
    async with fake_mmsc() as one:
        yield one


MakeHandset = Callable[..., Any]


@pytest.fixture
async def handset(mmsc: FakeMmsc) -> AsyncIterator[MakeHandset]:
    """A function that switches a handset on; `pause` waits for nothing unless the test says otherwise."""
    async with AsyncExitStack() as stack:

        async def made(**options: Any) -> Handset:
            given = {"now": lambda: NOW, "pause": no_pause} | options
            return await stack.enter_async_context(Handset(NUMBER, mmsc.url, **given))

        yield made


async def no_pause(seconds: float) -> None:
    await asyncio.sleep(0)
