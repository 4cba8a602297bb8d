"""Numbers in order, for pages of them: sorted when somebody first looks, kept in order from then on."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable

_BEHIND = "\x7f"  # every character of a number


class Roll:
    """`names` are all there are now; a million of them are sorted within a few tens of milliseconds, once, because they
    come nearly sorted out of the store."""

    def __init__(self) -> None:
        self._sorted: list[str] | None = None

    def forget(self) -> None:
        """They are others now."""
        self._sorted = None

    def add(self, name: str) -> None:
        """One more."""
        if self._sorted is not None and not self._has(name):
            insort(self._sorted, name)

    def drop(self, name: str) -> None:
        """One less."""
        if self._sorted is not None and self._has(name):
            del self._sorted[bisect_left(self._sorted, name)]

    def page(self, names: Iterable[str], after: str, beginning: str, limit: int) -> list[str]:
        """At most `limit` that begin so and come after `after`."""
        if self._sorted is None:
            self._sorted = sorted(names)
        first = max(bisect_right(self._sorted, after), bisect_left(self._sorted, beginning))
        end = bisect_right(self._sorted, beginning + _BEHIND) if beginning else len(self._sorted)
        return self._sorted[first : min(end, first + limit)]

    def _has(self, name: str) -> bool:
        assert self._sorted is not None
        at = bisect_left(self._sorted, name)
        return at < len(self._sorted) and self._sorted[at] == name
