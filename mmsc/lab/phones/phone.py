"""One phone, and what its user does with it: write, fetch, open, refuse, answer, pass on, delete.

What the MMSC refuses, or what does not reach it, ends up in the item's `note`; `PhoneRefuses` is for what the phone
itself does not do.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from mmsc.clock import Clock
from mmsc.lab.composing import Attachment, compose
from mmsc.lab.handset import address
from mmsc.lab.handset_http import FAILURES, why
from mmsc.lab.handset_inbox import Heard
from mmsc.lab.phones.agent import Agent
from mmsc.lab.phones.items import Box, Change, Item, Kind, State
from mmsc.lab.phones.lines import Lines
from mmsc.lab.phones.settings import PhoneSettings, ReadReports, check
from mmsc.lab.user_agent import NoConf
from mmsc.trace.bus import Bus, WatcherCut
from protocols.content_type import ContentType
from protocols.errors import DecodeError, EncodeError
from protocols.mm1 import ReadStatus, ReplyCharging, ResponseStatus
from protocols.mm1.enums import in_words
from protocols.records import record
from protocols.wsp.multipart import Part

MAXIMUM_RECIPIENTS: Final = 100
MAXIMUM_ATTACHMENTS: Final = 20
MAXIMUM_WAITING: Final = 100  # who wait for something to arrive, at one phone
MAXIMUM_CONTENT_OCTETS: Final = 8 * 1024 * 1024
_CHARGED: Final = (ReplyCharging.ACCEPTED, ReplyCharging.ACCEPTED_TEXT_ONLY)


class PhoneRefuses(Exception):
    """The phone does not do that, and says why."""


@record(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody wrote. `answers` is the item that it replies to or passes on; `with_content`: with that one's
    parts."""

    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = ""
    texts: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    delivery_report: bool = False
    read_report: bool = False
    answers: int | None = None
    with_content: bool = False


