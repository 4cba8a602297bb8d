"""The columns of a ladder in the order of travel: originator, we, what lies between, recipients."""

from collections.abc import Iterable, Sequence
from typing import Final

from mmsc.trace.events import Event, MmAccepted
from mmsc.trace.ladder.model import MMSC, Column
from mmsc.trace.ladder.reading import party_of

OWN_COLUMNS: Final = 3  # phones up to that number have a column each
PHONES: Final = "phones"
_ORDER: Final = ("smsc", "peer", "mail", "vasp", "phone", PHONES)
_KINDS: Final = {
    "vasp": "VASP · MM7",
    "smsc": "SMSC · SMPP",
    "peer": "MMSC · MM4",
    "mail": "mail · MM3",
    "phone": "handset · MM1",
    "rest": "REST",
}


def originator(events: Sequence[Event], parties: Sequence[str]) -> str:
    """The key of whoever the MM came from; where its first event is gone, whoever spoke first."""
    for event in events:
        if isinstance(event.data, MmAccepted):
            told = event.data
            if told.interface in ("mm1", "mm7", "mm4", "eaif"):
                interface = "mm7" if told.interface == "eaif" else told.interface
                return party_of(interface, told.neighbour, told.sender)
            found = next((one for one in parties if one.startswith("mail:")), "")
            return found or f"{told.interface}:{told.neighbour or told.interface}"
    return parties[0] if parties else ""


def columns(
    first: str, parties: Iterable[str], node: str = "", kinds: dict[str, str] | None = None
) -> tuple[Column, ...]:
    """Those that carry something. `first` stands left of us; `kinds` says more of some keys than their kind does."""
    found = list(dict.fromkeys(one for one in parties if one not in (MMSC, first)))
    phones = [one for one in found if one.startswith("phone:")]
    if len(phones) > OWN_COLUMNS:
        found = [one for one in found if one not in phones] + [PHONES]
    found.sort(key=lambda one: _ORDER.index(one.partition(":")[0]) if one.partition(":")[0] in _ORDER else 0)
    left = [first] if first else []
    told = kinds or {}
    made = [_column(one, len(phones), told) for one in (*left, MMSC, *found)]
    return tuple(Column(one.key, one.name, node) if one.key == MMSC else one for one in made)


def _column(key: str, phones: int, kinds: dict[str, str]) -> Column:
    kind, _, name = key.partition(":")
    if key == PHONES:
        return Column(PHONES, f"{phones} phones", "handsets · MM1")
    return Column(key, name or key, kinds.get(key) or _KINDS.get(kind, ""))


def index_of(found: Sequence[Column], key: str) -> int:
    """Where a party stands; among more than three phones all of them are one; -1 for who has no column."""
    for index, column in enumerate(found):
        if column.key == key or (column.key == PHONES and key.startswith("phone:")):
            return index
    return -1
