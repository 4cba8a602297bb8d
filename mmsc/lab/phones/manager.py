"""All phones of a lab. One is made when it is first asked for, or when the SMSC has something for it: a lab of ten
thousand subscribers costs nothing until they are used."""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Self

from mmsc.clock import Clock
from mmsc.lab.handset_inbox import Item as Arrived
from mmsc.lab.handset_inbox import News
from mmsc.lab.phones.items import Change
from mmsc.lab.phones.phone import Phone, PhoneRefuses
from mmsc.lab.phones.settings import PhoneSettings
from mmsc.lab.smsc import VirtualSmsc
from mmsc.trace.bus import Bus

MAXIMUM_PHONES: Final = 200  # a lab with more subscribers than that has phones for the first ones
_BUS_CAPACITY: Final = 1000

Told = Callable[[str, News, Arrived], None]


class Phones:
    """Use it as an async context manager. `subscribers` gives (number, whether the operator has MMS on for it) in the
    order in which they are shown; `known` the same of one number in digits, None for no subscriber."""

    def __init__(
        self,
        smsc: VirtualSmsc,
        mm1_url: str,
        clock: Clock,
        subscribers: Callable[[], Iterable[tuple[str, bool]]],
        known: Callable[[str], tuple[str, bool] | None],
        told: Told = lambda number, news, item: None,
    ) -> None:
        """`told` hears of everything that arrives at any."""
        self.bus: Bus[Change] = Bus(_BUS_CAPACITY)
        self._smsc = smsc
        self._mm1_url = mm1_url
        self._clock = clock
        self._subscribers = subscribers
        self._known = known
        self._told = told
        self._phones: dict[str, Phone] = {}
        self._added: dict[str, bool] = {}
        self._changes = itertools.count(clock.real_now())  # goes on above an earlier process

    async def __aenter__(self) -> Self:
        self._smsc.coverage.now = self._clock.now
        self._smsc.switch_on = self._switched_on
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._smsc.switch_on = lambda number: None
        for phone in self._phones.values():
            self._smsc.unregister(phone.number)
        await asyncio.gather(*(phone.agent.__aexit__(kind, error, trace) for phone in self._phones.values()))
        self._phones.clear()

    def _switched_on(self, digits: str) -> None:
        self.one(digits)

    def _publish(self, number: str, item: int | None) -> None:
        self.bus.publish(Change(next(self._changes), number, item))

    def listed(self) -> list[Phone]:
        """The phone of each subscriber, and those that were added; at most MAXIMUM_PHONES."""
        numbers = dict(itertools.islice(self._subscribers(), MAXIMUM_PHONES)) | self._added
        for gone in self._phones.keys() - numbers.keys():
            if self._known(gone.lstrip("+")) is None:
                self._smsc.unregister(gone)  # its phone stays as it is, should the subscriber come back
        found = [self._get(number, mms=mms) for number, mms in itertools.islice(numbers.items(), MAXIMUM_PHONES)]
        return [one for one in found if one is not None]

    def one(self, digits: str) -> Phone | None:
        """The phone of a number, with or without its +; None for no subscriber."""
        wanted = digits.lstrip("+")
        found = self._known(wanted)
        if found is None:
            added = f"+{wanted}"
            return self._get(added, mms=self._added[added]) if added in self._added else None
        number, mms = found
        return self._get(number, mms=mms)

    def add(self, number: str, *, mms: bool = True) -> Phone:
        """A phone at the SMSC for a number that is no subscriber. Raises PhoneRefuses."""
        if not (number[:1] == "+" and number[1:].isascii() and number[1:].isdecimal() and 4 <= len(number) <= 16):
            raise PhoneRefuses(f"{number[:40]!r} is no number as +15550142")
        self._added.setdefault(number, mms)
        phone = self.one(number)
        if phone is None:
            self._added.pop(number)
            raise PhoneRefuses(f"at most {MAXIMUM_PHONES} phones")
        return phone

    def reset(self) -> None:
        """All are as at the start: nothing on them, and they do what phones do."""
        for phone in self._phones.values():
            phone.box.clear()
            phone.lines.clear()
            phone.change(PhoneSettings(mms=self._mms_of(phone)))

    def _mms_of(self, phone: Phone) -> bool:
        found = self._known(phone.digits)
        return self._added.get(phone.number, True) if found is None else found[1]

    def _get(self, number: str, *, mms: bool) -> Phone | None:
        phone = self._phones.get(number)
        if phone is None and len(self._phones) < MAXIMUM_PHONES:
            phone = self._phones[number] = self._made(number, PhoneSettings(mms=mms))
        if phone is not None:
            self._smsc.register(number, phone.agent.on_push, phone.agent.on_sms)
        return phone

    def _made(self, number: str, settings: PhoneSettings) -> Phone:
        def covered(on: bool) -> None:
            if on:
                self._smsc.regain_coverage(number)
            else:
                self._smsc.lose_coverage(number)

        phone = Phone(
            number,
            self._mm1_url,
            self._clock,
            self.bus,
            self._publish,
            settings,
            told=lambda news, item: self._told(number, news, item),
            covered=covered,
        )
        phone.agent.switch_on()
        return phone

    def away_since(self, phone: Phone) -> tuple[int | None, int]:
        """(service time since when it has no coverage, how many messages wait at the SMSC); None while it has it."""
        return self._smsc.coverage.since(phone.digits), self._smsc.coverage.waiting(phone.digits)
