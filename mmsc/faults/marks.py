"""Hits of the built-in SMSC, on their way to the other end of the same connection: the SMSC knows which fault bit, the
ESME knows the MM. Both know the ESME's address and the sequence number."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mmsc.faults.plan import Hit

MAXIMUM: Final = 1000

Key = tuple[str, int]  # address:port of the ESME, sequence number (negative: the SMSC's own request)


class Marks:
    """Kept until they are asked for, the last `MAXIMUM`. Empty it is false. `ends` are the ESMEs that ask: the last
    `MAXIMUM` addresses of this process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Hit] = OrderedDict()
        self._ends: OrderedDict[str, None] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._kept)

    def join(self, address: str) -> None:
        """An ESME has this end of a connection, and will ask."""
        self._ends[address] = None
        if len(self._ends) > MAXIMUM:
            self._ends.popitem(last=False)

    def put(self, key: Key, hit: "Hit") -> bool:
        """The SMSC hit a PDU; False when nobody will ask."""
        if key[0] not in self._ends:
            return False
        self._kept[key] = hit
        if len(self._kept) > MAXIMUM:
            self._kept.popitem(last=False)
        return True

    def name(self, key: Key) -> str:
        """Which fault hit this PDU, "" for none."""
        hit = self._kept.get(key)
        return "" if hit is None else hit.name

    def take(self, key: Key) -> "Hit | None":
        """The hit of this PDU, once."""
        return self._kept.pop(key, None)
