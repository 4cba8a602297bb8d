"""How far the files of a node are: kept in the store, and moved in the unit that forgets the events that were written.

The length that stands here is the truth about the open file. What lies behind it was never confirmed: its events are
still owed, so it is cut off and written anew. That is all that exactly-once needs, wherever a process dies.
"""

from collections.abc import Mapping
from typing import Final

import msgspec


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """`epoch` grows with each start of a writer; `number` is that of the open file, or of the last one; `stem` its name
    without its ending, "" when none is open; `opened_at` real µs; `octets` its lengths by ending; `records` is the last
    localSequenceNumber."""

    epoch: int = 0
    number: int = 0
    stem: str = ""
    opened_at: int = 0
    octets: Mapping[str, int] = {}
    records: int = 0


START: Final = Position()
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Position).decode


def written(position: Position) -> str:
    """As it stands in the store; the same position gives the same text."""
    return _encode(position).decode()


def read(text: str) -> Position:
    """The position that `written` wrote."""
    return _decode(text)
