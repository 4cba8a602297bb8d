"""The neighbours that a server without neighbours gets to play with: an SMSC, a phone for each subscriber, and
the VASP `demo`; and what programs do with them.

They are those of `mmsc.lab`, speak over sockets like anybody else, and say in a line what they got.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from mmsc.control.neighbours import Neighbours
from mmsc.control.scenarios import Scenarios
from mmsc.domain.neighbours import MmsFlag, Subscriber
from mmsc.lab.handset_inbox import Item, Message, News
from mmsc.lab.mm7_words import printable
from mmsc.lab.phones import Phones
from mmsc.lab.smsc import VirtualSmsc
from mmsc.lab.vasp_driven import DrivenVasp, Got
from mmsc.net.listening import listening
from mmsc.settings import DEMO_VASP, Settings, is_loopback
from protocols.mm1 import MDeliveryInd, MReadOrigInd
from protocols.wsp.multipart import PartIndex

if TYPE_CHECKING:
    from mmsc.app import App

BUILT_IN: Final = "builtin"
_SHOWN_CHARACTERS: Final = 200

Announce = Callable[[str], None]


@asynccontextmanager
async def built_in_smsc(settings: Settings) -> AsyncIterator[tuple[VirtualSmsc | None, Settings]]:
    """The built-in SMSC, if the settings want one, and the settings with its port in `[smsc.builtin]`."""
    if not settings.builtin_smsc.enabled:
        yield None, settings
        return
    smsc = VirtualSmsc({one.system_id: one.password for name, one in settings.smsc.items() if name == BUILT_IN})
    with listening("builtin_smsc", settings.builtin_smsc.host, settings.builtin_smsc.port):
        await smsc.start(settings.builtin_smsc.host, settings.builtin_smsc.port)
    try:
        yield smsc, rebound(smsc, settings)
    finally:
        await smsc.stop()


def rebound(smsc: VirtualSmsc | None, settings: Settings) -> Settings:
    """The settings with the port that the built-in SMSC has; it knows the accounts of these settings from now on."""
    if smsc is None:
        return settings
    smsc.accounts = {one.system_id: one.password for name, one in settings.smsc.items() if name == BUILT_IN}
    port = smsc.port
    bound = {
        name: msgspec.structs.replace(one, port=port) if name == BUILT_IN else one
        for name, one in settings.smsc.items()
    }
    return msgspec.structs.replace(settings, smsc=bound)


@asynccontextmanager
async def phones(app: "App", smsc: VirtualSmsc | None, mm1_url: str, announce: Announce) -> AsyncIterator[None]:
    """A phone for each subscriber, switched on at the built-in SMSC; what they get is said."""
    if smsc is None or not mm1_url:
        yield
        return
    known = app.engine.neighbours

    def subscribers() -> Iterator[tuple[str, bool]]:
        return (_number_and_mms(one) for one in known.listed())

    def subscriber(digits: str) -> tuple[str, bool] | None:
        found = known.listed_one(f"+{digits}")
        return None if found is None else _number_and_mms(found)

    def told(number: str, news: News, item: Item) -> None:
        said = _said(news, item)
        if said:
            line = "".join(char if char.isprintable() else " " for char in said)
            announce(f"handset {number}: {line}")

    async with Phones(smsc, mm1_url, app.clock, subscribers, subscriber, told) as app.control.phones:
        yield
    app.control.phones = None


def _number_and_mms(one: Subscriber) -> tuple[str, bool]:
    return one.address.value, one.mms is not MmsFlag.OFF


@asynccontextmanager
async def vasps(settings: Settings, mm7_url: str, announce: Announce) -> AsyncIterator[dict[str, DrivenVasp]]:
    """The VASP `demo`, where its `report_url` is on this host; what it gets is said. It submits also when nobody but
    somebody else can listen there."""
    given = settings.vasp.get(DEMO_VASP)
    address = urlsplit(given.report_url) if given is not None else urlsplit("")
    playing = settings.builtin_smsc.enabled and mm7_url and address.port and is_loopback(address.hostname or "")
    if given is None or not playing:
        yield {}
        return
    sender = given.sender or next(iter(given.short_codes), "")
    vasp = DrivenVasp(
        mm7_url,
        vasp_id=given.vasp_id,
        username=given.username,
        password=given.password,
        sender=sender,
        port=address.port or 0,
    )
    vasp.watch.append(lambda got: announce(f"VASP {DEMO_VASP}: {_heard(got)}"))
    try:
        await vasp.start()
    except OSError as error:
        announce(f"VASP {DEMO_VASP}: somebody else listens for its reports ({error.strerror})")
    try:
        yield {DEMO_VASP: vasp}
    finally:
        await vasp.stop()


def driven(app: "App", smsc: VirtualSmsc | None, vasps: dict[str, DrivenVasp]) -> Neighbours:
    """What programs drive over REST: these, and the phones that are switched on."""
    return Neighbours(
        engines=[app.engine],
        vasps=vasps,
        smscs={} if smsc is None else {BUILT_IN: smsc},
        phones=app.control.phones,
        numbers=dict.fromkeys(app.settings.subscriber, "home"),
    )


@asynccontextmanager
async def scenarios(app: "App", *, in_own_lab: bool) -> AsyncIterator[None]:
    """Scenarios in the console and over REST, where there is a console: here, or `in_own_lab`s that are started for
    them, so that what this server keeps stays."""
    place = app.control.places().get("console")
    if place is None:
        yield
        return
    made = Scenarios(place, app.settings.console.token, app.clock, app.ids, in_own_lab=in_own_lab)
    app.control.scenarios = made
    try:
        yield
    finally:
        await made.close()
        app.control.scenarios = None


def _heard(got: Got) -> str:
    """A line for a request that a VASP got."""
    if got.problem or not got.name:
        return f"a request that it cannot use: {printable(got.problem)}"
    said = got.message
    first = said.get("MMStatus") or said.get("LinkedID") or ""
    whom = said.get("Recipient") or said.get("Sender") or {}
    value = whom.get("Value", "") if isinstance(whom, dict) else ""
    return " ".join(printable(str(one)) for one in (got.name, first, value) if one)


def _said(news: News, item: Item) -> str:
    """What is worth a line, "" for what is not."""
    match news, item:
        case News.MESSAGE, Message():
            return _told(item)
        case News.DELIVERY_REPORT, MDeliveryInd():
            return f"report: {item.status.name if item.status else 'no status'} for {item.message_id}"
        case News.READ_REPORT, MReadOrigInd():
            return f"read report: {item.read_status.name if item.read_status else 'no status'} for {item.message_id}"
        case News.TEXT, str():
            return f"SMS: {item}"
        case News.FAILURE, str():
            return f"failed: {item}"
    return ""


def _told(message: Message) -> str:
    said = [f"MM from {message.conf.from_ or 'nobody'}"]
    if message.conf.subject:
        said.append(f"subject {message.conf.subject!r}")
    said += [_part(message, part) for part in message.parts]
    return ", ".join(said)


def _part(message: Message, part: PartIndex) -> str:
    media = part.content_type.media_type
    if media == "text/plain":
        return repr(message.octets_of(part).decode("utf-8", "replace")[:_SHOWN_CHARACTERS])
    return f"{media} ({part.data_length} octets)"
