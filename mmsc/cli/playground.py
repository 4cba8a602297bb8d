"""The neighbours that a server without neighbours gets to play with: an SMSC, a handset for each of a few numbers, and
the report listener of the VASP `demo`.

They are those of `mmsc.lab`, speak over sockets like anybody else, and say in a line what they got.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import msgspec

from mmsc.lab.handset import Handset, Message
from mmsc.lab.smsc import VirtualSmsc
from mmsc.net.listening import listening
from mmsc.settings import DEMO_VASP, Settings, is_loopback
from protocols.wsp.multipart import PartIndex

BUILT_IN: Final = "builtin"
MAXIMUM_HANDSETS: Final = 20  # a file with more subscribers than that is no playground
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
async def handsets(
    settings: Settings, smsc: VirtualSmsc | None, mm1_url: str, announce: Announce
) -> AsyncIterator[None]:
    """A handset for each subscriber of a small file, switched on at the built-in SMSC."""
    async with AsyncExitStack() as stack:
        if smsc is not None and mm1_url and len(settings.subscriber) <= MAXIMUM_HANDSETS:
            for number in settings.subscriber:
                handset = await stack.enter_async_context(Handset(number, mm1_url))
                phone = _Phone(handset, announce)
                smsc.register(number, phone.on_push, phone.on_sms)
                stack.callback(smsc.unregister, number)
        yield


@asynccontextmanager
async def reports(settings: Settings, mm7_url: str, announce: Announce) -> AsyncIterator[None]:
    """The report listener of the VASP `demo`, where its `report_url` is on this host and nobody else listens."""
    given = settings.vasp.get(DEMO_VASP)
    address = urlsplit(given.report_url) if given is not None else urlsplit("")
    playing = settings.builtin_smsc.enabled and mm7_url and address.port and is_loopback(address.hostname or "")
    async with AsyncExitStack() as stack:
        if given is not None and playing:
            from mmsc.lab.vasp import VirtualVasp  # zeep takes half a second

            def told(direction: str, name: str, text: str) -> None:
                if direction == "in":
                    announce(f"VASP {DEMO_VASP}: {name} {text}")
                    vasp.reports.clear()

            vasp = VirtualVasp(mm7_url, vasp_id=given.vasp_id, report_port=address.port or 0, watch=told)
            try:
                await vasp.listen()
            except OSError as error:
                announce(f"VASP {DEMO_VASP}: somebody else listens for its reports ({error.strerror})")
            stack.push_async_exit(vasp.__aexit__)
        yield


class _Phone:
    """A handset that says what it got."""

    def __init__(self, handset: Handset, announce: Announce) -> None:
        self._handset = handset
        self._announce = announce

    async def on_push(self, octets: bytes) -> None:
        """A notification (fetched at once) or a report."""
        inbox = self._handset.inbox
        await self._handset.on_push(octets)
        for message in inbox.messages:
            self._say(_told(message))
        for report in inbox.reports:
            self._say(f"report: {report.status.name if report.status else 'no status'} for {report.message_id}")
        for read in inbox.read_reports:
            status = read.read_status.name if read.read_status else "no status"
            self._say(f"read report: {status} for {read.message_id}")
        for failure in inbox.failures:
            self._say(f"failed: {failure}")
        inbox.clear()

    async def on_sms(self, text: str) -> None:
        """An SMS."""
        self._say(f"SMS: {text}")

    def _say(self, text: str) -> None:
        line = "".join(char if char.isprintable() else " " for char in text)
        self._announce(f"handset {self._handset.number}: {line}")


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
