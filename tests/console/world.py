"""A lab to look at: an MMSC with its console, three VASPs, phones of all tempers, another MMSC and one that is down;
and messages in as many states as there are, each come about over real sockets."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from mmsc.app import App
from mmsc.cli.playground import phones
from mmsc.cli.stage import content
from mmsc.control import Control
from mmsc.lab.handset import Fetching, Handset
from mmsc.lab.phones.phone import Phone
from mmsc.lab.phones.settings import PhoneSettings
from mmsc.lab.smsc import VirtualSmsc
from mmsc.lab.vasp import VirtualVasp
from mmsc.settings import Settings
from mmsc.settings.model import Console, Mm1, Mm4, Mm7, Node, NumberSettings, StoreSettings, Trace, WebLink
from mmsc.settings.neighbours import Peer, Smsc, Subscriber, Vasp
from protocols import mm7

VASPS: Final = {"weather-vasp": "5501", "bank-vasp": "2265", "shop-test": "7000"}
EAGER, SLOW, OLD, SHY, LATER, ABSENT, READER = (
    *("+15550142", "+15550107", "+15550166", "+15550131", "+15550150", "+15550109", "+15550167"),
)
FAR: Final = "+46705550118"
FAR_SHY: Final = "+46705550119"
DEAD: Final = "+47905550101"
_FETCHING: Final = {
    EAGER: Fetching.IMMEDIATE,
    SLOW: Fetching.NEVER,
    SHY: Fetching.REJECT,
    LATER: Fetching.DEFERRED,
    ABSENT: Fetching.NEVER,
}
_FIRST_PORT: Final = 19_000
_DEADLINE_SECONDS: Final = 40.0


@dataclass
class World:
    """What plays."""

    app: App
    url: str
    vasps: dict[str, VirtualVasp]
    said: list[str] = field(default_factory=list)  # by phones

    @property
    def control(self) -> Control:
        """What the console looks at."""
        return self.app.control

    def phone(self, number: str) -> Phone:
        """One of our subscribers'."""
        assert self.control.phones is not None
        found = self.control.phones.one(number)
        assert found is not None, number
        return found

    async def submit(self, vasp: str, *to: str, subject: str = "", **more: Any) -> str:
        """An MM of a VASP; its MessageID."""
        sent = more.pop("content", None) or content()
        answer = await self.vasps[vasp].submit(list(to), subject=subject, content=sent, **more)
        assert answer.status_code < 2000, answer
        return answer.message_id

    async def until(self, happened: Callable[[], Awaitable[bool]]) -> None:
        """Wait until the store says so; looked at whenever something happens."""
        async with asyncio.timeout(_DEADLINE_SECONDS):
            with self.app.bus.watch() as watcher:
                while not await happened():
                    await anext(watcher)

    async def has(self, number: int, state: str) -> bool:
        """Whether at least so many messages have a recipient in this state."""
        found = await self.control.messages.find(limit=500)
        return sum(any(str(one) == state for one in row.states) for row in found.rows) >= number


@asynccontextmanager
async def world(folder: Path, **changes: Any) -> AsyncIterator[World]:
    """An empty one. `changes` are sections of the settings."""
    async with AsyncExitStack() as stack:
        smsc, far_smsc = VirtualSmsc({"mmsc": "secret"}), VirtualSmsc({"mmsc": "secret"})
        for one in (smsc, far_smsc):
            await one.start()
            stack.push_async_callback(one.stop)
        ports = _free_ports(4)
        vasps = {name: await stack.enter_async_context(_vasp(name, ports[0])) for name in VASPS}
        app = await stack.enter_async_context(App(_settings(folder / "home", smsc.port, vasps, ports, changes)))
        far = await stack.enter_async_context(App(_far(folder / "far", far_smsc.port, ports)))
        host, port = app.listeners["console"]
        made = World(app, f"http://{host}:{port}", vasps)
        mm1 = ":".join(map(str, app.listeners["mm1"]))
        await stack.enter_async_context(phones(app, smsc, f"http://{mm1}/", made.said.append))
        for number, fetching in _FETCHING.items():
            made.phone(number).change(PhoneSettings(on_notification=fetching))
        for number, fetching in {FAR: Fetching.IMMEDIATE, FAR_SHY: Fetching.REJECT}.items():
            await _phone(stack, far, far_smsc, number, fetching)
        yield made


async def fill(made: World) -> None:
    """A dozen messages and more, most of them where they end."""
    submit = made.submit
    await submit("bank-vasp", "+15550133", subject="Reminder", EarliestDeliveryTime="P1D")
    await submit("weather-vasp", EAGER, subject="Storm warning, Friday")
    await submit("weather-vasp", SLOW, subject="Storm warning, Friday")
    await submit("weather-vasp", OLD, subject="Storm warning, Friday")
    await submit("bank-vasp", SHY, subject="Your statement")
    await submit("shop-test", DEAD, subject="Order 4471")
    await submit("weather-vasp", LATER, subject="Storm warning, Friday")
    await submit("shop-test", FAR, subject="Order 4468")
    await submit("shop-test", FAR_SHY, subject="Order 4469")
    await submit("weather-vasp", EAGER, SHY, LATER, FAR, subject="Pollen today")
    await submit("bank-vasp", OLD, subject="Your statement", DeliveryCondition={"DC": 1})
    cancelled = await submit("shop-test", SLOW, subject="Order 4470, Grüße aus Åre: a subject that is far too long")
    await _cancel(made, "shop-test", cancelled)
    await submit("weather-vasp", READER, subject="Invoice 20-117")
    await _view_link(made.phone(READER))
    await made.until(lambda: made.has(3, "retrieved"))
    await made.until(lambda: made.has(2, "rejected"))
    await made.until(lambda: made.has(2, "deferred"))
    await made.until(lambda: made.has(1, "notified"))
    await made.until(lambda: made.has(1, "link_viewed"))


