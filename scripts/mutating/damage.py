"""Octets made from golden ones: changed, cut, put together from two, made long. A seed makes the same ones again."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Final

LONGEST: Final = 40_000  # octets of an input
_RARELY: Final = 0.004  # how often one is made long: it takes a hundred times as long
_TELLING: Final = bytes.fromhex("00010203061d1e1f207f80818384889697a0b0bebfc0e0feff")  # lengths, quotes, field numbers
_UINTVARS: Final = (b"\x8f\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x00", b"\x81\x00", b"\xff\xff\xff\xff\xff\xff", b"\x1f")

Change = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def _place(chance: random.Random, octets: bytearray) -> int:
    return chance.randrange(len(octets) + 1)


def _set_any(chance: random.Random, octets: bytearray, seeds: Sequence[bytes]) -> None:
    at = _place(chance, octets)
    octets[at : at + 1] = bytes((chance.randrange(256),))


def _set_telling(chance: random.Random, octets: bytearray, seeds: Sequence[bytes]) -> None:
    at = _place(chance, octets)
    octets[at : at + 1] = bytes((chance.choice(_TELLING),))


def _flip(chance: random.Random, octets: bytearray, seeds: Sequence[bytes]) -> None:
    if octets:
        octets[chance.randrange(len(octets))] ^= 1 << chance.randrange(8)


def _step(chance: random.Random, octets: bytearray, seeds: Sequence[bytes]) -> None:
    """One more or one less: lengths that are nearly right."""
    if octets:
        at = chance.randrange(len(octets))
        octets[at] = (octets[at] + chance.choice((-1, 1))) % 256


def _drop(chance: random.Random, octets: bytearray, seeds: Sequence[bytes]) -> None:
    at = _place(chance, octets)
    del octets[at : at + chance.randint(1, 8)]


def _insert(chance: random.Random, octets: bytearray, seeds: Sequence[bytes]) -> None:
    at = _place(chance, octets)
    octets[at:at] = chance.choice(_UINTVARS) if chance.random() < 0.3 else chance.randbytes(chance.randint(1, 6))


def _double(chance: random.Random, octets: bytearray, seeds: Sequence[bytes]) -> None:
    at = _place(chance, octets)
    octets[at:at] = octets[at : at + chance.randint(1, 30)]


def _graft(chance: random.Random, octets: bytearray, seeds: Sequence[bytes]) -> None:
    other = chance.choice(seeds)
    start = chance.randrange(len(other) + 1)
    at = _place(chance, octets)
    octets[at:at] = other[start : start + chance.randint(1, 40)]


def _cut(chance: random.Random, octets: bytearray, seeds: Sequence[bytes]) -> None:
    del octets[_place(chance, octets) :]


_CHANGES: Final[tuple[Change, ...]] = (
    *(_set_any, _set_any, _set_telling, _set_telling, _flip, _step, _step),
    *(_drop, _insert, _double, _graft, _cut),
)


def _lengthened(chance: random.Random, octets: bytearray) -> None:
    """A piece of it again and again: what takes more than its share of work shows here."""
    at = _place(chance, octets)
    piece = bytes(octets[at : at + chance.randint(1, 12)]) or b"\x80"
    octets[at:at] = piece * chance.randrange(LONGEST // len(piece))
    del octets[LONGEST:]


def mutated(seeds: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Without end; the first ones are the golden octets themselves."""
    yield from seeds
    chance = random.Random(seed)
    while True:
        octets = bytearray(chance.choice(seeds))
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5, 8))):
            chance.choice(_CHANGES)(chance, octets, seeds)
        if chance.random() < _RARELY:
            _lengthened(chance, octets)
        yield bytes(octets)
