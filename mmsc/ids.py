"""Identifiers and secrets: the other well of chance. Handed in like the clock, so that a seed replays a run."""

import base64
import secrets
from collections.abc import Callable
from random import Random
from typing import Final, Self

from mmsc.clock import host_now

NODE_BITS: Final = 10
MAXIMUM_NODE: Final = (1 << NODE_BITS) - 1
_MAXIMUM_ID: Final = (1 << 63) - 1

# Crockford's base 32: no I, L, O or U, so that an id survives being read aloud.
_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES: Final = {
    **{digit: value for value, digit in enumerate(_DIGITS)},
    "O": 0,
    "I": 1,
    "L": 1,
}
_ID_LETTERS: Final = 13  # 65 bits hold 63
_TRANSACTION_BITS: Final = 64  # of chance: far beyond a collision
_TRANSACTION_LETTERS: Final = 18  # of 5 bits, for time and chance: short enough for a push in two SMS


def to_text(number: int) -> str:
    """An id as 13 letters of Crockford's base 32; texts sort as the numbers do. ValueError outside 63 bits."""
    if not 0 <= number <= _MAXIMUM_ID:
        raise ValueError(f"{number} is no 63-bit id")
    return _base32(number, _ID_LETTERS)


def from_text(text: str) -> int:
    """The id that `to_text` wrote, also in small letters, with hyphens, or with O for 0 and I or L for 1.

    ValueError for anything else."""
    letters = text.replace("-", "").upper()
    if len(letters) != _ID_LETTERS:
        raise ValueError(f"an id has {_ID_LETTERS} letters, not {len(letters)}")
    number = 0
    for letter in letters:
        if letter not in _VALUES:
            raise ValueError(f"{letter!r} is no letter of an id")
        number = number << 5 | _VALUES[letter]
    if number > _MAXIMUM_ID:
        raise ValueError("the id is larger than 63 bits")
    return number


_PAIRS: Final = tuple(first + second for first in _DIGITS for second in _DIGITS)  # 10 bits at once


def _base32(number: int, letters: int) -> str:
    text = "".join([_PAIRS[number >> shift & 1023] for shift in range(10 * ((letters - 1) // 2), -1, -10)])
    return text[-letters:]


_POOL_OCTETS: Final = 4096


class _Pool:
    """The system's chance, drawn in large pieces: each draw gives up the interpreter's lock, and beside a busy writer
    thread that costs more than all the rest of making an id. No octet is given out twice."""

    def __init__(self) -> None:
        self._octets = b""
        self._used = 0

    def __call__(self, number: int) -> bytes:
        end = self._used + number
        if end > len(self._octets):
            self._octets = secrets.token_bytes(max(_POOL_OCTETS, number))
            self._used, end = 0, number
        piece = self._octets[self._used : end]
        self._used = end
        return piece


class Ids:
    """Makes the identifiers of one node."""

    def __init__(
        self,
        node: int = 0,
        *,
        real: Callable[[], int] = host_now,
        random_octets: Callable[[int], bytes] | None = None,
    ) -> None:
        """`node` (0 to 1023) is different on each node of one database; `real` gives microseconds since 1970.

        `random_octets` gives so many octets of chance; without it they are the system's."""
        if not 0 <= node <= MAXIMUM_NODE:
            raise ValueError(f"node must be 0 to {MAXIMUM_NODE}, not {node}")
        self._node = node
        self._real = real
        self._random_octets = random_octets or _Pool()
        self._last_micros = 0

    @classmethod
    def seeded(cls, seed: int, node: int = 0, *, real: Callable[[], int] = host_now) -> Self:
        """Ids whose tokens follow from `seed`: for simulations, never for a server that strangers reach."""
        return cls(node, real=real, random_octets=Random(seed).randbytes)

    def new_id(self) -> int:
        """A 63-bit id, larger than every one before it from this object, and never another node's.

        The upper bits are real microseconds, so ids of different nodes sort roughly by time, and a restart goes on
        above (`go_on_above`). A burst or a host clock that was set back borrows microseconds from the future.
        """
        micros = max(self._real(), self._last_micros + 1)
        self._last_micros = micros
        return micros << NODE_BITS | self._node

    def go_on_above(self, number: int) -> None:
        """Every id from now on is larger than this one, which an earlier start made."""
        self._last_micros = max(self._last_micros, number >> NODE_BITS)

    def text(self, number: int) -> str:
        """`to_text`, for those who hold an `Ids`."""
        return to_text(number)

    def token(self, bits: int = 128) -> str:
        """A secret for a URL: at least `bits` of chance in letters, digits, `-` and `_` (26 for 128).

        Three octets of time stand before the chance, so that tokens of one moment are neighbours in an index: entries
        that land anywhere cost a page of the write-ahead log each."""
        octets = self._moment().to_bytes(3) + self._random_octets((bits + 7) // 8)
        return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")

    def transaction_id(self) -> str:
        """A transaction id that any interface can carry: 18 letters and digits (MM1, MM4 and MM7 allow 40 safely), the
        first ones of time, as in `token`."""
        octets = self._random_octets(_TRANSACTION_BITS // 8)
        return _base32(self._moment() << _TRANSACTION_BITS | int.from_bytes(octets), _TRANSACTION_LETTERS)

    def _moment(self) -> int:
        """24 bits of real time in steps of 8 ms: they come round in a day and a half, which no index minds."""
        return self._real() >> 13 & 0xFFFFFF

    def number(self, bits: int) -> int:
        """A random number of that many bits (SMS concatenation references, sequence starts)."""
        octets = (bits + 7) // 8
        return int.from_bytes(self._random_octets(octets)) >> (8 * octets - bits)
