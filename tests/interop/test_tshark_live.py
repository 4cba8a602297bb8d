"""A day of two MMSCs and their neighbours on real sockets, every octet of it read by tshark: nothing malformed, nothing
worth a warning, and each PDU recognised for what it is."""

import importlib.resources
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import msgspec
import pytest
from aiohttp import web

from mmsc.app import App
from mmsc.lab.handset import Fetching, Handset
from mmsc.lab.smsc import VirtualSmsc
from mmsc.settings.model import Mm1, Mm4, Mm7, Node, NumberSettings, WebLink
from mmsc.settings.neighbours import Peer
from protocols import mime, mm7
from protocols.content_type import ContentType
from protocols.wsp.multipart import Part
from tests.interop.relay import Relay
from tests.interop.tshark import Piece, clean, fields, pcap, read
from tests.scenarios.conftest import OLD_PHONE, OTHER, PHONE, Client, free_port, settings

pytestmark = pytest.mark.interop

FOREIGN = "+16660100123"
HTTP, SMTP, SMPP = 80, 25, 2775  # where tshark expects them
SMIL = b'<smil><body><par dur="5s"><img src="lake.jpg"/><text src="lake.txt"/></par></body></smil>'
JPEG = (importlib.resources.files("mmsc.lab") / "media/lake.jpg").read_bytes()


def lake() -> mime.OutPart:
    """A picture that is one, with SMIL and text: tshark reads those, too."""
    inner = (
        mime.OutPart(ContentType("application/smil"), SMIL, "s", "s.smil"),
        mime.OutPart(ContentType("image/jpeg"), JPEG, "i", "lake.jpg"),
        mime.OutPart(ContentType("text/plain", (("charset", "utf-8"),)), "Grüße vom See".encode(), "t", "lake.txt"),
    )
    parameters = (("type", "application/smil"), ("start", "<s>"), ("boundary", "inner"))
    return mime.OutPart(ContentType("multipart/related", parameters), mime.write_parts(inner, "inner"), "content")


@dataclass
class Wired:
    """Two MMSCs, and a relay on every cable."""

    pieces: list[Piece] = field(default_factory=list)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def relay(self, target: int, shown_port: int) -> int:
        """The port of a new relay to `target`."""
        relay = Relay(self.pieces, shown_port)
        await relay.start(target)
        self.stack.push_async_callback(relay.stop)
        return relay.port

    async def smsc(self) -> tuple[VirtualSmsc, int]:
        """An SMSC, and the port of the relay before it."""
        smsc = VirtualSmsc({"mmsc": "secret"})
        await smsc.start()
        self.stack.push_async_callback(smsc.stop)
        return smsc, await self.relay(smsc.port, SMPP)

    async def mm1(self, port: int) -> Mm1:
        """An MM1 interface that tells handsets its relay's address."""
        return Mm1(port=port, public_url=f"http://127.0.0.1:{await self.relay(port, HTTP)}")

    async def phone(self, number: str, smsc: VirtualSmsc, mm1: Mm1, fetching: Fetching) -> Handset:
        """A handset that knows the relay for its MMSC."""
        phone = await self.stack.enter_async_context(Handset(number, f"{mm1.public_url}/", fetching=fetching))
        smsc.register(number, phone.on_push, phone.on_sms)
        return phone


@pytest.fixture
async def day(tmp_path: Path) -> list[Piece]:
    """What went over the cables in a day: MM7, MM1, SMPP and MM4, with answers, reports and refusals."""
    wired = Wired()
    async with wired.stack:
        await _live(wired, tmp_path)
    return wired.pieces


