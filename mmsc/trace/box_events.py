"""The events of MMBoxes (OMA-TS-MMS_ENC 6, X-Mms-Store and m-mbox-*). Part of the closed list in `events.py`."""

from typing import ClassVar, Final

from mmsc.trace.data import Data

BOX_TOO_OLD: Final = "kept for as long as the settings say"
BOX_BY_OWNER: Final = "its owner asked for it"
BOX_WITHDRAWN: Final = "its sender withdrew it, and its owner had not looked at it"


class BoxKept(Data, frozen=True, omit_defaults=True):
    """An MM is in a subscriber's box from now on. `entry` is the entry's number, `source` what it was made of."""

    kind: ClassVar[str] = "box.kept"
    entry: str
    owner: str
    source: str
    state: str
    size_octets: int
    flags: tuple[str, ...] = ()


class BoxChanged(Data, frozen=True, omit_defaults=True):
    """An MM in a box has another state, or other flags."""

    kind: ClassVar[str] = "box.changed"
    entry: str
    owner: str
    state: str
    flags: tuple[str, ...] = ()


class BoxDeleted(Data, frozen=True, omit_defaults=True):
    """An MM is in a box no longer. `owner` is "" when housekeeping took it."""

    kind: ClassVar[str] = "box.deleted"
    entry: str
    owner: str
    because: str


class BoxRefused(Data, frozen=True, omit_defaults=True):
    """An MM was not put into a box."""

    kind: ClassVar[str] = "box.refused"
    owner: str
    source: str
    because: str
