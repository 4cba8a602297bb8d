"""Hits of the built-in SMSC, on their way to the other end of the same connection: the SMSC knows which fault bit, the
ESME knows the MM. Both know the ESME's address and the sequence number. And the fault of what a task sends, on its way
down to the connection that it leaves by."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mmsc.faults.plan import Hit

MAXIMUM: Final = 1000

_sending: Final[ContextVar[str]] = ContextVar("sending", default="")

Key = tuple[str, int]  # address:port of the ESME, sequence number (negative: the SMSC's own request)


def sent_wrongly() -> str:
    """The fault of what this task sends now, "" for none."""
    return _sending.get()


class Marks:
    """Kept until they are asked for, the last `MAXIMUM`. False: there is nothing to ask for. `ends` are the ESMEs that
    ask: the last `MAXIMUM` addresses of this process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Hit] = OrderedDict()
        self._sent: OrderedDict[Key, int | None] = OrderedDict()  # whose a request is
        self._ends: OrderedDict[str, None] = OrderedDict()
        self._wrong = 0  # tasks that send something wrong now

    def __bool__(self) -> bool:
        return bool(self._kept or self._wrong)

    @contextmanager
    def sending(self, fault: str) -> Iterator[None]:
        """What this task sends meanwhile has this fault."""
        before = _sending.set(fault)
        self._wrong += 1
        try:
            yield
        finally:
            self._wrong -= 1
            _sending.reset(before)

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

    def sent(self, key: Key, mm_id: int | None) -> None:
        """A request of an ESME is about this MM."""
        self._sent[key] = mm_id
        if len(self._sent) > MAXIMUM:
            self._sent.popitem(last=False)

    def whose(self, key: Key) -> int | None:
        """The MM that a request of an ESME was about, where that is known."""
        return self._sent.get(key)

    def name(self, key: Key) -> str:
        """Which fault hit this PDU, "" for none."""
        hit = self._kept.get(key)
        return "" if hit is None else hit.name

    def take(self, key: Key) -> "Hit | None":
        """The hit of this PDU, once."""
        return self._kept.pop(key, None)
