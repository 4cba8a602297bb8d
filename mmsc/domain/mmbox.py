"""The MMBox in words: what a subscriber keeps in the network has a state and flags, and is looked at by them
(OMA-TS-MMS_ENC 7.3.32, 7.3.33; TS 23.140 5.3). `box_entry.py` has what is kept."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Final

from protocols.records import record

MAXIMUM_FLAGS: Final = 20  # on one MM; more are not kept
LONGEST_FLAG: Final = 64  # characters; a longer one is not kept


class BoxState(StrEnum):
    """X-Mms-MM-State (7.3.33)."""

    DRAFT = "draft"
    SENT = "sent"
    NEW = "new"
    RETRIEVED = "retrieved"
    FORWARDED = "forwarded"


@record(frozen=True, slots=True)
class BoxFlags:
    """Keywords that are to be added to an MM, and taken away (7.3.32)."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def on(self, flags: Sequence[str]) -> tuple[str, ...]:
        """The flags of an MM afterwards: each once, at most `MAXIMUM_FLAGS`."""
        wanted = (*flags, *(one for one in self.add if one and len(one) <= LONGEST_FLAG))
        return tuple([one for one in dict.fromkeys(wanted) if one not in self.remove][:MAXIMUM_FLAGS])


@record(frozen=True, slots=True)
class Keeping:
    """How an MM is to be kept: its state (None: what its origin says) and flags."""

    state: BoxState | None = None
    flags: BoxFlags = BoxFlags()


@record(frozen=True, slots=True, kw_only=True)
class BoxPolicy:
    """What a box may hold, how much of it is shown at once, and how many locations one request may name.
    `default_store`: every MM for a subscriber is kept, too."""

    enabled: bool = True
    default_store: bool = False
    quota_messages: int = 500
    quota_octets: int = 50 << 20
    view_messages: int = 50
    view_octets: int = 1 << 20
    locations: int = 100


class NotKept(StrEnum):
    """Why an MM is not in the box."""

    NOT_OFFERED = "not_offered"  # there are no boxes here
    FULL = "full"
    NOT_FOUND = "not_found"  # nothing of this subscriber's is there
    TOO_LARGE = "too_large"
    STORE_AWAY = "store_away"  # later


@record(frozen=True, slots=True)
class BoxTotals:
    """How full a box is."""

    messages: int
    octets: int


@record(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which MMs of a box: those of one of these states and with one of these flags, of each kind where any are named;
    from the `start`th on, `limit` of them (None: as many as are shown at once)."""

    states: tuple[BoxState, ...] = ()
    flags: tuple[str, ...] = ()
    start: int = 0
    limit: int | None = None

    def has(self, state: BoxState, flags: Collection[str]) -> bool:
        """Whether an MM is one of them (OR within a kind, AND between kinds)."""
        return (not self.states or state in self.states) and (not self.flags or any(one in flags for one in self.flags))
