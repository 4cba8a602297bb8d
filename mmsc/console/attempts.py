"""How often an address may show wrong tokens: programs that guess are slowed down, people are not. /login and bearer
tokens are counted apart: a program that was set up wrongly must not keep its neighbour out of /login."""

from collections import OrderedDict, deque
from math import ceil
from typing import Final

from mmsc.domain.instant import SECOND

MAXIMUM: Final = 10  # wrong ones from one address within the window
WINDOW_SECONDS: Final = 60
_ADDRESSES: Final = 1024  # the longest silent is forgotten first


class Attempts:
    """Wrong tokens by address. Times are real, µs."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, deque[int]] = OrderedDict()

    def wait(self, address: str, now: int) -> int:
        """Seconds until this address may try again, 0 for at once."""
        known = self._wrong.get(address)
        if known is None or len(known) < MAXIMUM:
            return 0
        left = known[0] + WINDOW_SECONDS * SECOND - now
        return max(0, ceil(left / SECOND))

    def wrong(self, address: str, now: int) -> None:
        """It showed a wrong one."""
        self._wrong.setdefault(address, deque(maxlen=MAXIMUM)).append(now)
        self._wrong.move_to_end(address)
        while len(self._wrong) > _ADDRESSES:
            self._wrong.popitem(last=False)

    def right(self, address: str) -> None:
        """It knows the token."""
        self._wrong.pop(address, None)
