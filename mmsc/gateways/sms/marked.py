"""How a session learns which fault of the built-in SMSC it met."""

from typing import Protocol


class Marked(Protocol):
    """What the built-in SMSC did wrong on this session on purpose. False: nothing."""

    def __bool__(self) -> bool: ...

    def joined(self, address: str) -> None:
        """The session has this end (address:port)."""
        ...

    def name(self, number: int) -> str:
        """The fault of a PDU, by its sequence number (negative for the SMSC's own requests, 0 for one that this task
        sends now); "" for none."""
        ...

    def sent(self, number: int, mm_id: int | None) -> None:
        """A request about this MM leaves under this number."""
        ...

    def hit(self, number: int, mm_id: int | None = None) -> None:
        """It was about this MM."""
        ...
