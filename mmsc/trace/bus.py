"""Tells whoever watches what just happened. The one who publishes never waits; a watcher that cannot follow is cut.

The last items stay in a ring for pages that are opened late. What left the ring is still in the store: `lost` and
`first_loss` say that, and from when on, the ring is not the whole story.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from itertools import islice
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class WatcherCut(Exception):
    """This watcher was too slow: `missed` items went by since. Watch again, and read the gap from the store."""

    def __init__(self, missed: int) -> None:
        super().__init__(f"too slow: {missed} items missed")
        self.missed = missed


class Bus(Generic[T]):
    """A stream of items with a memory. Belongs to the event loop's thread."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._ring: deque[T] = deque(maxlen=capacity)
        self._watchers: list[Watcher[T] | _Listener[T]] = []
        self.lost = 0
        self.first_loss: T | None = None  # the first item that ever left the ring

    @property
    def is_watched(self) -> bool:
        """Whether anybody watches now."""
        return bool(self._watchers)

    def publish(self, item: T) -> None:
        """Tell all watchers. Costs a list append each, whatever they do."""
        ring = self._ring
        if len(ring) == ring.maxlen:
            self.lost += 1
            if self.lost == 1:
                self.first_loss = ring[0]
        ring.append(item)
        for watcher in tuple(self._watchers):
            watcher.take(item)

    def forget(self) -> None:
        """The ring is empty again; those who watch go on."""
        self._ring.clear()

    def recent(self) -> tuple[T, ...]:
        """What the ring holds, oldest first."""
        return tuple(self._ring)

    @property
    def position(self) -> int:
        """How many items there were: where a reader of `since` begins."""
        return self.lost + len(self._ring)

    def since(self, position: int) -> tuple[list[T], int]:
        """What came behind a position, oldest first, and how many of these have left the ring. Who reads like this now
        and then costs whoever publishes nothing, and holds nothing."""
        number = max(0, self.position - position)
        missed = max(0, number - len(self._ring))
        items = list(islice(reversed(self._ring), number - missed))
        items.reverse()
        return items, missed

    def hear(self, take: Callable[[T], None]) -> Callable[[], None]:
        """Call `take` with every item from now on, at once: it must be quick and may not raise. Returns the way to
        stop that."""
        listener = _Listener(take)
        self._watchers.append(listener)
        return lambda: self._watchers.remove(listener) if listener in self._watchers else None

    def watch(self, *, capacity: int = 1000, replay: bool = False) -> "Watcher[T]":
        """Watch from now on, or with `replay` from the oldest item of the ring. Use it as a context manager."""
        watcher: Watcher[T] = Watcher(self._watchers, capacity, self._ring if replay else ())
        self._watchers.append(watcher)
        return watcher


class Watcher(Generic[T]):
    """One who watches: an async iterator over items. Raises WatcherCut after the last item it had room for."""

    def __init__(self, watchers: "list[Watcher[T] | _Listener[T]]", capacity: int, already: Iterable[T]) -> None:
        self._watchers = watchers
        self._capacity = capacity
        self._waiting: deque[T] = deque(already)
        self._news = asyncio.Event()
        self._missed = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        while not self._waiting:
            if self._missed:
                raise WatcherCut(self._missed)
            if self._closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()

    def take_all(self) -> list[T]:
        """What waits now, without waiting for more."""
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    async def until(self, wanted: Callable[[T], bool]) -> T:
        """The next item that is wanted; those before it are passed over. The caller bounds the time."""
        async for item in self:
            if wanted(item):
                return item
        raise LookupError("the watcher was closed")

    def close(self) -> None:
        """Watch no longer; whoever waits is woken and ends."""
        self._closed = True
        if self in self._watchers:
            self._watchers.remove(self)
        self._news.set()

    def take(self, item: T) -> None:
        """The bus hands an item over; without room for it the watcher is cut."""
        if self._missed or len(self._waiting) >= self._capacity:
            self._missed += 1
        else:
            self._waiting.append(item)
        self._news.set()


class _Listener(Generic[T]):
    """One who is called."""

    def __init__(self, take: Callable[[T], None]) -> None:
        self.take = take
