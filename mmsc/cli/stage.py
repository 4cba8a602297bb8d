"""The demonstration's stage: two MMSCs, an SMSC each, a VASP and handsets, all over real sockets on loopback; and the
ladder that tells what passes between them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mmsc.app import App
from mmsc.lab.handset import Handset
from mmsc.lab.media import picture
from mmsc.lab.smsc import VirtualSmsc
from mmsc.lab.vasp import VirtualVasp
from mmsc.settings import Settings
from mmsc.settings.model import Mm1, Mm4, Mm7, Node, NumberSettings, StoreSettings, Trace, WebLink
from mmsc.settings.neighbours import Peer, Smsc, Subscriber, Vasp
from mmsc.trace import events as trace
from protocols import mime, smil
from protocols.content_type import ContentType
from protocols.mm1 import Pdu

HOME_PHONES: Final = {"+15550100001": "on", "+15550100002": "on", "+15550100003": "on", "+15550100009": "off"}
FAR_PHONE: Final = "+16660100001"
TEXT: Final = "The lake, this evening."


class Ladder:
    """Prints who sent what to whom, as it happens."""

    def __init__(self, echo: Callable[[str], None]) -> None:
        self._echo = echo

    def arrow(self, source: str, target: str, what: str, detail: str = "") -> None:
        """One PDU."""
        self._echo(f"    {source:>11} ──▶ {target:<11} {what:<28} {detail}".rstrip())

    def note(self, text: str) -> None:
        """Something that is no PDU."""
        self._echo(f"    {'':>11}     {text}")

    def vasp(self, direction: str, name: str, detail: str) -> None:
        """What the VASP sends and gets."""
        if direction == "out":
            self.arrow("VASP", "MMSC", name, detail)
        else:
            self.arrow("MMSC", "VASP", name, detail)

    def handset(self, who: str, mmsc: str) -> Callable[[str, Pdu], None]:
        """What a handset sends and gets."""

        def watch(direction: str, pdu: Pdu) -> None:
            name = pdu.message_type.name.lower().replace("_", "-")
            status = getattr(pdu, "status", None) or getattr(pdu, "response_status", None)
            detail = status.name.capitalize() if status is not None else ""
            if direction == "out":
                self.arrow(who, mmsc, name, detail)
            else:
                self.arrow("SMSC" if direction == "push" else mmsc, who, name, detail)

        return watch

    def event(self, mmsc: str, other: str, event: trace.Event) -> None:
        """What the MMSCs say about MM4 and SMS."""
        match event.data:
            case trace.MmAccepted() if event.data.interface == "mm4":
                self.arrow(other, mmsc, "MM4_forward.REQ", event.data.message_id)
            case trace.ForwardAnswered():
                self.arrow(other, mmsc, "MM4_forward.RES", "Ok" if event.data.ok else event.data.because)
            case trace.RecipientMoved() if event.data.happening.startswith("peer_"):
                self.arrow(other, mmsc, "MM4_delivery_report.REQ", event.data.after.capitalize())
            case trace.LinkSent():
                self.arrow(mmsc, "handset", "SMS with a web link")
            case _:
                return


@dataclass
class Stage:
    """Everything that plays."""

    home: App
    far: App
    smsc: VirtualSmsc
    far_smsc: VirtualSmsc
    vasp: VirtualVasp
    ladder: Ladder
    phones: dict[str, Handset] = field(default_factory=dict)

    @property
    def mm1_url(self) -> str:
        """Where handsets post to."""
        host, port = self.home.listeners["mm1"]
        return f"http://{host}:{port}/"


def content() -> mime.OutPart:
    """SMIL, a text and the picture."""
    slide = smil.Slide(5000, (smil.Medium("image", "lake.jpg", "Image"), smil.Medium("text", "text.txt", "Text")))
    parts = (
        mime.OutPart(ContentType("application/smil"), smil.build([slide]), "smil", "slides.smil"),
        mime.OutPart(ContentType("text/plain", (("charset", "utf-8"),)), TEXT.encode(), "text", "text.txt"),
        mime.OutPart(ContentType("image/jpeg"), picture(), "lake", "lake.jpg"),
    )
    boundary = mime.choose_boundary(parts, "demo")
    parameters = (("type", "application/smil"), ("start", "<smil>"), ("boundary", boundary))
    return mime.OutPart(ContentType("multipart/related", parameters), mime.write_parts(parts, boundary), "content")


@asynccontextmanager
async def set_up(folder: Path, echo: Callable[[str], None]) -> AsyncIterator[Stage]:
    """Start everything; stop it in reverse."""
    ladder = Ladder(echo)
    async with AsyncExitStack() as stack:
        smsc, far_smsc = VirtualSmsc({"mmsc": "secret"}), VirtualSmsc({"mmsc": "secret"})
        for one in (smsc, far_smsc):
            await one.start()
            stack.push_async_callback(one.stop)
        mm7_port, home_mm4, far_mm4 = (_free_port() for _ in range(3))
        vasp = VirtualVasp(
            f"http://127.0.0.1:{mm7_port}/mm7",
            vasp_id="demo",
            username="demo",
            password="secret",
            watch=ladder.vasp,
        )
        await stack.enter_async_context(vasp)
        home = await stack.enter_async_context(
            App(_home(folder / "home", smsc.port, vasp.report_url, mm7_port, home_mm4, far_mm4))
        )
        far = await stack.enter_async_context(App(_far(folder / "far", far_smsc.port, far_mm4, home_mm4)))
        stage = Stage(home, far, smsc, far_smsc, vasp, ladder)
        for app, name, other in ((home, "MMSC", "other MMSC"), (far, "other MMSC", "MMSC")):
            watching = asyncio.create_task(_watch(app, name, other, ladder))
            stack.callback(watching.cancel)
        for number in HOME_PHONES:
            await _phone(stack, stage, number, home, smsc, "MMSC")
        await _phone(stack, stage, FAR_PHONE, far, far_smsc, "other MMSC")
        yield stage


async def _watch(app: App, name: str, other: str, ladder: Ladder) -> None:
    with app.bus.watch() as watcher:
        async for event in watcher:
            ladder.event(name, other, event)


async def _phone(stack: AsyncExitStack, stage: Stage, number: str, app: App, smsc: VirtualSmsc, mmsc: str) -> None:
    host, port = app.listeners["mm1"]
    phone = Handset(number, f"http://{host}:{port}/", watch=stage.ladder.handset(f"{number[:5]}…{number[-4:]}", mmsc))
    await stack.enter_async_context(phone)
    smsc.register(number, phone.on_push, phone.on_sms)
    stage.phones[number] = phone


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _home(folder: Path, smsc: int, report_url: str, mm7_port: int, mm4_port: int, far_mm4: int) -> Settings:
    return Settings(
        node=Node(name="home", domain="mms.home.example"),
        store=StoreSettings(path=str(folder / "mmsc.db")),
        trace=Trace(captures_path=str(folder / "captures")),
        numbers=NumberSettings(own_prefixes=("+1555",), default_smsc="lab"),
        mm1=Mm1(port=0),
        mm4=Mm4(port=mm4_port),
        mm7=Mm7(port=mm7_port),
        weblink=WebLink(port=0),
        vasp={
            "demo": Vasp(
                vasp_id="demo", username="demo", password="secret", report_url=report_url, short_codes=("7255",)
            )
        },
        peer={"far": Peer(domain="mms.far.example", host="127.0.0.1", port=far_mm4, prefixes=("+1666",))},
        smsc={"lab": Smsc(port=smsc, system_id="mmsc", password="secret")},
        subscriber={number: Subscriber(mms=flag) for number, flag in HOME_PHONES.items()},  # type: ignore[arg-type]
    )


def _far(folder: Path, smsc: int, mm4_port: int, home_mm4: int) -> Settings:
    return Settings(
        node=Node(name="far", domain="mms.far.example"),
        store=StoreSettings(path=str(folder / "mmsc.db")),
        trace=Trace(captures_path=str(folder / "captures")),
        numbers=NumberSettings(own_prefixes=("+1666",), default_smsc="lab"),
        mm1=Mm1(port=0),
        mm4=Mm4(port=mm4_port),
        mm7=Mm7(enabled=False),
        weblink=WebLink(port=0),
        peer={"home": Peer(domain="mms.home.example", host="127.0.0.1", port=home_mm4, prefixes=("+1555",))},
        smsc={"lab": Smsc(port=smsc, system_id="mmsc", password="secret")},
        subscriber={FAR_PHONE: Subscriber(mms="on")},
    )
