"""Records: values that never change, made by the thousand for every message.

To the type checker `@record(frozen=True, slots=True)` is the dataclass that it says. At run time nothing guards the
fields: a frozen dataclass pays a call per field when it is made, a twelfth of all the work for an MM. The type checker
guards them always, and so do the tests (`guard`).
"""

import dataclasses
from typing import TYPE_CHECKING, Any, Final

__all__ = ["guard", "record"]

_guarded: Final = [False]


def guard() -> None:
    """Make records that are defined from now on refuse to be changed at run time, too. For tests."""
    _guarded[0] = True


if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:

    def record(*, frozen: bool, slots: bool, **options: Any) -> Any:
        """`dataclasses.dataclass` for values: compared and hashed by their fields."""
        assert frozen, "a record never changes"
        if not _guarded[0]:
            options |= {"unsafe_hash": True}
        return dataclasses.dataclass(frozen=_guarded[0], slots=slots, **options)
