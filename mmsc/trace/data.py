"""What every kind of event derives from."""

from typing import ClassVar

import msgspec


class Data(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one kind of event carries. `kind` is its name for ever."""

    kind: ClassVar[str] = ""
