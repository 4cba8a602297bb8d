"""A virtual handset: it takes WAP pushes and SMS, and does over real HTTP what its behaviour says. It works with any
MMSC.

A notification that comes again after it was handled (its answer had been taken with 2xx) is known by its Transaction-ID
and Content-Location and left alone, unless the profile says otherwise. What goes wrong is noted in the inbox's
`failures` and ends nothing.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Unpack

from mmsc.lab.handset_behaviour import Behaviour, Behaviours, Fetching
from mmsc.lab.handset_http import FAILURES, Pace, why
from mmsc.lab.handset_inbox import Heard, Inbox, Item, Message, News, Watched
from mmsc.lab.mmbox_client import MmboxClient
from mmsc.lab.user_agent import MIXED, AgentOptions, NoConf, UserAgent
from protocols import mm1
from protocols.content_type import ContentType
from protocols.errors import DecodeError
from protocols.mm1 import (
    MCancelReq,
    MDeliveryInd,
    MNotificationInd,
    MReadOrigInd,
    MReadRecInd,
    MRetrieveConf,
    Pdu,
    ReadStatus,
    ReplyCharging,
    ResponseStatus,
    RetrieveStatus,
    Status,
)
from protocols.mm1.enums import in_words
from protocols.wsp.multipart import Part, index_multipart
from protocols.wsp.push import decode_push

__all__ = ["MIXED", "Fetching", "Handset", "Inbox", "Message", "NoConf"]

MAXIMUM_REMEMBERED: Final = 10_000  # notifications whose repeats are known
MAXIMUM_LATER: Final = 1000  # MMs that it means to act on later, at once
_TEXT: Final = ContentType("text/plain", (("charset", "utf-8"),))
_CHARGED: Final = (ReplyCharging.ACCEPTED, ReplyCharging.ACCEPTED_TEXT_ONLY)
_SETTLED: Final = (Fetching.IMMEDIATE, Fetching.DEFERRED, Fetching.REJECT, Fetching.FORWARD)
_Key = tuple[str, str]


class Handset(UserAgent):
    """One handset. Use it as an async context manager; `register` its `on_push` and `on_sms` with an SMSC."""

    def __init__(
        self,
        number: str,
        mmsc_url: str,
        *,
        fetching: Fetching = Fetching.IMMEDIATE,
        behaviours: Behaviours | None = None,
        heard: Heard = lambda news, item: None,
        **more: Unpack[AgentOptions],
    ) -> None:
        """`behaviours` for MMs one after the other, instead of `fetching` for all; `heard` is told what arrives; `more`
        as for UserAgent."""
        super().__init__(number, mmsc_url, **more)
        self.behaviours = behaviours or Behaviours([(Behaviour(fetching), 1)])
        self.mmbox = MmboxClient(self)
        self._watched = Watched(heard)
        self._given: OrderedDict[_Key, Behaviour] = OrderedDict()
        self._handled: OrderedDict[_Key, None] = OrderedDict()
        self._busy: set[_Key] = set()
        self._later: set[asyncio.Task[None]] = set()

    @property
    def inbox(self) -> Inbox:
        """What has arrived."""
        return self._watched.inbox

    @property
    def fetching(self) -> Fetching:
        """What it does about the next notification; to set it is to say so for all that come."""
        return self.behaviours.current.fetching

    @fetching.setter
    def fetching(self, value: Fetching) -> None:
        self.behaviours = Behaviours([(replace(self.behaviours.current, fetching=value), 1)])
        self._given.clear()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in tuple(self._later):
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        await super().__aexit__(kind, error, trace)

    async def until(self, arrived: Callable[[Inbox], bool], seconds: float = 15.0) -> Inbox:
        """Wait until the inbox is as wanted. Raises TimeoutError."""
        return await self._watched.until(arrived, seconds)

    async def idle(self) -> None:
        """Wait until nothing is left that it means to do later."""
        while self._later:
            await asyncio.wait(self._later)

    # --- what the SMSC brings ---

    async def on_push(self, octets: bytes) -> None:
        """A WAP push: a notification, a report, a request to forget an MM."""
        try:
            pdu = decode_push(octets).data
        except DecodeError as error:
            await self._failed(f"push: {error}")
            return
        await self.take(pdu)

    async def on_sms(self, text: str) -> None:
        """A plain SMS."""
        await self._note(News.TEXT, text)

    async def take(self, octets: bytes) -> None:
        """What a push carried: an MMS PDU."""
        try:
            pdu = await self.read(octets, Pdu)
        except NoConf as error:
            await self._failed(f"push: {error}")
            return
        self._watch("push", pdu)
        match pdu:
            case MNotificationInd():
                await self._notified(pdu)
            case MDeliveryInd():
                await self._note(News.DELIVERY_REPORT, pdu)
            case MReadOrigInd():
                await self._note(News.READ_REPORT, pdu)
            case MCancelReq():
                await self._watched.forget(pdu.cancel_id or "")
                await self._note(News.CANCELLED, pdu)
                await self._told(self.confirm_cancel(pdu.transaction_id), "m-cancel-conf")
            case _:
                await self._failed(f"push: {pdu.message_type.name} is nothing that is pushed to a handset")

    async def _notified(self, notification: MNotificationInd) -> None:
        key = _key_of(notification)
        if key in self._busy or (key in self._handled and not self.profile.refetches):
            await self._note(News.REPEATED, notification)
            return
        await self._note(News.NOTIFICATION, notification)
        behaviour = self._given.get(key)
        if behaviour is None:
            behaviour = self._given[key] = self.behaviours.next()
            _bound(self._given)
        limit = self.profile.maximum_octets
        if limit and (notification.message_size or 0) > limit and behaviour.fetching is Fetching.IMMEDIATE:
            await self._failed(f"an MM of {notification.message_size} octets is more than {limit}: deferred")
            behaviour = replace(behaviour, fetching=Fetching.DEFERRED, wait_seconds=None)
        self._busy.add(key)
        if behaviour.wait_seconds and behaviour.fetching is not Fetching.DEFERRED:
            if not await self._after(behaviour.wait_seconds, lambda: self._act(notification, behaviour)):
                self._busy.discard(key)
        else:
            await self._act(notification, behaviour)

    async def _act(self, notification: MNotificationInd, behaviour: Behaviour) -> None:
        key = _key_of(notification)
        try:
            settled = await self._react(notification, behaviour)
        finally:
            self._busy.discard(key)
        if settled and behaviour.fetching in _SETTLED:
            self._handled[key] = None
            _bound(self._handled)

    async def _react(self, notification: MNotificationInd, behaviour: Behaviour) -> bool:
        """Whether the MMSC has the handset's word."""
        match behaviour.fetching:
            case Fetching.IMMEDIATE:
                message = await self._download(notification, behaviour)
                if message is None or not self.profile.acknowledges:
                    return False
                settled = await self._answered(notification, Status.RETRIEVED, behaviour)
                await self._used(message, behaviour)
                return settled
            case Fetching.SILENT:
                await self._download(notification, behaviour)
            case Fetching.DEFERRED:
                settled = await self._answered(notification, Status.DEFERRED, behaviour)
                if behaviour.wait_seconds is not None:
                    await self._after(behaviour.wait_seconds, lambda: self._fetched(notification, behaviour))
                return settled
            case Fetching.REJECT:
                return await self._answered(notification, Status.REJECTED, behaviour)
            case Fetching.UNRECOGNISED:
                return await self._answered(notification, Status.UNRECOGNISED, behaviour)
            case Fetching.FORWARD:
                return await self._forwarded(notification, behaviour)
            case Fetching.NEVER:
                pass
        return False

    async def _answered(self, notification: MNotificationInd, status: Status, behaviour: Behaviour) -> bool:
        sent = self.answer(
            notification.transaction_id,
            status,
            location=self._location(notification),
            report_allowed=behaviour.report_allowed,
        )
        return await self._told(sent, "m-notifyresp-ind")

    async def _forwarded(self, notification: MNotificationInd, behaviour: Behaviour) -> bool:
        to = [address(one) for one in behaviour.forward_to]
        asked = self.forward(
            notification.content_location or "", to, report_allowed=behaviour.report_allowed, delivery_report=True
        )
        return await self._accepted(asked, "m-forward-req")

    async def _used(self, message: Message, behaviour: Behaviour) -> None:
        """What the user does with an MM that he has: reads it or deletes it, and answers."""
        conf = message.conf
        sender = conf.from_ if isinstance(conf.from_, str) else ""
        if behaviour.read is not None and conf.read_report:
            if not sender or not conf.message_id:
                await self._failed("no read report: the MM tells no sender or no Message-ID")
            else:
                await self._read(conf.message_id, sender, conf.subject or "", behaviour.read)
        if behaviour.reply and not sender:
            await self._failed("no reply: the MM tells no sender")
        elif behaviour.reply:
            charged = conf.reply_charging in _CHARGED
            parts = [Part(_TEXT, behaviour.reply.encode(), "text", "text.txt")]
            reply_to = (conf.reply_charging_id or conf.message_id) if charged else None
            subject = f"Re: {conf.subject or ''}".strip()
            asked = self.send([sender], parts, subject=subject, reply_charging_id=reply_to)
            await self._accepted(asked, "m-send-req")

    async def _read(self, message_id: str, sender: str, subject: str, status: ReadStatus) -> None:
        """A read report; before version 1.1 an MM of class Auto that says so to people."""
        if self.version >= MReadRecInd.since:
            read = status is ReadStatus.READ
            await self._told(self.tell_read(message_id, sender, read=read), "m-read-rec-ind")
            return
        said = in_words(status)
        parts = [Part(_TEXT, f"{said}: {subject}".encode(), "text", "text.txt")]
        auto = mm1.MessageClass.AUTO
        await self._accepted(self.send([sender], parts, subject=said, message_class=auto), "m-send-req")

    # --- what the user does ---

    async def fetch(self, notification: MNotificationInd) -> Message | None:
        """Download a deferred MM and acknowledge it, as its behaviour says; None when there is no MM behind it."""
        behaviour = self._given.get(_key_of(notification)) or self.behaviours.current
        return await self._fetch(notification, behaviour)

    async def _fetched(self, notification: MNotificationInd, behaviour: Behaviour) -> None:
        await self._fetch(notification, behaviour)

    async def _fetch(self, notification: MNotificationInd, behaviour: Behaviour) -> Message | None:
        message = await self._download(notification, behaviour)
        if message is None:
            return None
        transaction_id = message.conf.transaction_id
        if transaction_id and self.profile.acknowledges:
            sent = self.acknowledge(
                transaction_id, location=self._location(notification), report_allowed=behaviour.report_allowed
            )
            await self._told(sent, "m-acknowledge-ind")
        await self._used(message, behaviour)
        return message

    async def get(self, notification: MNotificationInd) -> Message | None:
        """GET the Content-Location, and say nothing to anybody; None when there is no MM behind it (see
        `inbox.failures`)."""
        return await self._download(notification, Behaviour())

    async def _download(self, notification: MNotificationInd, behaviour: Behaviour) -> Message | None:
        location = self._location(notification)
        for attempt in range(behaviour.retries + 1):
            pace = Pace(behaviour.octets_per_second, attempt < behaviour.cuts)
            try:
                status, body = await self._request("GET", location, pace=pace)
            except FAILURES as error:
                await self._failed(f"GET {location}: {why(error)}")
                continue
            if status == 200:
                return await self._opened(body)
            await self._failed(f"GET {location}: HTTP {status}")
            if status < 500:
                return None
        return None

    async def _opened(self, body: bytes) -> Message | None:
        try:
            conf = await self.read(body, MRetrieveConf)
            status = conf.retrieve_status
            if status is not None and status is not RetrieveStatus.OK:
                self._watch("in", conf)
                await self._failed(f"m-retrieve-conf: {status.name}")
                return None
            message = Message(conf, index_multipart(conf.body), body)
        except DecodeError as error:
            await self._failed(f"m-retrieve-conf: {error}")
            return None
        self._watch("in", conf)
        for gone in await self._watched.forget(conf.replace_id) if conf.replace_id else ():
            await self._note(News.REPLACED, gone)
        await self._note(News.MESSAGE, message)
        return message

    # --- small things ---

    def _location(self, notification: MNotificationInd) -> str:
        location = notification.content_location or ""
        return location + notification.transaction_id if self.profile.appends_transaction_id else location

    async def _told(self, sent: Coroutine[Any, Any, int], name: str) -> bool:
        """Whether an indication was taken."""
        try:
            status = await sent
        except FAILURES as error:
            await self._failed(f"{name}: {why(error)}")
            return False
        if not 200 <= status < 300:
            await self._failed(f"{name}: HTTP {status}")
        return 200 <= status < 300

    async def _accepted(self, asked: Coroutine[Any, Any, Any], name: str) -> bool:
        """Whether a request was taken."""
        try:
            conf = await asked
        except (NoConf, *FAILURES) as error:
            await self._failed(f"{name}: {why(error)}")
            return False
        status = conf.response_status
        if status is not ResponseStatus.OK:
            await self._failed(f"{name}: {status.name if status else 'no status'} {conf.response_text or ''}".strip())
        return bool(status is ResponseStatus.OK)

    async def _after(self, seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Do something later, and go on with the next thing now; False when too much waits already."""
        if len(self._later) >= MAXIMUM_LATER:
            await self._failed(f"{MAXIMUM_LATER} MMs wait to be acted on: this one is forgotten")
            return False

        async def wait() -> None:
            await self._pause(seconds)
            await work()

        task = asyncio.create_task(wait())
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        return True

    async def remark(self, text: str) -> None:
        """What its family of readers makes of something, where it does no more harm."""
        await self._failed(text)

    async def _failed(self, why: str) -> None:
        await self._note(News.FAILURE, why)

    async def _note(self, news: News, item: Item) -> None:
        await self._watched.note(news, item)


def _key_of(notification: MNotificationInd) -> _Key:
    return notification.transaction_id, notification.content_location or ""


def address(text: str) -> str:
    """A global number as MM1 writes it (OMA-TS-MMS_ENC 8); what has a type, or is a short code or mail, as it is."""
    return f"{text}/TYPE=PLMN" if text[:1] == "+" and text[1:].isdecimal() else text


def _bound(kept: OrderedDict[_Key, Any]) -> None:
    while len(kept) > MAXIMUM_REMEMBERED:
        kept.popitem(last=False)
