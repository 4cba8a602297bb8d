"""Subscribers as people make them while the server runs; those of the settings file are locked.

There may be a million: whoever asks gets a page of them, found by how a number begins."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from mmsc.control.house import House
from mmsc.control.setup_tables import SetupFull, SetupLocked, SetupWrong
from mmsc.domain.address import Address, AddressKind, NotAnAddress
from mmsc.domain.neighbours import MmsFlag, Subscriber
from mmsc.domain.networks import network_of, spelled
from mmsc.engine.engine import Engine
from mmsc.engine.made import Made
from mmsc.settings.neighbours import Subscriber as Table
from mmsc.settings.reading import wrong_keys
from protocols.records import record

MAXIMUM_SUBSCRIBERS: Final = 1_000_000  # of the file and made: each costs some 700 octets of memory


@record(frozen=True, slots=True)
class Listed:
    """One number. `origin` is config (locked, `where`), console, or learned: only its MM1 requests tell of it."""

    subscriber: Subscriber
    origin: str
    where: str


class Subscribers:
    """What writes raises StoreBusy and StoreUnavailable."""

    def __init__(self, made: Made, house: House, engine: Engine) -> None:
        self._made = made
        self._house = house
        self._engine = engine
        self._lock = asyncio.Lock()  # of two that claim one IP address the second hears of the first

    @property
    def count(self) -> int:
        """How many numbers are known."""
        return self._engine.neighbours.subscriber_count

    def number(self, text: str) -> Address:
        """A subscriber's number in international form. Raises SetupWrong."""
        found = self._engine.numbers.normalise(text)
        if isinstance(found, NotAnAddress):
            raise SetupWrong((("number", f"{text[:60]!r} is no number: {found.because}"),))
        if found.address.kind is not AddressKind.PHONE:
            raise SetupWrong((("number", f"{text[:60]!r} is no telephone number"),))
        return found.address

    def listed(self, after: str = "", limit: int = 100, beginning: str = "") -> tuple[list[Listed], str]:
        """Those behind a number, and the `after` of the next page ("": the last). `beginning` may lack its plus."""
        begins = f"+{beginning.lstrip('+')}" if beginning.strip("+ ") else ""
        names = self._engine.neighbours.subscriber_page(after, begins, limit + 1)
        found = [self._of(name) for name in names[:limit]]
        return found, names[limit - 1] if len(names) > limit else ""

    def one(self, number: Address) -> Listed | None:
        """One, None when nothing is known of the number."""
        known = self._engine.neighbours.is_known(number)
        return self._of(number.value) if known else None

    async def put(self, number: Address, told: Mapping[str, Any]) -> tuple[Listed, bool]:
        """Make one of these keys, or change all of it to them; whether it is new. Raises SetupWrong, SetupLocked and
        SetupFull."""
        async with self._lock:
            self._check_origin(number)
            new = not self._engine.neighbours.is_made(number)
            if new and self.count >= MAXIMUM_SUBSCRIBERS:
                raise SetupFull(f"{MAXIMUM_SUBSCRIBERS:,} numbers are known: delete some")
            subscriber = self._made_of(number, told)
            if not await self._made.put_subscriber(subscriber):
                raise SetupLocked(f"{number} is in the settings file of another node")
            return self._of(number.value), new

    async def delete(self, number: Address) -> bool:
        """He goes, False where there is none. MMs that are under way to him go on. Raises SetupLocked."""
        async with self._lock:
            self._check_origin(number)
            return await self._made.take_subscriber(number.value)

    def _of(self, name: str) -> Listed:
        known = self._engine.neighbours
        address = Address.of(name)
        if known.is_configured(address):
            return Listed(known.subscriber(address), "config", self._house.where("subscriber", name))
        return Listed(known.subscriber(address), "console" if known.is_made(address) else "learned", "")

    def _check_origin(self, number: Address) -> None:
        if self._engine.neighbours.is_configured(number):
            raise SetupLocked(f"{number} is in {self._house.where('subscriber', number.value)}: change it there")

    def _made_of(self, number: Address, told: Mapping[str, Any]) -> Subscriber:
        errors = list(wrong_keys(Table, dict(told)))
        if errors:
            raise SetupWrong(tuple(sorted(errors)))
        table = msgspec.convert(dict(told), Table)
        if table.smsc and table.smsc not in self._engine.neighbours.smscs:
            raise SetupWrong((("smsc", f"there is no SMSC {table.smsc[:60]!r}"),))
        ip = self._ip(number, table.ip)
        return Subscriber(address=number, mms=MmsFlag(table.mms), smsc=table.smsc, ip=ip, run=table.run)

    def _ip(self, number: Address, text: str) -> str:
        if not text:
            return ""
        try:
            network = network_of(text)
        except ValueError:
            raise SetupWrong((("ip", f"{text[:60]!r} is neither an IP address nor a network"),)) from None
        holder = self._engine.neighbours.configured_at(network)
        if holder is not None and holder != number:
            raise SetupWrong((("ip", f"{spelled(network)} is {holder}'s"),))
        return spelled(network)
