"""The handset inside a phone: it keeps what comes in the phone's box, and tells every PDU and request in a line."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Final

from mmsc.clock import Clock
from mmsc.domain.instant import SECOND, Instant
from mmsc.lab.handset import Handset
from mmsc.lab.handset_behaviour import Behaviour, Behaviours
from mmsc.lab.handset_http import FAILURES, FAST, Pace, why
from mmsc.lab.handset_inbox import Heard, Message, News
from mmsc.lab.handset_inbox import Item as Arrived
from mmsc.lab.phones.items import Box, Item, Kind, State
from mmsc.lab.phones.lines import Line, Lines, Way, plain
from mmsc.lab.phones.settings import PhoneSettings
from protocols.errors import DecodeError
from protocols.mm1 import MCancelReq, MDeliveryInd, MNotificationInd, MReadOrigInd, ReadStatus, Status
from protocols.mm1.enums import in_words
from protocols.wsp.push import decode_push

_ANSWERED: Final = {
    Status.DEFERRED: State.DEFERRED,
    Status.REJECTED: State.REJECTED,
    Status.UNRECOGNISED: State.UNRECOGNISED,
}


class NoCoverage(OSError):
    """The phone reaches nobody."""

    def __init__(self) -> None:
        super().__init__("no coverage")


class MemoryFull(OSError):
    """The phone has no room for an MM."""

    def __init__(self) -> None:
        super().__init__("the memory is full")


class Agent(Handset):
    """A handset whose user is somebody at a page or a program. `told` hears of everything that arrives."""

    def __init__(
        self, number: str, mm1_url: str, settings: PhoneSettings, *, box: Box, lines: Lines, clock: Clock, told: Heard
    ) -> None:
        super().__init__(
            number, mm1_url, profile=settings.family, now=lambda: clock.now() // SECOND, heard=self._arrived
        )
        self._settings = settings
        self._box = box
        self._lines = lines
        self._clock = clock
        self._told_of = told
        self._pause = service_pause(clock)  # waits end when service time says so; slow reading is real
        self.settings = settings

    @property
    def settings(self) -> PhoneSettings:
        """What it does, from the next thing on."""
        return self._settings

    @settings.setter
    def settings(self, value: PhoneSettings) -> None:
        self._settings = value
        self.behaviours = Behaviours([(value.behaviour, 1)])
        self._given.clear()
        self.become(value.family)

    @property
    def acts_later(self) -> bool:
        """Whether it waits to do something about an MM."""
        return bool(self._later)

    def switch_on(self) -> None:
        """Ready to speak."""
        self._transport.open()

    # --- what comes ---

    async def on_push(self, octets: bytes) -> None:
        """A WAP push, unless MMS is off: then it is an SMS that nothing becomes of."""
        if not self._settings.mms:
            self._lines.add(Way.IN, "smpp", "WAP push", "MMS is off: nothing becomes of it", octets=len(octets))
            return
        try:
            data = decode_push(octets).data
        except DecodeError as error:
            self._lines.add(Way.IN, "smpp", "WAP push", error.why, octets=len(octets), failed=True)
        else:
            self._lines.pdu(Way.IN, "smpp", data)
        await super().on_push(octets)

    async def on_sms(self, text: str) -> None:
        """A text."""
        self._lines.add(Way.IN, "smpp", "SMS", text, octets=len(text.encode()))
        await super().on_sms(text)

    def _arrived(self, news: News, item: Arrived) -> None:
        match news, item:
            case News.NOTIFICATION, MNotificationInd():
                self._notified_of(item)
            case News.DELIVERY_REPORT, MDeliveryInd():
                status = in_words(item.status) if item.status else "no status"
                self._reported(Kind.DELIVERY_REPORT, item, ", ".join(map(plain, item.to)), status)
            case News.READ_REPORT, MReadOrigInd():
                status = in_words(item.read_status) if item.read_status else "no status"
                self._reported(Kind.READ_REPORT, item, plain(item.from_), status)
            case News.CANCELLED, MCancelReq():
                self._box.forget(item.cancel_id or "")
            case News.TEXT, str():
                self._box.new(Kind.TEXT, text=item)
            case News.FAILURE, str():
                self._lines.note(item)
        self._told_of(news, item)
        self.inbox.clear()  # it is in the box now, which is bounded

    def _notified_of(self, told: MNotificationInd) -> None:
        known = self._box.of_notification(told.transaction_id, told.content_location or "")
        if known is not None:
            known.notification, known.deadline = told, self._deadline(told)
            self._box.changed(known)
            return
        self._box.new(
            Kind.MESSAGE,
            state=State.WAITING,
            who=plain(told.from_),
            subject=told.subject or "",
            notification=told,
            transaction_id=told.transaction_id,
            size_octets=told.message_size or 0,
            deadline=self._deadline(told),
        )

    def _deadline(self, told: MNotificationInd) -> Instant | None:
        if told.expiry is None:
            return None
        begin = self._clock.now() if told.expiry.relative else 0
        return Instant(begin + told.expiry.seconds * SECOND)

    def _reported(self, kind: Kind, report: MDeliveryInd | MReadOrigInd, who: str, status: str) -> None:
        text = f"{status}, {who}"
        sent = self._box.of_sent(report.message_id or "")
        self._box.new(
            kind,
            who=who,
            text=status,
            subject="" if sent is None else sent.subject,
            message_id=report.message_id or "",
            report=report,
            note=getattr(report, "status_text", None) or "",
        )
        if sent is not None:
            sent.news = [*sent.news, f"read: {text}" if kind is Kind.READ_REPORT else text][-50:]
            self._box.changed(sent)

    # --- what it does about an MM ---

    async def _download(self, notification: MNotificationInd, behaviour: Behaviour) -> Message | None:
        item = self._item_of(notification)
        before = item.state
        if self._settings.memory_full:
            self._is(item, State.DEFERRED if before is State.DEFERRED else State.WAITING, str(MemoryFull()))
            self._lines.note(f"{MemoryFull()}: not fetched")
            return None
        self._is(item, State.FETCHING)
        message: Message | None = None
        try:
            message = await super()._download(notification, behaviour)
        finally:
            if message is None:
                self._is(item, State.FAILED, self._last_note())
        if message is not None:
            self._fetched_one(item, message)
        return message

    def _fetched_one(self, item: Item, message: Message) -> None:
        conf = message.conf
        if conf.replace_id:
            self._box.forget(conf.replace_id)
        item.message, item.message_id = message, conf.message_id or ""
        item.who, item.subject = plain(conf.from_) or item.who, conf.subject or item.subject
        item.size_octets = len(message.octets)
        self._is(item, State.HERE)

    def _item_of(self, notification: MNotificationInd) -> Item:
        key = (notification.transaction_id, notification.content_location or "")
        found = self._box.of_notification(*key)
        if found is None:  # deleted while it was under way
            self._notified_of(notification)
            found = self._box.of_notification(*key)
            assert found is not None
        return found

    async def _answered(self, notification: MNotificationInd, status: Status, behaviour: Behaviour) -> bool:
        taken = await super()._answered(notification, status, behaviour)
        state = _ANSWERED.get(status)
        if taken and state is not None:
            self._is(self._item_of(notification), state)
        return taken

    async def _forwarded(self, notification: MNotificationInd, behaviour: Behaviour) -> bool:
        taken = await super()._forwarded(notification, behaviour)
        if taken:
            self._is(self._item_of(notification), State.FORWARDED, f"to {', '.join(behaviour.forward_to)}")
        return taken

    async def reject(self, item: Item) -> bool:
        """Say that the user does not want it; whether the MMSC took that."""
        assert item.notification is not None
        return await self._answered(item.notification, Status.REJECTED, self.behaviours.current)

    async def say_read(self, item: Item, status: ReadStatus) -> None:
        """A read report about an MM that is here."""
        if item.message is not None and item.message_id and item.who:
            sender = item.message.conf.from_
            await self._read(item.message_id, str(sender), item.subject, status)

    def _is(self, item: Item, state: State, note: str = "") -> None:
        item.state, item.note = state, note
        self._box.changed(item)

    def _last_note(self) -> str:
        notes = [one.about for one in self._lines.all()[-5:] if one.way is Way.NOTE]
        return notes[-1] if notes else "no answer"

    # --- the wire ---

    async def _request(self, method: str, url: str, body: bytes | None = None, pace: Pace = FAST) -> tuple[int, bytes]:
        line = self._request_line(method, url, body)
        began = monotonic()
        try:
            if not self._settings.coverage:
                raise NoCoverage
            status, answer = await super()._request(method, url, body, pace)
        except FAILURES as error:
            self._lines.ended(line, why(error), failed=True)
            raise
        took = round((monotonic() - began) * 1000)
        self._lines.ended(line, f"answered {status} in {took:,} ms", failed=not 200 <= status < 300)
        if answer and status == 200:
            self._lines.pdu(Way.IN, "mm1", answer)
        return status, answer

    def _request_line(self, method: str, url: str, body: bytes | None) -> Line:
        if body is not None:
            return self._lines.pdu(Way.OUT, "mm1", body)
        path = "/" + url.partition("://")[2].partition("/")[2]
        about = f"{path}, User-Agent {self.profile.user_agent}"
        return self._lines.add(Way.OUT, "mm1", method, about, location=url)


def service_pause(clock: Clock) -> Callable[[float], Awaitable[None]]:
    """Waits for seconds of service time: a clock that jumps ahead ends the wait, one that is paused holds it."""

    async def pause(seconds: float) -> None:
        until = Instant(clock.now() + round(seconds * SECOND))
        changed = asyncio.Event()
        stop = clock.watch(changed.set)
        try:
            while (left := clock.real_seconds_until(until)) != 0:
                changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await changed.wait()
        finally:
            stop()

    return pause
