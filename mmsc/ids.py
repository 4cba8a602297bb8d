"""Identifiers and secrets: the other well of chance. Handed in like the clock, so that a seed replays a run."""

import binascii
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
TRANSACTION_LETTERS: Final = 18  # of a transaction id, five of them time
_TRANSACTION_CHANCE: Final = 13  # letters of 5 bits: far beyond a collision; with 5 of time a push fits in two SMS

# Chance needs no arithmetic: octets become letters by a table. Each letter of base 32 stands for 8 of the 256.
_CHANCE_LETTERS: Final = (_DIGITS * 8).encode()
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")  # RFC 4648 5


def to_text(number: int) -> str:
    """An id as 13 letters of Crockford's base 32; texts sort as the numbers do. ValueError outside 63 bits."""
    if not 0 <= number <= _MAXIMUM_ID:
        raise ValueError(f"{number} is no 63-bit id")
    return _DIGITS[number >> 60] + _six(number >> 30 & _THIRTY_BITS) + _six(number & _THIRTY_BITS)


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


def id_in(message_id: str) -> int | None:
    """The id that an identifier of ours (`ID@DOMAIN`) holds, None when it is none of ours."""
    try:
        return from_text(message_id.partition("@")[0])
    except ValueError:
        return None


_PAIRS: Final = tuple(first + second for first in _DIGITS for second in _DIGITS)  # 10 bits at once


_THIRTY_BITS: Final = (1 << 30) - 1  # beyond that the interpreter's arithmetic costs several times as much


def _six(number: int) -> str:
    """30 bits as six letters."""
    return _PAIRS[number >> 20] + _PAIRS[number >> 10 & 1023] + _PAIRS[number & 1023]


_POOL_OCTETS: Final = 4096


class _Pool:
    """The system's chance, drawn in large pieces: each draw gives up the interpreter's lock, and beside a busy writer
    thread that costs more than all the rest of making an id. No octet is given out twice."""

    def __init__(self) -> None:
        self._octets = b""
        self._used = 0

    def draw(self, number: int) -> bytes:
        """So many octets."""
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
        self._random_octets = random_octets or _Pool().draw
        self._last_micros = 0

    @classmethod
    def seeded(cls, seed: int, node: int = 0, *, real: Callable[[], int] = host_now) -> Self:
        """Ids whose tokens follow from `seed`: for simulations, never for a server that strangers reach."""
        return cls(node, real=real, random_octets=Random(seed).randbytes)

    @property
    def node(self) -> int:
        """The number of this node: its own among those of one database."""
        return self._node

    def new_id(self, real: int = 0) -> int:
        """A 63-bit id, larger than every one before it from this object, and never another node's.

        The upper bits are real microseconds, so ids of different nodes sort roughly by time, and a restart goes on
        above (`go_on_above`). A burst or a host clock that was set back borrows microseconds from the future.
        Here and below, `real` is real time for who has just read it.
        """
        micros = real or self._real()
        if micros <= self._last_micros:
            micros = self._last_micros + 1
        self._last_micros = micros
        return micros << NODE_BITS | self._node

    def join(self, node: int, *, above: int) -> None:
        """Be that node from now on, and make ids larger than `above`. Called before the first id."""
        if not 0 <= node <= MAXIMUM_NODE:
            raise ValueError(f"node must be 0 to {MAXIMUM_NODE}, not {node}")
        self._node = node
        self.go_on_above(above)

    def go_on_above(self, number: int) -> None:
        """Every id from now on is larger than this one, which an earlier start made."""
        self._last_micros = max(self._last_micros, number >> NODE_BITS)

    def token(self, bits: int = 128, real: int = 0) -> str:
        """A secret for a URL: at least `bits` of chance in letters, digits, `-` and `_` (26 for 128).

        Three octets of time stand before the chance, so that tokens of one moment are neighbours in an index: entries
        that land anywhere cost a page of the write-ahead log each."""
        octets = self._moment(real).to_bytes(3) + self._random_octets((bits + 7) // 8)
        return binascii.b2a_base64(octets, newline=False).translate(_URL_SAFE).rstrip(b"=").decode("ascii")

    def transaction_id(self, real: int = 0) -> str:
        """A transaction id that any interface can carry: 18 letters and digits (MM1, MM4 and MM7 allow 40 safely), the
        first ones of time, as in `token`."""
        chance = self._random_octets(_TRANSACTION_CHANCE).translate(_CHANCE_LETTERS).decode("ascii")
        moment = self._moment(real)
        return f"{_DIGITS[moment >> 20]}{_PAIRS[moment >> 10 & 1023]}{_PAIRS[moment & 1023]}{chance}"

    def _moment(self, real: int) -> int:
        """24 bits of real time in steps of 8 ms: they come round in a day and a half, which no index minds."""
        return (real or self._real()) >> 13 & 0xFFFFFF

    def number(self, bits: int) -> int:
        """A random number of that many bits (transaction ids of pushes)."""
        octets = (bits + 7) // 8
        return int.from_bytes(self._random_octets(octets)) >> (8 * octets - bits)
