"""What is in a phone: MMs that wait or are here, texts, reports, and what was sent. Bounded; the oldest go."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from mmsc.domain.instant import Instant
from mmsc.lab.handset_inbox import Message
from protocols.mm1 import MDeliveryInd, MNotificationInd, MReadOrigInd
from protocols.records import record
from protocols.wsp.multipart import Part

MAXIMUM_ITEMS: Final = 500  # of a phone
MAXIMUM_OCTETS: Final = 32 * 1024 * 1024  # of the MMs in a phone; the last one stays
MAXIMUM_NEWS: Final = 50  # reports about one MM


class Kind(StrEnum):
    """What an item is."""

    MESSAGE = "message"
    TEXT = "text"
    DELIVERY_REPORT = "delivery_report"
    READ_REPORT = "read_report"
    SENT = "sent"


class State(StrEnum):
    """How far it is: an MM waits until it is fetched; what is sent is under way until there is an answer."""

    WAITING = "waiting"
    DEFERRED = "deferred"  # it waits, and the MMSC knows
    FETCHING = "fetching"
    HERE = "here"
    REJECTED = "rejected"
    UNRECOGNISED = "unrecognised"
    FORWARDED = "forwarded"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    FAILED = "failed"  # no MM behind it, or no answer: see `note`


WAITS: Final = (State.WAITING, State.DEFERRED, State.FAILED)  # an MM that may be fetched


@dataclass(slots=True)
class Item:
    """One. `at` is service time; `who` the other party's address without its type; `deadline` of an MM that waits;
    `news` the reports about what was sent; `note` why it is as it is; `parts` what was sent."""

    number: int
    kind: Kind
    at: Instant
    state: State = State.HERE
    who: str = ""
    subject: str = ""
    note: str = ""
    unread: bool = True
    message_id: str = ""
    transaction_id: str = ""
    size_octets: int = 0
    deadline: Instant | None = None
    text: str = ""
    notification: MNotificationInd | None = None
    message: Message | None = None
    report: MDeliveryInd | MReadOrigInd | None = None
    parts: tuple[Part, ...] = ()
    start: str = ""
    delivery_report: bool = False
    read_report: bool = False
    news: list[str] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        """Whether it can be fetched."""
        return self.kind is Kind.MESSAGE and self.message is None and self.state in WAITS

    @property
    def kept_octets(self) -> int:
        """What it takes of the phone's memory."""
        here = 0 if self.message is None else len(self.message.octets)
        return here + sum(len(part.data) for part in self.parts)


@record(frozen=True, slots=True)
class Change:
    """Something in a phone is not as it was. `id` counts, so that who was away for a while can go on from there."""

    id: int
    phone: str
    item: int | None = None


class Box:
    """The items of a phone, the newest last; `changed` is told each number, None for all of it."""

    def __init__(self, now: Callable[[], Instant], changed: Callable[[int | None], None]) -> None:
        self._now = now
        self._changed = changed
        self._items: deque[Item] = deque()
        self._last = 0

    def all(self) -> tuple[Item, ...]:
        """Oldest first."""
        return tuple(self._items)

    def one(self, number: int) -> Item | None:
        """An item by its number."""
        return next((one for one in self._items if one.number == number), None)

    @property
    def unread(self) -> int:
        """How many nobody has looked at."""
        return sum(one.unread for one in self._items)

    @property
    def octets(self) -> int:
        """What is kept."""
        return sum(one.kept_octets for one in self._items)

    def new(self, kind: Kind, **fields: object) -> Item:
        """Another one."""
        self._last += 1
        item = Item(self._last, kind, self._now(), **fields)  # type: ignore[arg-type] # fields of Item by name
        self._items.append(item)
        self.changed(item)
        return item

    def changed(self, item: Item) -> None:
        """It is not as it was: the bounds are looked at, too."""
        octets = self.octets
        while len(self._items) > 1 and (len(self._items) > MAXIMUM_ITEMS or octets > MAXIMUM_OCTETS):
            octets -= self._items.popleft().kept_octets
        self._changed(item.number)

    def of_notification(self, transaction_id: str, location: str) -> Item | None:
        """The MM that a notification tells of, while it is here."""
        for one in reversed(self._items):
            told = one.notification
            if told is not None and (told.transaction_id, told.content_location or "") == (transaction_id, location):
                return one
        return None

    def of_sent(self, message_id: str) -> Item | None:
        """What was sent and got this Message-ID."""
        return next((one for one in self._items if one.kind is Kind.SENT and one.message_id == message_id), None)

    def remove(self, item: Item) -> None:
        """It is here no longer."""
        if item in self._items:
            self._items.remove(item)
            self._changed(item.number)

    def forget(self, message_id: str) -> None:
        """The MMs of a Message-ID are here no longer: recalled or replaced."""
        for one in [one for one in self._items if one.kind is Kind.MESSAGE and one.message_id == message_id]:
            self.remove(one)

    def clear(self) -> None:
        """Nothing is here any more."""
        self._items.clear()
        self._changed(None)
