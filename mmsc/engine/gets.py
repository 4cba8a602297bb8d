"""GETs under way, by recipient: what is being sent is not to be told of as withdrawn, and who withdraws it is not to be
overtaken by a GET that begins meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from mmsc.domain.message import Recipient, RecipientId


class Gets:
    """Of this node: another one's are seen when they are complete."""

    def __init__(self) -> None:
        self._open: Counter[RecipientId] = Counter()
        self._closed: dict[RecipientId, asyncio.Event] = {}
        self.decided = 0  # changes so far: what was looked up before one is old

    def begin(self, recipient_id: RecipientId) -> None:
        """A GET is about to be answered; `end` follows."""
        self._open[recipient_id] += 1

    def end(self, recipient_id: RecipientId) -> None:
        """It was answered, or broke off."""
        if self._open[recipient_id] > 1:
            self._open[recipient_id] -= 1
        else:
            self._open.pop(recipient_id, None)

    def is_open(self, recipient_id: RecipientId) -> bool:
        """Whether somebody is being sent this recipient's MM."""
        return recipient_id in self._open

    @contextmanager
    def closed(self, recipient_id: RecipientId) -> Iterator[None]:
        """No GET of this recipient begins meanwhile. Not to be nested: who changes an MM does so alone."""
        decided = self._closed[recipient_id] = asyncio.Event()
        try:
            yield
        finally:
            self._closed.pop(recipient_id, None)
            self.decided += 1
            decided.set()

    async def settled(self, recipients: Iterable[Recipient]) -> bool:
        """Wait until nobody decides about a change to what these get. Whether there ever was one: then what was read of
        them before may be old."""
        for one in recipients:
            decision = self._closed.get(one.id)
            if decision is not None:
                await decision.wait()
        return self.decided > 0

    def decision(self, recipient_id: RecipientId) -> asyncio.Event | None:
        """What a GET has to wait for before it looks again."""
        return self._closed.get(recipient_id)