class Phone:
    """A phone of the lab."""

    def __init__(
        self,
        number: str,
        mm1_url: str,
        clock: Clock,
        bus: Bus[Change],
        changed: Callable[[str, int | None], None],
        settings: PhoneSettings,
        *,
        told: Heard = lambda news, item: None,
        covered: Callable[[bool], None] = lambda on: None,
    ) -> None:
        """`changed` publishes on `bus`; `told` hears what arrives; `covered` that coverage comes and goes."""
        self.number = number
        self._bus = bus
        self._changed = changed
        self._covered = covered
        self._waiting = 0
        self.box = Box(clock.now, lambda item: changed(number, item))
        self.lines = Lines(clock.moment, lambda: changed(number, None))
        self.agent = Agent(number, mm1_url, settings, box=self.box, lines=self.lines, clock=clock, told=told)

    @property
    def digits(self) -> str:
        """As it stands in addresses of pages."""
        return self.number.lstrip("+")

    @property
    def settings(self) -> PhoneSettings:
        """What it does."""
        return self.agent.settings

    def change(self, settings: PhoneSettings) -> None:
        """What it does from now on. Raises PhoneRefuses."""
        wrong = check(settings)
        if wrong:
            raise PhoneRefuses(wrong)
        before, self.agent.settings = self.settings, settings
        if before.coverage is not settings.coverage:
            self._covered(settings.coverage)
        self._changed(self.number, None)

    def item(self, number: int) -> Item:
        """Raises PhoneRefuses."""
        found = self.box.one(number)
        if found is None:
            raise PhoneRefuses(f"there is no item {number} on this phone (any more)")
        return found

    # --- MMs that came ---

    async def fetch(self, item: Item) -> bool:
        """GET an MM that waits, and acknowledge it as the phone does; whether it is here."""
        if not item.waits or item.notification is None:
            raise PhoneRefuses(f"there is nothing to fetch: it is {item.state}")
        return await self.agent.fetch(item.notification) is not None

    async def reject(self, item: Item) -> bool:
        """Refuse an MM that waits; whether the MMSC took that."""
        if not item.waits:
            raise PhoneRefuses(f"there is nothing to reject: it is {item.state}")
        return await self.agent.reject(item)

    async def open(self, item: Item) -> None:
        """Somebody looks at it: a read report goes out if one was asked for and the phone sends such."""
        if not item.unread or item.waits or item.state is State.FETCHING:
            return
        item.unread = False
        self.box.changed(item)
        if self.settings.read_report is ReadReports.OPENED and self._asks_for_read_report(item):
            await self.agent.say_read(item, ReadStatus.READ)

    async def read(self, item: Item, *, deleted: bool = False) -> None:
        """Send a read report, whatever the phone does else. Raises PhoneRefuses for what is no MM that is here."""
        if item.message is None or not item.message_id or not item.who:
            raise PhoneRefuses("a read report is about an MM that was fetched and tells its sender and Message-ID")
        item.unread = False
        self.box.changed(item)
        await self.agent.say_read(item, ReadStatus.DELETED_WITHOUT_BEING_READ if deleted else ReadStatus.READ)

    async def delete(self, item: Item) -> None:
        """Take it off the phone; one that nobody looked at may be reported so."""
        self.box.remove(item)
        told = self.settings.read_report is ReadReports.OPENED and self._asks_for_read_report(item)
        if told and item.unread:
            await self.agent.say_read(item, ReadStatus.DELETED_WITHOUT_BEING_READ)

    @staticmethod
    def _asks_for_read_report(item: Item) -> bool:
        return item.message is not None and item.message.conf.read_report is True

    async def pass_on(self, item: Item, to: Sequence[str]) -> bool:
        """Forward it unfetched, by its Content-Location (m-forward-req); whether the MMSC took that."""
        location = None if item.notification is None else item.notification.content_location
        if not location:
            raise PhoneRefuses("only an MM that a notification told of can be forwarded by its location")
        numbers = _addresses(to)
        try:
            conf = await self.agent.forward(location, numbers, delivery_report=True)
        except (NoConf, *FAILURES) as error:
            item.note = f"m-forward-req: {why(error)}"
        else:
            taken = conf.response_status is ResponseStatus.OK
            if taken and item.message is None:
                item.state = State.FORWARDED
            item.note = f"to {', '.join(to)}" if taken else _said(conf.response_status, conf.response_text)
        self.box.changed(item)
        return item.state is State.FORWARDED or item.note.startswith("to ")

    # --- MMs that go ---

    async def send(self, draft: Draft) -> Item:
        """Submit an MM (m-send-req); what came of it is the item's state. Raises PhoneRefuses."""
        numbers = (_addresses(draft.to), _addresses(draft.cc), _addresses(draft.bcc))
        parts, content_type = self._content(draft)
        item = self.box.new(
            Kind.SENT,
            state=State.SENDING,
            who=", ".join((*draft.to, *draft.cc, *draft.bcc)),
            subject=draft.subject,
            unread=False,
            parts=tuple(parts),
            start=content_type.get("start") or "",
            size_octets=sum(len(one.data) for one in parts),
            delivery_report=draft.delivery_report,
            read_report=draft.read_report,
        )
        to, cc, bcc = numbers
        more: dict[str, Any] = {"reply_charging_id": self._charged(draft)} if self._charged(draft) else {}
        try:
            conf = await self.agent.send(
                to,
                parts,
                subject=draft.subject,
                delivery_report=draft.delivery_report,
                read_report=draft.read_report or None,
                content_type=content_type,
                cc=cc,
                bcc=bcc,
                **more,
            )
        except (NoConf, EncodeError, *FAILURES) as error:
            item.state, item.note = State.FAILED, why(error)
        else:
            taken = conf.response_status is ResponseStatus.OK
            item.state = State.SENT if taken else State.REFUSED
            item.note = "" if taken else _said(conf.response_status, conf.response_text)
            item.message_id, item.transaction_id = conf.message_id or "", conf.transaction_id
        self.box.changed(item)
        return item

    def _content(self, draft: Draft) -> tuple[list[Part], ContentType]:
        if len(draft.attachments) > MAXIMUM_ATTACHMENTS:
            raise PhoneRefuses(f"{len(draft.attachments)} files, at most {MAXIMUM_ATTACHMENTS}")
        octets = sum(len(one.octets) for one in draft.attachments) + sum(len(one) for one in draft.texts)
        if octets > MAXIMUM_CONTENT_OCTETS:
            raise PhoneRefuses(f"{octets:,} octets, at most {MAXIMUM_CONTENT_OCTETS:,}")
        attached = (*draft.attachments, *self._parts_of(draft))
        try:
            return compose(draft.texts, attached)
        except DecodeError as error:
            raise PhoneRefuses(error.why) from error

    def _parts_of(self, draft: Draft) -> tuple[Attachment, ...]:
        """The content of what is answered or passed on, without its presentation: that would not show the rest."""
        if draft.answers is None or not draft.with_content:
            return ()
        message = self.item(draft.answers).message
        if message is None:
            raise PhoneRefuses("its content is not on the phone: it was not fetched")
        return tuple(
            Attachment(part.content_location or part.content_id, message.octets_of(part), str(part.content_type))
            for part in message.parts
            if part.content_type.media_type.lower() != "application/smil"
        )

    def _charged(self, draft: Draft) -> str:
        """The MM that a reply is for whose sender pays it (OMA-TS-MMS_ENC 7.3.41)."""
        item = None if draft.answers is None else self.box.one(draft.answers)
        conf = None if item is None or item.message is None else item.message.conf
        if conf is None or conf.reply_charging not in _CHARGED:
            return ""
        return conf.reply_charging_id or conf.message_id or ""

    # --- waiting ---

    async def arrival(self, wanted: Callable[[Item], bool], after: int, seconds: float) -> Item | None:
        """The first item above `after` that is wanted, as soon as there is one; None when there was none in time.
        Raises PhoneRefuses when too many wait."""
        if self._waiting >= MAXIMUM_WAITING:
            raise PhoneRefuses(f"{MAXIMUM_WAITING} wait at this phone already")
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds):
                return await self._arrival(wanted, after)
        except TimeoutError:
            return self._first(wanted, after)
        finally:
            self._waiting -= 1

    async def _arrival(self, wanted: Callable[[Item], bool], after: int) -> Item:
        while True:
            with self._bus.watch() as watcher, suppress(WatcherCut):  # cut: all items are looked at again
                while (found := self._first(wanted, after)) is None:
                    await watcher.until(lambda change: change.phone == self.number)
                return found

    def _first(self, wanted: Callable[[Item], bool], after: int) -> Item | None:
        return next((one for one in self.box.all() if one.number > after and wanted(one)), None)


def _addresses(given: Sequence[str]) -> list[str]:
    if len(given) > MAXIMUM_RECIPIENTS:
        raise PhoneRefuses(f"{len(given)} recipients, at most {MAXIMUM_RECIPIENTS}")
    for one in given:
        if not one.isprintable():
            raise PhoneRefuses(f"{one!r} is no address")
    return [address(one) for one in given]


def _said(status: ResponseStatus | None, text: str | None) -> str:
    return " ".join(filter(None, (in_words(status) if status else "no status", text)))
