"""What a handset has got, in order, and who wants to hear of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from protocols.mm1 import MCancelReq, MDeliveryInd, MNotificationInd, MReadOrigInd, MRetrieveConf
from protocols.records import record
from protocols.wsp.multipart import PartIndex

MAXIMUM_KEPT: Final = 10_000  # of each kind; the oldest go
MAXIMUM_KEPT_OCTETS: Final = 256 * 1024 * 1024  # of MMs; the oldest go, the last one stays


@record(frozen=True, slots=True)
class Message:
    """An MM as the handset got it; `octets` is the m-retrieve-conf itself."""

    conf: MRetrieveConf
    parts: tuple[PartIndex, ...]
    octets: bytes = b""

    def octets_of(self, part: PartIndex) -> bytes:
        """A part's own octets."""
        return self.conf.body[part.data_offset : part.data_offset + part.data_length]


class News(StrEnum):
    """What may arrive; the value is the list of the inbox that it goes to."""

    NOTIFICATION = "notifications"
    REPEATED = "repeated"
    MESSAGE = "messages"
    DELIVERY_REPORT = "reports"
    READ_REPORT = "read_reports"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    TEXT = "texts"
    FAILURE = "failures"


Item = MNotificationInd | Message | MDeliveryInd | MReadOrigInd | MCancelReq | str
Heard = Callable[[News, Item], None]


@dataclass(slots=True)
class Inbox:
    """What has arrived, in order. `repeated` are notifications that came again after they had been handled (they stand
    among `notifications`, too); `replaced` are MMs that went because another one took their place, `cancelled` the
    requests to forget one; `failures` say what went wrong, in words."""

    notifications: list[MNotificationInd] = field(default_factory=list)
    repeated: list[MNotificationInd] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    reports: list[MDeliveryInd] = field(default_factory=list)
    read_reports: list[MReadOrigInd] = field(default_factory=list)
    cancelled: list[MCancelReq] = field(default_factory=list)
    replaced: list[Message] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def take(self, news: News, item: Any) -> None:
        """Keep it."""
        kept = getattr(self, news.value)
        kept.append(item)
        if len(kept) > MAXIMUM_KEPT:
            del kept[0]
        if news in (News.MESSAGE, News.REPLACED):
            octets = sum(len(one.octets) for one in kept)
            while octets > MAXIMUM_KEPT_OCTETS and len(kept) > 1:
                octets -= len(kept.pop(0).octets)

    def remove(self, message_id: str) -> list[Message]:
        """The MMs of this Message-ID, which are here no longer."""
        gone = [one for one in self.messages if one.conf.message_id == message_id]
        self.messages = [one for one in self.messages if one.conf.message_id != message_id]
        return gone

    def clear(self) -> None:
        """Forget everything."""
        for news in News:
            getattr(self, news.value).clear()


class Watched:
    """An inbox that somebody waits for."""

    def __init__(self, heard: Heard) -> None:
        self.inbox = Inbox()
        self._heard = heard
        self._changed = asyncio.Condition()

    async def until(self, arrived: Callable[[Inbox], bool], seconds: float = 15.0) -> Inbox:
        """Wait until the inbox is as wanted. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: arrived(self.inbox))
        return self.inbox

    async def note(self, news: News, item: Item) -> None:
        """Something arrived."""
        async with self._changed:
            self.inbox.take(news, item)
            if news is News.REPEATED:
                self.inbox.take(News.NOTIFICATION, item)
            self._changed.notify_all()
        self._heard(news, item)

    async def forget(self, message_id: str) -> list[Message]:
        """Take the MMs of a Message-ID out."""
        async with self._changed:
            gone = self.inbox.remove(message_id)
            self._changed.notify_all()
        return gone