async def _live(wired: Wired, folder: Path) -> None:
    stack = wired.stack
    session = await stack.enter_async_context(aiohttp.ClientSession())
    vasp = Client("", session)
    runner = web.ServerRunner(web.Server(vasp.take))
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reports = await wired.relay(runner.addresses[0][1], HTTP)
    mm7_port, home_mm4, other_mm4, link_port = free_port(), free_port(), free_port(), free_port()
    (near, near_port), (far, far_port) = await wired.smsc(), await wired.smsc()
    home_mm1, other_mm1 = await wired.mm1(free_port()), await wired.mm1(free_port())
    peer = Peer(domain="mms.other.example", host="127.0.0.1", port=await wired.relay(other_mm4, SMTP))
    home = msgspec.structs.replace(
        settings(folder / "a", near_port, f"http://127.0.0.1:{reports}/"),
        node=Node(name="a", domain="mms.home.example"),
        mm1=home_mm1,
        mm4=Mm4(port=home_mm4),
        mm7=Mm7(port=mm7_port),
        weblink=WebLink(port=link_port, public_url=f"http://127.0.0.1:{await wired.relay(link_port, HTTP)}"),
        peer={"other": msgspec.structs.replace(peer, prefixes=("+1666",))},
    )
    back = Peer(domain="mms.home.example", host="127.0.0.1", port=await wired.relay(home_mm4, SMTP))
    other = msgspec.structs.replace(
        settings(folder / "b", far_port, ""),
        node=Node(name="b", domain="mms.other.example"),
        numbers=NumberSettings(own_prefixes=("+1666",), default_smsc="local"),
        mm1=other_mm1,
        mm4=Mm4(port=other_mm4),
        weblink=WebLink(port=0),
        peer={"home": msgspec.structs.replace(back, prefixes=("+1555",))},
    )
    await stack.enter_async_context(App(home, synchronous="OFF"))
    await stack.enter_async_context(App(other, synchronous="OFF"))
    vasp.url = f"http://127.0.0.1:{await wired.relay(mm7_port, HTTP)}/mm7"
    phones = {
        number: await wired.phone(number, smsc, mm1, fetching)
        for number, smsc, mm1, fetching in (
            (PHONE, near, home_mm1, Fetching.IMMEDIATE),
            (OTHER, near, home_mm1, Fetching.DEFERRED),
            (OLD_PHONE, near, home_mm1, Fetching.NEVER),
            (FOREIGN, far, other_mm1, Fetching.IMMEDIATE),
        )
    }
    for scene in (_vasp_to_all, _handset_to_handset, _refused):
        await scene(vasp, phones)


async def _vasp_to_all(vasp: Client, phones: dict[str, Handset]) -> None:
    """Retrieved at once, deferred, relayed by MM4 and viewed on the web page: a report each."""
    await vasp.submit(*phones, content=lake(), subject="Grüße vom See")
    notification = (await phones[OTHER].until(lambda inbox: bool(inbox.notifications))).notifications[0]
    await phones[OTHER].fetch(notification)
    text = (await phones[OLD_PHONE].until(lambda inbox: bool(inbox.texts))).texts[0]
    link = re.search(r"http://\S+", text)
    assert link is not None
    assert (await phones[OLD_PHONE].open_link(link[0]))[0] == 200
    assert {(await vasp.report()).mm_status for _ in phones} == {"Retrieved"}


async def _handset_to_handset(vasp: Client, phones: dict[str, Handset]) -> None:
    parts = [Part(ContentType("text/plain", (("charset", "utf-8"),)), "Grüße zurück".encode(), "t", "t.txt")]
    for to in (PHONE, FOREIGN):
        sender = phones[OTHER]
        before = len(sender.inbox.reports)
        await sender.send([f"{to}/TYPE=PLMN"], parts, subject="zurück", delivery_report=True)
        await sender.until(lambda inbox, before=before: len(inbox.reports) > before)  # type: ignore[misc]


async def _refused(vasp: Client, phones: dict[str, Handset]) -> None:
    """A Fault, an address error, an m-send-conf with an error, and a GET for nothing."""
    assert (await vasp.post("text/xml", b"<no-soap/>"))[0] == 500
    assert isinstance(await vasp.submit("+19990100123"), mm7.SubmitRsp | mm7.Fault)
    conf = await phones[PHONE].send(["+19990100123/TYPE=PLMN"], [Part(ContentType("text/plain"), b"x", "t")])
    assert conf.response_status is not None
    await phones[PHONE].open_link(f"{phones[PHONE].mmsc_url}m/nothing")


async def test_tshark_understands_the_whole_day(day: list[Piece], tmp_path: Path) -> None:
    path = pcap(tmp_path / "day.pcap", day)
    clean(read(path))
    pdus, commands, headers, tags, octets = fields(
        path, "mmse.message_type", "smpp.command_id", "imf.extension.type", "xml.tag", "image-jfif.marker"
    )
    assert pdus == {f"0x{number:02x}" for number in range(0x80, 0x87)}, "m-send-req to m-delivery-ind"
    for command in (0x09, 0x04, 0x06):  # bind_transceiver, submit_sm, unbind
        assert {f"0x{command:08x}", f"0x{0x80000000 | command:08x}"} <= commands
    assert {"X-Mms-Message-Type", "X-Mms-Request-Status-Code", "X-Mms-MM-Status-Code"} <= headers
    names = {re.split(r"[ >]", tag.lstrip("<"))[0] for tag in tags}
    assert {"SubmitReq", "SubmitRsp", "DeliveryReportReq", "DeliveryReportRsp", "RSErrorRsp"} <= names
    assert octets, "the picture is one"
