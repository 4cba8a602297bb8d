"""Waits for something in service time: when all has come to rest and it is not there, the clock is put forward to what
is due next. So an hour's expiry takes a moment, and what does not come is known at once."""

from collections.abc import Callable, Collection
from typing import Final, TypeVar

from mmsc.client.looking import Looker, Seen, Wanted, misses
from mmsc.client.rest import Client

T = TypeVar("T")
WITHIN_SECONDS: Final = 60.0
STUCK_SECONDS: Final = 20.0  # what is under way for longer, in real time, is stuck
_SHORTEST_STEP: Final = 0.001


def until(client: Client, met: Callable[[], T | None], within_seconds: float = WITHIN_SECONDS) -> T | None:
    """What `met` finds, or None when the service time is over. Raises TimeoutError where something does not come to
    rest, ApiError, OSError."""
    end = client.still().now + round(within_seconds * 1_000_000)
    while True:
        found = met()
        if found is not None:
            return found
        still = client.settle(STUCK_SECONDS)
        found = met()  # once more: it may have come while everything came to rest
        if found is not None or still.now >= end:
            return found
        due = end if still.next_due is None else min(end, still.next_due)
        client.step(max(_SHORTEST_STEP, (due - still.now) / 1_000_000))


class Watch:
    """Waits for what is wanted. What was met once is not met again."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._looker = Looker(client)
        self.used: set[tuple[str, ...]] = set()

    def wait(self, wish: Wanted, within_seconds: float = WITHIN_SECONDS) -> tuple[Seen | None, list[Seen]]:
        """What came, None when nothing fitted; and all of the kind that was there. Raises as `until`."""
        seen: list[Seen] = []

        def met() -> Seen | None:
            seen[:] = self._looker.seen(wish)
            return _first(seen, wish, self.used)

        one = until(self._client, met, within_seconds)
        return one, [other for other in seen if other.key not in self.used]

    def use(self, one: Seen) -> None:
        """It was what was expected: another expectation wants another one. A state stays what it is."""
        if one.key[0] != "state":
            self.used.add(one.key)


def _first(seen: list[Seen], wish: Wanted, used: Collection[tuple[str, ...]]) -> Seen | None:
    return next((one for one in seen if one.key not in used and not misses(one, wish)), None)


def why(wish: Wanted, seen: list[Seen], best: Seen | None) -> str:
    """Why nothing fitted, in a sentence."""
    if not seen or best is None:
        return f"{wish.words}: nothing of the kind came"
    wrong = [name or "its name" for name in misses(best, wish)]
    return f"{wish.words}: the nearest of {len(seen)} differs in {', '.join(wrong)}"
