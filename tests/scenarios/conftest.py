"""A whole MMSC with its neighbours, over real sockets on loopback."""

import asyncio
import base64
import io
import random
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import web

from mmsc.app import App
from mmsc.lab.handset import Handset
from mmsc.lab.smsc import VirtualSmsc
from mmsc.settings import Settings
from mmsc.settings.model import Mm1, Mm3, Mm4, Mm7, NumberSettings, StoreSettings, Trace, WebLink
from mmsc.settings.neighbours import Smsc, Subscriber, Vasp
from protocols import mime, mm7
from protocols.content_type import ContentType

PHONE = "+15550100123"
OTHER = "+15550100124"
OLD_PHONE = "+15550100900"
LATEST = mm7.dialect(mm7.BASE + mm7.LATEST)
CREDENTIALS = {"Authorization": "Basic " + base64.b64encode(b"news:secret").decode()}


@dataclass
class Client:
    """A VASP on our own codec: submits, and listens for reports."""

    url: str
    session: aiohttp.ClientSession
    reports: "asyncio.Queue[mm7.DeliveryReportReq]" = field(default_factory=asyncio.Queue)
    deliveries: "asyncio.Queue[mm7.DeliverReq]" = field(default_factory=asyncio.Queue)
    report_ids: list[str] = field(default_factory=list)
    number: int = 0
    statuses: "list[mm7.Status]" = field(default_factory=list)  # of the next answers to reports; then 1000

    async def submit(
        self, *to: str, content: mime.OutPart | None = None, transaction_id: str = "", **fields: object
    ) -> mm7.SubmitRsp | mm7.Fault:
        self.number += 1
        addresses = tuple(mm7.Address(one) for one in to)
        values: dict[str, object] = {"vasp_id": "news", "to": addresses, "delivery_report": True, **fields}
        if content is not None:
            values["content_href"] = f"cid:{content.content_id}"
        request = mm7.SubmitReq(**values)  # type: ignore[arg-type]
        assert LATEST is not None
        envelope = mm7.Envelope(transaction_id or f"t{self.number}", LATEST, request)
        if content is None:
            content_type, body = mm7.encode(envelope)
        else:
            content_type, body = mm7.encode_with_content(envelope, content, "seed")
        _, answer = await self.post(content_type, body)
        assert isinstance(answer, mm7.SubmitRsp | mm7.Fault)
        return answer

    async def post(self, content_type: str, body: bytes, **headers: str) -> tuple[int, mm7.Message | None]:
        sent = {**CREDENTIALS, "Content-Type": content_type, "SOAPAction": '""', **headers}
        async with self.session.post(self.url, data=io.BytesIO(body), headers=sent) as response:
            octets = await response.read()
            if not octets:
                return response.status, None
            return response.status, mm7.decode(response.headers["Content-Type"], octets).message.message

    async def report(self) -> mm7.DeliveryReportReq:
        async with asyncio.timeout(15):
            return await self.reports.get()

    async def take(self, request: web.BaseRequest) -> web.Response:
        decoded = mm7.decode(request.headers["Content-Type"], await request.read()).message
        assert isinstance(decoded.message, mm7.DeliveryReportReq | mm7.DeliverReq)
        status = mm7.Status(mm7.StatusCode.SUCCESS, "Success")
        rsp: mm7.Message
        if isinstance(decoded.message, mm7.DeliverReq):
            self.deliveries.put_nowait(decoded.message)
            rsp = mm7.DeliverRsp(status=status)
        else:
            self.report_ids.append(decoded.transaction_id)
            self.reports.put_nowait(decoded.message)
            rsp = mm7.DeliveryReportRsp(status=self.statuses.pop(0) if self.statuses else status)
        content_type, body = mm7.encode(mm7.Envelope(decoded.transaction_id, decoded.dialect, rsp))
        return web.Response(body=body, headers={"Content-Type": content_type})


@dataclass
class Lab:
    """Everything."""

    app: App
    smsc: VirtualSmsc
    vasp: Client
    phones: dict[str, Handset]

    async def phone(self, number: str, **behaviour: object) -> Handset:
        host, port = self.app.listeners["mm1"]
        phone = Handset(number, f"http://{host}:{port}/", **behaviour)  # type: ignore[arg-type]
        await phone.__aenter__()
        self.phones[number] = phone
        self.smsc.register(number, phone.on_push, phone.on_sms)
        return phone


def settings(folder: Path, smsc_port: int, report_url: str) -> Settings:
    return Settings(
        store=StoreSettings(path=str(folder / "mmsc.db")),
        trace=Trace(captures_path=str(folder / "captures")),
        numbers=NumberSettings(own_prefixes=("+1555",), default_smsc="local"),
        mm1=Mm1(port=0),
        mm3=Mm3(enabled=True, port=0),
        mm4=Mm4(enabled=False),
        mm7=Mm7(port=0),
        weblink=WebLink(port=0),
        vasp={
            "news": Vasp(
                vasp_id="news", username="news", password="secret", report_url=report_url, short_codes=("4488",)
            )
        },
        smsc={"local": Smsc(port=smsc_port, system_id="mmsc", password="secret")},
        subscriber={PHONE: Subscriber(mms="on"), OTHER: Subscriber(mms="on"), OLD_PHONE: Subscriber(mms="off")},
    )


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(tmp_path) as lab:
        yield lab


@asynccontextmanager
async def open_lab(folder: Path, **changes: object) -> AsyncIterator[Lab]:
    """`changes` are sections of the settings."""
    async with AsyncExitStack() as stack:
        smsc = VirtualSmsc({"mmsc": "secret"})
        stack.push_async_callback(smsc.stop)
        await smsc.start()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        vasp = Client("", session)
        runner = web.ServerRunner(web.Server(vasp.take))
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        given = msgspec.structs.replace(settings(folder, smsc.port, f"http://127.0.0.1:{port}/"), **changes)
        app = await stack.enter_async_context(App(given, synchronous="OFF"))
        host, mm7_port = app.listeners["mm7"]
        vasp.url = f"http://{host}:{mm7_port}/mm7"
        lab = Lab(app, smsc, vasp, {})
        stack.push_async_callback(_hang_up, lab.phones)
        yield lab


async def _hang_up(phones: Mapping[str, Handset]) -> None:
    """All of them, also when one does not."""
    async with AsyncExitStack() as stack:
        for phone in phones.values():
            stack.push_async_exit(phone)


def free_port() -> int:
    """A port that nobody listens on, below those that systems give to outgoing connections: one of these could take it
    before it is listened on."""
    while True:
        port = random.randrange(10_240, 32_768)
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port


def picture() -> mime.OutPart:
    """A nested content: SMIL, text and octets of every value."""
    inner = (
        mime.OutPart(ContentType("application/smil"), b"<smil/>", "s"),
        mime.OutPart(ContentType("text/plain", (("charset", "utf-8"),)), "Grüße".encode(), "t", "t.txt"),
        mime.OutPart(ContentType("image/jpeg"), bytes(range(256)) * 20, "i", "i.jpg"),
    )
    boundary = mime.choose_boundary(inner, "inner")
    parameters = (("type", "application/smil"), ("start", "<s>"), ("boundary", boundary))
    return mime.OutPart(ContentType("multipart/related", parameters), mime.write_parts(inner, boundary), "content")
