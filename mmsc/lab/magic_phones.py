"""The phones behind magic numbers (`mmsc.faults.magic`): made when the SMSC has something for one, each with the
behaviour that its number stands for. They speak MM1 over sockets like any other."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from mmsc.faults.magic import Magic
from mmsc.lab.handset import Handset
from mmsc.lab.handset_behaviour import behaviours_of
from mmsc.lab.handset_http import FAILURES, Transport
from mmsc.lab.smsc import VirtualSmsc

MAXIMUM_PHONES: Final = 200  # those of longest ago are switched off
_URL: Final = re.compile(r"https?://[^\s<>\"]+")
_BROWSER: Final = "Mozilla/5.0 (mmsc lab)"  # the page takes robots for no viewers


class MagicPhones:
    """Use it as an async context manager, inside of whatever else brings phones to this SMSC."""

    def __init__(self, smsc: VirtualSmsc, mm1_url: str, outcome: Callable[[str], Magic | None]) -> None:
        """`outcome` says what a number stands for, None for an ordinary one."""
        self._smsc = smsc
        self._mm1_url = mm1_url
        self._outcome = outcome
        self._phones: OrderedDict[str, _MagicPhone] = OrderedDict()
        self._leaving: set[asyncio.Task[None]] = set()
        self._others: Callable[[str], None] = smsc.switch_on

    async def __aenter__(self) -> Self:
        self._others = self._smsc.switch_on
        self._smsc.switch_on = self._switch_on
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._smsc.switch_on = self._others
        for number, phone in self._phones.items():
            self._smsc.unregister(number)
            self._leave(phone)
        self._phones.clear()
        await asyncio.gather(*self._leaving)

    def _switch_on(self, digits: str) -> None:
        number = f"+{digits.lstrip('+')}"
        magic = self._outcome(number)
        if magic is None:
            self._others(digits)
            return
        phone = self._phones[number] = _MagicPhone(number, self._mm1_url, magic)
        self._smsc.register(number, phone.on_push, phone.on_sms)
        if len(self._phones) > MAXIMUM_PHONES:
            oldest, gone = self._phones.popitem(last=False)
            self._smsc.unregister(oldest)
            self._leave(gone)

    def _leave(self, phone: "_MagicPhone") -> None:
        task = asyncio.ensure_future(phone.close())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


class _MagicPhone:
    """One of them; its connections are opened with the first message."""

    def __init__(self, number: str, mm1_url: str, magic: Magic) -> None:
        self._handset = Handset(number, mm1_url, behaviours=behaviours_of(magic.behaviour))
        self._magic = magic
        self._browser = Transport({"User-Agent": _BROWSER})
        self._opened = False

    async def on_push(self, octets: bytes) -> None:
        """A WAP push."""
        await self._open()
        await self._handset.on_push(octets)
        self._handset.inbox.clear()  # nobody looks at it

    async def on_sms(self, text: str) -> None:
        """An SMS: a link in it is opened, if this number does that."""
        found = _URL.search(text)
        if found is None or not self._magic.opens_link:
            return
        await self._open()
        try:
            await self._browser.request("GET", found[0], None, {})
        except FAILURES:
            return  # as anybody's browser: nothing was seen

    async def close(self) -> None:
        """Switch it off."""
        if self._opened:
            await self._handset.__aexit__(None, None, None)
            await self._browser.close()

    async def _open(self) -> None:
        if not self._opened:
            self._opened = True
            await self._handset.__aenter__()
            self._browser.open()
