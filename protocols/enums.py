"""Enumerations that stay open: a number newer than we are is kept, shown and written back."""

from enum import IntEnum
from typing import Self


class OpenEnum(IntEnum):
    """An `IntEnum` in which an unknown number becomes a member `UNKNOWN_0xNN`.

    Such members are made when asked for and never cached: there are 2^32 of them and the sender picks.
    They compare and hash by number, like all members.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or value < 0:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_0x{value:02X}"
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """True when the specification names this number."""
        return self._value_ in type(self)._value2member_map_