async def fill_and_jump(made: World) -> None:
    """The same, one message whose time is over, and the clock an hour ahead."""
    await made.submit("shop-test", ABSENT, subject="Order 4467", expiry="PT1H")
    await fill(made)
    made.app.clock.step(3700)
    await made.until(lambda: made.has(1, "expired"))
    if made.control.faults is not None:
        made.control.faults.set("mm7-request-twice")
    await made.submit("weather-vasp", EAGER, subject="All clear")
    await made.until(lambda: made.has(4, "retrieved"))


async def _view_link(phone: Phone) -> None:
    item = await phone.arrival(lambda one: "http" in one.text, 0, _DEADLINE_SECONDS)
    assert item is not None
    address = next(word for word in item.text.split() if word.startswith("http"))
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        assert response.status == 200


async def _cancel(made: World, vasp: str, message_id: str) -> None:
    """CancelReq, by our own codec."""
    dialect = mm7.dialect(mm7.BASE + mm7.LATEST)
    assert dialect is not None
    request = mm7.CancelReq(vasp_id=vasp.partition("-")[0], message_id=message_id)
    content_type, body = mm7.encode(mm7.Envelope("cancel-1", dialect, request))
    headers = {"Content-Type": content_type, "Authorization": aiohttp.encode_basic_auth(vasp, "secret")}
    async with (
        aiohttp.ClientSession() as session,
        session.post(made.vasps[vasp].url, data=body, headers=headers) as response,
    ):
        answer = mm7.decode(response.headers["Content-Type"], await response.read()).message.message
    assert isinstance(answer, mm7.CancelRsp)
    assert answer.status.code < 2000, answer


def _vasp(name: str, mm7_port: int) -> VirtualVasp:
    return VirtualVasp(
        f"http://127.0.0.1:{mm7_port}/mm7", vasp_id=name.partition("-")[0], username=name, password="secret"
    )


async def _phone(stack: AsyncExitStack, app: App, smsc: VirtualSmsc, number: str, fetching: Fetching) -> None:
    host, port = app.listeners["mm1"]
    phone = await stack.enter_async_context(Handset(number, f"http://{host}:{port}/"))
    phone.fetching = fetching
    smsc.register(number, phone.on_push, phone.on_sms)


def _free_ports(number: int) -> list[int]:
    """Below those that systems give to whoever connects: nobody takes them before the servers do."""
    found: list[int] = []
    for port in range(_FIRST_PORT + os.getpid() % 2000 * 6, 32_000):
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == number:
            break
    return found


def _settings(
    folder: Path, smsc: int, vasps: dict[str, VirtualVasp], ports: list[int], changes: dict[str, Any]
) -> Settings:
    flags = {
        EAGER: "on",
        SLOW: "on",
        OLD: "off",
        SHY: "on",
        LATER: "on",
        ABSENT: "on",
        READER: "off",
        "+15550133": "on",
    }
    given: dict[str, Any] = {
        "node": Node(name="lab-1", domain="mms.lab.example"),
        "store": StoreSettings(path=str(folder / "mmsc.db")),
        "trace": Trace(captures_path=str(folder / "captures")),
        "numbers": NumberSettings(own_prefixes=("+1555",), default_smsc="smsc-a"),
        "mm1": Mm1(port=0),
        "mm4": Mm4(port=ports[1]),
        "mm7": Mm7(port=ports[0]),
        "weblink": WebLink(port=0),
        "console": Console(enabled=True, port=0),
        "vasp": {
            name: Vasp(
                vasp_id=name.partition("-")[0],
                username=name,
                password="secret",
                report_url=vasps[name].report_url,
                short_codes=(code,),
                sender=code,
            )
            for name, code in VASPS.items()
        },
        "peer": {
            "peer-b": Peer(domain="mms.far.example", host="127.0.0.1", port=ports[2], prefixes=("+46",)),
            "peer-down": Peer(domain="mms.down.example", host="127.0.0.1", port=ports[3], prefixes=("+47",)),
        },
        "smsc": {"smsc-a": Smsc(port=smsc, system_id="mmsc", password="secret")},
        "subscriber": {number: Subscriber(mms=flag) for number, flag in flags.items()},  # type: ignore[arg-type]
    }
    return Settings(**{**given, **changes})


def _far(folder: Path, smsc: int, ports: list[int]) -> Settings:
    return Settings(
        node=Node(name="far", domain="mms.far.example"),
        store=StoreSettings(path=str(folder / "mmsc.db")),
        trace=Trace(captures=False),
        numbers=NumberSettings(own_prefixes=("+46",), default_smsc="smsc-b"),
        mm1=Mm1(port=0),
        mm4=Mm4(port=ports[2]),
        mm7=Mm7(enabled=False),
        weblink=WebLink(port=0),
        peer={"home": Peer(domain="mms.lab.example", host="127.0.0.1", port=ports[1], prefixes=("+1555",))},
        smsc={"smsc-b": Smsc(port=smsc, system_id="mmsc", password="secret")},
        subscriber={FAR: Subscriber(mms="on"), FAR_SHY: Subscriber(mms="on")},
    )
