"""Begins again: everything, or one run. A store that other nodes share is only emptied by who names it."""

import asyncio
from collections.abc import Callable

import msgspec

from mmsc.engine.resetting import Resetter, Taken
from mmsc.trace.bus import Bus
from mmsc.trace.events import Event
from mmsc.trace.rings import Captures


class NotThisStore(Exception):
    """Other nodes share the store, and whoever asked did not name it."""


class ResetDone(msgspec.Struct, frozen=True):
    """What was taken away: messages with all that hangs on them, and entries of MMBoxes."""

    messages: int
    boxed: int


class ResetService:
    """`Control.resetting`. `name` is the store's (a file, or a schema); `forgets` are told when everything went."""

    def __init__(
        self,
        resetter: Resetter,
        bus: Bus[Event],
        captures: Captures | None,
        *,
        name: str,
        shared: bool,
        forgets: tuple[Callable[[], None], ...] = (),
    ) -> None:
        self._resetter = resetter
        self._bus = bus
        self._captures = captures
        self.name = name
        self.shared = shared
        self._forgets = forgets
        self._one_at_a_time = asyncio.Lock()

    async def everything(self, store: str = "") -> ResetDone:
        """All messages, boxes, events and captures. Neighbours, the clock and its state stay. Raises `NotThisStore`
        where other nodes share the store and `store` does not name it, and `StoreUnavailable`."""
        if self.shared and store != self.name:
            told = f"not {store!r}" if store else "name it to have it emptied"
            raise NotThisStore(f"other nodes may use the store {self.name!r}: {told}")
        async with self._one_at_a_time:
            taken = await self._resetter.everything()
            if self._captures is not None:
                self._captures.clear()
            self._bus.forget()
            for forget in self._forgets:
                forget()
        return _done(taken)

    async def of_run(self, run: str) -> ResetDone:
        """The messages of one run, whoever shares the store: they are nobody else's. Their
        captures are not found any more."""
        async with self._one_at_a_time:
            taken = await self._resetter.of_run(run)
            if self._captures is not None and taken.ids:
                await self._captures.take_away(taken.ids)
            for forget in self._forgets:
                forget()
        return _done(taken)


def _done(taken: Taken) -> ResetDone:
    return ResetDone(taken.messages, taken.boxed)
